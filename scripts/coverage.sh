#!/usr/bin/env bash
# What of src/decide, src/policy and src/formula is reached by their tests and the conformance
# sample: lines and branches, for each file, each room and in sum, and every place that is not.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build/coverage
rooms=(formula policy decide)
tests=()
for room in "${rooms[@]}"; do tests+=("test_$room"); done
scripts/build.sh coverage "${tests[@]}" conformance
rm -f "$folder"/*.profraw
run() {
  local name=$1
  shift
  LLVM_PROFILE_FILE=$folder/$name.profraw "$folder/tests/$name" "$@" >"$folder/$name.log"
}
for test in "${tests[@]}"; do
  run "$test" || { cat "$folder/$test.log"; exit 1; }
done
# Whether the answers are right is another target's: this one counts what was reached.
run conformance tests/conformance/*.jsonl.gz || echo "Not all cases agree: $folder/conformance.log"

llvm-profdata-14 merge -sparse "$folder"/*.profraw -o "$folder/all.profdata"
objects=()
for program in "${tests[@]}" conformance; do objects+=(-object "$folder/tests/$program"); done
llvm-cov-14 export "${objects[@]}" -instr-profile "$folder/all.profdata" |
  scripts/coverage.py "$PWD" "${rooms[@]/#/src/}" | tee "$folder/coverage.txt"
