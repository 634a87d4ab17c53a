#!/usr/bin/env bash
# Installs the Debian packages that the named sets need, and says so before:
#
#   scripts/packages.sh build test bench
#
# Packages that are present are skipped. Asks before it installs where there is a terminal to
# ask on (YES=1: does not ask); NO_INSTALL=1 only says what is missing, and fails.
set -euo pipefail

# package: why
build=(
  "g++: the compiler (C++20)"
  "cmake: describes the build"
  "ninja-build: runs it"
  "ccache: a second build is quick"
  "mold: links quickly"
  "libboost1.81-dev: Asio, for control and targets"
  "libboost-json1.81-dev: JSON, for the journal and explain"
  "libfmt-dev: text"
  "libcli11-dev: flags"
  "libyaml-cpp-dev: documents"
  "libsqlite3-dev: the journal"
  "libexpected-dev: results (tl::expected)"
  "libssl-dev: HTTPS of the admin server"
  "libcctz-dev: time zones, for cron triggers"
)
test=(
  "libgtest-dev: unit tests (GoogleTest)"
  "libgmock-dev: unit tests (matchers)"
  "librapidcheck-dev: properties (RapidCheck)"
  "llvm-14: coverage (llvm-cov)"
  "zlib1g-dev: conformance cases are kept compressed"
  "python3: integration tests"
  "python3-jsonschema: the admin API's answers, against its description"
  "prometheus: scrapes the metrics, and tries alerts and dashboards"
  "clang: fuzzers (libFuzzer)"
  "libclang-rt-14-dev: fuzzers (the sanitizers of clang)"
  "clang-format: formatting"
  "clang-tidy: lint"
  "nodejs: builds and tests the dashboard (any Node from 18 will do)"
  "npm: brings what dashboard/package-lock.json names"
  "chromium: shows the dashboard to its tests"
  "fonts-dejavu-core: Chromium's letters"
  "cargo-web: the Rust example (Debian's cargo is too old; another one on the path will do)"
  "zsh: its completions, as typed"
  "fish: its completions, as typed"
  "man-db: the manual's pages"
  "mandoc: the manual's pages"
  "python3-pip: brings a Go for the OpenTelemetry receiver, where there is none or an old one"
  "curl: the documentation's commands, as their reader runs them"
  "jq: the documentation's commands"
  "openssl: the documentation's commands"
  "nginx-light: a proxy in front (docs/behind-a-proxy.md)"
  "haproxy: a proxy in front (docs/behind-a-proxy.md)"
  "caddy: a proxy in front (docs/behind-a-proxy.md)"
)
bench=(
  "python3: the benches (its standard library alone)"
  "haproxy: a peer to compare with"
  "nginx-light: a peer to compare with"
  "strace: counts system calls"
  "libbenchmark-dev: one room's inner loops (google-benchmark)"
)

deb=(
  "debhelper: makes the Debian package"
  "lintian: finds what is wrong with it"
  "mmdebstrap: a root to install it in (its test)"
)

# A Node or a cargo from elsewhere counts: Debian's would not go beside it, or is too old.
present() { # <package>
  case $1 in
    nodejs) command -v node >/dev/null && return ;;
    npm) command -v npm >/dev/null && return ;;
    cargo-web) command -v cargo >/dev/null && return ;;
    python3-pip) python3 -m pip --version >/dev/null 2>&1 && return ;;
  esac
  [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]
}

missing=()
for set in "$@"; do
  case $set in
    build | test | bench | deb) declare -n entries=$set ;;
    *) echo "packages.sh: found set \"$set\", expected build, test, bench or deb" >&2; exit 2 ;;
  esac
  for entry in "${entries[@]}"; do
    package=${entry%%:*}
    [[ " ${missing[*]:-} " != *" $package "* ]] || continue
    if ! present "$package"; then
      missing+=("$package")
      printf '%-22s %s\n' "$package" "${entry#*: }" >&2
    fi
  done
done
((${#missing[@]})) || exit 0

echo "These ${#missing[@]} Debian packages are missing." >&2
if [[ -n ${NO_INSTALL:-} ]]; then
  echo "NO_INSTALL is set. Install them with: apt-get install ${missing[*]}" >&2
  exit 1
fi
as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "Neither root nor sudo: install them with: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
if [[ -z ${YES:-} && -z ${CI:-} && -t 0 && -t 2 ]]; then
  read -r -p "Install them with apt-get? [Y/n] " answer
  case $answer in [nN]*) echo "Nothing was installed." >&2; exit 1 ;; esac
fi
echo "Installing them with apt-get." >&2
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
