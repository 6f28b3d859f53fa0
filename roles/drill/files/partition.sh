#!/bin/sh
# Cuts this host off from addresses, or ends that: partition.sh cut ADDRESS … | partition.sh heal
set -eu
chain=webinfra-drill

tools() {
  for tool in iptables ip6tables; do
    command -v "$tool" >/dev/null && "$tool" -w -n -L INPUT >/dev/null 2>&1 && echo "$tool"
  done
}

heal() {
  for tool in $(tools); do
    for hook in INPUT OUTPUT; do
      while "$tool" -w -D "$hook" -j "$chain" 2>/dev/null; do :; done
    done
    "$tool" -w -F "$chain" 2>/dev/null && "$tool" -w -X "$chain" || :
  done
}

cut() {
  heal
  for tool in $(tools); do
    "$tool" -w -N "$chain"
  done
  for address; do
    case $address in
      *:*) tool=ip6tables ;;
      *) tool=iptables ;;
    esac
    "$tool" -w -A "$chain" -s "$address" -j DROP
    "$tool" -w -A "$chain" -d "$address" -j DROP
  done
  # Before all other rules: connections that are open end as well.
  for tool in $(tools); do
    for hook in INPUT OUTPUT; do
      "$tool" -w -I "$hook" 1 -j "$chain"
    done
  done
}

action=$1
shift
"$action" "$@"
