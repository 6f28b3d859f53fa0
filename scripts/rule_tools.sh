#!/bin/bash -eu
# Puts promtool and amtool into .cache/tools: unpacked from the distribution's packages and not installed, for nothing of
# them is to run on this machine. Without them the tests of alert rules are skipped, and say so.
cd "$(dirname "$0")/.."

tools=.cache/tools
[ -x "$tools/promtool" ] && [ -x "$tools/amtool" ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "promtool and amtool come from packages of Debian and Ubuntu; alert rules are not tried here." >&2
  exit 0
fi

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
fetch() { (cd "$room" && apt-get -qq -o APT::Sandbox::User=root download prometheus prometheus-alertmanager); }

echo "Fetching promtool and amtool ..."
if ! fetch 2>/dev/null; then
  # Its lists are not there yet, or are old.
  [ "$(id -u)" -eq 0 ] && apt-get -qq update
  fetch || { echo "promtool and amtool cannot be fetched; alert rules are not tried here." >&2; exit 0; }
fi
for package in "$room"/*.deb; do
  dpkg-deb --extract "$package" "$room/tree"
done
mkdir -p "$tools"
mv "$room/tree/usr/bin/promtool" "$room/tree/usr/bin/amtool" "$tools/"
