#!/bin/bash -eu
# Kills the first build of the demo again and again, each time in the middle of other work; the next run has to complete it.
cd "$(dirname "$0")/.."
output=$(mktemp)
trap 'rm -f "$output"' EXIT

for task in \
  "Install the packages of all roles at once" \
  "Let in what is declared" \
  "Open the primary for writes" \
  "Follow the primary" \
  "Put the first release in place"; do
  setsid make --no-print-directory demo "$@" >"$output" 2>&1 &
  demo=$!
  until grep -q "$task" "$output"; do
    if ! kill -0 "$demo" 2>/dev/null; then
      tail -40 "$output"
      echo "The demo ended before '$task'" >&2
      exit 1
    fi
    sleep 0.1
  done
  kill -KILL -- "-$demo"
  wait "$demo" || true
  # Its workers have sessions of their own, and would wait for it for ever.
  for worker in $(grep --text --files-with-matches "^$PWD/.*webinfra\.stack\.demo" /proc/[0-9]*/cmdline 2>/dev/null); do
    kill -KILL "$(basename "$(dirname "$worker")")" 2>/dev/null || true
  done
  echo "killed during '$task'"
done
