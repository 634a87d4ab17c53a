#!/usr/bin/env bash
# Says where clang-format or clang-tidy (.clang-tidy) would have it otherwise. Changes nothing.
# With names of files: those only.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
mapfile -t files < <(if (($#)); then printf '%s\n' "$@"; else
  find src tests examples bench \( -name '*.cpp' -o -name '*.h' \) | sort; fi)
echo "clang-format: ${#files[@]} files"
clang-format --dry-run --Werror "${files[@]}" || failed=1

# clang reads what g++ compiles, by the commands of the debug build.
cmake --preset debug >/dev/null || exit 1
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '^src/.*\.cpp$')
database=build/debug/tidy
mkdir -p "$database"
# Precompiled headers and some warnings are g++'s own and mean nothing to clang.
sed 's/-Winvalid-pch//; s/-include [^ ]*cmake_pch.hxx//; s/-fpch-preprocess//; s/-Wno-restrict//; s/-Wno-subobject-linkage//; s/-Wno-maybe-uninitialized//' \
  build/debug/compile_commands.json >"$database/compile_commands.json"
echo "clang-tidy: ${#sources[@]} files"
printf '%s\n' "${sources[@]}" |
  xargs -P "${JOBS:-$(nproc)}" -n 1 clang-tidy --quiet -p "$database" 2>/dev/null || failed=1

# The Rust example, where Rust's own tools are.
if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then
  echo "cargo fmt, cargo clippy: examples/rust-axum"
  export CARGO_TARGET_DIR=$PWD/build/cargo
  (cd examples/rust-axum && cargo fmt --check && cargo clippy --quiet --locked -- -D warnings) || failed=1
fi
exit $failed
