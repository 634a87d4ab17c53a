#!/usr/bin/env bash
# Builds the fuzzers and runs each for SECONDS_EACH seconds (default 60) from its corpus in the
# tree, and from what earlier runs added to it in build/fuzz/corpus/. With SEED (a number) from the
# tree's alone, and with that seed: the same inputs each time, as far as the time goes. What one
# finds is left in build/fuzz/found/. With a file's name: writes "passed failed" into it.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
counts=${1:-/dev/null}
trap 'echo "$passed $failed" >"$counts"' EXIT

mkdir -p build
targets=()
for source in tests/fuzz/*.cpp; do targets+=("fuzz_$(basename "$source" .cpp)"); done
if ! scripts/build.sh fuzz "${targets[@]}"; then
  failed=1
  exit 1
fi
mkdir -p build/fuzz/found
corpus=build/fuzz/corpus
runner=()
if [[ -n ${SEED:-} ]]; then
  corpus+="-$SEED"
  rm -rf "$corpus"
  # Addresses are part of what libFuzzer goes by.
  if setarch -R true 2>/dev/null; then runner=(setarch -R); fi
fi

fuzz() {
  local name=$1 fuzzer=build/fuzz/tests/fuzz/$1
  # The corpus in the tree is read; what is new goes where nothing is committed by accident.
  mkdir -p "$corpus/$name"
  local seeds=(tests/fuzz/corpus/"${name#fuzz_}")
  [[ -d ${seeds[0]} ]] || seeds=()
  if "${runner[@]}" "$fuzzer" -seed="${SEED:-0}" -reload=0 -max_total_time="${SECONDS_EACH:-60}" \
    -timeout=10 -rss_limit_mb=2048 -artifact_prefix="build/fuzz/found/$name-" -print_final_stats=1 \
    "$corpus/$name" "${seeds[@]}" >"build/fuzz/$name.log" 2>&1; then
    sed -n "s/^stat::number_of_executed_units: */$name: ${SECONDS_EACH:-60} s, runs: /p" "build/fuzz/$name.log"
    return 0
  fi
  echo "$name: failed"
  tail -n 40 "build/fuzz/$name.log"
  # Where nobody can come to the machine, this is how to have it: base64 -d | gunzip.
  sed -n 's/.*Test unit written to //p' "build/fuzz/$name.log" | while read -r found; do
    echo "$found, gzip, base64:"
    gzip -9 <"$found" | base64 | head -c 8000
  done
  return 1
}

# As many at once as there are cores.
for ((first = 0; first < ${#targets[@]}; first += ${JOBS:-$(nproc)})); do
  running=()
  for name in "${targets[@]:first:${JOBS:-$(nproc)}}"; do
    fuzz "$name" &
    running+=($!)
  done
  for pid in "${running[@]}"; do
    if wait "$pid"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
done
echo "fuzz: $passed passed, $failed failed"
((failed == 0))
