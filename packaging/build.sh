#!/bin/sh
# Makes the packages picket-agent, picket-collector and picket from programs that are built already, and prints a JSON line
# for each: file, package, architecture, bytes.
#
#   packaging/build.sh [--rpm] [--target TARGET] [--out DIR] [PACKAGE..]
#
# The programs are where cargo leaves them: the agent in target/TARGET/agent (its profile; on this machine's own target
# cross/size.sh builds it static), the others in target/release, or target/TARGET/release with --target. Pages,
# completions and the example configuration are made here, of what the programs say, on this machine's own target.
# It needs cargo-deb, with --rpm cargo-generate-rpm (cargo install --locked NAME), and for another target nothing more: what is stripped already stays so.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
own=$(rustc -vV | sed -n 's/^host: //p')
target=$own
out=$here/target/packages
wanted=
kind=deb
while [ $# -gt 0 ]; do
    case $1 in
    --target) target=$2; shift ;;
    --rpm) kind=rpm ;;
    --out) out=$2; shift ;;
    picket-agent | picket-collector | picket) wanted="$wanted $1" ;;
    *) echo "build.sh: say packaging/build.sh [--rpm] [--target TARGET] [--out DIR] [picket-agent] [picket-collector] [picket]" >&2; exit 64 ;;
    esac
    shift
done
[ -n "$wanted" ] || wanted="picket-agent picket-collector picket"
tool=cargo-deb
[ $kind = deb ] || tool=cargo-generate-rpm
command -v $tool >/dev/null || { echo "build.sh: no $tool here: cargo install --locked $tool" >&2; exit 2; }
mkdir -p "$out"

rm -rf target-papers
cargo run --locked --quiet -p picket --example papers -- target-papers >&2

packaging/rpm.sh target-papers/rpm

# An rpm's architecture follows from the target, but for armhf.
line() {
    printf '{"file":"%s","package":"%s","architecture":"%s","bytes":%s}\n' "$1" "$package" "$2" "$(wc -c <"$1" | tr -d ' ')"
}

for package in $wanted; do
    # The agent's program is always below its target's name, the others' only where that is not this machine's own.
    set --
    case $package in
    picket-agent)
        folder=agent
        set -- --profile agent --target "$target"
        # The package depends on no library. INTERP names the dynamic loader: a static file has none.
        program=${CARGO_TARGET_DIR:-target}/$target/agent/picket-agent
        if LC_ALL=C readelf --program-headers "$program" | grep -q INTERP; then
            echo "build.sh: $program is not static (cross/size.sh; or a musl target)" >&2
            exit 1
        fi
        ;;
    picket) folder=cli ;;
    *) folder=collector ;;
    esac
    [ "$package" = picket-agent ] || [ "$target" = "$own" ] || set -- --target "$target"
    if [ $kind = deb ]; then
        [ "$package" != picket-agent ] || set -- "$@" --no-strip
        file=$(cargo-deb --locked --no-build --no-dbgsym --package "$package" --output "$out/" "$@" | tail -n 1)
        line "$file" "$(dpkg-deb --field "$file" Architecture)"
    else
        case $target in armv7*) set -- "$@" --arch armv7hl ;; esac
        rm -f "$out/$package"-[0-9]*.rpm
        cargo-generate-rpm generate-rpm --package $folder --output "$out/" "$@" >&2
        for file in "$out/$package"-[0-9]*.rpm; do
            name=${file%.rpm}
            line "$file" "${name##*.}"
        done
    fi
done
