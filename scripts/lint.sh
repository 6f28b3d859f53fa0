#!/bin/bash -eu
# Runs all linters, and prints the output of those that complain.
cd "$(dirname "$0")/.."
. scripts/two_at_a_time.sh

# ansible-lint takes longest, so the others take only what it and the unit tests beside it leave.
two_at_a_time lint \
  "ansible-lint|python scripts/ansible_lint.py --offline --profile production -q" \
  "mypy|nice mypy -p ansible_collections.webinfra.stack.plugins" \
  "docs|nice antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self --skip-rstcheck ." \
  "ruff|nice ruff check ." \
  "format|nice ruff format --check ." \
  "yamllint|nice yamllint --strict ." \
  "changelog|nice antsibull-changelog lint"
