# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import typing as t
from dataclasses import asdict, replace

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible.utils.color import ANSIBLE_COLOR

from ansible_collections.webinfra.stack.plugins.plugin_utils import inventory_check as check
from ansible_collections.webinfra.stack.plugins.plugin_utils.application_check import check_application
from ansible_collections.webinfra.stack.plugins.plugin_utils.balancer_check import VARIABLES, check_balancer
from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_tree import PLAIN, YELLOW
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.single_points import declared_single_points
from ansible_collections.webinfra.stack.plugins.plugin_utils.tls_check import MODES, check_tls
from ansible_collections.webinfra.stack.plugins.plugin_utils.virtual_ip_check import (
    check_virtual_ip,
    check_virtual_ip_host,
)
from ansible_collections.webinfra.stack.plugins.plugin_utils.written_values import check_host_names, check_written

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import SinglePoint

OPTIONS: dict[str, t.Any] = {
    "roles": {"type": "list", "elements": "str", "default": []},
    "balancers": {"type": "list", "elements": "str"},
    "servers": {"type": "list", "elements": "str"},
    "databases": {"type": "list", "elements": "str"},
    "virtual_ip": {"type": "str", "default": ""},
    "url": {"type": "str", "default": ""},
    "application": {"type": "dict", "default": {}},
    "tls": {
        "type": "dict",
        "options": {
            "mode": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "default": []},
            "certificate": {"type": "str", "default": ""},
            "private_key": {"type": "str", "no_log": True, "default": ""},
        },
    },
    "facts": {"type": "dict"},
    "flows": {"type": "list", "elements": "dict", "default": []},
    "stack_variables": {"type": "dict", "default": {}},
    "known_variables": {"type": "list", "elements": "str", "default": []},
    "allow_untested": {"type": "bool", "default": False},
}
CERTIFICATES = "load_balancer_certificates"
TIERS = {
    "balancers": ("load_balancers", "load balancer"),
    "servers": ("web_servers", "web server"),
    "databases": ("db_servers", "database server"),
}
ROLES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "roles")
FACTS_NEED = ("ansible_distribution", "ansible_distribution_version")


class ActionModule(ActionBase):
    """Find what is wrong with the inventory and with this host; runs on the controller."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=OPTIONS)  # type: ignore[no-untyped-call]
        inspection = Inspection(options, task_vars or {}, self._templar)
        try:
            findings = inspection.findings()
        except check.UnknownRoleError as exc:
            raise AnsibleActionFail(str(exc)) from exc
        if findings:
            return {**result, "changed": False, "failed": True, "msg": check.report(findings)}
        points = inspection.single_points()
        if points:
            colour, plain = (YELLOW, PLAIN) if ANSIBLE_COLOR else ("", "")
            lines = [f"  {point.host}: without it {point.stops} stop; {point.remedy}" for point in points]
            self._display.display("\n".join([f"{colour}Single points of failure{plain}", *lines, ""]))
        told = [{**asdict(point), "tier": point.tier.value} for point in points]
        return {**result, "changed": False, "single_points": told}


class Inspection:
    """One host, with the variables of its play, and the inventory around it."""

    def __init__(self, options: Mapping[str, t.Any], variables: Mapping[str, t.Any], templar: t.Any) -> None:
        self._options = options
        self._variables = variables
        self._templar = templar
        self._hostvars = variables["hostvars"]
        self._host = str(variables["inventory_hostname"])
        self._play_hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        self._given = self._hostvars[self._host]
        """What the inventory and the command line say of the host, without what the play makes of it."""
        self._interfaces = check.Interfaces(roles=_interfaces(), stack=options["stack_variables"])

    def findings(self) -> list[check.Finding]:
        """Return all problems that are this host's to tell: of those of several hosts, the first one tells."""
        return [
            *(self._of_inventory() if self._host == self._play_hosts[0] else []),
            *self._of_variables(),
            *self._of_balancer(),
            *self._of_missing(),
            *self._of_host(),
        ]

    def single_points(self) -> list[SinglePoint]:
        """Return the hosts without which nothing goes on, where this host is the one that tells."""
        tiers = [self._options[option] for option in TIERS]
        if self._host != self._play_hosts[0] or None in tiers:
            return []
        members = [self._member(name) for name in self._variables["groups"]["all"]]
        hosts = [{"name": each.name, "address": each.address, "groups": each.groups} for each in members]
        return declared_single_points(hosts, shared_address=self._options["virtual_ip"], url=self._options["url"])

    def _of_inventory(self) -> list[check.Finding]:
        tiers = [
            check.Tier(group=group, noun=noun, hosts=self._options[option])
            for option, (group, noun) in TIERS.items()
            if self._options[option] is not None
        ]
        servers = [self._member(name) for name in self._options["servers"] or []]
        members = [self._member(name) for name in self._variables["groups"]["all"]]
        addresses = check.check_addresses(members)
        return [
            *check.check_tiers(tiers),
            *check_host_names(member.name for member in members),
            *check.check_servers(servers, TIERS["servers"][0]),
            *(addresses or check.check_flows(self._options["flows"], members)),
            *self._of_virtual_ip(members),
            *check_application(self._options["application"]),
            *(check_tls(self._options["tls"]) if self._options["tls"] else []),
        ]

    def _of_virtual_ip(self, members: list[check.Member]) -> list[check.Finding]:
        address = self._options["virtual_ip"]
        return check_virtual_ip(address, self._options["balancers"] or [], members) if address else []

    def _of_variables(self) -> Iterator[check.Finding]:
        """Yield what is wrong with what the inventory says, for this host's roles or not."""
        findings = check.check_names(self._given, self._interfaces, self._options["known_variables"])
        for owner, options in self._interfaces.owners():
            for variable in sorted(options.keys() & set(self._given)):
                finding = self._of_value(owner, variable, options[variable])
                if finding:
                    findings[variable] = finding
        for variable, finding in findings.items():
            hosts = [host for host in self._play_hosts if self._has_the_same(host, variable)]
            if hosts[0] == self._host:
                everywhere = hosts == self._play_hosts and len(hosts) > 1
                yield replace(finding, where="all hosts" if everywhere else ", ".join(hosts))

    def _of_value(self, owner: str, variable: str, option: Mapping[str, t.Any]) -> check.Finding | None:
        try:
            value = self._value(variable)
        except AnsibleError as exc:
            return check.broken_value(variable, str(exc))
        return check.check_value(variable, option, value, owner) or check_written(variable, value)

    def _value(self, variable: str) -> t.Any:
        try:
            return self._given[variable]
        except AnsibleError:
            # It may be made of something that only the play knows.
            return self._templar.template(self._variables[variable])

    def _has_the_same(self, host: str, variable: str) -> bool:
        if host == self._host or variable not in self._hostvars[host]:
            return host == self._host
        try:
            return bool(self._hostvars[host][variable] == self._given[variable])
        except AnsibleError:
            return True  # what cannot be computed here cannot be computed there

    def _of_balancer(self) -> list[check.Finding]:
        """Return what does not fit on a balancer: of those that are given the same, the first one tells."""
        balancers = self._options["balancers"] or []
        if self._host not in balancers:
            return []
        try:
            given = {name: self._value(name) for name in VARIABLES if name in self._given}
        except AnsibleError:
            return []  # that it cannot be computed is a finding of its own
        alike = [host for host in balancers if all(self._has_the_same(host, name) for name in given)]
        if alike[0] != self._host:
            return []
        if self._has_certificate:
            if check_tls(self._options["tls"]):
                return []  # that it cannot be used is a finding of the inventory
            given[CERTIFICATES] = self._templar.template(self._variables[CERTIFICATES])
        servers = [self._member(name) for name in self._options["servers"] or []]
        backups = [server.name for server in servers if server.stands_by]
        return check_balancer(", ".join(alike), self._interfaces.options_of("load_balancer"), given, backups)

    @property
    def _has_certificate(self) -> bool:
        """Whether the play gives the balancers a certificate of its own making."""
        return bool(self._options["tls"]) and self._options["tls"]["mode"] in MODES[1:]

    def _of_missing(self) -> list[check.Finding]:
        return [
            check.missing_value(variable, role, self._host)
            for role in self._options["roles"]
            for variable, option in self._interfaces.options_of(role).items()
            if option.get("required") and variable not in self._variables
        ]

    def _of_host(self) -> list[check.Finding]:
        facts = self._options["facts"]
        if facts is None:
            return []
        found = check.check_facts(self._member(self._host), facts)
        if found:
            return found
        distribution, version = (str(facts["ansible_facts"].get(name, "unknown")) for name in FACTS_NEED)
        if distribution == "Debian":
            version = version.partition(".")[0]
        allow_untested = self._options["allow_untested"]
        found = check.check_distribution(self._host, distribution, version, allow_untested=allow_untested)
        if "database" in self._options["roles"]:
            found += check.check_engine(self._host, self._engine(), distribution, version)
        address, addresses = self._options["virtual_ip"], facts.get("addresses")
        if "virtual_ip" in self._options["roles"] and addresses is not None:
            found += check_virtual_ip_host(self._host, address, addresses, distribution=distribution, version=version)
        return found

    def _engine(self) -> str:
        default = str(self._interfaces.roles["database"]["database_engine"]["default"])
        try:
            return str(self._value("database_engine")) if "database_engine" in self._given else default
        except AnsibleError:
            return default  # that it cannot be computed is a finding of its own

    def _member(self, name: str) -> check.Member:
        given = self._hostvars[name]
        names = ("ansible_host", *check.HOST_VARIABLES)
        groups = frozenset(group for group, hosts in self._variables["groups"].items() if name in hosts)
        return check.Member(name=name, groups=groups, **{key: given[key] for key in names if key in given})


def _interfaces() -> dict[str, check.Options]:
    """Read which variables the roles of this collection have."""
    interfaces: dict[str, check.Options] = {}
    for role in sorted(os.listdir(ROLES)):
        path = os.path.join(ROLES, role, "meta", "argument_specs.yml")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                specs = yaml_load(stream)["argument_specs"]
            interfaces[role] = {
                name: option for spec in specs.values() for name, option in spec.get("options", {}).items()
            }
    return interfaces
