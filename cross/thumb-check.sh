#!/bin/sh
# Compiles the pure crates for a microcontroller (Cortex-M4F, no operating system): the proof that they need neither
# std nor, for picket-proto and picket-agent-core, an allocator. A crate that names std fails here with E0463 or E0433.
#
#   cross/thumb-check.sh [PACKAGE ...]      default: every pure crate of the workspace
#
# It takes the target's library from the own toolchain when that has one (rustup target add thumbv7em-none-eabihf),
# else it builds core and alloc with the compiler that cross/setup.sh unpacks.
set -eu
target=thumbv7em-none-eabihf
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
[ $# -gt 0 ] || set -- picket-proto picket-agent-core picket-collector-core
packages=
for package in "$@"; do packages="$packages -p $package"; done

# Foreign artefacts have their own folder, so that they neither wait for nor evict the builds for this machine.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$here/target}/thumb"
installed=$(rustc --print target-libdir --target "$target" 2>/dev/null || true)
# shellcheck disable=SC2086  # package names have no spaces; each -p NAME is two words
if [ -n "$installed" ] && ls "$installed"/libcore-* >/dev/null 2>&1; then
    cargo build --locked --target "$target" $packages
else
    cross=${PICKET_CROSS:-$here/target/cross}
    "$here/cross/setup.sh" "$cross" >&2
    # -Zbuild-std is unstable in cargo and rustc; the variable admits it for this one command.
    RUSTC="$cross/rustc" RUSTC_BOOTSTRAP=1 cargo build --locked -Zbuild-std=core,alloc --target "$target" $packages
fi
echo "thumb: $* compile for $target"
