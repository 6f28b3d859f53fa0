# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import http.server
import itertools
import json
import threading

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.modules import balance_check

TWO = [{"name": "web1", "weight": 3}, {"name": "web2"}]


@contextlib.contextmanager
def balancer(*names, status=200):
    """Answer on a free port, in the name of one server after the other."""
    turn = itertools.cycle(names)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("X-Served-By", next(turn))
            self.send_header("X-Asked", f"{self.headers['Host']} {self.path}")
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(capsys, *, servers=TWO, check_mode=False, **options):
    arguments = {"servers": servers, "_ansible_check_mode": check_mode, **options}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        balance_check.main()
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check mode"])
def test_weighted_round_robin_passes_and_changes_nothing(capsys, check_mode):
    with balancer("web1", "web1", "web2", "web1") as url:
        result = run(capsys, url=url, check_mode=check_mode)
    assert result["changed"] is False
    assert [(share["name"], share["observed"]) for share in result["shares"]] == [("web1", 30), ("web2", 10)]


def test_equal_shares_for_unequal_weights_fail_with_a_table(capsys):
    with balancer("web1", "web2") as url:
        result = run(capsys, url=url)
    assert (result["failed"], result["changed"]) == (True, False)
    assert "web1    3       30        20        <- too few" in result["msg"]


def test_without_weights_one_server_may_answer_everything_but_not_one_that_stands_by(capsys):
    with balancer("web2") as url:
        assert "failed" not in run(capsys, url=url, weighted=False)
        passive = run(capsys, url=url, weighted=False, servers=[{"name": "web1"}, {"name": "web2", "backup": True}])
    assert "web2    1 (backup)  0         40        <- should stand by" in passive["msg"]


def test_each_request_has_the_path_and_the_headers_that_were_given(capsys):
    with balancer("web1") as url:
        result = run(
            capsys, url=f"{url}/page?x=1", requests=1, servers=[{"name": "web1"}], headers={"Host": "book.example"}
        )
    assert result["observed_headers"]["x-asked"] == ["book.example /page?x=1"]


@pytest.mark.parametrize("status", [503, 301, 204])
def test_anything_but_200_fails_and_ends_the_asking_soon(capsys, status):
    with balancer("web1", status=status) as url:
        result = run(capsys, url=url)
    assert [failure["request"] for failure in result["failures"]] == [1, 2, 3, 4, 5]
    assert f"answered {status}" in result["msg"]


def test_a_dead_balancer_fails_with_what_the_system_said(capsys):
    with balancer("web1") as url:
        pass
    result = run(capsys, url=url)
    assert "request 1: not answered: [Errno 111] Connection refused" in result["msg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "lb1/healthz"}, "is not a web address"),
        ({"url": "http://[::1/"}, "is not a web address"),
        ({"url": "https://127.0.0.1/", "ca_file": "/nonexistent.pem"}, "/nonexistent.pem cannot be used"),
        ({"url": "http://127.0.0.1/", "requests": 0}, "send at least 1"),
        ({"url": "http://127.0.0.1/", "servers": [{"name": "web1", "weight": 0}]}, "no server has a weight above 0"),
    ],
    ids=["no scheme", "broken", "no authorities", "no request", "no server"],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(capsys, options, message):
    result = run(capsys, **options)
    assert result["failed"] is True
    assert message in result["msg"]


def test_a_name_is_asked_for_at_the_address_that_is_given(capsys):
    with balancer("web1", "web1", "web2", "web1") as url:
        port = url.rpartition(":")[2]
        result = run(capsys, url=f"http://www.nowhere.invalid:{port}/x", address="127.0.0.1")
    assert "failed" not in result
    assert result["observed_headers"]["x-asked"] == [f"www.nowhere.invalid:{port} /x"]


def test_an_address_where_nobody_answers_is_told(capsys):
    result = run(capsys, url="http://www.nowhere.invalid:9/", address="127.0.0.1")
    assert result["failed"] is True
    assert "refused" in result["msg"]
