#!/bin/bash -eu
# Makes .venv and .ansible; does nothing when they are up to date, and can be interrupted at any point.
cd "$(dirname "$0")/.."

install_packages() { # name a reason, then packages
  local reason=$1
  shift
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "$reason. Install it and try again: sudo apt-get install $*" >&2
    exit 1
  fi
  echo "$reason. Installing $* ..."
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" >/dev/null
}

. scripts/find_python.sh
python=$(find_python "3, 11")
if [ -z "$python" ]; then
  echo "Python 3.11 or later is needed, and none is in the PATH." >&2
  exit 1
fi

command -v ssh >/dev/null || install_packages "There is no SSH client" openssh-client
"$python" -c 'import ensurepip' 2>/dev/null || install_packages "$python has no venv module" python3-venv

collections=.ansible/collections/ansible_collections
mkdir -p "$collections/webinfra"
ln -sfn ../../../.. "$collections/webinfra/stack"

wanted=$(cat requirements-dev.txt scripts/environment.sh | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/installed 2>/dev/null)" != "$wanted" ]; then
  echo "Setting up .venv from requirements-dev.txt (about a minute) ..."
  "$python" -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
  echo "$wanted" >.venv/installed
fi
