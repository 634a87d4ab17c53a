#!/usr/bin/env bash
# Installs what build/release holds ($PROGRAM: another program) into $DESTDIR$PREFIX: the program,
# stripped, its manual, and what the shells complete it with.
set -euo pipefail
cd "$(dirname "$0")/.."

root=${DESTDIR:-}${PREFIX:-/usr/local}
program=${PROGRAM:-build/release/src/headroom}

install -D -m 755 -s "$program" "$root/bin/headroom"
"$program" man --into "$root/share/man/man1"
chmod 644 "$root"/share/man/man1/headroom*.1
completions() { # <shell> <path>
  install -d "$(dirname "$root/$2")"
  "$program" completion "$1" >"$root/$2"
  chmod 644 "$root/$2"
}
completions bash share/bash-completion/completions/headroom
completions zsh share/zsh/site-functions/_headroom
completions fish share/fish/vendor_completions.d/headroom.fish
echo "Installed $root/bin/headroom ($(stat -c %s "$root/bin/headroom") bytes), its manual and completions."
