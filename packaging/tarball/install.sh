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
switched=
told=
removing=

# Nobody may hear it, as with `| head`: that is no reason to end in the midst.
say() {
    echo "install.sh: $*" >&2 || true
}

shown() {
    sed 's/^/    /' "$1" >&2 || true
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
    lock=$state.lock
    own=$root/usr/lib/picket-agent
    paper=usr/lib/picket-agent/installed
    # Only this host's own init is asked anything.
    live=
    [ -n "$root" ] || live=yes
}

#part install/host.sh

#part install/archive.sh

#part install/places.sh

#part install/life.sh

# However this ends: what is half there goes, and what was there before is there again.
undo() {
    status=$?
    trap '' HUP INT TERM
    set +e
    [ -z "$switched" ] || unswitch
    [ -z "$removing" ] || say 'the removal was not finished: start it again'
    [ -z "$kept" ] || drop
    [ -z "$held" ] || rm -rf "$stage" "$lock"
    exit "$status"
}

unswitch() {
    [ -z "$told" ] || (untell_inittab) || true
    [ -z "$live" ] || [ -n "$old_version" ] || stop >/dev/null 2>&1
    restore
    # What runs by now may be the new one.
    [ -z "$anew" ] || again
    if [ -z "$lost" ]; then
        say 'it was not finished, so all is as it was before'
    else
        left_lying
    fi
}

# What can't be put back stays beside its place, and the next installation begins with it.
left_lying() {
    kept=
    say "these are not as they were before:$lost. Mount them writable, then start install.sh again: it begins with them"
}

put_back() {
    restore
    switched=
    if [ -n "$lost" ]; then
        left_lying
        fail "$version does not come up (it has $patience s), and $old_version can't be put back whole"
    fi
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

# Whether it may begin: nothing is touched before this.
may_install() {
    [ -n "$key$trusting" ] || fail 'name the key of whoever signed the archive: --key FILE; or take the risk: --checksums-only'
    case $key in '' | /*) ;; *) key=$PWD/$key ;; esac
    [ "$here" != "$own" ] || fail 'this is the copy that removes: unpack an archive and start the install.sh in there'
    if packaged; then
        fail "picket-agent is installed as a package, and stays with $owner: upgrade it by that, or remove it first; nothing was changed"
    fi
    if [ ! -e "$root/$paper" ] && there usr/bin/picket-agent; then
        fail "$root/usr/bin/picket-agent is there and came from no archive: remove it, then again; nothing was changed"
    fi
    [ -n "$init" ] || init=$(found)
    [ "$init" = none ] || may_start || live=
    [ -n "$init" ] || fail 'no init system that is known was found here: name it with --init systemd, openrc, runit, sysv, busybox or none; nothing was changed'
}

# What is there, and whether it runs.
seen() {
    version=$(sed -n 's/^version //p' "$stage/from/ARCHIVE")
    old_version=$(sed -n 's/^version //p' "$before/installed" 2>/dev/null | head -n 1)
    old_init=$(sed -n 's/^init //p' "$before/installed" 2>/dev/null | head -n 1)
    was=
    if [ -n "$live" ] && [ -n "$old_version" ] && [ "$old_init" = "$init" ] && runs; then was=runs; fi
}

# The new one is in its place: it must come up where the old one ran.
proven() {
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
}

install() {
    may_install
    trap undo EXIT
    trap 'exit 130' HUP INT TERM
    lock
    guarded "$paper"
    sound
    fits
    wanted >"$stage/wanted"
    links | sed 's/^[^ ]* /link /' >"$stage/linked"
    settle
    keep
    seen
    lay
    switch
    [ "$old_init" = "$init" ] || at_boot
    tell_inittab
    proven
    switched=
    settled
    kept=
    exit 0
}

# Folders that were made for it go, where nothing is in them any more.
emptied() {
    set -f
    for path in $dirs; do ! inside "$path" || rmdir "$root/$path" 2>/dev/null || true; done
    set +f
}

# All that a removal touches, and a purge besides.
touched() {
    paths file "$root/$paper"
    paths link "$root/$paper"
    echo "$paper"
    echo etc/sv/picket-agent
    [ "$verb" != purge ] || printf '%s\n' etc/picket/agent.toml etc/conf.d/picket-agent var/log/picket-agent etc/systemd/system/picket-agent.service.d
}

# Nothing is stopped or removed unless all of it can be. A change of mode that changes nothing needs no room, and is refused where
# nothing may be written.
writable() {
    set -f
    for path in $(touched); do
        guarded "$path"
        [ -e "$root/$path" ] || [ -L "$root/$path" ] || continue
        chmod u+x "$root/${path%/*}" 2>/dev/null || fail "/$path can't be removed: mount it writable, then again; nothing was changed"
    done
    set +f
}

removed() {
    init=$(sed -n 's/^init //p' "$root/$paper" | head -n 1)
    untell_inittab
    removing=yes
    [ -z "$live" ] || leave
    # Held in memory: a disk that is full is a reason to remove something.
    files=$(paths file "$root/$paper")
    links=$(paths link "$root/$paper")
    dirs=$(paths dir "$root/$paper" | sort -r)
    set -f
    for path in $files; do gone file "$path"; done
    for path in $links; do gone link "$path"; done
    set +f
    if [ -n "$live" ] && [ "$init" = sysv ] && command -v update-rc.d >/dev/null; then
        update-rc.d picket-agent remove >/dev/null || true
    fi
    # What runsv writes beside its service.
    [ "$init" != runit ] || rm -rf "$root/etc/sv/picket-agent"
    rm -rf "$own"
    emptied
    drop
    if [ -n "$live" ] && [ "$init" = systemd ] && [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl reset-failed $unit 2>/dev/null || true
    fi
}

purged() {
    removing=yes
    forget
    rm -rf "$root/etc/picket/agent.toml.example" "$root/etc/conf.d/picket-agent" "$root/var/log/picket-agent"
    rmdir "$root/etc/picket" 2>/dev/null || true
    emptied
}

remove() {
    if packaged; then
        fail "picket-agent is installed as a package: $owner removes it; nothing was changed"
    fi
    trap undo EXIT
    trap 'exit 130' HUP INT TERM
    lock
    dirs=
    writable
    if [ -e "$root/$paper" ]; then
        removed
    elif there usr/bin/picket-agent; then
        fail "$root/usr/bin/picket-agent is there and came from no archive: it is not this script's to remove; nothing was changed"
    elif [ "$verb" = uninstall ]; then
        say 'nothing of an archive is installed here'
    fi
    if [ "$verb" = purge ]; then
        purged
        say 'nothing of the agent is left'
    else
        say 'the agent is removed; configuration and state stay, where there are any (--purge removes them too)'
    fi
    removing=
    exit 0
}

trap : PIPE
words "$@"
case $verb in
install) install ;;
*) remove ;;
esac
