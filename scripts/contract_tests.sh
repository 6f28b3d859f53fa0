#!/bin/bash -eu
# Runs the contract tests with all engines at once, one process each, and prints the output of those that fail.
cd "$(dirname "$0")/.."
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

declare -A running
for engine in mariadb-10.11 mariadb-11.8 mysql-9.7; do
  WEBINFRA_TEST_ENGINES=$engine pytest tests/integration "$@" >"$logs/$engine" 2>&1 &
  running[$engine]=$!
done
failed=
for engine in "${!running[@]}"; do
  if wait "${running[$engine]}"; then
    echo "contract tests: $engine: $(tail -n 1 "$logs/$engine")"
  else
    failed+=" $engine"
  fi
done
for engine in $failed; do
  echo "contract tests: $engine fails:"
  cat "$logs/$engine"
done
[ -z "$failed" ]
