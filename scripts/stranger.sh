#!/usr/bin/env bash
# The way of one who has never been here: clones what is committed into an empty folder, runs the
# commands of docs/getting-started.md in their order, and prints each with its minutes. Without the
# compiler's cache, as a stranger has none (CACHE=1 uses it).
#
# FRESH=1 does it on a fresh Debian 12: in a root of its own, made by mmdebstrap, in which nothing
# but the clone is, and what a clone and that page begin with (needs root).
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# In "$folder/headroom" of this machine, or of the fresh one.
follow='
  cd "$1/headroom"
  [ -n "${CACHE:-}" ] || export CCACHE_DISABLE=1
  exec python3 -W ignore::ResourceWarning tests/integration/stranger.py'

# What is mounted for it goes with its namespace.
fresh='
  for each in proc sys dev; do mount --rbind "/$each" "$1/$each"; done
  mount -t proc proc "$1/proc"
  exec chroot "$1" sh -c "$2" stranger /root'

if [[ -n ${FRESH:-} ]]; then
  echo "A fresh Debian 12"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,curl,git,make,python3 bookworm "$folder/fresh"
  echo "127.0.0.1 localhost" >"$folder/fresh/etc/hosts"  # as every installed machine has it
  git clone --quiet . "$folder/fresh/root/headroom"
else
  git clone --quiet . "$folder/headroom"
fi
began=$SECONDS
echo "   0.0 min  \$ git clone … headroom && cd headroom"
if [[ -n ${FRESH:-} ]]; then
  env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 YES=1 \
    unshare --mount --pid --fork --kill-child sh -ec "$fresh" stranger "$folder/fresh" "$follow"
else
  sh -ec "$follow" stranger "$folder"
fi
echo "stranger: done in $(((SECONDS - began + 59) / 60)) min"
