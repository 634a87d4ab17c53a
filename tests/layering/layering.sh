#!/usr/bin/env bash
# An include that points up must not compile, and one that points down must: for every pair of
# rooms a file that includes a header of the other is preprocessed, which is where an include is
# found or not, with what the room's library sees.
#
#   layering.sh <compiler> <src> <file with a line "room<TAB>include;folders" for each room>
set -uo pipefail

compiler=$1
src=$2
folders=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What a room may use, as docs/architecture.md has it; not taken from CMake, which is on trial.
declare -A may=(
  [base]="base"
  [formula]="formula base"
  [policy]="policy formula base"
  [decide]="decide policy formula base"
  [journal]="journal decide policy formula base"
  [target]="target policy formula base"
  [gateway]="gateway base"
  [control]="control target gateway journal decide policy formula base"
  [server]="server control target gateway journal decide policy formula base"
  [otlp]="otlp server control target gateway journal decide policy formula base"
  [cli]="cli otlp server control target gateway journal decide policy formula base"
)

checks=0
wrong=0
complain() {
  echo "WRONG: $1"
  wrong=$((wrong + 1))
}

while IFS=$'\t' read -r room includes; do
  [[ -n ${may[$room]:-} ]] || complain "$room is not a room that this test knows"
  flags=()
  IFS=';' read -r -a list <<<"$includes"
  for folder in "${list[@]}"; do flags+=(-I "$folder"); done
  for other in "${!may[@]}"; do
    header=$(cd "$src" && ls "$other"/*.h | head -n 1)
    printf '#include "%s"\n' "$header" >"$scratch/one.cpp"
    checks=$((checks + 1))
    if "$compiler" -std=c++20 "${flags[@]}" -E -o "$scratch/one.i" "$scratch/one.cpp" 2>"$scratch/said"; then
      [[ " ${may[$room]} " == *" $other "* ]] || complain "$room compiles with $header"
    elif [[ " ${may[$room]} " == *" $other "* ]]; then
      complain "$room does not compile with $header: $(head -n 1 "$scratch/said")"
    elif ! grep -q "$header: No such file or directory" "$scratch/said"; then
      complain "$room fails with $header for another reason: $(head -n 1 "$scratch/said")"
    fi
  done
done <"$folders"

echo "$checks pairs of rooms, $wrong wrong"
((wrong == 0 && checks == ${#may[@]} * ${#may[@]}))
