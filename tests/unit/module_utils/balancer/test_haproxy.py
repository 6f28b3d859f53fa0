# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.haproxy import (
    orders,
    parse_look,
    parse_old_workers,
    parse_sessions,
    state_file,
)
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import (
    Override,
    Overrides,
    Pool,
    PoolError,
    PoolServer,
    Provider,
    ServerState,
)

WEB1 = PoolServer(name="web1", address="10.213.80.21", port=8000, weight=3)
WEB2 = PoolServer(name="web2", address="10.213.80.22", port=8000)
POOL = Pool(provider=Provider.HAPROXY, health_path="/healthz", servers=(WEB1, WEB2))
NOTHING_SET = Overrides()

# Printed by HAProxy 3.0.11 for `show servers state servers; show stat servers 4 -1`, cut off behind last_chk.
LOOK = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state \
bk_f_forced_id srv_f_forced_id srv_fqdn srv_port \
srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 servers 1 web1 10.213.80.21 2 {admin} 3 3 19 15 3 3 6 0 0 0 - 8000 - 0 0 - - 0
3 servers 2 web2 10.213.80.22 {running} 0 1 1 19 15 3 3 6 0 0 0 - 8000 - 0 0 - - 0

# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,\
chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,\
check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,\
req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,
servers,web1,0,0,4,1,,30,2430,14850,,0,,0,0,0,0,UP,3,1,0,0,0,19,0,,1,3,1,,30,,2,0,,30,L7OK,200,7,0,30,0,0,0,0,,,,30,\
0,0,,,,,17,,
servers,web2,0,0,0,1,,10,810,4950,,0,,0,0,0,0,UP,1,1,0,0,0,19,5,,1,3,2,,10,,2,0,,10,L7STS,503,3,0,10,0,0,0,0,,,,10,\
0,0,,,,,17,,

"""


def look(admin=0, running=2):
    return parse_look(LOOK.format(admin=admin, running=running), POOL, NOTHING_SET)


def set_for(server, state, weight=None):
    return Overrides({server.name: Override(state=state, weight=weight)})


def test_state_weight_sessions_and_health_are_read_from_a_real_answer():
    first, second = look(running=0)
    assert (first.state, first.weight, first.up, first.sessions, first.requests) == (ServerState.READY, 3, True, 4, 30)
    assert (first.last_check.outcome, first.last_check.passed, first.last_check.milliseconds) == ("L7OK 200", True, 7.0)
    assert (second.up, second.downtime_seconds, second.last_check.passed) == (False, 5, False)


@pytest.mark.parametrize(
    ("admin", "state"),
    [
        (0x01, ServerState.MAINTENANCE),
        (0x08, ServerState.DRAIN),
        (0x09, ServerState.MAINTENANCE),
        (0x04, ServerState.MAINTENANCE),
        (0x20, ServerState.MAINTENANCE),
    ],
    ids=["maintenance", "drain", "both", "by the configuration", "a name that does not resolve"],
)
def test_what_was_set_is_read_from_the_bits(admin, state):
    assert look(admin=admin)[0].state is state


def test_a_server_that_the_running_haproxy_does_not_know_is_named():
    pool = Pool(
        provider=Provider.HAPROXY, health_path="/", servers=(WEB1, PoolServer(name="web9", address="::1", port=1))
    )
    with pytest.raises(PoolError, match="does not know web9"):
        parse_look(LOOK.format(admin=0, running=2), pool, NOTHING_SET)


def test_an_answer_that_is_no_table_is_shown():
    with pytest.raises(PoolError, match="Unknown command"):
        parse_look("Unknown command", POOL, NOTHING_SET)


def test_old_workers_and_what_they_still_have_are_told_apart():
    listed = (
        "#<PID>          <type>          <reloads>       <uptime>        <version>\n"
        "1162            master          2               0d00h02m07s     3.0.11\n# workers\n"
        "1271            worker          0               0d00h00m00s     3.0.11\n# old workers\n"
        "1233            worker          1               0d00h00m43s     3.0.11\n"
        "1201            worker          2               0d00h01m43s     3.0.11\n# programs\n\n"
    )
    assert parse_old_workers(listed) == [1233, 1201]
    assert parse_old_workers(listed.partition("# old workers")[0]) == []
    assert [parse_sessions(LOOK.format(admin=0, running=2), server) for server in (WEB1, WEB2)] == [4, 0]


def test_only_what_differs_is_ordered():
    assert orders(look()[0], NOTHING_SET) == []
    assert orders(look()[0], set_for(WEB1, ServerState.DRAIN)) == ["set server servers/web1 state drain"]
    assert orders(look(admin=1)[0], set_for(WEB1, ServerState.READY, 5)) == [
        "set server servers/web1 weight 5",
        "set server servers/web1 state ready",
    ]


def test_the_file_that_it_starts_with_names_only_servers_for_which_something_was_set():
    assert state_file(POOL.servers, NOTHING_SET).count("\n") == 2
    drained = state_file(POOL.servers, set_for(WEB2, ServerState.DRAIN)).splitlines()[-1].split()
    assert drained[:9] == ["3", "servers", "2", "web2", "10.213.80.22", "2", "8", "1", "1"]
    resting = state_file(POOL.servers, set_for(WEB1, ServerState.MAINTENANCE, 7)).splitlines()[-1].split()
    assert resting[4:9] == ["10.213.80.21", "0", "1", "7", "3"]
    columns = state_file(POOL.servers, NOTHING_SET).splitlines()[1].split()[1:]
    assert len(columns) == len(drained) == len(resting)
