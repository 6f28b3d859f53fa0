#!/bin/bash -eu
# Runs all linters, and prints the output of those that complain.
cd "$(dirname "$0")/.."
. scripts/two_at_a_time.sh

two_at_a_time lint \
  "ansible-lint|python scripts/ansible_lint.py --offline --profile production -q" \
  "mypy|mypy -p ansible_collections.webinfra.stack.plugins" \
  "docs|antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self --skip-rstcheck ." \
  "ruff|ruff check ." \
  "format|ruff format --check ." \
  "yamllint|yamllint --strict ." \
  "changelog|antsibull-changelog lint"
