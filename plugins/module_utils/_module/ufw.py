# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""UFW on this host: its files, its command and the kernel behind it."""

from __future__ import annotations

import glob
import os
import typing as t

from .._firewall.kernel import holds, runs
from .._firewall.plan import FirewallState, Policies
from .._firewall.rules import parse_rules
from .._firewall.sessions import parse_interfaces, parse_ports, parse_sockets, session_of_environment

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .._firewall.sessions import Session

SWITCH_FILE = "/etc/ufw/ufw.conf"
DEFAULTS_FILE = "/etc/default/ufw"
RULES_FILES = {4: "/etc/ufw/user.rules", 6: "/etc/ufw/user6.rules"}
SSHD_FILE = "/etc/ssh/sshd_config"
SSHD_DROP_INS = "/etc/ssh/sshd_config.d/*.conf"
KERNEL_IPV6 = "/proc/sys/net/ipv6"

_TABLES = {4: "iptables", 6: "ip6tables"}
_POLICIES = {"ACCEPT": "allow", "DROP": "deny", "REJECT": "reject"}
_AS_PACKAGED = Policies(incoming="deny", outgoing="allow", routed="deny")


class UfwError(Exception):
    """UFW, or what it stands on, is missing or does not do what it is told."""


class Ufw:
    """Reads the files instead of asking ``ufw``: a tenth of the time, and the rules of both families apart."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module

    def installed(self) -> bool:
        return self._module.get_bin_path("ufw") is not None

    def state(self) -> FirewallState:
        if not self.installed():
            ipv6 = os.path.exists(KERNEL_IPV6)
            return FirewallState(enabled=False, running=False, loaded=False, ipv6=ipv6, policies=_AS_PACKAGED, rules=())
        defaults = _assignments(DEFAULTS_FILE)
        ipv6 = defaults.get("IPV6", "").lower() == "yes" and os.path.exists(KERNEL_IPV6)
        families = (4, 6) if ipv6 else (4,)
        files = {family: _read(RULES_FILES[family]) for family in families}
        rules = tuple(rule for text in files.values() for rule in parse_rules(text))
        listings = {family: self._run(_TABLES[family], "-S") for family in families}
        running = all(runs(listings[family], family) for family in families)
        policies = Policies(
            incoming=_policy(defaults, "DEFAULT_INPUT_POLICY"),
            outgoing=_policy(defaults, "DEFAULT_OUTPUT_POLICY"),
            routed=_policy(defaults, "DEFAULT_FORWARD_POLICY"),
        )
        loaded = all(
            holds(listings[family], family, rules_file=files[family], rules=rules, incoming=policies.incoming)
            for family in families
        )
        return FirewallState(
            enabled=_assignments(SWITCH_FILE).get("ENABLED", "").lower() == "yes",
            running=running,
            loaded=running and loaded,
            ipv6=ipv6,
            policies=policies,
            rules=rules,
        )

    def sessions(self) -> tuple[Session, ...]:
        configuration = "\n".join(_read(path) for path in [*glob.glob(SSHD_FILE), *glob.glob(SSHD_DROP_INS)])
        sockets = parse_sockets(self._run("ss", "-Htanp"), parse_ports(configuration))
        return sockets + session_of_environment(os.environ.get("SSH_CONNECTION", ""))

    def interfaces(self) -> dict[str, str]:
        return parse_interfaces(self._run("ip", "-o", "addr"))

    def execute(self, words: t.Sequence[str]) -> None:
        self._run("ufw", *words)

    def _run(self, program: str, *words: str) -> str:
        path = self._module.get_bin_path(program)
        if path is None:
            package = {"ss": "iproute2", "ip": "iproute2"}.get(program, program.replace("ip6tables", "iptables"))
            raise UfwError(f"{program} is not installed on this host; install the package {package}")
        code, out, err = self._module.run_command([path, *words], environ_update={"LC_ALL": "C.UTF-8"})
        if code != 0:
            raise UfwError(f"{program} {' '.join(words)} failed: {(err or out).strip()}")
        return str(out)


def _assignments(path: str) -> dict[str, str]:
    """Read a file of ``NAME=value`` or ``NAME="value"`` lines."""
    lines = (line.strip() for line in _read(path).splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _policy(defaults: t.Mapping[str, str], name: str) -> str:
    word = defaults.get(name, "").upper()
    if word not in _POLICIES:
        raise UfwError(f"{DEFAULTS_FILE}: {name} is {word!r}; write one of {', '.join(_POLICIES)}")
    return _POLICIES[word]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError as exc:
        raise UfwError(
            f"{path} cannot be read ({exc.strerror}); is UFW installed completely, and is this root?"
        ) from exc


__all__ = ("Ufw", "UfwError")
