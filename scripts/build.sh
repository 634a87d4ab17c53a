#!/usr/bin/env bash
# Builds a preset (release, debug, asan, tsan, coverage, fuzz), all of it or the named targets:
#
#   scripts/build.sh release headroom cpp-service
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
folder=build/$preset
# Each time: a library that was missing may be there now.
mkdir -p "$folder"
if ! cmake --preset "$preset" >"$folder/configure.log" 2>&1; then
  cat "$folder/configure.log" >&2
  exit 1
fi
targets=("$@")
((${#targets[@]})) || targets=(all)
echo "Building $preset: ${targets[*]}"
# A terminal sees Ninja's one moving line; a log gets a line now and then instead.
if [[ -t 1 ]]; then
  ninja -C "$folder" -j "${JOBS:-$(nproc)}" "${targets[@]}"
else
  ninja -C "$folder" -j "${JOBS:-$(nproc)}" "${targets[@]}" |
    awk '/^\[/ { if (NR % 25 == 1) { print; fflush() } next } { print; fflush() }'
fi
