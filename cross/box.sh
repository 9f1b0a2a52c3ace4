#!/bin/sh
# Shows the agent in a whole small box: a processor of 32-bit ARM, 64 MB of memory, a kernel of Debian, BusyBox init, a root that is
# read-only (squashfs), state on a small disk (ext4), no D-Bus, and a clock that begins at 1970 at every boot. tests/src/small.rs says
# what happens in it. One JSON line; the status is 0 if all of it came about.
#
#   cross/box.sh [--agent FILE] [--image-only] [TARGET]      TARGET is armv7-unknown-linux-musleabihf
#
#   --agent FILE   another one than that of cross/build.sh --std built TARGET
#   --image-only   make the image and run nothing
#
# The agent comes into the image by its archive and install.sh (packaging/tarball.sh), as it does for everybody who makes such images.
# Kernel and BusyBox are Debian's for armhf, from the mirror that apt is set up with, through lists of its own: neither dpkg nor the
# host's lists learn of another architecture. It needs no root. The image lies in the target folder: box/kernel, initramfs, root.squashfs.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
out=${CARGO_TARGET_DIR:-$here/target}
target=armv7-unknown-linux-musleabihf
agent='' run=yes
usage() { sed -n '6p' "$here/cross/box.sh" | sed 's/^# */usage: /' >&2; exit 64; }
while [ $# -gt 0 ]; do
    case $1 in
    --agent) [ $# -gt 1 ] || usage; agent=$2; shift ;;
    --image-only) run='' ;;
    armv7-*) target=$1 ;;
    *) usage ;;
    esac
    shift
done
[ -n "$agent" ] || agent=$out/$target/agent/picket-agent
[ -x "$agent" ] || { echo "box.sh: no agent at $agent: cross/build.sh --std built $target" >&2; exit 2; }
need() {
    command -v "$1" >/dev/null || { echo "box.sh: no $1 here: apt-get install --no-install-recommends $2" >&2; exit 2; }
}
# mke2fs lies where only root looks.
PATH=$PATH:/usr/sbin:/sbin
need apt-get apt
need dpkg-deb dpkg
need mksquashfs squashfs-tools
need mke2fs e2fsprogs
need xz xz-utils
need setpriv util-linux
need qemu-system-arm qemu-system-arm
pack=cpio
command -v cpio >/dev/null || { need busybox busybox-static; pack='busybox cpio'; }

box=$out/box
root=$box/root
first=$box/first
mkdir -p "$box/debs"

# Debian's packages for armhf, unpacked: what is there already is not fetched again.
debian() {
    [ ! -e "$box/tree/complete" ] || return 0
    state=$box/apt
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    set -- -qq -o APT::Architecture=armhf -o APT::Architectures::=armhf -o "Dir::State=$state" -o "Dir::State::status=$state/status" \
        -o "Dir::Cache=$state/cache" -o APT::Sandbox::User= -o Debug::NoLocking=1
    # One suite that can't be read at the moment is no reason to stop while the others have what is wanted.
    apt-get "$@" update >&2 || echo 'box.sh: some lists are missing; it goes on with the others' >&2
    kernel=$(apt-cache "$@" depends linux-image-armmp | sed -n 's/^ *Depends: \(linux-image-[0-9]\)/\1/p' | head -n 1)
    [ -n "$kernel" ] || { echo 'box.sh: apt knows no linux-image-armmp for armhf' >&2; exit 1; }
    rm -rf "$box/tree" "$box"/debs/*.deb
    mkdir "$box/tree"
    (cd "$box/debs" && apt-get "$@" download "$kernel" busybox-static >&2)
    for deb in "$box"/debs/*.deb; do dpkg-deb -x "$deb" "$box/tree"; done
    : >"$box/tree/complete"
}

# What loads the modules between the kernel and the root. Only these, since each takes memory that a small box lacks.
initramfs() {
    rm -rf "$first"
    mkdir -p "$first/bin" "$first/lib" "$first/proc" "$first/sys" "$first/dev" "$first/root"
    cp "$busybox" "$first/bin/busybox"
    install -m 755 cross/box/init "$first/init"
    # In the order that they need each other.
    for module in virtio_mmio virtio_blk failover net_failover virtio_net squashfs crc16 crc32c_generic mbcache jbd2 ext4; do
        file=$(find "$box/tree" -name "$module.ko" -o -name "$module.ko.xz" | head -n 1)
        case $file in
        '') continue ;; # built in
        *.xz) xz -dc "$file" >"$first/lib/$module.ko" ;;
        *) cp "$file" "$first/lib/$module.ko" ;;
        esac
        echo "$module" >>"$first/lib/order"
    done
    (cd "$first" && find . | LC_ALL=C sort | $pack -o -H newc 2>/dev/null) | xz --check=crc32 --lzma2=dict=1MiB >"$box/initramfs"
}

# BusyBox and its links, folders to mount on, and the agent by its archive.
tree() {
    rm -rf "$root"
    for folder in bin sbin usr/bin usr/sbin etc/init.d etc/picket dev proc sys run tmp var/lib www; do mkdir -p "$root/$folder"; done
    cp "$busybox" "$root/bin/busybox"
    for name in sh ash cat cp chmod date dd df dmesg echo free grep hostname ifconfig kill killall logger logread ls mkdir mkfifo mount mv \
        pidof poweroff ps rm route sed sleep sort stat sync tail test touch true umount uname find id head wc readlink tr usleep wget; do
        ln -s busybox "$root/bin/$name"
    done
    for name in init syslogd httpd; do ln -s ../bin/busybox "$root/sbin/$name"; done
    ln -s ../run "$root/var/run"
    install -m 755 cross/box/rcS "$root/etc/init.d/rcS"
    install -m 755 cross/box/console cross/box/await "$root/sbin"
    install -m 644 cross/box/inittab "$root/etc/inittab"
    echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    echo 'the box serves' >"$root/www/index.html"

    set -- --target "$target" --program "$agent" --out "$box/archive"
    [ ! -x "$out/debug/examples/papers" ] || set -- "$@" --papers "$out/debug/examples/papers"
    rm -rf "$box/archive"
    packaging/tarball.sh "$@" >&2
    tar -xzf "$box"/archive/picket-agent-*.tar.gz -C "$box/archive"
    sh "$box"/archive/picket-agent-*/install.sh --checksums-only --root "$root" --init busybox --inittab >&2
    # What people read; of no use in a box without anybody.
    rm -rf "${root:?}/usr/share"
}

debian
busybox=$(find "$box/tree" -path '*bin/busybox' | head -n 1)
cp "$(find "$box/tree/boot" -name 'vmlinuz-*' | head -n 1)" "$box/kernel"
initramfs
tree
rm -f "$box/root.squashfs"
mksquashfs "$root" "$box/root.squashfs" -all-root -comp xz -no-progress -quiet >&2
[ -n "$run" ] || exit 0

cargo build --locked --quiet -p picket-tests --bin small >&2
exec timeout 600 "$out/debug/small" --image "$box" --agent "$agent"
