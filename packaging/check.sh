#!/bin/sh
# What can be told of packages without installing them; prints a JSON line for each unit.
#
#   packaging/check.sh FILE.deb ...
#
# lintian: its errors fail, all else is shown. systemd: what it says about a unit as the package has it fails
# (systemd-analyze verify), and how exposed it calls the unit is told: 0 is nothing, 10 is all of the host. Those figures have
# their limits in tests/tests/systemd/units.rs. bash completes below the first word of each program. It needs lintian, and systemd 250 or newer; neither is passed over.
set -eu
[ $# -gt 0 ] || { echo 'check.sh: say packaging/check.sh FILE.deb ...' >&2; exit 64; }
for tool in lintian systemd-analyze dpkg-deb; do
    command -v $tool >/dev/null || { echo "check.sh: no $tool here" >&2; exit 2; }
done
# lintian refuses root where nobody says that this is meant; it reads only what is in the files.
may=
[ "$(id -u)" -ne 0 ] || may=--allow-root
lintian $may --fail-on error --tag-display-limit 0 "$@"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
for package in "$@"; do
    rm -rf "$work/tree"
    dpkg-deb --extract "$package" "$work/tree"
    for completion in "$work"/tree/usr/share/bash-completion/completions/*; do
        [ -e "$completion" ] || continue
        name=${completion##*/}
        # shellcheck disable=SC2016  # it is bash that expands it
        offered=$(bash -c '. "$1"; how=$(complete -p "$2" | sed "s/.*-F \([^ ]*\).*/\1/")
            word=$(COMP_WORDS=("$2" ""); COMP_CWORD=1; $how "$2" "" "$2"; printf "%s\n" "${COMPREPLY[@]}" | grep -vx -e "-.*" -e help | head -n 1)
            COMP_WORDS=("$2" "$word" --); COMP_CWORD=2; $how "$2" -- "$word"; echo "${COMPREPLY[*]}"' - "$completion" "$name")
        case $offered in *--help*) ;; *) echo "check.sh: bash completes nothing below the first word of $name" >&2; wrong=1 ;; esac
    done
    for shipped in "$work"/tree/usr/lib/systemd/system/*.service; do
        [ -e "$shipped" ] || continue
        name=${shipped##*/}
        unit=$work/$name
        # Its program is not installed here, but lies beside it.
        sed "s|=/usr/bin/|=$work/tree/usr/bin/|" "$shipped" >"$unit"
        # What systemd says about this machine's own units is not ours.
        fault=
        said=$(systemd-analyze --man=no verify "$unit" 2>&1) || fault=yes
        case $said in *"$name"*) fault=yes ;; esac
        [ -z "$fault" ] || { printf '%s\n' "$said" >&2; wrong=1; }
        exposed=$(systemd-analyze security --offline=true --no-pager "$unit" | sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p')
        [ -n "$exposed" ] || { echo "check.sh: systemd tells no exposure of $name" >&2; exit 1; }
        printf '{"figure":"unit_exposure","unit":"%s","value":%s}\n' "$name" "$exposed"
    done
done
[ "$wrong" -eq 0 ] || { echo 'check.sh: a unit or a completion is at fault' >&2; exit 1; }
