#!/usr/bin/env bash
# The page in dashboard/: built, compared with what is in the tree, tested.
#
#   scripts/dashboard.sh build            dashboard/dist from the sources (commit it with them)
#   scripts/dashboard.sh check            types, and that dist is what the sources make
#   scripts/dashboard.sh test [COUNTS]    check, the pure parts, and the page in Chromium; "passed
#                                         failed" goes to COUNTS
#   scripts/dashboard.sh measure          weight, times, frames and memory, as a table (5 minutes)
#
# The tests run HEADROOM, EXAMPLE_SERVICE and LOAD, by default those of build/release. Nobody needs
# Node to use Headroom: the program brings dist.
set -euo pipefail
cd "$(dirname "$0")/.."

# What package-lock.json names, by npm, into dashboard/node_modules; once per lock file.
tools() {
  local installed=dashboard/node_modules/.package-lock.json
  if [[ -f $installed && ! dashboard/package-lock.json -nt $installed ]]; then return; fi
  if [[ -n ${NO_INSTALL:-} ]]; then
    echo "dashboard: NO_INSTALL is set, and dashboard/node_modules is missing or old: npm ci" >&2
    return 1
  fi
  echo "dashboard: npm ci (esbuild, TypeScript, uPlot; playwright-core and axe-core for tests)"
  # Nothing that is installed needs a script of its own.
  (cd dashboard && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  touch "$installed"
}

# Each step says by itself that it failed: where check is a condition, set -e is off.
check() {
  tools || return 1
  (cd dashboard && npm run --silent check) || return 1
  local fresh=build/dashboard/fresh
  rm -rf "$fresh"
  node dashboard/build.mjs "$fresh" || return 1
  if ! diff -rq "$fresh" dashboard/dist; then
    echo "dashboard/dist is not what the sources make: scripts/dashboard.sh build" >&2
    return 1
  fi
  local file all=0 size
  for file in dashboard/dist/*; do
    size=$(gzip -9nc "$file" | wc -c)
    all=$((all + size))
  done
  echo "dashboard: dist is what the sources make; $all bytes over the wire (gzip)"
  if ((all > 60000)); then
    echo "dashboard: expected at most 60000" >&2
    return 1
  fi
}

programs() {
  export HEADROOM=${HEADROOM:-$PWD/build/release/src/headroom}
  export EXAMPLE_SERVICE=${EXAMPLE_SERVICE:-$PWD/build/release/examples/cpp-service/cpp-service}
  export LOAD=${LOAD:-$PWD/build/release/bench/headroom-load}
}

tests() {
  programs
  local log=build/dashboard/test.log good=0 bad=0
  mkdir -p build/dashboard
  if check; then good=1; else bad=1; fi
  if ((!bad)); then
    node dashboard/test/run.mjs 2>&1 | tee "$log" | grep --line-buffered -E '^(not )?ok |^# \\#|^ +(error|expected|actual): ' || true
    local counted failed
    counted=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$log")
    failed=$(awk '/^# (fail|cancelled) [0-9]+$/ { sum += $3; seen = 1 } END { print seen ? sum : 1 }' "$log")
    good=$((good + ${counted:-0}))
    bad=$((bad + failed))
  fi
  if [[ -n ${1:-} ]]; then echo "$good $bad" >"$1"; fi
  echo "dashboard: $good passed, $bad failed"
  if ((bad)); then echo "dashboard: see $log" >&2; return 1; fi
}

case ${1:-} in
  build) tools && node dashboard/build.mjs ;;
  check) check ;;
  test) tests "${2:-}" ;;
  measure) programs && tools && node dashboard/test/measure.mjs ;;
  *) echo "dashboard.sh: found \"${1:-}\", expected build, check, test or measure" >&2; exit 2 ;;
esac
