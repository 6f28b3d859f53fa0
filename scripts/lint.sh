#!/bin/bash -eu
# Runs all linters, two at a time, and prints the output of those that complain.
cd "$(dirname "$0")/.."
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export logs

checks=(
  "ansible-lint|ansible-lint --offline --profile production -q"
  "mypy|mypy -p ansible_collections.webinfra.stack.plugins"
  "docs|antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self --skip-rstcheck ."
  "ruff|ruff check ."
  "format|ruff format --check ."
  "yamllint|yamllint --strict ."
  "changelog|antsibull-changelog lint"
)
run() {
  local name=${1%%|*} command=${1#*|}
  if $command >"$logs/$name" 2>&1; then
    echo "lint: $name is clean"
  else
    echo "lint: $name complains:"
    cat "$logs/$name"
    return 1
  fi
}
export -f run
printf '%s\0' "${checks[@]}" | xargs -0 -n 1 -P 2 bash -c 'run "$0"'
