#!/usr/bin/env bash
# The example service behind Headroom, from zero to several replicas and back, under a load
# that rises, peaks and stops. Prints what happens as it happens, and a summary at the end.
# Fails where a request failed.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=build/release
headroom=$bin/src/headroom
service=$bin/examples/cpp-service/cpp-service
load=$bin/bench/headroom-load
schedule=${SCHEDULE:-0s:50,4s:50,8s:2000,24s:2000,30s:200,34s:0}

folder=$(mktemp -d)
log=$folder/headroom.log
pids=()
finish() {
  local pid
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
  rm -rf "$folder"
}
trap finish EXIT

wait_for() { # <pattern> <seconds>: until the log has it
  local until=$((SECONDS + $2))
  until grep -q -- "$1" "$log"; do
    if ((SECONDS >= until)); then
      echo "demo: waited $2 s for \"$1\"; the log says:" >&2
      cat "$log" >&2
      exit 1
    fi
    sleep 0.05
  done
}

run=("$headroom" run --name demo --listen 127.0.0.1:0 --min 0 --max 6 --concurrency 10
  --window 10s --cooldown 5s --journal "$folder/journal.db" --output none
  -- "$service" --socket '$(SOCKET)' --cpu 100us --wait 20ms)
printf '\nA service that takes 20 ms for each request, at most 6 replicas, none while nobody asks:\n\n'
printf '  headroom run --min 0 --max 6 --concurrency 10 --window 10s --cooldown 5s \\\n'
printf '    -- cpp-service --socket '\''$(SOCKET)'\'' --cpu 100us --wait 20ms\n\n'
printf 'Load (seconds:requests per second): %s\n\n' "$schedule"

"${run[@]}" 2>"$log" &
pids+=($!)
wait_for 'listening on' 10
url=http://$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$log" | head -n 1)/
tail -n +1 -f "$log" 2>/dev/null &
tail_pid=$!
pids+=("$tail_pid")


failed=0
"$load" "$url" --schedule "$schedule" --quiet >"$folder/load" 2>&1 || failed=1
# Back to zero: the window empties, the cooldown passes, the last replica drains.
wait_for '→ 0 replicas' 60
sleep 1
kill "$tail_pid"

printf '\nReplicas (asked for) over time:\n\n'
awk -f scripts/chart.awk "$log"
printf '\nLoad:\n\n'
cat "$folder/load"
# The first time that the most were asked for, to the second.
most=$(sed -n 's/.* → \([0-9]*\) replicas\{0,1\}: .*/\1/p' "$log" | sort -n | tail -n 1)
at=$(grep -m 1 " → $most replicas\{0,1\}: " "$log" | cut -d . -f 1)
printf '\nWhy %s (headroom explain demo --rescales --at %s):\n\n' "$most" "$at"
"$headroom" explain demo --rescales --at "$at" --journal "$folder/journal.db"
if ((failed)); then
  printf '\nSome requests failed.\n'
  exit 1
fi
