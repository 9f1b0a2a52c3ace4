#!/bin/sh
# Builds Picket for other machines, and prints for each program one JSON line: target, seconds, bytes, whether it is static.
#
#   cross/build.sh [--bin agent|all] [--std installed|built] [--static] TARGET ...
#
#   --bin agent     the agent by the profile `agent`, which is made for size (the default)
#   --bin all       picket-collector and picket as well, by the profile `release`
#   --std built     the standard library is built along with it, for size as all else is and without what unwinding needs: the
#                   one that comes with a toolchain is made for speed, and 0.34 MB larger. Its source is the own toolchain's
#                   where that has one (rustup component add rust-src), else Debian's (cross/setup.sh).
#   --std installed the target's library of the own toolchain (rustup target add); the default where it has that
#   --static        glibc linked in; musl always is. For measuring (cross/size.sh), not for shipping: a static glibc looks
#                   names up through libraries of the host's own version.
#
# A static agent above 5 MiB fails. Targets: cross/README.md. No toolchain and no package is installed from here; what lacks
# is named. The programs lie in the target folder: TARGET/agent/picket-agent, TARGET/release/picket-collector and picket.
# Beside the agent's folder the linker leaves picket-agent.map, which says what takes how much.
set -eu
limit=5242880
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
cross=${PICKET_CROSS:-$here/target/cross}
out=${CARGO_TARGET_DIR:-$here/target}
own_rustc=${RUSTC:-rustc}
host=$("$own_rustc" -vV | sed -n 's/^host: //p')
sysroot=$("$own_rustc" --print sysroot)

bins=agent std='' static=''
targets=''
usage() { sed -n '4p' "$here/cross/build.sh" | sed 's/^# */usage: /' >&2; exit 64; }
while [ $# -gt 0 ]; do
    case $1 in
    --bin) [ $# -gt 1 ] || usage; bins=$2; shift ;;
    --std) [ $# -gt 1 ] || usage; std=$2; shift ;;
    --static) static=yes ;;
    -*) usage ;;
    *) targets="$targets $1" ;;
    esac
    shift
done
case $bins in agent | all) ;; *) usage ;; esac
case $std in '' | installed | built) ;; *) usage ;; esac
[ -n "$targets" ] || usage

need() {
    command -v "$1" >/dev/null || { echo "build.sh: no $1 here for $target: $2" >&2; exit 2; }
}

installed() {
    libdir=$("$own_rustc" --print target-libdir --target "$target" 2>/dev/null) || return 1
    ls "$libdir"/libcore-* >/dev/null 2>&1
}

# What the environment variables of cargo and of the cc crate call the target.
named() { printf %s "$target" | tr 'a-z-' 'A-Z_'; }
lower() { printf %s "$target" | tr - _; }

# The C compiler and the linker of $target, and in $via how flags get to the linker: through a C compiler or straight.
tools() {
    case $target in
    "$host") gcc=cc package='apt-get install build-essential' ;;
    x86_64-unknown-linux-gnu) gcc=x86_64-linux-gnu-gcc package='apt-get install gcc-x86-64-linux-gnu libc6-dev-amd64-cross' ;;
    aarch64-unknown-linux-gnu) gcc=aarch64-linux-gnu-gcc package='apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross' ;;
    armv7-unknown-linux-gnueabihf) gcc=arm-linux-gnueabihf-gcc package='apt-get install gcc-arm-linux-gnueabihf libc6-dev-armhf-cross' ;;
    riscv64gc-unknown-linux-gnu) gcc=riscv64-linux-gnu-gcc package='apt-get install gcc-riscv64-linux-gnu libc6-dev-riscv64-cross' ;;
    *-linux-musl*) gcc= ;;
    *) echo "build.sh: $target is not a target that is built here: cross/README.md has the list" >&2; exit 2 ;;
    esac
    lld=$sysroot/lib/rustlib/$host/bin
    if [ -n "$gcc" ]; then
        need "$gcc" "$package"
        via=-Wl,
        linker="-Clinker=$gcc -Clink-arg=-fuse-ld=lld"
        if [ -x "$lld/gcc-ld/ld.lld" ]; then linker="$linker -Clink-arg=-B$lld/gcc-ld"; else need ld.lld 'apt-get install lld'; fi
        export "CC_$(lower)=$gcc"
        return
    fi
    via=
    if [ -x "$lld/rust-lld" ]; then linker=-Clinker=$lld/rust-lld; else need ld.lld 'apt-get install lld'; linker=-Clinker=ld.lld; fi
    linker="$linker -Clinker-flavor=ld.lld"
    if eval "[ -z \"\${CC_$(lower):-}\" ]"; then
        [ -x "$cross/cc-$target" ] || { echo "build.sh: no C compiler for $target: run cross/setup-musl.sh $target, or name one in CC_$(lower)" >&2; exit 2; }
        export "CC_$(lower)=$cross/cc-$target" "AR_$(lower)=$cross/ar-$target"
    fi
}

# Where the standard library comes from: sets $rustc and $build_std.
library() {
    rustc=$own_rustc build_std=
    if [ "$std" != built ] && installed; then return; fi
    if [ "$std" = installed ]; then
        echo "build.sh: the toolchain has no $target: rustup target add $target" >&2
        exit 2
    fi
    build_std=yes
    # Of musl, the toolchain has start files and libc only where it has the target.
    if [ -e "$sysroot/lib/rustlib/src/rust/library/Cargo.lock" ]; then
        case $target in *-musl*) installed && return ;; *) return ;; esac
    fi
    rustc=$cross/rustc
    case $target in
    *-musl*) ready=$cross/usr/lib/rustlib/$target/lib/self-contained/made-by setup="cross/setup-musl.sh $target" ;;
    *) ready=$rustc setup=cross/setup.sh ;;
    esac
    if [ ! -e "$ready" ]; then
        echo "build.sh: no standard library for $target: rustup target add $target, or on a Debian machine $setup" >&2
        exit 2
    fi
}

# What makes a file small; the same for every target, and in this place only. compiled: for all code; linked: for the agent.
#
# Runs of instructions that occur again and again become functions (what LLVM does at this level for 64-bit ARM unasked):
# 0.14 MB less. Relocations in their packed form (a position-independent file starts with a table of what to move): 0.28 MB,
# for linkers from 2022 on (binutils 2.38, lld 15) and a C library of that year (glibc 2.36, musl 1.2.4), so only where that
# is linked in. No tables for unwinding: cross/no-unwind.ld says why. Functions and constants that are the same byte for byte
# are kept once (--icf=all, which lld and gold know; Rust promises no function an address of its own): 0.07 MB.
compiled() {
    crt=
    case $target in *-musl*) crt=yes ;; esac
    [ -z "$static" ] || crt=yes
    flags=$linker
    [ -z "$crt" ] || flags="$flags -Ctarget-feature=+crt-static"
    [ "$1" != agent ] || flags="$flags -Cllvm-args=-enable-machine-outliner"
}

linked() {
    [ -z "$crt" ] || echo "-Clink-arg=${via}-zpack-relative-relocs"
    # The map says what the linker laid where; cross/size.sh reads it.
    for flag in --no-eh-frame-hdr "-T$here/cross/no-unwind.ld" --icf=all --ignore-data-address-equality "-Map=$out/$target/picket-agent.map"; do
        echo "-Clink-arg=$via$flag"
    done
}

# build PROFILE FEATURES ARGUMENT ...: with --target, the flags reach the programs and what they are made of, not build
# scripts and macros, which run here.
build() {
    profile=$1 features=$2
    shift 2
    compiled "$profile"
    set -- --locked --quiet --profile "$profile" --target "$target" "$@"
    command=build
    if [ "$profile" = agent ]; then
        command=rustc
        # shellcheck disable=SC2046  # one word a line, and no folder of ours has a space
        set -- "$@" -- $(linked)
    fi
    if [ -n "$build_std" ]; then
        # -Zbuild-std is unstable in cargo and rustc; the variable admits it for this one command.
        export RUSTC_BOOTSTRAP=1
        set -- -Zbuild-std=std,panic_abort "-Zbuild-std-features=$features" "$@"
    fi
    env "RUSTC=$rustc" "CARGO_TARGET_$(named)_RUSTFLAGS=$flags" cargo "$command" "$@" >&2
}

# tell PROGRAM FILE SECONDS
tell() {
    bytes=$(wc -c <"$2" | tr -d ' ')
    # INTERP names the dynamic loader: a file without it needs none.
    whole=true
    if LC_ALL=C readelf --program-headers "$2" | grep -q INTERP; then whole=false; fi
    bound=null
    if [ "$1" = picket-agent ] && [ "$whole" = true ]; then bound=$limit; fi
    printf '{"target":"%s","program":"%s","seconds":%s,"bytes":%s,"limit":%s,"static":%s,"std":"%s"}\n' \
        "$target" "$1" "$3" "$bytes" "$bound" "$whole" "$([ -n "$build_std" ] && echo built || echo installed)"
    case $crt$whole in
    yesfalse) echo "build.sh: $2 asks for a dynamic loader, so it is not static" >&2; return 1 ;;
    esac
    if [ "$bound" != null ] && [ "$bytes" -gt "$limit" ]; then
        echo "build.sh: $bytes bytes are more than $limit: look at new dependencies and features first" >&2
        return 1
    fi
}

for target in $targets; do
    tools
    library
    mkdir -p "$out/$target"
    begun=$(date +%s)
    build agent optimize_for_size -p picket-agent --bin picket-agent
    tell picket-agent "$out/$target/agent/picket-agent" $(($(date +%s) - begun))
    [ "$bins" = all ] || continue
    begun=$(date +%s)
    build release panic-unwind,backtrace,default -p picket-collector -p picket
    took=$(($(date +%s) - begun))
    tell picket-collector "$out/$target/release/picket-collector" "$took"
    tell picket "$out/$target/release/picket" "$took"
done
