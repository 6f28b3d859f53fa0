# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to a host whose firewall was changed, over a new connection, and to people where there is none."""

from __future__ import annotations

import typing as t

FORMER = "/var/lib/webinfra/firewall/former"
ROLLBACK = "webinfra-firewall-rollback"
"""As the module has them on its host; a test holds these against those."""

CONFIRM = f"systemctl stop {ROLLBACK}.timer && test -e {FORMER} && rm -r {FORMER}"
"""A timer that has ended cannot be stopped: then it is too late."""
EXISTS = f"test -e {FORMER}"


def shut_out(words: str, *, back: bool) -> str:
    """Say that the new rules have shut us out, and what to do."""
    now = "its former rules are back" if back else "it does not let anybody in from here yet, so look at its console"
    return (
        f"With the new rules no new connection to this host could be opened from the controller ({words}); {now}. "
        "What to do: let the flow matrix (webinfra_controller_addresses, webinfra_extra_flows) have SSH from where "
        "Ansible runs, look for rules of others that deny it (foreign_rules, /etc/ufw/before.rules), and run again"
    )


def foreign_rules(host: str, rules: t.Sequence[str]) -> str:
    """Say which rules are in force that nobody has declared."""
    return (
        f"{host} has rules that nobody declared, and they are in force: {'; '.join(rules)}. "
        "Declare them with webinfra_extra_flows, or remove them with firewall_foreign_rules: remove"
    )


__all__ = ("CONFIRM", "EXISTS", "FORMER", "ROLLBACK", "foreign_rules", "shut_out")
