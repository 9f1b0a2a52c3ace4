# Files in their places. Each lies beside its place first, as .NAME.picket-new, and what was there stays beside it as
# .NAME.picket-old until the new version has held. Both ways are renames, so they need no room and each file is whole.

# The name beside a path's own.
beside() {
    echo "${1%/*}/.${1##*/}.picket-$2"
}

# Whether a path, as seen from the root, lies in it: nothing of another host is touched through the links of an image. The last
# name may be a link, which is never followed.
inside() {
    case $1 in
    .. | ../* | */.. | */../*) return 1 ;;
    */*) at=$root/${1%/*} ;;
    *) at=$root/ ;;
    esac
    while [ ! -d "$at" ]; do
        # Who made a folder of it would follow it.
        [ ! -L "$at" ] || return 1
        at=${at%/*}
        [ -n "$at" ] || at=/
    done
    real=$(cd "$at" && pwd -P)
    case $real/ in
    "$root"/*) ;;
    *) return 1 ;;
    esac
}

guarded() {
    inside "$1" || fail "/$1 leads out of $root, by $at: make the link there a relative one; all is as it was"
}

# Paths of a kind that a list of what is installed has. The list may be an image's, where anybody may have written.
paths() {
    [ -f "$2" ] && [ ! -L "$2" ] || return 0
    sed -n "s/^$1 //p" "$2" | sort -u | grep -v -e '^/' -e '^\(.*/\)\{0,1\}\.\.\(/\|$\)' || true
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

# From the path alone: whether a copy may be run depends on how the disk is mounted that it lies on.
mode_of() {
    case $1 in
    usr/bin/* | usr/lib/picket-agent/* | etc/init.d/* | etc/sv/*/run) echo 755 ;;
    *) echo 644 ;;
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

# The folder of a file, made where it lacks, with those above it.
folder() {
    if [ -d "$root/${1%/*}" ]; then
        guarded "$1"
        return
    fi
    # A shell's names are everybody's: nothing here is held over this call.
    case ${1%/*} in
    */*) folder "${1%/*}" ;;
    *) guarded "$1" ;;
    esac
    echo "${1%/*}" >>"$before/made" && mkdir "$root/${1%/*}" 2>"$stage/said" || {
        shown "$stage/said"
        fail "/${1%/*} can't be made: make its folder writable, then again; all is as it was"
    }
}

places() {
    folder etc/picket/agent.toml.d/any
    guarded etc/picket/any
    # Tokens lie in it, so it is for root alone.
    chmod 700 "$root/etc/picket" "$root/etc/picket/agent.toml.d"
}

# A file beside its place, of what comes in; never through a link that somebody put there.
written() {
    new=$root/$(beside "$1" new)
    if [ -d "$root/$1" ] || ! { rm -f "$new" && (set -C && cat >"$new") && chmod "$2" "$new"; } 2>"$stage/said"; then
        shown "$stage/said"
        fail "/$1 can't be written: make room, or mount it writable, or remove the folder that stands there, then again; all is as it was"
    fi
}

# Everything beside its place: until all of it is there nothing has changed, and after that nothing needs room any more.
lay() {
    places
    while read -r tree path; do
        folder "$path"
        echo "$path" >>"$before/laid"
        written "$path" "$(mode_of "$path")" <"$(source_of "$tree" "$path")"
    done <"$stage/wanted"
    while read -r _ path; do folder "$path"; done <"$stage/linked"
    {
        echo "version $version"
        echo "init $init"
        sed 's/^[^ ]* /file /' "$stage/wanted"
        cat "$stage/linked"
        # Folders that were made for it, now or then.
        sed 's/^/dir /' "$before/made"
        sed -n '/^dir /p' "$before/installed" 2>/dev/null || true
    } >"$stage/installed"
    # Until it has held all that may be there is listed, so that it can be removed whatever happens.
    cat "$stage/installed" "$before/installed" 2>/dev/null | sort -u | written "$paper" 644
    written "$paper.end" 644 <"$stage/installed"
    sync
}

# Keeps what was there before, by a second name beside it.
keep() {
    rm -rf "$before"
    (umask 077 && mkdir "$before") || fail "$before can't be made; all is as it was"
    kept=yes
    printf '%s\n' "$paper" "$paper.end" >"$before/laid"
    : >"$before/kept"
    : >"$before/made"
    [ -e "$root/$paper" ] || { : >"$before/complete"; return 0; }
    cp "$root/$paper" "$before/installed" || fail "there is no room in $root/var/lib: free 1 MB there; all is as it was"
    { paths file "$before/installed"; echo "$paper"; } >"$stage/keep"
    while read -r path; do
        guarded "$path"
        [ -e "$root/$path" ] || continue
        old=$root/$(beside "$path" old)
        rm -f "$old"
        # Where a disk knows one name for each file alone, a copy.
        echo "$path" >>"$before/kept" && { ln "$root/$path" "$old" 2>/dev/null || cp -p "$root/$path" "$old"; } ||
            fail "/$path can't be kept beside itself: make room, or mount it writable, then again; all is as it was"
    done <"$stage/keep"
    : >"$before/complete"
}

# What lies beside the places is not needed any more, or never was; folders that were made for it go where nothing is in them.
drop() {
    [ -d "$before" ] && [ ! -L "$before" ] || return 0
    set -f
    for path in $(cat "$before/kept" 2>/dev/null); do ! inside "$path" || rm -f "$root/$(beside "$path" old)"; done
    for path in $(cat "$before/laid" 2>/dev/null); do ! inside "$path" || rm -f "$root/$(beside "$path" new)"; done
    for path in $(sort -r "$before/made" 2>/dev/null); do ! inside "$path" || rmdir "$root/$path" 2>/dev/null || true; done
    set +f
    rm -rf "$before"
}

# Each file takes its place. The list comes first.
switch() {
    switched=yes
    mv -f "$root/$(beside "$paper" new)" "$root/$paper"
    while read -r _ path; do
        mv -f "$root/$(beside "$path" new)" "$root/$path"
    done <"$stage/wanted"
}

# It has held. What only the version before had goes.
settled() {
    rm -f "$before/complete" "$before/made"
    set -f
    for kind in file link; do
        for path in $(paths $kind "$root/$paper"); do
            grep -qxF -e "file $path" -e "link $path" "$stage/installed" || gone $kind "$path"
        done
    done
    set +f
    mv -f "$root/$(beside "$paper.end" new)" "$root/$paper"
    drop
}

# A link is its own only as long as it is one.
gone() {
    inside "$2" || return 0
    [ "$1" = file ] || [ -L "$root/$2" ] || return 0
    rm -f "$root/$2"
}

# Files as they were before, whole each; those of which that is not so, in $lost. The program comes first: what waits for a change
# in /etc/picket tries it as soon as the example there is replaced. The list is the last. Nothing here needs room on a disk.
restore() {
    lost=
    set -f
    for path in $(links_now) usr/bin/picket-agent $(paths file "$root/$paper" | grep -vx usr/bin/picket-agent) "$paper"; do
        back "$path" || lost="$lost /${path#@}"
    done
    set +f
}

links_now() {
    paths link "$root/$paper" | sed 's/^/@/'
}

# A file, or with @ a link.
back() {
    case $1 in
    @*)
        grep -qxF "link ${1#@}" "$before/installed" 2>/dev/null || gone link "${1#@}"
        return
        ;;
    esac
    inside "$1" || return 0
    if ! grep -qxF "$1" "$before/kept" 2>/dev/null; then
        rm -f "$root/$1"
    else
        old=$root/$(beside "$1" old)
        # None beside it: that one is back already. The same: its place was not taken yet.
        [ ! -e "$old" ] || [ "$old" -ef "$root/$1" ] || {
            # Nothing is moved into a folder, least of all through a link to one.
            [ ! -d "$root/$1" ] && mv -f "$old" "$root/$1"
        }
    fi
}

# An installation that was interrupted is undone first: what it put there was never proven.
settle() {
    if [ -d "$before" ] && [ ! -L "$before" ] && [ -e "$before/complete" ]; then
        restore
        [ -z "$lost" ] || fail "an installation was interrupted, and these are not as they were before it:$lost. Mount them writable, then again"
        say 'an installation that was interrupted is undone first'
    fi
    drop
}
