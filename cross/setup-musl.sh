#!/bin/sh
# Makes ready for static builds by musl: a C compiler for foreign processors (zig, from PyPI) and, beside the compiler that
# cross/setup.sh unpacks, what a static file of musl begins with and is linked from, which a rustup target brings along.
#
#   cross/setup-musl.sh TARGET ...          such as aarch64-unknown-linux-musl
#
# All goes into $PICKET_CROSS, else target/cross in this repository: no root, nothing outside. It needs python3 with venv and
# the package registry once; about 500 MB, and a minute per target, in which musl is compiled. Running it again costs nothing.
#
# Per target it leaves cc-TARGET and ar-TARGET, which build scripts are to use, and the files in the compiler's own folder.
# musl is the one of zig (1.2.5): Debian's is too old for packed relocations (1.2.4), and its unwinder is glibc's.
set -eu
zig_version=0.17.1
here=$(cd "$(dirname "$0")/.." && pwd)
dest=${PICKET_CROSS:-$here/target/cross}

# What zig calls a target; and the least processor that Rust builds for by that name, since zig's own choice for 32-bit ARM
# has NEON, which some boards of ARMv7 lack and Rust's target does without.
zig_target() {
    case $1 in
    x86_64-unknown-linux-musl) echo x86_64-linux-musl baseline ;;
    aarch64-unknown-linux-musl) echo aarch64-linux-musl baseline ;;
    armv7-unknown-linux-musleabihf) echo arm-linux-musleabihf generic+v7a+vfp3d16-neon-d32 ;;
    arm-unknown-linux-musleabihf) echo arm-linux-musleabihf arm1176jzf_s ;;
    *) echo "setup-musl.sh: no musl target of that name is known here: $1" >&2; return 2 ;;
    esac
}

# A compiler without its C library: an unpacked folder of before is done again by setup.sh, so it comes first.
"$here/cross/setup.sh" "$dest" >&2
venv=$dest/zig
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m ziglang version 2>/dev/null | grep -qxF "$zig_version"; then
    rm -rf "$venv"
    python3 -m venv "$venv" || { echo 'setup-musl.sh: python3 makes no venv here: apt-get install python3-venv' >&2; exit 2; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir "ziglang==$zig_version"
fi
zig=$("$venv/bin/python" -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))')

for target in "$@"; do
    names=$(zig_target "$target")
    name=${names% *} processor=${names#* }
    kept=$dest/usr/lib/rustlib/$target/lib/self-contained
    stamp=$kept/made-by
    said="zig $zig_version $name $processor"
    [ "$(cat "$stamp" 2>/dev/null || true)" != "$said" ] || continue

    # zig keeps what it has compiled; for a build in this folder that is beside it, and goes with it. Without -fno-sanitize
    # zig has C code end where it does what the standard leaves undefined, even in a released file. Build scripts name the
    # target as Rust does, which zig does not know.
    cat >"$dest/cc-$target" <<WRAPPER
#!/bin/sh
export ZIG_GLOBAL_CACHE_DIR="$dest/zig/cache" ZIG_LOCAL_CACHE_DIR="$dest/zig/cache"
for word; do
    shift
    case \$word in --target=*) ;; *) set -- "\$@" "\$word" ;; esac
done
exec "$zig" cc -target $name -mcpu=$processor -fno-sanitize=undefined "\$@"
WRAPPER
    printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$zig" >"$dest/ar-$target"
    chmod +x "$dest/cc-$target" "$dest/ar-$target"

    # Programs of nothing, at a place of their own choice and at a fixed one, have zig compile musl and say which files it
    # links: those are kept.
    work=$dest/zig/work-$target
    rm -rf "$work" "$kept"
    mkdir -p "$work" "$kept"
    echo 'int main(void) { return 0; }' >"$work/main.c"
    for way in '-fPIE -static-pie' '-fno-PIE -no-pie'; do
        # shellcheck disable=SC2086  # two words each
        "$dest/cc-$target" -Os -static $way -lunwind -v "$work/main.c" -o "$work/main" 2>"$work/said" \
            || { cat "$work/said" >&2; exit 1; }
        for file in $(grep '^ld.lld ' "$work/said"); do
            case $file in
            */rcrt1.o | */crt1.o | */libc.a | */libzigc.a | */libunwind.a | */libcompiler_rt.a)
                [ -e "$kept/${file##*/}" ] || cp "$file" "$kept/" ;;
            esac
        done
    done
    # The compiler asks for these by name as well; zig needs none of them, since musl calls what is in .init_array.
    for file in crti.o crtn.o crtbeginS.o crtendS.o crtbegin.o crtend.o; do
        : | "$dest/cc-$target" -c -x c - -o "$kept/$file"
    done
    # One archive by the name that is asked for: libc with what zig has of it in its own language, and the arithmetic.
    printf 'CREATE %s\nADDLIB %s\nADDLIB %s\nADDLIB %s\nSAVE\nEND\n' "$kept/libc-all.a" "$kept/libc.a" "$kept/libzigc.a" \
        "$kept/libcompiler_rt.a" | "$dest/ar-$target" -M
    mv "$kept/libc-all.a" "$kept/libc.a"
    rm "$kept/libzigc.a" "$kept/libcompiler_rt.a"
    rm -rf "$work"
    echo "$said" >"$stamp"        # last, so that a broken set-up is done again and not taken for a good one
done
