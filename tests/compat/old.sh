#!/usr/bin/env bash
# Builds an older release beside this tree, for tests of old agents with new collectors and the other way round:
#
#   tests/compat/old.sh [TAG]     default: the newest tag v* that this commit descends from
#
# Prints the path of that release's `picket`, which carries its agent (`picket __agent ..`) and its collector
# (`picket __collector ..`). Source and build stay in target/compat; a second call builds nothing anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
tag=${1:-$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)}
if [ -z "$tag" ] || ! git rev-parse --quiet --verify "$tag^{commit}" >/dev/null; then
    echo "error: no release ${tag:-tag v*} here; a clone without tags gets them by: git fetch --tags" >&2
    exit 1
fi
source="$PWD/target/compat/$tag"
if [ ! -d "$source" ]; then
    mkdir -p "$source.new"
    git archive "$tag" | tar --extract --directory "$source.new"
    mv "$source.new" "$source"
fi
CARGO_TARGET_DIR="$PWD/target/compat/build-$tag" \
    cargo build --quiet --locked --release --manifest-path "$source/Cargo.toml" -p picket
echo "$PWD/target/compat/build-$tag/release/picket"
