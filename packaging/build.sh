#!/bin/sh
# Makes the packages picket-agent, picket-collector and picket from programs that are built already, and prints a JSON line
# for each: file, package, architecture, bytes.
#
#   packaging/build.sh [--target TARGET] [--out DIR] [PACKAGE..]
#
# The programs are where cargo leaves them: the agent in target/TARGET/agent (its profile; on this machine's own target
# cross/size.sh builds it static), the others in target/release, or target/TARGET/release with --target. Pages,
# completions and the example configuration are made here, of what the programs say, on this machine's own target.
# It needs cargo-deb (cargo install --locked cargo-deb), and for another target nothing more: what is stripped already stays so.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
own=$(rustc -vV | sed -n 's/^host: //p')
target=$own
out=$here/target/packages
wanted=
while [ $# -gt 0 ]; do
    case $1 in
    --target) target=$2; shift ;;
    --out) out=$2; shift ;;
    picket-agent | picket-collector | picket) wanted="$wanted $1" ;;
    *) echo "build.sh: say packaging/build.sh [--target TARGET] [--out DIR] [picket-agent] [picket-collector] [picket]" >&2; exit 64 ;;
    esac
    shift
done
[ -n "$wanted" ] || wanted="picket-agent picket-collector picket"
command -v cargo-deb >/dev/null || { echo "build.sh: no cargo-deb here: cargo install --locked cargo-deb" >&2; exit 2; }
mkdir -p "$out"

rm -rf target-papers
cargo run --locked --quiet -p picket --example papers -- target-papers >&2

for package in $wanted; do
    # The agent's is always below its target's name, the others' only where that is not this machine's own.
    set -- --locked --no-build --no-dbgsym --package "$package" --output "$out/"
    case $package in
    picket-agent) set -- "$@" --profile agent --target "$target" --no-strip ;;
    *) [ "$target" = "$own" ] || set -- "$@" --target "$target" ;;
    esac
    file=$(cargo-deb "$@" | tail -n 1)
    architecture=$(dpkg-deb --field "$file" Architecture)
    printf '{"file":"%s","package":"%s","architecture":"%s","bytes":%s}\n' "$file" "$package" "$architecture" "$(wc -c <"$file" | tr -d ' ')"
done
