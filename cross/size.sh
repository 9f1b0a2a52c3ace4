#!/bin/sh
# Builds the agent as one static file and prints its size as one JSON line; fails above the limit of 5 MiB.
#
#   cross/size.sh
#
# The standard library is built along with it, for size as all else is and without what unwinding needs: the one that comes
# with a toolchain is made for speed, and 0.34 MB larger. Its source is the own toolchain's where that has one (rustup
# component add rust-src), else Debian's, with the compiler that belongs to it (cross/setup.sh).
#
# Static by glibc (crt-static on this machine's own target), since that needs nothing that is not here already; musl
# takes a foreign linker (cross/README.md). The same agent with musl is smaller, since glibc brings its resolver and locale
# code along, so this figure errs to the strict side. It is not for shipping: a static glibc looks names up through
# libraries of the host's own version.
set -eu
limit=5242880
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
target=$(rustc -vV | sed -n 's/^host: //p')
case $target in
*-linux-gnu) ;;
*) echo "size.sh: the size is measured on glibc Linux, this is $target" >&2; exit 2 ;;
esac

# The linker is lld, which the toolchain brings along on x86-64; elsewhere it is Debian's.
sysroot=$(rustc --print sysroot)
own=$sysroot/lib/rustlib/$target/bin/gcc-ld
lld=-Clink-arg=-fuse-ld=lld
if [ -x "$own/ld.lld" ]; then
    lld="-Clink-arg=-B$own $lld"
elif ! command -v ld.lld >/dev/null; then
    echo "size.sh: no ld.lld here: apt-get install lld" >&2
    exit 2
fi

if [ ! -e "$sysroot/lib/rustlib/src/rust/library/Cargo.lock" ]; then
    cross=${PICKET_CROSS:-$here/target/cross}
    "$here/cross/setup.sh" "$cross" >&2
    export RUSTC="$cross/rustc"
fi

# With --target, the flags reach the agent and its dependencies, not build scripts and macros, which cannot be static.
# Relocations in their packed form (a position-independent file starts with a table of what to move): 0.28 MB less, for
# linkers from 2022 on (binutils 2.38, lld 15) and a C library of that year (glibc 2.36, musl 1.2.4), which is linked in.
# No tables for unwinding: cross/no-unwind.ld says why. Functions and constants that are the same byte for byte are kept
# once (--icf=all, which lld and gold know; Rust promises no function an address of its own): 0.07 MB less. Runs of
# instructions that occur again and again become functions (what LLVM does at this level for 64-bit ARM unasked): 0.14 MB.
upper=$(printf %s "$target" | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${upper}_RUSTFLAGS=-Ctarget-feature=+crt-static $lld -Clink-arg=-Wl,-z,pack-relative-relocs -Clink-arg=-Wl,--no-eh-frame-hdr -Clink-arg=-Wl,-T,$here/cross/no-unwind.ld -Clink-arg=-Wl,--icf=all -Clink-arg=-Wl,--ignore-data-address-equality -Cllvm-args=-enable-machine-outliner"
# -Zbuild-std is unstable in cargo and rustc; the variable admits it for this one command.
RUSTC_BOOTSTRAP=1 cargo build --locked --quiet --profile agent -p picket-agent --bin picket-agent --target "$target" \
    -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size >&2

binary=${CARGO_TARGET_DIR:-$here/target}/$target/agent/picket-agent
# INTERP names the dynamic loader: a file without it needs none.
if LC_ALL=C readelf --program-headers "$binary" | grep -q INTERP; then
    echo "size.sh: $binary asks for a dynamic loader, so it is not static" >&2
    exit 1
fi
bytes=$(wc -c <"$binary" | tr -d ' ')
printf '{"figure":"agent_static_bytes","value":%s,"unit":"bytes","limit":%s}\n' "$bytes" "$limit"
if [ "$bytes" -gt "$limit" ]; then
    echo "size.sh: $bytes bytes are more than $limit: look at new dependencies and features first" >&2
    exit 1
fi
