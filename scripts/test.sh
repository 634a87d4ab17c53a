#!/usr/bin/env bash
# Every test: the release build with unit and integration tests, the dashboard in Chromium, the unit
# tests under the address and the thread sanitizer, and the fuzzers (60 s each where CI=true, else
# 5 s). Where CONFORMANCE_CASES names a folder, its files of cases are played, too, beside the sample
# in the tree. Ends with "N passed, N failed"; a suite that does not build counts as one failure.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
broken=()

# Shows every failure, and how far it is now and then.
progress() {
  awk '
    /^[ ]*[0-9]+\/[0-9]+ Test/ {
      good = /Passed/
      if (!good || ++n % 50 == 0) { print; fflush() }
      next
    }
    /^(Test project|Internal ctest|Label Time|Total Test)/ || /^ +Start / || /^$/ { next }
    { print; fflush() }'
}

# suite <preset> [what ctest takes…]
suite() {
  local preset=$1 log runner=()
  shift
  echo
  echo "── $preset"
  if ! scripts/build.sh "$preset"; then
    failed=$((failed + 1))
    broken+=("$preset does not build")
    return
  fi
  # The thread sanitizer cannot place its shadow where the kernel randomises addresses widely.
  if [[ $preset == tsan ]] && setarch -R true 2>/dev/null; then runner=(setarch -R); fi
  log=build/$preset/test.log
  "${runner[@]}" ctest --test-dir "build/$preset" -j "${JOBS:-$(nproc)}" --output-on-failure "$@" 2>&1 |
    tee "$log" | progress
  local counts
  counts=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log")
  if [[ -z $counts ]]; then
    failed=$((failed + 1))
    broken+=("$preset: ctest did not finish, see $log")
    return
  fi
  read -r bad all <<<"$counts"
  failed=$((failed + bad))
  passed=$((passed + all - bad))
  ((bad)) && broken+=("$preset: $bad of $all, see $log")
  echo "$preset: $((all - bad)) passed, $bad failed"
}

# Every file of cases in the folder is a test.
conformance() {
  local file good=0 bad=0
  echo
  echo "── conformance: $1"
  for file in "$1"/*.jsonl.gz "$1"/*.jsonl; do
    [[ -e $file ]] || continue
    if build/release/tests/conformance "$file"; then good=$((good + 1)); else bad=$((bad + 1)); fi
  done
  ((good + bad)) || { bad=1; echo "no *.jsonl.gz or *.jsonl in it"; }
  passed=$((passed + good))
  failed=$((failed + bad))
  ((bad)) && broken+=("conformance: $bad")
  echo "conformance: $good passed, $bad failed"
}

suite release
[[ -z ${CONFORMANCE_CASES:-} ]] || conformance "$CONFORMANCE_CASES"

echo
echo "── dashboard"
rm -f build/dashboard.counts
scripts/dashboard.sh test build/dashboard.counts || true
read -r good bad 2>/dev/null <build/dashboard.counts || { good=0; bad=1; }
passed=$((passed + good))
failed=$((failed + bad))
((bad)) && broken+=("dashboard: $bad, see build/dashboard/test.log")

suite asan -L unit
suite tsan -L unit

echo
echo "── fuzz"
seconds=5
[[ ${CI:-} == true ]] && seconds=60
# The same inputs each time, so that what fails here is of the change (make fuzz looks for others).
SEED=${SEED:-1} SECONDS_EACH=${SECONDS_EACH:-$seconds} scripts/fuzz.sh build/fuzz.counts
read -r good bad <build/fuzz.counts
passed=$((passed + good))
failed=$((failed + bad))
((bad)) && broken+=("fuzz: $bad")

echo
for what in "${broken[@]}"; do echo "failed: $what"; done
echo "$passed passed, $failed failed"
((failed == 0))
