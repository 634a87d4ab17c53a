#!/usr/bin/env bash
# Every bench, one after the other; bench/README.md says what each answers. BENCH has flags for
# the first, such as --quick.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
bench() {
  printf '\n── %s\n\n' "$*"
  "$@" || failed=1
}
# shellcheck disable=SC2086 # flags are words
bench bench/bench.py ${BENCH:-}
bench bench/from_zero.py
bench bench/reaction.py
bench bench/watching.py
bench bench/upgrade.py
bench bench/decide.py
bench bench/footprint.py
exit $failed
