#!/bin/sh
# Start dockerd where systemd is not PID 1: in a mount namespace of its own with the unified cgroup view,
# because systemd in a container needs cgroup2 and some machines still mount the old layout.
set -eu
log="$1"
setsid unshare --mount --propagation private sh -c '
  umount -R /sys/fs/cgroup 2>/dev/null || true
  mount -t cgroup2 none /sys/fs/cgroup
  exec dockerd
' >"$log" 2>&1 </dev/null &
