# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of stacks of any size, as the modules give them, for the tests of the status and for its pictures."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.judging import judge

NOW = 1795000000.0
DAY = 86400
FIREWALL = {
    "present": True,
    "kernel_ipv6": False,
    "switch": "ENABLED=yes\n",
    "defaults": "IPV6=no\n" + "".join(f"DEFAULT_{chain}_POLICY=DROP\n" for chain in ("INPUT", "OUTPUT", "FORWARD")),
    "listing": "-A INPUT -j ufw-before-input\n-A ufw-before-input -j ufw-user-input\n",
}
SEMI_SYNC = {
    "source_enabled": True,
    "source_active": True,
    "replica_enabled": True,
    "replica_active": False,
    "wait_after_sync": True,
    "timeout_seconds": 1.0,
    "acknowledging_replicas": 1,
    "waits_without_replica": False,
    "wait_for_replicas": 1,
}
UNREACHABLE = {
    "unreachable": True,
    "changed": False,
    "msg": "Task failed: It cannot be reached over ssh: ssh: connect to host 10.20.0.9 port 22: Connection timed out",
}
LONG = "{}-production-eu-central-1a.internal.shop.example.com"


class Sample:
    """A stack whose parts can be broken before it is judged."""

    def __init__(self, *, balancers=1, servers=2, databases=2, name="{}", shared=False, certificate_days=None):
        self.names = {
            "load_balancers": [name.format(f"lb{number}") for number in range(1, balancers + 1)],
            "web_servers": [name.format(f"web{number}") for number in range(1, servers + 1)],
            "db_servers": [name.format(f"db{number}") for number in range(1, databases + 1)],
        }
        self.shared_address = "10.20.0.10" if shared else ""
        self.hosts = [
            {"name": host, "address": f"10.20.0.{10 * tier + number}", "groups": [group]}
            for tier, (group, hosts) in enumerate(self.names.items(), 1)
            for number, host in enumerate(hosts, 1)
        ]
        self.addresses = {host["name"]: host["address"] for host in self.hosts}
        given = [{"names": ["www.example.com"], "certificate": "/etc/ssl/certs/www.pem", "private_key": "/etc/ssl/k"}]
        self.certificates = dict.fromkeys(self.names["load_balancers"], given) if certificate_days is not None else {}
        self.surveys = {host["name"]: self._survey(host, certificate_days) for host in self.hosts}
        first = self.names["load_balancers"][:1]
        self.balancers = {host: self._pool(with_requests=host in first) for host in self.names["load_balancers"]}
        self.replication = self._replication()
        self.databases = dict.fromkeys(self.names["db_servers"], self.replication)
        self.url = "https://www.example.com"

    def stop(self, *hosts: str) -> Sample:
        """Let hosts be as those that are switched off."""
        for host in hosts:
            self.surveys[host] = UNREACHABLE
            for answers in (self.balancers, self.databases):
                if host in answers:
                    answers[host] = {"skipped": True, "changed": False}
            for row in (
                row for pool in self.balancers.values() for row in pool.get("servers", []) if row["name"] == host
            ):
                row["up"] = False
            self._lose_database(host)
        return self

    def stack(self, **others: t.Any):
        return judge(
            self.hosts,
            **{
                "url": self.url,
                "provider": "haproxy",
                "engine": "mariadb",
                "shared_address": self.shared_address,
                "release_link": "/srv/guest_book/current",
                "certificates": self.certificates,
                "surveys": self.surveys,
                "balancers": self.balancers,
                "databases": self.databases,
                "now": NOW,
                **others,
            },
        )

    def server(self, name: str) -> dict[str, t.Any]:
        return next(row for pool in self.balancers.values() for row in pool["servers"] if row["name"] == name)

    def drain(self, name: str) -> Sample:
        override = {"state": "drain", "weight": None, "since": "2026-11-18T05:30:00+00:00", "requested_by": "anna"}
        self.server(name).update(state="drain", override={**override, "reason": "new kernel"})
        return self

    def find(self, name: str, server: str, reason: str, severity: str = "critical") -> Sample:
        """Let the check of the replication find something."""
        action = "read what docs/findings.md says of it"
        self.replication["findings"].append(
            {"name": name, "severity": severity, "server": server, "reason": reason, "action": action}
        )
        return self

    def _survey(self, host, certificate_days):
        unit = {"load_balancers": "haproxy", "web_servers": "guest_book", "db_servers": "mariadb"}[host["groups"][0]]
        holds = self.shared_address and host["name"] == self.names["load_balancers"][0]
        addresses = [{"interface": "eth0", "address": f"{host['address']}/24"}]
        addresses += [{"interface": "eth0", "address": f"{self.shared_address}/24"}] if holds else []
        end = int(NOW + DAY * (certificate_days or 0) + 60)
        return {
            "changed": False,
            "addresses": addresses,
            "ansible_facts": {"ansible_distribution": "Debian", "ansible_distribution_version": "13"},
            "certificates": {"/etc/ssl/certs/www.pem": end},
            "seen": {
                "units": {f"{unit}.service": {"states": {f"{unit}.service": {"active": True}}}},
                "firewall": FIREWALL,
                "links": {"/srv/guest_book/current": "/srv/guest_book/releases/1b9e0f3c44d2"},
            },
        }

    def _pool(self, *, with_requests):
        servers = self.names["web_servers"]
        weights = [3 if number == 0 else 1 for number, _name in enumerate(servers)]
        total = sum(weights)
        return {
            "provider": "haproxy",
            "overrides": {},
            "servers": [
                {
                    "name": name,
                    "backup": False,
                    "state": "ready",
                    "weight": weight,
                    "up": True,
                    "sessions": 0,
                    "requests": weight * 100 if with_requests else 0,
                    "share": round(weight / total, 4) if with_requests else None,
                    "override": None,
                }
                for name, weight in zip(servers, weights, strict=True)
            ],
        }

    def _replication(self):
        primary, *replicas = self.names["db_servers"] or [""]
        shared = {"version": "11.8.3-MariaDB", "uptime_seconds": 93000}
        following = {
            "role": "replica",
            "source": {"host": self.addresses.get(primary, "")},
            "io_thread": "running",
            "sql_thread": "running",
            "lag_seconds": 0,
            "heartbeat_lag_seconds": 0.0,
            "transactions_behind": 0,
            "semi_sync": None,
        }
        nothing = dict.fromkeys(following, None)
        writable = {"role": "primary", "source": None, "semi_sync": SEMI_SYNC}
        return {
            "primary": primary,
            "findings": [],
            "servers": {
                primary: {**shared, **nothing, **writable},
                **{replica: {**shared, **following} for replica in replicas},
            },
        }

    def _lose_database(self, host):
        if host not in self.replication["servers"]:
            return
        was_primary = self.replication["servers"].pop(host)["role"] == "primary"
        self.find("server_unreachable", host, f"{host} at port 3306 does not answer: timed out")
        if was_primary:
            for server in self.replication["servers"].values():
                server.update(io_thread="connecting", lag_seconds=None, transactions_behind=None)
            self.find("no_primary", host, "no server takes writes")


__all__ = ("DAY", "LONG", "NOW", "UNREACHABLE", "Sample")
