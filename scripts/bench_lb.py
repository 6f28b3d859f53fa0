#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a balancer costs: its generated configuration against the server itself, and against the distribution's.

In one container of the test image, over loopback: two servers that answer "ok", each program in turn (A B C D A B C D),
and medians of what wrk says.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROLE = ROOT / "roles" / "load_balancer"
HOST = "webinfra-bench-lb"
IMAGE = "webinfra-host:trixie"
SERVER = """\
worker_processes 1;
pid /run/servers.pid;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 100000000;
    server { listen 8001; location / { return 200 "ok"; } }
    server { listen 8002; location / { return 200 "ok"; } }
}
"""
SMALLEST_PROXY = """\
upstream servers { server 127.0.0.1:8001 weight=3; server 127.0.0.1:8002; }
server { listen 8083; location / { proxy_pass http://servers; } }
"""
PORTS = {"direct": 8001, "haproxy": 8081, "nginx": 8082, "nginx as Debian has it": 8083}
GOALS = {"haproxy": 0.45, "nginx": 0.40}


def run(*command: str, stdin: str | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    return done.stdout


def inside(command: str, stdin: str | None = None) -> str:
    return run("docker", "exec", "--interactive", HOST, "sh", "-ec", command, stdin=stdin)


def configurations() -> dict[str, str]:
    """Render the role's templates for two servers on loopback."""
    servers = [
        {"name": "web1", "address": "127.0.0.1", "port": 8001, "weight": 3},
        {"name": "web2", "address": "127.0.0.1", "port": 8002},
    ]
    with tempfile.TemporaryDirectory() as folder:
        tasks = [
            {
                "ansible.builtin.template": {
                    "src": str(ROLE / "templates" / f"{name}.j2"),
                    "dest": f"{folder}/{name}",
                    "mode": "0600",
                }
            }
            for name in ("haproxy.cfg", "nginx.conf", "servers.state")
        ]
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars_files": [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main.yml")],
            "tasks": tasks,
        }
        (Path(folder) / "render.yml").write_text(json.dumps([play]))
        variables = {
            "load_balancer_servers": servers,
            "load_balancer_overrides": {},
            "load_balancer_host_has_ipv6": False,
            "load_balancer_health_path": "/",
        }
        for name, port in (("haproxy.cfg", PORTS["haproxy"]), ("nginx.conf", PORTS["nginx"])):
            variables["load_balancer_port"] = port
            run(
                "ansible-playbook",
                "-i",
                "localhost,",
                "-c",
                "local",
                f"{folder}/render.yml",
                "-e",
                json.dumps(variables),
            )
            (Path(folder) / name).rename(Path(folder) / f"kept-{name}")
        kept = {name: (Path(folder) / f"kept-{name}").read_text() for name in ("haproxy.cfg", "nginx.conf")}
        return {**kept, "servers.state": (Path(folder) / "servers.state").read_text()}


def start() -> None:
    run("docker", "run", "--detach", "--name", HOST, "--entrypoint", "sleep", IMAGE, "infinity")
    installing = "apt-get install --yes --no-install-recommends haproxy nginx-light wrk"
    inside(f"apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive {installing} >/dev/null 2>&1")
    found = configurations()
    inside("cat > /etc/haproxy/servers.state", found["servers.state"])
    inside("mkdir -p /run/haproxy; cat > /run/haproxy.cfg; haproxy -D -f /run/haproxy.cfg", found["haproxy.cfg"])
    inside("cat > /run/servers.conf; nginx -c /run/servers.conf", SERVER)
    ours = found["nginx.conf"].replace("/run/nginx.pid", "/run/ours.pid")
    inside("cat > /run/ours.conf; nginx -c /run/ours.conf", ours)
    inside("rm -f /etc/nginx/sites-enabled/default; cat > /etc/nginx/conf.d/smallest.conf; nginx", SMALLEST_PROXY)
    deadline = time.monotonic() + 10
    for port in PORTS.values():
        while "ok" not in inside(
            f"python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:{port}/\").read())' || true"
        ):
            if time.monotonic() > deadline:
                sys.exit(f"Nobody answers at port {port}")


def measure(port: int, connections: int, seconds: int) -> tuple[float, float]:
    """Return requests a second, and the milliseconds that one in a hundred exceeds."""
    said = inside(
        f"wrk --threads 1 --connections {connections} --duration {seconds}s --latency http://127.0.0.1:{port}/"
    )
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    slow = re.search(r"99%\s+([0-9.]+)(us|ms|s)", said)
    if rate is None or slow is None or "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"wrk says: {said}")
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slow[2]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=int, default=4, help="a measurement")
    arguments = parser.parse_args()
    os.environ["ANSIBLE_STDOUT_CALLBACK"] = "default"
    run("ansible-playbook", "-i", "/dev/null", "tests/integration/images.yml")
    try:
        start()
        versions = inside("haproxy -v | head -1; nginx -v 2>&1").strip().replace("\n", "; ")
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in PORTS}
        for _round in range(arguments.rounds):
            for name, port in PORTS.items():
                found[name].append(measure(port, arguments.connections, arguments.seconds))
    finally:
        subprocess.run(["docker", "rm", "--force", HOST], capture_output=True, check=False)
    direct = statistics.median(rate for rate, _slow in found["direct"])
    print(f"{versions}\n{arguments.connections} connections, {os.cpu_count()} cores, medians of {arguments.rounds}")
    print(f"{'':24}{'requests/s':>12}{'of direct':>11}{'goal':>7}{'p99 ms':>9}")
    for name, measured in found.items():
        rate = statistics.median(rate for rate, _slow in measured)
        slow = statistics.median(slow for _rate, slow in measured)
        goal = f"{GOALS[name]:.2f}" if name in GOALS else ""
        print(f"{name:24}{rate:>12.0f}{rate / direct:>11.2f}{goal:>7}{slow:>9.2f}")


if __name__ == "__main__":
    main()
