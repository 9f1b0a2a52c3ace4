# What kind of host, or image, it is.

there() {
    for one; do
        [ ! -e "$root/$one" ] && [ ! -L "$root/$one" ] || return 0
    done
    return 1
}

# Whether a program of a package manager says that /usr/bin/picket-agent is its own; which one, in $owner.
packaged() {
    owner=
    for list in "$root"/var/lib/dpkg/info/picket-agent.list "$root"/var/lib/dpkg/info/picket-agent:*.list; do
        if grep -qx /usr/bin/picket-agent "$list" 2>/dev/null; then
            owner=dpkg
            return 0
        fi
    done
    # Only where there is a database: rpm makes one to be able to say no.
    there var/lib/rpm/Packages var/lib/rpm/rpmdb.sqlite var/lib/rpm/Packages.db usr/lib/sysimage/rpm/rpmdb.sqlite usr/lib/sysimage/rpm/Packages.db || return 1
    command -v rpm >/dev/null && rpm ${root:+--root "$root"} -qf /usr/bin/picket-agent >/dev/null 2>&1 || return 1
    owner=rpm
}

# Which init system there is, by what runs here or lies in the image.
found() {
    if [ -n "$live" ]; then
        if [ -d /run/systemd/system ]; then echo systemd; return; fi
        if [ -d /run/openrc ]; then echo openrc; return; fi
        case $(cat /proc/1/comm 2>/dev/null) in
        runit*) echo runit; return ;;
        esac
        case $(readlink /proc/1/exe 2>/dev/null) in
        */busybox*) echo busybox; return ;;
        esac
        if [ "$(cat /proc/1/comm 2>/dev/null)" = init ] && [ -d /etc/init.d ]; then echo sysv; fi
        return
    fi
    if there usr/lib/systemd/systemd lib/systemd/systemd; then echo systemd; return; fi
    if there sbin/openrc-run usr/sbin/openrc-run usr/bin/openrc-run; then echo openrc; return; fi
    if there sbin/runit-init usr/bin/runit-init usr/sbin/runit-init; then echo runit; return; fi
    case $(readlink "$root/sbin/init" 2>/dev/null) in
    *busybox*) echo busybox; return ;;
    esac
    if there sbin/init && [ -d "$root/etc/init.d" ]; then echo sysv; fi
}

# Whether anything may be started here: not where that init system does not run (a container that is built), or the
# machine's policy is against it.
may_start() {
    case $init in
    systemd) [ -d /run/systemd/system ] || return 1 ;;
    openrc) [ -d /run/openrc ] || return 1 ;;
    esac
    allowed start
}

#from agent/postinst allowed

# The agent, and what of the host's own must fit it.
fits() {
    [ -n "$live" ] || return 0
    built=$(sed -n 's/^architecture //p' "$stage/from/ARCHIVE")
    machine=$(uname -m)
    case $built/$machine in
    "$machine/$built" | x86_64/amd64 | aarch64/arm64 | armv7/armv7* | armv7/armv8l | armv7/aarch64 | riscv64gc/riscv64) ;;
    *) fail "this archive is for $built and this host is $machine: take the archive for that; nothing was changed" ;;
    esac
}

# When a process began, in ticks since the boot: with its number, who it is. Nothing where there is none.
born() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

# Whether the process NUMBER.BEGAN runs.
runs_still() {
    if [ -d /proc/self ]; then
        [ -n "${1#*.}" ] && [ "$(born "${1%%.*}")" = "${1#*.}" ]
    else
        kill -0 "${1%%.*}" 2>/dev/null
    fi
}

# One installation at a time: a link that says whose, since a link is made whole or not at all.
lock() {
    guarded var/lib/any
    mkdir -p "$root/var/lib" 2>/dev/null || true
    mine=$$.$(born $$)
    # -n: a link that is there is not followed.
    if ! ln -sn "$mine" "$lock" 2>/dev/null; then
        [ -L "$lock" ] || fail "$root/var/lib can't be written: mount it writable, then again; nothing was changed"
        theirs=$(readlink "$lock")
        ! runs_still "$theirs" || fail "another installation is at work (process ${theirs%%.*}): wait until that has ended; nothing was changed"
        # Of one that was killed. Who else takes it now has put his own in its place.
        rm -f "$lock.$$" && mv -f "$lock" "$lock.$$" 2>/dev/null && [ "$(readlink "$lock.$$")" = "$theirs" ] && rm -f "$lock.$$" && ln -sn "$mine" "$lock" ||
            fail "another installation began at this moment, or $root/var/lib can't be written; nothing was changed"
    fi
    held=yes
    rm -rf "$stage"
    (umask 077 && mkdir "$stage") || fail "$stage can't be made: make room; nothing was changed"
}
