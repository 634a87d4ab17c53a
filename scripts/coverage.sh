#!/usr/bin/env bash
# What of src/decide, src/policy and src/formula is reached by their tests and the conformance
# sample: lines (and which are not reached) and branches, for each file and in sum. Branches that
# only an exception takes are left out.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build/coverage
tests=()
for room in base formula policy decide; do
  ! compgen -G "tests/$room/*_test.cpp" >/dev/null || tests+=("test_$room")
done
scripts/build.sh coverage "${tests[@]}" conformance
find "$folder" -name '*.gcda' -delete
for test in "${tests[@]}"; do
  "$folder/tests/$test" >"$folder/$test.log" || { cat "$folder/$test.log"; exit 1; }
done
# Whether the answers are right is another target's: this one counts what was reached.
"$folder/tests/conformance" tests/conformance/*.jsonl.gz >"$folder/conformance.log" ||
  echo "Not all cases agree: $folder/conformance.log"

gcovr --root . --object-directory "$folder/src" --exclude-throw-branches \
  --filter src/decide/ --filter src/policy/ --filter src/formula/ --json "$folder/coverage.json" "$folder/src"
report() { gcovr --root . --add-tracefile "$folder/coverage.json" "$@"; }
report --txt
report --txt --branches
report --print-summary --txt /dev/null
