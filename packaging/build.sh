#!/bin/sh
# Makes the packages picket-agent, picket-collector and picket from programs that are built already, and prints a JSON line
# for each: file, package, architecture, bytes.
#
#   packaging/build.sh [--rpm] [--target TARGET] [--from DIR] [--papers PROGRAM] [--out DIR] [PACKAGE..]
#
# The programs are where cargo leaves them. The agent is the one that is linked with musl, whatever the others are linked with:
# target/TARGET/agent of the musl target of that processor (cross/build.sh). Where musl is not set up it is the one of static
# glibc (cross/size.sh), which is said: that one looks names up through libraries of the host's own version. The others are in
# target/release, with --target in target/TARGET/release, or with --from in that folder: packages to be tried and not shipped are
# sooner there from target/debug.
#
# Pages, completions and the example configuration are made here, of what the programs say, on this machine's own target;
# --papers names cli/examples/papers.rs where that is built already.
#
# It needs cargo-deb, with --rpm cargo-generate-rpm (cargo install --locked NAME), and for another target nothing more: what is
# stripped already stays so.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
own=$(rustc -vV | sed -n 's/^host: //p')
target=$own
built=${CARGO_TARGET_DIR:-$here/target}
out=$built/packages
wanted=
kind=deb
from=
papers=
usage='say packaging/build.sh [--rpm] [--target TARGET] [--from DIR] [--papers PROGRAM] [--out DIR] [picket-agent] [picket-collector] [picket]'
while [ $# -gt 0 ]; do
    case $1 in
    --target | --from | --papers | --out) [ $# -gt 1 ] || { echo "build.sh: $usage" >&2; exit 64; } ;;
    esac
    case $1 in
    --rpm) kind=rpm ;;
    --target) target=$2; shift ;;
    --from) from=$(cd "$2" && pwd); shift ;;
    --papers) papers=$2; shift ;;
    --out) out=$2; shift ;;
    picket-agent | picket-collector | picket) wanted="$wanted $1" ;;
    *) echo "build.sh: $usage" >&2; exit 64 ;;
    esac
    shift
done
[ -n "$wanted" ] || wanted="picket-agent picket-collector picket"
tool=cargo-deb
[ $kind = deb ] || tool=cargo-generate-rpm
command -v $tool >/dev/null || { echo "build.sh: no $tool here: cargo install --locked $tool" >&2; exit 2; }
mkdir -p "$out"

rm -rf target-papers
if [ -n "$papers" ]; then
    "$papers" target-papers >&2
else
    cargo run --locked --quiet -p picket --example papers -- target-papers >&2
fi
packaging/rpm.sh target-papers/rpm

# Whether the agent can be built with musl for $1: by what cross/setup-musl.sh lays, or by a toolchain that has the target.
musl_is_set_up() {
    [ -x "${PICKET_CROSS:-$here/target/cross}/cc-$1" ] || ls "$(rustc --print target-libdir --target "$1")"/libcore-* >/dev/null 2>&1
}

# cargo-deb and cargo-generate-rpm know one place only, so a folder of one's own is shown to them in that place.
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
if [ -n "$from" ]; then
    mkdir "$stage/$target"
    ln -s "$from" "$stage/release"
    ln -s "$from" "$stage/$target/release"
fi

# Of which target the agent is, in $linked.
choose() {
    linked=$target
    case $target in *-linux-gnu*) ;; *) return 0 ;; esac
    musl=$(printf %s "$target" | sed 's/-linux-gnu/-linux-musl/')
    if [ -e "$built/$musl/agent/picket-agent" ]; then
        linked=$musl
    elif musl_is_set_up "$musl"; then
        echo "build.sh: no agent here for $musl: cross/build.sh --std built $musl" >&2
        exit 2
    else
        echo "build.sh: musl is not set up for $musl (cross/setup-musl.sh), so the package has the agent of static glibc" >&2
    fi
}

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
        choose
        set -- --profile agent --target "$linked"
        # The package depends on no library. INTERP names the dynamic loader: a static file has none.
        program=$built/$linked/agent/picket-agent
        [ -e "$program" ] || { echo "build.sh: no $program: cross/README.md says how it is built" >&2; exit 2; }
        if LC_ALL=C readelf --program-headers "$program" | grep -q INTERP; then
            echo "build.sh: $program is not static: cross/setup-musl.sh and cross/build.sh make one that is" >&2
            exit 1
        fi
        ;;
    picket) folder=cli ;;
    *) folder=collector ;;
    esac
    place=$built
    if [ "$package" != picket-agent ]; then
        [ -z "$from" ] || place=$stage
        [ "$target" = "$own" ] || set -- --target "$target"
    fi
    if [ $kind = deb ]; then
        [ "$package" != picket-agent ] || set -- "$@" --no-strip
        file=$(CARGO_TARGET_DIR=$place cargo-deb --locked --no-build --no-dbgsym --package "$package" --output "$out/" "$@" | tail -n 1)
        line "$file" "$(dpkg-deb --field "$file" Architecture)"
    else
        case $target in armv7*) set -- "$@" --arch armv7hl ;; esac
        rm -f "$out/$package"-[0-9]*.rpm
        CARGO_TARGET_DIR=$place cargo-generate-rpm generate-rpm --package $folder --output "$out/" "$@" >&2
        for file in "$out/$package"-[0-9]*.rpm; do
            name=${file%.rpm}
            line "$file" "${name##*.}"
        done
    fi
done
