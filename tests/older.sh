#!/bin/sh
# Agents and collectors that were given out before, with today's: tests/src/older.rs says what they go through.
#
#   tests/older.sh [NAME ...]        ages of tests/older, else all of them; --build only builds
#
# Each is built (a debug build, as the tests are) from its commit in this repository, in a target folder of its own that begins
# with what this one's tests have compiled of the registry: a minute or two on 2 cores. A clone without that commit, as a
# shallow one, is told and counted as what cannot run here.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
out=${CARGO_TARGET_DIR:-$here/target}
only_build=no
[ "${1:-}" != --build ] || { only_build=yes; shift; }
wanted=$*

# The compiled crates of the registry; ours are left out, since they are others there.
seed() {
    mkdir -p "$1/debug"
    for part in deps build .fingerprint; do
        [ ! -d "$out/debug/$part" ] || cp -al "$out/debug/$part" "$1/debug/"
    done
    find "$1/debug" -mindepth 2 -maxdepth 2 -name '*picket*' -exec rm -rf {} +
}

build() {
    place=$out/older/$1
    [ ! -x "$place/picket-agent" ] || [ ! -x "$place/picket-collector" ] || return 0
    rm -rf "$place"
    mkdir -p "$place/source"
    git archive "$2" | tar -x -C "$place/source"
    seed "$place/target"
    (cd "$place/source" && CARGO_TARGET_DIR="$place/target" cargo build --locked --quiet -p picket-agent -p picket-collector) >&2
    mv "$place/target/debug/picket-agent" "$place/target/debug/picket-collector" "$place/"
    rm -rf "$place/target" "$place/source"
}

status=0 met=0
while read -r name commit _since; do
    case $name in '#'* | '') continue ;; esac
    case " $wanted " in '  ' | *" $name "*) ;; *) continue ;; esac
    met=$((met + 1))
    if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
        echo "cannot run here: older $name: this clone does not have its commit $commit: git fetch --unshallow"
        continue
    fi
    build "$name" "$commit"
    [ "$only_build" = no ] || continue
    [ -x "$out/debug/older" ] || cargo build --locked --quiet -p picket-tests --bin older >&2
    "$out/debug/older" --name "$name" --agent "$out/older/$name/picket-agent" --collector "$out/older/$name/picket-collector" || status=$?
done <tests/older
[ "$met" -gt 0 ] || { echo "older.sh: tests/older has no such name: $wanted" >&2; exit 64; }
exit "$status"
