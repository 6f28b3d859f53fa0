#!/bin/bash -eu
# Runs the site on the demo, which must change nothing, with the oldest and the newest ansible-core that are supported.
cd "$(dirname "$0")/.."
. scripts/find_python.sh
collections=$(echo "$PWD"/.venv/lib/python3.*/site-packages)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run() { # a release, and the oldest Python that it runs on
  local core=$1 needed=$2 python
  python=$(find_python "$needed")
  if [ -z "$python" ]; then
    echo "NOT TESTED: ansible-core $core needs Python ${needed/, /.} or later, and none is in the PATH." >&2
    return
  fi
  "$python" -m venv "$scratch/$core"
  "$scratch/$core/bin/pip" install --quiet --disable-pip-version-check "ansible-core==$core" jmespath cryptography
  ANSIBLE_HOME=$scratch/home ANSIBLE_CONFIG=$PWD/ansible.cfg ANSIBLE_STDOUT_CALLBACK=default ANSIBLE_FORCE_COLOR=0 \
    ANSIBLE_COLLECTIONS_PATH=$PWD/.ansible/collections:$collections \
    "$scratch/$core/bin/ansible-playbook" -i .demo/inventory.yml site.yml >"$scratch/output" ||
    { cat "$scratch/output"; return 1; }
  if grep -q 'changed=[1-9]' "$scratch/output"; then
    cat "$scratch/output"
    return 1
  fi
  echo "ansible-core $core: the site ran and changed nothing"
}

run 2.17.14 "3, 11"
run 2.21.5 "3, 12"
