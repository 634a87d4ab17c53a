#!/usr/bin/env bash
# The way of one who has never been here: clones what is committed into an empty folder, runs the
# commands of docs/getting-started.md in their order, and prints each with its minutes. Without the
# compiler's cache, as a stranger has none (CACHE=1 uses it).
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
began=$SECONDS
git clone --quiet . "$folder/headroom"
echo "   0.0 min  \$ git clone … headroom && cd headroom"
cd "$folder/headroom"
[[ -n ${CACHE:-} ]] || export CCACHE_DISABLE=1
python3 -W ignore::ResourceWarning tests/integration/stranger.py
echo "stranger: done in $(((SECONDS - began + 59) / 60)) min"
