#!/bin/sh
# Installs a package for any processor in a small Debian of that processor, whose programs an emulator runs, asks the program
# there what it says, and removes and purges the package; prints a JSON line for each question, and the first wrong answer fails.
#
#   packaging/root-check.sh [--roots DIR] FILE.deb ...
#
# The roots are made by debootstrap from Debian's mirror ($PICKET_MIRROR, else http://deb.debian.org/debian) and lie in DIR, else
# target/roots, one for each architecture: 3 to 10 minutes the first time, and some 250 MB. Each check has a copy.
#
# It needs root, debootstrap, qemu-user-static where the processor is another, and Linux 6.7 or newer: foreign programs are made known to
# the kernel (binfmt_misc) in a user namespace alone, and the machine's own list stays as it is. Nothing there is systemd: this asks what
# dpkg does where none runs, as in an image that is built. What runs under systemd is the fleet's to ask.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
roots=${CARGO_TARGET_DIR:-$here/target}/roots
mirror=${PICKET_MIRROR:-http://deb.debian.org/debian}
suite=bookworm

# Inside the namespaces: a root's own proc, and its programs.
if [ "${1:-}" = --inside ]; then
    tree=$2 emulator=$3
    shift 3
    # Not before the numbers of users are given to this namespace.
    echo ready >"$PICKET_ASKS"
    read -r _given <"$PICKET_GIVES"
    exec setpriv --reuid 0 --regid 0 --clear-groups sh -eu -c '
        tree=$1 emulator=$2
        shift 2
        if [ -n "$emulator" ]; then
            mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
            cat >/proc/sys/fs/binfmt_misc/register <"$PICKET_FORMAT"
        fi
        mount -t proc proc "$tree/proc"
        exec chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
    ' sh "$tree" "$emulator" "$@"
fi

usage='say packaging/root-check.sh [--roots DIR] FILE.deb ...'
if [ "${1:-}" = --roots ] && [ $# -ge 2 ]; then
    roots=$2
    shift 2
fi
[ $# -gt 0 ] || { echo "root-check.sh: $usage" >&2; exit 64; }
[ "$(id -u)" -eq 0 ] || { echo 'root-check.sh: it needs root' >&2; exit 2; }
for tool in debootstrap dpkg-deb unshare setpriv; do
    command -v $tool >/dev/null || { echo "root-check.sh: no $tool here: apt-get install debootstrap dpkg util-linux" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
mkfifo "$work/asks" "$work/gives"
export PICKET_ASKS="$work/asks" PICKET_GIVES="$work/gives" PICKET_FORMAT="$work/format"

# The emulator of an architecture, and how the kernel knows its programs: by the ELF header's class, order and machine. F: it is opened
# now, so that roots need no copy.
format() {
    case $1 in
    "$(dpkg --print-architecture)") emulator= ; return ;;
    arm64) emulator=qemu-aarch64-static class='\x02' machine='\xb7' ;;
    armhf) emulator=qemu-arm-static class='\x01' machine='\x28' ;;
    *) echo "root-check.sh: no emulator is known for $1" >&2; exit 2 ;;
    esac
    path=$(command -v $emulator) || { echo "root-check.sh: no $emulator here: apt-get install qemu-user-static" >&2; exit 2; }
    printf '%s' ":picket-$1:M::\\x7fELF$class\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00$machine\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$path:F" >"$work/format"
}

# Runs a command in the root $1: users are those of the machine by number, and none of its rights reach beyond.
run() {
    tree=$1
    shift
    unshare --user --mount --pid --fork --kill-child sh "$here/packaging/root-check.sh" --inside "$tree" "$emulator" "$@" <"$work/nothing" &
    pid=$!
    read -r _ready <"$work/asks"
    echo '0 0 65536' >"/proc/$pid/uid_map"
    echo '0 0 65536' >"/proc/$pid/gid_map"
    echo given >"$work/gives"
    wait "$pid"
}
: >"$work/nothing"

# A root of architecture $1 in $roots/$1: unpacked by this machine, configured by its own programs. These ask whether device files can be
# made, which no namespace may: the one that they make to see is a name of the one that is there.
root() {
    [ ! -e "$roots/$1/made" ] || return 0
    rm -rf "${roots:?}/$1"
    mkdir -p "$roots/$1"
    (
        debootstrap --arch="$1" --foreign --variant=minbase "$suite" "$roots/$1/root" "$mirror"
        mkdir "$roots/$1/root/debootstrap/tools"
        printf '#!/bin/sh\nexec ln /dev/null "$1"\n' >"$roots/$1/root/debootstrap/tools/mknod"
        chmod +x "$roots/$1/root/debootstrap/tools/mknod"
        run "$roots/$1/root" env PATH=/debootstrap/tools:/usr/sbin:/usr/bin:/sbin:/bin /debootstrap/debootstrap --second-stage
    ) >"$roots/$1/log" 2>&1 || { tail "$roots/$1/log" >&2; exit 1; }
    rm -rf "$roots/$1/root/var/cache/apt/archives"/*.deb
    : >"$roots/$1/made"
}

tell() {
    printf '{"check":"%s","architecture":"%s","holds":%s}\n' "$1" "$arch" "$2"
    [ "$2" = true ] || { sed 's/^/    /' "$work/said" >&2; echo 'root-check.sh: that does not hold' >&2; exit 1; }
}

# Asks a command in the copy: it succeeds, and what it says has these words.
asks() {
    question=$1 words=$2
    shift 2
    if run "$work/tree" "$@" >"$work/said" 2>&1 && grep -q -e "$words" "$work/said"; then tell "$question" true; else tell "$question" false; fi
}

# Every path of the copy, but the lists and the words that dpkg keeps whatever is installed, and what this check lays there.
paths() {
    (cd "$work/tree" && find . -xdev ! -path './proc/*' ! -path './var/lib/dpkg/*-old' ! -path './var/log/*' ! -path './root/*' | sort)
}

# What the agent says of a host that is none yet. Its doctor finds what lacks there (no systemd, no clock that is synchronised), so it may
# end with 1; a program that does not work here would end otherwise, and say nothing.
agent() {
    asks 'it knows its own example' 'check   ' picket-agent check --config /etc/picket/agent.toml.example
    printf '[collector]\naddress = "collector.example:7440"\ntoken_file = "/etc/picket/token"\n' >"$work/tree/etc/picket/agent.toml"
    asks 'it knows a configuration' 'check   ' picket-agent check --config /etc/picket/agent.toml
    asks 'it says what the host lacks' 'without  systemd' sh -c 'picket-agent doctor || [ $? -eq 1 ]'
    asks 'it is removed' "Removing $package" dpkg --remove "$package"
    asks 'its configuration stays' 'token_file' cat /etc/picket/agent.toml
}

for file in "$@"; do
    arch=$(dpkg-deb --field "$file" Architecture)
    package=$(dpkg-deb --field "$file" Package)
    version=$(dpkg-deb --field "$file" Version)
    format "$arch"
    root "$arch"
    rm -rf "$work/tree"
    cp -a "$roots/$arch/root" "$work/tree"
    paths >"$work/before"
    cp "$file" "$work/tree/root/package.deb"
    asks 'dpkg installs it' "Setting up $package" dpkg --install /root/package.deb
    asks 'dpkg says so' "^ii $version" dpkg-query --show --showformat '${db:Status-Abbrev}${Version}' "$package"
    asks 'the program tells its version' "^$package ${version%-*}" "$package" --version
    case $package in picket-agent) agent ;; esac
    asks 'it is purged' "Purging\|Removing" dpkg --purge "$package"
    paths >"$work/after"
    if diff "$work/before" "$work/after" >"$work/said"; then tell 'nothing is left' true; else tell 'nothing is left' false; fi
done
