#!/bin/sh
# Waits for the module of a verb on this host, lets it run for a while, and kills it: kill_module.sh SECONDS
set -eu
module='[A]nsiballZ_(switchover|failover)'
until pgrep -f "$module" >/dev/null; do sleep 0.05; done
sleep "$1"
pkill -9 -f "$module" || :
