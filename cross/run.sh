#!/bin/sh
# Runs the agent that cross/build.sh built for TARGET, by an emulator in user mode where this machine's processor is another.
#
#   cross/run.sh TARGET -- ARGUMENT ...       such as: cross/run.sh aarch64-unknown-linux-musl -- --version
#   cross/run.sh --how TARGET                 prints the emulator and its arguments, one a line; none for this machine's own
#
# It needs qemu-user-static. Of a target by glibc the loader and libraries are those of Debian's cross packages.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
usage() { sed -n '4,5p' "$here/cross/run.sh" | sed 's/^# */usage: /' >&2; exit 64; }

how() {
    case $1 in
    "$(uname -m)"-*) emulator= ;;
    aarch64-*) emulator=qemu-aarch64-static ;;
    armv7-* | arm-*) emulator=qemu-arm-static ;;
    x86_64-*) emulator=qemu-x86_64-static ;;
    riscv64gc-*) emulator=qemu-riscv64-static ;;
    *) echo "run.sh: no emulator is known for $1" >&2; exit 2 ;;
    esac
    libraries=
    case $1 in
    aarch64-*-gnu) libraries=/usr/aarch64-linux-gnu ;;
    armv7-*-gnueabihf) libraries=/usr/arm-linux-gnueabihf ;;
    x86_64-*-gnu) libraries=/usr/x86_64-linux-gnu ;;
    riscv64gc-*-gnu) libraries=/usr/riscv64-linux-gnu ;;
    esac
    [ -n "$emulator" ] || return 0
    command -v "$emulator" >/dev/null || { echo "run.sh: no $emulator here: apt-get install qemu-user-static" >&2; exit 2; }
    echo "$emulator"
    [ -z "$libraries" ] || printf '%s\n' -L "$libraries"
}

if [ "${1:-}" = --how ] && [ $# -eq 2 ]; then
    how "$2"
    exit
fi
[ $# -ge 2 ] && [ "$2" = -- ] || usage
target=$1
shift 2
agent=${CARGO_TARGET_DIR:-$here/target}/$target/agent/picket-agent
[ -x "$agent" ] || { echo "run.sh: no agent at $agent: cross/build.sh $target" >&2; exit 2; }
words=$(how "$target")
# shellcheck disable=SC2086  # no word of it has a space
exec $words "$agent" "$@"
