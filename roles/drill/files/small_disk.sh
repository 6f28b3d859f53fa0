#!/bin/sh
# Gives a database server a disk without space for a while: small_disk.sh shrink|fill|restore UNIT
set -eu
directory=/var/lib/mysql
disk=/run/webinfra-drill-disk
# What is left to the server is soon written.
spare_mb=96
left_kb=1024

shrink() {
  systemctl stop "$1"
  mkdir -p "$disk"
  size_mb=$(($(du -sm "$directory" | cut -f1) + spare_mb))
  mount -t tmpfs -o "size=${size_mb}m,mode=0755" tmpfs "$disk"
  cp -a "$directory/." "$disk"
  chown --reference="$directory" "$disk"
  chmod --reference="$directory" "$disk"
  mount --bind "$disk" "$directory"
  systemctl start "$1"
}

fill() {
  free_kb=$(df --output=avail -k "$disk" | tail -n 1)
  fallocate -l "$((free_kb - left_kb))K" "$disk/.filler"
}

restore() {
  mountpoint -q "$disk" || return 0
  rm -f "$disk/.filler"
  systemctl stop "$1"
  umount "$directory"
  find "$directory" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
  cp -a "$disk/." "$directory"
  umount "$disk"
  rmdir "$disk"
  systemctl start "$1"
}

action=$1
shift
"$action" "$@"
