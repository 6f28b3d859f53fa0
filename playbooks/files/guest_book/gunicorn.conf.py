# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of gunicorn; the address may also be given with ``--bind``."""

from __future__ import annotations

import os

bind = os.environ.get("APP_BIND", "127.0.0.1:8000")
workers = 2
worker_class = "gthread"
threads = 4
# Heartbeats on a disk stall with the disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108 - the kernel's shared memory, not a directory for temporary files
# Longer than any request can take: each step on a database has a ceiling of seconds.
timeout = 30
# Requests that are being answered may finish when the service is stopped or restarted.
graceful_timeout = 15
# Longer than a load balancer keeps an idle connection: who closes last never closes on a request.
keepalive = 75
accesslog = "-"
access_log_format = '%({x-forwarded-for}i)s "%(r)s" %(s)s %(b)s %(M)sms write=%({x-db-write}o)s read=%({x-db-read}o)s'
errorlog = "-"
