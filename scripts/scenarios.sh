#!/bin/bash -eu
# Runs molecule scenarios, and prints the output of those that fail: scenarios.sh SCENARIO ...
cd "$(dirname "$0")/.."
. scripts/two_at_a_time.sh

commands=()
for scenario in "$@"; do
  commands+=("$scenario|molecule test --scenario-name $scenario")
done
two_at_a_time molecule "${commands[@]}"
