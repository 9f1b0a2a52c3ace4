#!/bin/sh
# Installs, upgrades and removes Picket's agent from the archive that this file lies in. It makes no network call.
#
#   install.sh --key FILE [--root DIR] [--init KIND] [--inittab]
#   install.sh --checksums-only [--root DIR] [--init KIND] [--inittab]
#   install.sh --uninstall | --purge [--root DIR]
#
#   --key FILE        the public key of whoever signed the archive, from where you trust it and not from beside the archive
#   --checksums-only  believe the archive without its signature: checksums find damage, and nobody who forges both
#   --root DIR        into an image instead of this host; nothing is started
#   --init KIND       systemd, openrc, runit, sysv, busybox, or none (you start the agent yourself); else it is found out
#   --inittab         BusyBox init: add the agent's line to /etc/inittab, in place of saying it
#   --uninstall       remove what was installed; configuration (/etc/picket) and state (/var/lib/picket-agent) stay
#   --purge           leave nothing
#
# Configuration is never written, but for agent.toml.example, which is the archive's. Status 0: done. 1: refused or failed, with what
# to do; then all is as it was before. 2: a tool is missing. 64: wrong words.
set -eu
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
# Files are for all to read unless said otherwise, whatever the shell has that started this.
umask 022

unit=picket-agent.service
patience=${PICKET_AGENT_PATIENCE:-120}
line='::respawn:/usr/lib/picket-agent/keep --syslog'
here=$(cd "$(dirname "$0")" && pwd)
root=
init=
key=
trusting=
inittab=
verb=install
held=
kept=
anew=
laid=
switched=

say() {
    echo "install.sh: $*" >&2
}

fail() {
    say "$@"
    exit 1
}

usage() {
    sed -n '4,6s/^#  */usage: /p' "$0" >&2
    exit 64
}

lacks() {
    say "$@"
    exit 2
}

words() {
    while [ $# -gt 0 ]; do
        case $1 in
        --key | --root | --init) [ -n "${2:-}" ] || { say "$1 needs a word after it"; usage; } ;;
        esac
        case $1 in
        --key) key=$2; shift ;;
        --root) root=$2; shift ;;
        --init) init=$2; shift ;;
        --checksums-only) trusting=yes ;;
        --inittab) inittab=yes ;;
        --uninstall) verb=uninstall ;;
        --purge) verb=purge ;;
        --help | -h) sed -n '2,18s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) say "$1 is nothing that it knows"; usage ;;
        esac
        shift
    done
    case $init in
    '' | systemd | openrc | runit | sysv | busybox | none) ;;
    *) say "--init $init is not known"; usage ;;
    esac
    [ -z "$key" ] || [ -z "$trusting" ] || { say 'say --key or --checksums-only, not both'; usage; }
    if [ -n "$root" ]; then
        root=$(cd "$root" 2>/dev/null && pwd -P) || fail "there is no folder for --root; make it first"
        [ "$root" != / ] || root=
    fi
    if [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then
        fail 'only root may do that on this host: use sudo, or name an image with --root DIR'
    fi
    state=$root/var/lib/picket-agent
    before=$state.before
    stage=$state.install
    own=$root/usr/lib/picket-agent
    paper=$own/installed
    # Only this host's own init is asked anything.
    live=
    [ -n "$root" ] || live=yes
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

there() {
    for one; do
        [ ! -e "$root/$one" ] && [ ! -L "$root/$one" ] || return 0
    done
    return 1
}

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

# One installation at a time, with a folder for what it needs meanwhile.
lock() {
    if [ -e "$stage/process" ] && kill -0 "$(cat "$stage/process")" 2>/dev/null; then
        fail "another installation is at work (process $(cat "$stage/process")): wait until that has ended"
    fi
    rm -rf "$stage"
    mkdir -p "$root/var/lib" 2>/dev/null || true
    (umask 077 && mkdir "$stage") || fail "$root/var/lib can't be written: mount it writable, then again; nothing was changed"
    held=yes
    echo $$ >"$stage/process"
    : >"$stage/made"
}

# Takes the archive's files to a folder of one's own, so that nobody changes them between here and their places.
take() {
    [ -f "$here/SHA256SUMS" ] || fail 'there is no SHA256SUMS beside install.sh: unpack the whole archive, and start install.sh there'
    mkdir "$stage/from"
    cp -R "$here/." "$stage/from" || fail "there is no room for a copy of the archive in $root/var/lib: free 20 MB there; nothing was changed"
}

# The public key in the form that gpgv and gpg read: what is between the lines of an armoured one.
dearmoured() {
    if grep -q '^-----BEGIN PGP PUBLIC KEY BLOCK-----' "$key"; then
        command -v base64 >/dev/null || lacks "base64 is not here: name the key in its binary form (gpg --dearmor)"
        sed -n '/^-----BEGIN/,/^-----END/p' "$key" | tr -d '\r' | sed -e '1,/^$/d' -e '/^-----END/d' -e '/^=/d' | base64 -d
    else
        cat "$key"
    fi
}

# Whether SHA256SUMS.sig is a signature of SHA256SUMS by that key; what the tool said is in $stage/said.
signed() {
    dearmoured >"$stage/key.gpg" || return 1
    (umask 077 && mkdir "$stage/home")
    if command -v gpgv >/dev/null; then
        gpgv --homedir "$stage/home" --keyring "$stage/key.gpg" --status-fd 1 \
            "$stage/from/SHA256SUMS.sig" "$stage/from/SHA256SUMS" >"$stage/status" 2>"$stage/said" || return 1
    elif command -v sqv >/dev/null; then
        # What apt of Debian 13 has. Its status alone tells.
        sqv --keyring "$stage/key.gpg" "$stage/from/SHA256SUMS.sig" "$stage/from/SHA256SUMS" >"$stage/said" 2>&1
        return
    else
        gpg --homedir "$stage/home" --batch --no-options --no-autostart --no-default-keyring --keyring "$stage/key.gpg" \
            --trust-model always --no-auto-key-retrieve --status-fd 1 \
            --verify "$stage/from/SHA256SUMS.sig" "$stage/from/SHA256SUMS" >"$stage/status" 2>"$stage/said" || return 1
    fi
    # A key that has expired or was revoked is told by another word, though both tools may end with 0.
    grep -q '^\[GNUPG:\] GOODSIG ' "$stage/status" && ! grep -q '^\[GNUPG:\] \(EXPKEYSIG\|REVKEYSIG\|BADSIG\|ERRSIG\) ' "$stage/status"
}

# The signature, then every checksum, and that there is nothing else.
sound() {
    cd "$stage/from"
    command -v sha256sum >/dev/null || lacks 'sha256sum is not here, so nothing can be checked: install coreutils or busybox'
    if [ -n "$key" ]; then
        [ -f "$key" ] || fail "there is no key $key; nothing was changed"
        if ! command -v gpgv >/dev/null && ! command -v gpg >/dev/null && ! command -v sqv >/dev/null; then
            lacks "neither gpgv nor gpg nor sqv is here, so the signature can't be checked. Install one (gpgv, gnupg), or check the" \
                'archive on another machine and say --checksums-only here; nothing was changed'
        fi
        [ -f SHA256SUMS.sig ] || fail 'the archive has no signature (SHA256SUMS.sig): get one that has; nothing was changed'
        if ! signed; then
            sed 's/^/    /' "$stage/said" >&2 || true
            fail "the signature is not one by the key in $key: get archive and key again, and compare the key's fingerprint with the" \
                "one that is published; where the key has expired, or the clock is wrong ($(date)), mend that; nothing was changed"
        fi
    fi
    sha256sum -c SHA256SUMS >"$stage/sums" 2>/dev/null || {
        grep -v ': OK$' "$stage/sums" | sed 's/^/    /' >&2 || true
        fail 'these files are not as they were packed: get the archive again; nothing was changed'
    }
    find . ! -type d | grep -vx -e ./SHA256SUMS -e ./SHA256SUMS.sig | sort >"$stage/there"
    sed 's/^[0-9a-f]*  //' SHA256SUMS | sort >"$stage/listed"
    if [ -n "$(find . ! -type f ! -type d)" ] || ! cmp -s "$stage/there" "$stage/listed"; then
        fail "the folder has other files than SHA256SUMS lists: unpack the archive into a folder of its own; nothing was changed"
    fi
    cd /
}

# What is to be installed: a line for each file, as seen from the root, with the folder of the archive that it is in.
wanted() {
    trees='all others'
    case $init in
    systemd) trees='all systemd' ;;
    none) trees=all ;;
    busybox) ;;
    *) trees="all others $init" ;;
    esac
    for tree in $trees; do
        (cd "$stage/from/$tree" && find . -type f | sed "s|^\./|$tree |")
    done | sort -k 2
    echo 'self usr/lib/picket-agent/install.sh'
}

source_of() {
    case $1 in
    self) echo "$stage/from/install.sh" ;;
    *) echo "$stage/from/$1/$2" ;;
    esac
}

# The links that have the agent started at boot: what they lead to, and where they lie. The same that each system's own
# command makes, so that those find them.
links() {
    case $init in
    systemd) echo "/usr/lib/systemd/system/$unit etc/systemd/system/multi-user.target.wants/$unit" ;;
    openrc) echo '/etc/init.d/picket-agent etc/runlevels/default/picket-agent' ;;
    runit)
        for folder in etc/runit/runsvdir/default etc/service service; do
            if [ -d "$root/$folder/" ]; then
                echo "/etc/sv/picket-agent $folder/picket-agent"
                return
            fi
        done
        ;;
    sysv)
        levels=etc
        [ ! -d "$root/etc/rc.d/rc3.d" ] || levels=etc/rc.d
        for level in 2 3 4 5; do echo "../init.d/picket-agent $levels/rc$level.d/S90picket-agent"; done
        for level in 0 1 6; do echo "../init.d/picket-agent $levels/rc$level.d/K10picket-agent"; done
        ;;
    esac
}

# The folder of a file, made where it lacks, which must not lead out of the image.
folder() {
    dir=$root/$(dirname "$1")
    missing=
    at=$dir
    while [ ! -d "$at" ]; do
        missing="$at
$missing"
        at=$(dirname "$at")
    done
    real=$(cd "$at" && pwd -P)
    case $real/ in
    "$root"/*) ;;
    *) fail "$at leads out of $root, to $real: make the link there a relative one; all is as it was" ;;
    esac
    [ -z "$missing" ] || printf %s "$missing" | while read -r one; do
        mkdir "$one" || exit 1
        echo "${one#"$root"/}" >>"$stage/made"
    done || fail "$dir can't be made (a read-only disk?): make $at writable, then again; all is as it was"
}

# Everything beside its place, under another name: until all of it is there nothing has changed.
lay() {
    laid=yes
    while read -r tree path; do
        folder "$path"
        cp "$(source_of "$tree" "$path")" "$root/$path.picket-new" 2>"$stage/said" || {
            sed 's/^/    /' "$stage/said" >&2
            fail "/$path can't be written: make room, or mount it writable, then again; all is as it was"
        }
        mode=644
        [ ! -x "$(source_of "$tree" "$path")" ] || mode=755
        chmod $mode "$root/$path.picket-new"
    done <"$stage/wanted"
    while read -r _ path; do folder "$path"; done <"$stage/linked"
    sync
}

# What was there before, so that it can be put back. One that an interrupted installation left is the older, and stays.
keep() {
    if [ -e "$before/complete" ]; then return 0; fi
    kept=yes
    rm -rf "$before"
    (umask 077 && mkdir "$before" && mkdir "$before/tree") || fail "$before can't be made; all is as it was"
    if [ -e "$paper" ]; then
        cp "$paper" "$before/installed"
        sed -n 's|^file ||p' "$paper" | while read -r path; do
            [ -e "$root/$path" ] || continue
            mkdir -p "$before/tree/$(dirname "$path")"
            cp -p "$root/$path" "$before/tree/$path" || exit 1
        done || fail "there is no room in $root/var/lib to keep the version before: free 10 MB there; all is as it was"
    fi
    : >"$before/complete"
}

# Each file takes its place by a rename. The list of them comes first, so that whatever happens they can be removed.
switch() {
    switched=yes
    {
        echo "version $version"
        echo "init $init"
        sed 's/^[^ ]* /file /' "$stage/wanted"
        cat "$stage/linked"
        # Folders that were made for it, now or then.
        sed 's/^/dir /' "$stage/made"
        sed -n '/^dir /p' "$before/installed" 2>/dev/null || true
    } >"$stage/installed"
    cat "$stage/installed" "$before/installed" 2>/dev/null | sort -u >"$paper.picket-new"
    mv -f "$paper.picket-new" "$paper"
    while read -r _ path; do
        mv -f "$root/$path.picket-new" "$root/$path"
    done <"$stage/wanted"
}

# What only the version before had.
tidy() {
    if [ -e "$before/installed" ]; then
        sed -n 's/^\(file\|link\) //p' "$before/installed" | sort -u >"$stage/old"
        sed -n 's/^\(file\|link\) //p' "$stage/installed" | sort -u >"$stage/new"
        while read -r path; do
            grep -qxF "$path" "$stage/new" || rm -f "$root/$path"
        done <"$stage/old"
    fi
    cp "$stage/installed" "$paper.picket-new"
    mv -f "$paper.picket-new" "$paper"
}

# Files as they were before, whole or not at all each.
restore() {
    # The program first: what waits for a change in /etc/picket tries it as soon as the example there is replaced.
    {
        echo usr/bin/picket-agent
        sed -n 's/^file //p' "$paper" | sort -u | grep -vx usr/bin/picket-agent
    } >"$stage/now"
    while read -r path; do
        if [ -e "$before/tree/$path" ]; then
            cp -p "$before/tree/$path" "$root/$path.picket-new" && mv -f "$root/$path.picket-new" "$root/$path"
        else
            rm -f "$root/$path"
        fi
    done <"$stage/now"
    sed -n 's/^link //p' "$paper" | sort -u >"$stage/now"
    while read -r path; do
        grep -qxF "link $path" "$before/installed" 2>/dev/null || rm -f "$root/$path"
    done <"$stage/now"
    if [ -e "$before/installed" ]; then
        cp "$before/installed" "$paper.picket-new" && mv -f "$paper.picket-new" "$paper"
    else
        rm -f "$paper"
    fi
}

# However this ends: what is half there goes, and what was there before is there again.
undo() {
    status=$?
    trap '' HUP INT TERM
    set +e
    if [ -n "$switched" ]; then
        restore
        # What runs by now may be the new one.
        [ -z "$anew" ] || again
        say 'it was not finished, so all is as it was before'
    fi
    if [ -n "$laid" ]; then
        while read -r _ path; do rm -f "$root/$path.picket-new"; done <"$stage/wanted"
        rm -f "$paper.picket-new"
        sort -r "$stage/made" | while read -r one; do rmdir "$root/$one" 2>/dev/null; done
    fi
    [ -z "$held" ] || rm -rf "$stage"
    [ -z "$kept$switched" ] || rm -rf "$before"
    exit "$status"
}

# The agent's process where it answers, `failed` where it is not tried again, or nothing: what `holds` asks once a second.
asked_by() {
    if [ "$init" = systemd ]; then
#from agent/postinst ready
        return
    fi
    ready() {
        now=$(agent) || return 0
        if [ "$now" != failed ]; then
            # 1: it answers, and has no collector at the moment.
            status=0
            /usr/bin/picket-agent status --state /var/lib/picket-agent >/dev/null 2>&1 || status=$?
            [ "$status" -le 1 ] || return 0
        fi
        echo "$now"
    }
}

#from agent/postinst holds

#from agent/prerm stays

#from agent/postrm forget

# What `keep` says of the agent.
agent() {
    for run in /run /var/run; do
        if [ -e $run/picket-agent.pid ]; then
            cat $run/picket-agent.pid
            return
        fi
    done
    return 1
}

keeper() {
    for run in /run /var/run; do
        if [ -e $run/picket-agent-keep.pid ] && kill -0 "$(cat $run/picket-agent-keep.pid)" 2>/dev/null; then
            cat $run/picket-agent-keep.pid
            return
        fi
    done
    return 1
}

# Waits until a process has ended, for 30 s, and then does not ask it any more.
ended() {
    left=30
    while kill -0 "$1" 2>/dev/null; do
        if [ "$left" -eq 0 ]; then
            kill -KILL "$1" 2>/dev/null
            return 0
        fi
        sleep 1
        left=$((left - 1))
    done
}

# Whether the agent, or what waits to start it, runs.
runs() {
    case $init in
    systemd)
        case $(systemctl show --property=ActiveState --value $unit) in
        active | activating | failed) return 0 ;;
        esac
        return 1
        ;;
    *) keeper >/dev/null ;;
    esac
}

# Starts it again, by the program that is in its place now. `keep` goes on: what changes of itself counts from the next boot.
again() {
    if [ "$init" = systemd ]; then
        systemctl daemon-reload
        systemctl reset-failed $unit 2>/dev/null || true
        systemctl restart --no-block $unit
        return
    fi
    old=$(agent || true)
    case $old in
    '' | failed) ;;
    *)
        kill -TERM "$old" 2>/dev/null || true
        ended "$old"
        ;;
    esac
    # One that was refused before is tried once something in that folder changes.
    left=15
    while [ "$left" -gt 0 ]; do
        case $(agent || true) in
        failed) touch /etc/picket ;;
        '' | "$old") ;;
        *) return 0 ;;
        esac
        sleep 1
        left=$((left - 1))
    done
}

why() {
    case $init in
    systemd) say "why: journalctl --unit=$unit" ;;
    runit) say 'why: /var/log/picket-agent/current' ;;
    *) say 'why: the lines of picket-agent in the syslog (logread, /var/log/messages, /var/log/syslog)' ;;
    esac
}

start() {
    case $init in
    systemd)
        systemctl daemon-reload
        ! command -v systemd-tmpfiles >/dev/null || systemd-tmpfiles --create picket-agent.conf || true
        [ ! -e /etc/picket/agent.toml ] || systemctl start $unit
        ;;
    openrc) rc-service picket-agent start ;;
    sysv) /etc/init.d/picket-agent start ;;
    runit) [ -s "$stage/linked" ] ;;
    busybox | none) ;;
    esac
}

# The agent ends and says goodbye, and nothing starts it again.
stop() {
    case $init in
    systemd)
        [ -d /run/systemd/system ] || return 0
        systemctl stop $unit || true
        run_on "$(stays)"
        return
        ;;
    openrc) rc-service --ifstarted picket-agent stop || true ;;
    sysv) /etc/init.d/picket-agent stop || true ;;
    runit)
        sed -n 's/^link //p' "$paper" | while read -r path; do
            ! command -v sv >/dev/null || sv force-stop "$root/$path" >/dev/null || true
            rm -f "$root/$path"
        done
        # runsv ends once it is told; what it wrote beside the service goes with that.
        ! command -v sv >/dev/null || sv exit /etc/sv/picket-agent >/dev/null 2>&1 || true
        ;;
    busybox) reread ;;
    esac
    if pid=$(keeper); then
        kill -TERM "$pid" 2>/dev/null || true
        ended "$pid"
    fi
    for run in /run /var/run; do rm -f $run/picket-agent.pid $run/picket-agent-keep.pid $run/picket-agent-keep.mark; done
    run_on "$(started)"
}

# What the agent noted of services that it started and that run, of this boot.
started() {
    boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null | tr -d -) || return 0
    for note in "$state"/services/*.process; do
        [ -e "$note" ] || continue
        read -r _ pid _ _ of <"$note" || true
        if [ "$of" = "$boot" ] && kill -0 "$pid" 2>/dev/null; then echo "$pid"; fi
    done | sort -nu | tr '\n' ' '
}

run_on() {
    [ -z "$1" ] || say "services that it started run on, and nobody watches them: process ${1% }"
}

# The line of BusyBox init's table; it reads the table again when it is told to.
respawned() {
    grep -qxF "$line" "$root/etc/inittab" 2>/dev/null
}

reread() {
    case $(readlink /proc/1/exe) in
    */busybox*) kill -HUP 1 ;;
    esac
    # Before what it started ends, or it starts that again.
    sleep 1
}

tell_inittab() {
    [ "$init" = busybox ] || return 0
    if respawned; then return 0; fi
    if [ -z "$inittab" ]; then
        say "BusyBox init starts what its table says. Add this line to $root/etc/inittab, then: kill -HUP 1 (or say --inittab)"
        echo "$line"
        return 0
    fi
    table=$root/etc/inittab
    # In one write, and whole where the last line has no end.
    if [ -s "$table" ] && [ -n "$(tail -c 1 "$table")" ]; then echo >>"$table"; fi
    echo "$line" >>"$table"
    [ -z "$live" ] || reread
}

untell_inittab() {
    respawned || return 0
    # Written into, since the table may be a link, and keeps its owner and mode so.
    grep -vxF "$line" "$root/etc/inittab" >"$stage/inittab" || true
    cat "$stage/inittab" >"$root/etc/inittab"
}

# At a first installation only: what a person has disabled since stays disabled.
at_boot() {
    while read -r _ path; do
        target=$(links | sed -n "s|^\([^ ]*\) $path\$|\1|p")
        ln -s "$target" "$root/$path" 2>/dev/null || [ -L "$root/$path" ] || fail "/$path can't be made: see what is there"
    done <"$stage/linked"
    if [ -n "$live" ] && [ "$init" = sysv ]; then
        # Where the order is computed, links alone are not heeded.
        if command -v update-rc.d >/dev/null; then
            update-rc.d picket-agent defaults >/dev/null || true
        elif command -v chkconfig >/dev/null; then
            chkconfig --add picket-agent || true
        fi
    fi
}

places() {
    folder etc/picket/agent.toml.d/any
    # Tokens lie in it, so it is for root alone.
    chmod 700 "$root/etc/picket" "$root/etc/picket/agent.toml.d"
}

put_back() {
    restore
    switched=
    kept=yes
    [ -z "$live" ] || again
    if holds "$patience"; then
        say "$version does not come up (it has $patience s); $old_version is put back, and runs"
    else
        say "$version does not come up (it has $patience s); $old_version is put back, and does not run either"
    fi
    why
    say 'once that is mended, start install.sh again'
    exit 1
}

first_words() {
    if [ ! -e "$root/etc/picket/agent.toml" ]; then
        say "$version is installed; it waits for its configuration: write /etc/picket/agent.toml (see agent.toml.example there)"
        [ "$init" != systemd ] || say '    then: systemctl start picket-agent'
    else
        say "$version is installed"
    fi
    if [ "$init" = none ]; then
        say 'it is yours to start: picket-agent run --config /etc/picket/agent.toml --state /var/lib/picket-agent'
    elif [ "$init" = runit ] && [ ! -s "$stage/linked" ]; then
        say 'no folder of runsvdir was found: link /etc/sv/picket-agent into the one that this host has'
    fi
}

install() {
    [ -n "$key$trusting" ] || fail 'name the key of whoever signed the archive: --key FILE; or take the risk: --checksums-only'
    case $key in '' | /*) ;; *) key=$PWD/$key ;; esac
    [ "$here" != "$own" ] || fail 'this is the copy that removes: unpack an archive and start the install.sh in there'
    if packaged; then
        fail "picket-agent is installed as a package, and stays with $owner: upgrade it by that, or remove it first; nothing was changed"
    fi
    if [ ! -e "$paper" ] && there usr/bin/picket-agent; then
        fail "$root/usr/bin/picket-agent is there and came from no archive: remove it, then again; nothing was changed"
    fi
    [ -n "$init" ] || init=$(found)
    [ "$init" = none ] || may_start || live=
    [ -n "$init" ] || fail 'no init system that is known was found here: name it with --init systemd, openrc, runit, sysv, busybox or none; nothing was changed'
    trap undo EXIT
    trap 'exit 130' HUP INT TERM
    lock
    take
    sound
    fits
    version=$(sed -n 's/^version //p' "$stage/from/ARCHIVE")
    wanted >"$stage/wanted"
    links | sed 's/^[^ ]* /link /' >"$stage/linked"
    keep
    old_version=$(sed -n 's/^version //p' "$before/installed" 2>/dev/null) || true
    old_init=$(sed -n 's/^init //p' "$before/installed" 2>/dev/null) || true
    was=
    if [ -n "$live" ] && [ -n "$old_version" ] && [ "$old_init" = "$init" ] && runs; then was=runs; fi
    lay
    places
    switch
    [ "$old_init" = "$init" ] || at_boot
    tell_inittab
    if [ -n "$was" ]; then
        asked_by
        anew=yes
        again
        holds "$patience" || put_back
        say "$version runs in the place of $old_version"
    elif [ -z "$old_version" ]; then
        if [ -n "$live" ] && ! start; then
            say 'it does not run yet; once that is mended, start it by your init system'
            why
        fi
        first_words
    else
        [ -z "$live" ] || [ "$init" != systemd ] || systemctl daemon-reload
        say "$version is installed in the place of $old_version; it did not run, and was not started"
    fi
    rm -f "$before/complete"
    tidy
    switched=
    laid=
    rm -rf "$before"
    exit 0
}

# Folders that were made for it go, where nothing is in them any more.
emptied() {
    [ -e "$stage/installed" ] || return 0
    sed -n 's/^dir //p' "$stage/installed" | sort -ru | while read -r path; do rmdir "$root/$path" 2>/dev/null || true; done
}

remove() {
    if packaged; then
        fail "picket-agent is installed as a package: $owner removes it; nothing was changed"
    fi
    trap undo EXIT
    lock
    if [ -e "$paper" ]; then
        init=$(sed -n 's/^init //p' "$paper" | head -n 1)
        untell_inittab
        [ -z "$live" ] || stop
        cp "$paper" "$stage/installed"
        sed -n 's/^\(file\|link\) //p' "$stage/installed" | while read -r path; do rm -f "$root/$path"; done
        if [ -n "$live" ] && [ "$init" = sysv ] && command -v update-rc.d >/dev/null; then
            update-rc.d picket-agent remove >/dev/null || true
        fi
        # What runsv writes beside its service.
        [ "$init" != runit ] || rm -rf "$root/etc/sv/picket-agent"
        rm -rf "$own" "$before"
        emptied
        if [ -n "$live" ] && [ "$init" = systemd ] && [ -d /run/systemd/system ]; then
            systemctl daemon-reload
            systemctl reset-failed $unit 2>/dev/null || true
        fi
    elif there usr/bin/picket-agent; then
        fail "$root/usr/bin/picket-agent is there and came from no archive: it is not this script's to remove; nothing was changed"
    elif [ "$verb" = uninstall ]; then
        say 'nothing of an archive is installed here'
    fi
    if [ "$verb" = purge ]; then
        forget
        rm -rf "$root/etc/picket/agent.toml.example" "$root/etc/conf.d/picket-agent" "$root/var/log/picket-agent"
        rmdir "$root/etc/picket" 2>/dev/null || true
        emptied
        say 'nothing of the agent is left'
    else
        say 'the agent is removed; configuration and state stay, where there are any (--purge removes them too)'
    fi
    exit 0
}

words "$@"
case $verb in
install) install ;;
*) remove ;;
esac
