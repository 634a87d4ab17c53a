#!/usr/bin/env bash
# Makes the Debian package of what build/release holds ($PROGRAM: of another program), in build/deb,
# and has lintian look at it (NO_LINT=1: not). The version is the program's, the revision $REVISION
# (default 1). The same program and commit make the same package, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."

export SOURCES=$PWD DEB_BUILD_OPTIONS=noautodbgsym DEB_RULES_REQUIRES_ROOT=no
program=${PROGRAM:-build/release/src/headroom}
version=$("$program" --version | cut -d ' ' -f 2)-${REVISION:-1}
if [[ -z ${SOURCE_DATE_EPOCH:-} ]]; then
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
fi
export SOURCE_DATE_EPOCH

stage=build/deb/headroom
rm -rf "$stage"
mkdir -p "$stage"
cp -r deploy/debian "$stage/"
cat >"$stage/debian/changelog" <<EOF
headroom ($version) unstable; urgency=medium

  * What changed is in changelog.gz beside this file.

 -- $(sed -n 's/^Maintainer: //p' deploy/debian/control)  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
EOF
(cd "$stage" && debian/rules binary) >build/deb/log 2>&1 || { cat build/deb/log >&2; exit 1; }
package=$(ls -t build/deb/headroom_*.deb | head -1)
[[ -n ${NO_LINT:-} ]] || lintian --allow-root --fail-on error,warning "$package"
echo "Made $package ($(stat -c %s "$package") bytes)."
