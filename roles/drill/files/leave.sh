#!/bin/sh
# Leaves this host as it was before a drill: leave.sh OVERRIDE_OF_THE_SERVERS_UNIT
set -eu
systemctl stop webinfra-drill-client.service webinfra-drill-killer.service webinfra-drill-heal.timer 2>/dev/null || :
[ ! -e /run/webinfra-drill/partition.sh ] || sh /run/webinfra-drill/partition.sh heal
rm -rf /run/webinfra-drill /run/webinfra-drill-client /run/private/webinfra-drill-client /run/webinfra-drill-rows \
  /run/webinfra-drill-killer /run/systemd/system/webinfra-drill-client.service "$1"
systemctl daemon-reload
