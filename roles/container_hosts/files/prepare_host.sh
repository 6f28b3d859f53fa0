#!/bin/sh
# Runs in a new host with the operator's public key on standard input: lets the operator in,
# waits until systemd and sshd are up, prints the host's public key.
set -eu
umask 077
cat >/home/ops/.ssh/authorized_keys.new
chown ops:ops /home/ops/.ssh/authorized_keys.new
mv /home/ops/.ssh/authorized_keys.new /home/ops/.ssh/authorized_keys
state=$(timeout 30 systemctl is-system-running --wait) || {
  echo "systemd is '$state' instead of 'running':" >&2
  systemctl --failed --no-legend --plain >&2
  exit 1
}
cat /etc/ssh/ssh_host_ed25519_key.pub
