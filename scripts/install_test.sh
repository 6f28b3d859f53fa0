#!/bin/bash -eu
# Builds the collection, installs it into an empty folder and runs its site on the demo from another directory.
set -eu -o pipefail
cd "$(dirname "$0")/.."
inventory=$PWD/.demo/inventory.yml
[ -f "$inventory" ] || { echo "There is no demo to run on; make demo first." >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ansible-galaxy collection build --force --output-path "$folder/dist" >/dev/null
ansible-galaxy collection install --force --no-deps -p "$folder/collections" "$folder"/dist/*.tar.gz >/dev/null
cd "$folder"
export ANSIBLE_COLLECTIONS_PATH=$folder/collections ANSIBLE_HOME=$folder/home
unset ANSIBLE_CONFIG
ansible-galaxy collection list webinfra.stack | grep -F "$folder/collections"
ansible-playbook -i "$inventory" webinfra.stack.site | tee "$folder/output"
if grep -E 'changed=[1-9]|failed=[1-9]|unreachable=[1-9]' "$folder/output"; then
  echo "The installed collection changed something on a converged stack." >&2
  exit 1
fi
echo "The installed collection changed nothing on a converged stack."
