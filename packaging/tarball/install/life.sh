# The agent's life under each init system: whether it runs, how it starts and ends.

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

# What a file of `keep` says, in one of the two places where that may be.
noted() {
    for run in /run /var/run; do
        if [ -f "$run/$1" ]; then
            cat "$run/$1"
            return
        fi
    done
    return 1
}

# The process of `keep`. A number in a file may be another process's by now, so it is asked what it runs.
keeper() {
    pid=$(noted picket-agent-keep.pid) || return 1
    case $pid in
    '' | *[!0-9]*) return 1 ;;
    esac
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = keep ] || return 1
    [ "$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | sed -n 2p)" = /usr/lib/picket-agent/keep ] || return 1
    echo "$pid"
}

# What `keep` says of the agent: its process, which is a child of it, or `failed`.
agent() {
    above=$(keeper) || return 1
    pid=$(noted picket-agent.pid) || return 1
    case $pid in
    failed) ;;
    '' | *[!0-9]*) return 1 ;;
    *) [ "$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)" = "$above" ] || return 1 ;;
    esac
    echo "$pid"
}

# Ends a process, and waits until it has ended: for 30 s, and then it is not asked any more.
ended() {
    since=$(born "$1")
    [ -n "$since" ] || return 0
    kill -TERM "$1" 2>/dev/null || true
    left=30
    while [ "$(born "$1")" = "$since" ]; do
        if [ "$left" -eq 0 ]; then
            kill -KILL "$1" 2>/dev/null || true
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
    *) ended "$old" ;;
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

# The agent ends and says that it is removed, so the collector awaits nothing of this host.
leave() {
    touch /run/picket-agent.removed 2>/dev/null || true
    stop
    rm -f /run/picket-agent.removed
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
        paths link "$root/$paper" | while read -r path; do
            ! command -v sv >/dev/null || sv force-stop "$root/$path" >/dev/null || true
            gone link "$path"
        done
        # runsv ends once it is told; what it wrote beside the service goes with that.
        ! command -v sv >/dev/null || sv exit /etc/sv/picket-agent >/dev/null 2>&1 || true
        ;;
    busybox) reread ;;
    esac
    ! pid=$(keeper) || ended "$pid"
    for run in /run /var/run; do rm -f $run/picket-agent.pid $run/picket-agent-keep.pid $run/picket-agent-keep.mark; done
    run_on "$(started)"
}

# What the agent noted of services that it started and that run, of this boot.
started() {
    boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null | tr -d -) || return 0
    for note in "$state"/services/*.process; do
        [ -e "$note" ] || continue
        read -r _ pid _ _ of <"$note" || true
        if [ "$of" = "$boot" ] && [ -d "/proc/${pid:-none}" ]; then echo "$pid"; fi
    done | sort -nu | tr '\n' ' '
}

run_on() {
    [ -z "$1" ] || say "services that it started run on, and nobody watches them: process ${1% }"
}

# At a first installation only: what a person has disabled since stays disabled.
at_boot() {
    while read -r _ path; do
        target=$(links | sed -n "s|^\([^ ]*\) $path\$|\1|p")
        # -n: not into a folder to which a link leads that is there.
        ln -sn "$target" "$root/$path" 2>/dev/null || [ -L "$root/$path" ] || fail "/$path can't be made: see what is there"
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

# Another table in the place of this one, whole or not at all, with its owner and mode. On this host the file that a link leads
# to; through an image's link nothing is written.
tabled() {
    at=$root/etc/inittab
    if [ -L "$at" ]; then
        [ -z "$root" ] || return 1
        at=$(readlink -f "$at")
    fi
    rm -f "$at.picket-new" && cp -p "$at" "$at.picket-new" && cat "$stage/inittab" >"$at.picket-new" && mv -f "$at.picket-new" "$at" || {
        rm -f "$at.picket-new"
        return 1
    }
}

tell_inittab() {
    [ "$init" = busybox ] || return 0
    if respawned; then return 0; fi
    if [ -n "$inittab" ] && [ -e "$root/etc/inittab" ]; then
        # Whole also where the last line has no end.
        { cat "$root/etc/inittab" && [ -z "$(tail -c 1 "$root/etc/inittab")" ] || echo; echo "$line"; } >"$stage/inittab"
        if tabled; then
            told=yes
            [ -z "$live" ] || reread
            return 0
        fi
        say "$root/etc/inittab can't be written here"
    fi
    say "BusyBox init starts what its table says. Add this line to $root/etc/inittab, then: kill -HUP 1 (or say --inittab)"
    echo "$line"
}

untell_inittab() {
    respawned || return 0
    grep -vxF "$line" "$root/etc/inittab" >"$stage/inittab" || true
    tabled || fail "$root/etc/inittab can't be written: remove the line '$line' there, then again; nothing was changed"
}
