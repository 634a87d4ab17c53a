#!/usr/bin/env bash
# Plays cases that upstream's own code has answered: the named files, or the sample in the tree
# (tests/conformance/README.md). "--bugs" among the names shows what is answered otherwise on
# purpose.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh release conformance
cases=("$@")
((${#cases[@]})) || cases=(tests/conformance/*.jsonl.gz)
[[ ${cases[*]} != --bugs ]] || cases+=(tests/conformance/*.jsonl.gz)
build/release/tests/conformance "${cases[@]}"
