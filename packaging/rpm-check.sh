#!/bin/sh
# Installs .rpm packages by rpm in a root of their own, upgrades, and erases them; prints a JSON line for each question, and the first
# wrong answer fails.
#
#   packaging/rpm-check.sh FILE.rpm ...
#
# The root has BusyBox for a shell, and in the place of systemd's programs scripts that write down how they were called and answer as
# the check wants it: that systemd runs or does not, that a new agent comes up or does not. A package by that name provides what
# packages require, so rpm's own check of that holds. The newer version is the same package with another number and a line behind its
# program, made by rpmbuild of what rpm says of it. It needs root, rpm with rpmbuild, and busybox-static; no network is asked.
#
# It is no host of Fedora or RHEL: what dnf, a real systemd or SELinux make of a package this does not ask.
set -eu
[ $# -gt 0 ] || { echo 'rpm-check.sh: say packaging/rpm-check.sh FILE.rpm ...' >&2; exit 64; }
[ "$(id -u)" -eq 0 ] || { echo 'rpm-check.sh: it needs root' >&2; exit 2; }
for tool in rpm rpmbuild rpm2cpio busybox; do
    command -v $tool >/dev/null || { echo "rpm-check.sh: no $tool here: apt-get install rpm busybox-static" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
newer=99.0.0

tell() {
    printf '{"check":"%s","package":"%s","holds":%s}\n' "$1" "$package" "$2"
    [ "$2" = true ] || { sed 's/^/    /' "$work/said" >&2; echo 'rpm-check.sh: that does not hold' >&2; exit 1; }
}

# A question that a command answers, by its status.
holds() {
    question=$1
    shift
    if "$@" >>"$work/said" 2>&1; then tell "$question" true; else tell "$question" false; fi
}

has() { [ -e "$root/$1" ]; }
lacks() { [ ! -e "$root/$1" ]; }
said() { grep -q -e "$1" "$work/said"; }
called() { grep -q -e "$1" "$root/calls"; }
not_called() { ! grep -q -e "$1" "$root/calls"; }

in_root() { rpm --root "$root" --dbpath /var/lib/rpm "$@" >"$work/said" 2>&1; }

# The same, and no script of a package failed, which rpm tells and calls a success all the same.
well() { in_root "$@" && ! said 'scriptlet failed'; }

# rpm FILE of a spec in $work/spec.
built() {
    rpmbuild --quiet --define "_topdir $work/build" --define '__os_install_post %{nil}' --define '_build_id_links none' --define '_binary_payload w1.gzdio' --define 'debug_package %{nil}' --define "_rpmdir $work/made" \
        --define '_rpmfilename %%{NAME}-%%{VERSION}.rpm' -bb "$work/spec" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
}

# A root with a shell, and a systemd that says what $root/answers has.
make_root() {
    rm -rf "$root"
    mkdir -p "$root/usr/bin" "$root/var/lib/rpm" "$root/run" "$root/tmp" "$root/var/tmp" "$root/dev"
    # Of packages that every host has, or that have no use for these files.
    for folder in usr/share/bash-completion/completions usr/share/doc usr/share/fish/vendor_completions.d usr/share/man/man1 \
        usr/share/zsh/site-functions usr/lib/systemd/system usr/lib/systemd/system-preset usr/lib/tmpfiles.d usr/lib/sysusers.d etc/default; do
        mkdir -p "$root/$folder"
    done
    ln -s usr/bin "$root/bin"
    ln -s usr/bin "$root/sbin"
    cp "$(command -v busybox)" "$root/usr/bin/busybox"
    for applet in $("$root/usr/bin/busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$root/usr/bin/$applet"; done
    : >"$root/dev/null"
    for name in systemctl systemd-tmpfiles systemd-sysusers; do
        cat >"$root/usr/bin/$name" <<'SCRIPT'
#!/bin/sh
echo "${0##*/} $*" >>/calls
case "$*" in
*is-active*) grep -q active /answers ;;
*ActiveState*) cat /answers ;;
*MainPID*) echo 7 ;;
esac
SCRIPT
        chmod 755 "$root/usr/bin/$name"
    done
    echo active >"$root/answers"
    : >"$root/calls"
    in_root --initdb
    in_root --install "$work/made/base-1.rpm"
}

# The package as $1 says, again with a higher version.
again() {
    rm -rf "$work/files"
    mkdir -p "$work/files"
    (cd "$work/files" && rpm2cpio "$1" | busybox cpio -idm 2>/dev/null)
    program=$work/files/usr/bin/$package
    printf "\n# %s\n" "$newer" >>"$program"
    {
        printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: newer\nLicense: MIT\nAutoReqProv: no\n' "$package" "$newer"
        rpm -qp --requires "$1" | grep -v '^rpmlib\|^config(' | sort -u | sed 's/^/Requires: /'
        printf '%%description\nNewer.\n%%install\nmkdir -p %%{buildroot}\ncp -a %s/. %%{buildroot}\n%%files\n' "$work/files"
        rpm -qp --queryformat '[%{FILENAMES} %{FILEFLAGS:fflags}\n]' "$1" | sed 's/^\(.*\) \(cn\|nc\)$/%config(noreplace) \1/; s/^\(.*\) c$/%config \1/; s/ d$//; s/ $//'
        for part in pre:PREIN post:POSTIN preun:PREUN postun:POSTUN; do
            [ "$(rpm -qp --queryformat "%{${part#*:}}" "$1")" != '(none)' ] || continue
            printf '%%%s\n' "${part%:*}"
            rpm -qp --queryformat "%{${part#*:}}\n" "$1" | sed 's/%/%%/g'
        done
    } >"$work/spec"
    built
}

# All that is there, but rpm's own lists, and what the check writes.
paths() {
    (cd "$root" && find . ! -path './var/lib/rpm/*' ! -path './calls' ! -path './answers' | sort)
}

# Of the agent: what its scripts do where systemd runs, which is where an upgrade is watched.
watched() {
    make_root
    mkdir -p "$root/run/systemd/system" "$root/etc/picket"
    : >"$root/etc/picket/agent.toml"
    in_root --install "$file"
    holds 'it is enabled by its preset' called 'systemctl preset picket-agent.service'
    holds 'and started' called 'systemctl start picket-agent.service'
    : >"$root/calls"
    in_root --upgrade "$work/made/$package-$newer.rpm"
    holds 'an upgrade starts it again' called 'systemctl restart --no-block picket-agent.service'
    holds 'whether it is enabled is not touched' not_called 'systemctl preset\|systemctl .*disable'
    holds 'the program is the new one' grep -aq "^# $newer" "$root/usr/bin/$package"
    in_root --erase "$package"
    make_root
    mkdir -p "$root/run/systemd/system" "$root/etc/picket"
    : >"$root/etc/picket/agent.toml"
    in_root --install "$file"
    # It runs before the upgrade, and has failed when it is looked at after that.
    sed -i 's/\*ActiveState\*) .*/*ActiveState*) echo failed ;;/' "$root/usr/bin/systemctl"
    PICKET_AGENT_PATIENCE=5 in_root --upgrade "$work/made/$package-$newer.rpm" || true
    holds 'one that does not come up is put back' said 'is put back'
    holds 'the program is the old one' sh -c "! grep -aq '^# $newer' $root/usr/bin/$package"
    : >"$root/calls"
    in_root --erase "$package"
    holds 'a removal stops it' called 'systemctl stop picket-agent.service'
    holds 'and disables it' called 'disable picket-agent.service'
    holds 'nothing of the upgrade is kept' lacks usr/lib/picket-agent.before
}

# Lays what a host has of its own, which no package may touch.
own_files() {
    case $package in
    picket-agent)
        mkdir -p "$root/etc/picket/agent.toml.d" "$root/var/lib/picket-agent"
        kept='etc/picket/agent.toml etc/picket/agent.toml.d/50-mine.toml var/lib/picket-agent/state'
        ;;
    picket-collector)
        mkdir -p "$root/var/lib/picket-collector"
        kept='var/lib/picket-collector/journal'
        echo 'OPTIONS=--keep-days 9' >>"$root/etc/default/picket-collector"
        ;;
    *) kept= ;;
    esac
    for path in $kept; do echo mine >"$root/$path"; done
}

still_mine() {
    for path in $kept; do [ "$(cat "$root/$path")" = mine ] || return 1; done
}

printf 'Name: base\nVersion: 1\nRelease: 1\nSummary: what is there\nLicense: MIT\nBuildArch: noarch\nProvides: /bin/sh systemd glibc = 2.34\n%%description\nNothing.\n%%files\n' >"$work/spec"
built
for file in "$@"; do
    package=$(rpm -qp --queryformat '%{NAME}' "$file")
    again "$file"
    make_root
    paths >"$work/before"
    holds 'rpm installs it where no systemd runs' well --install "$file"
    holds 'files are as it says' in_root --verify "$package"
    holds 'its program is there' has "usr/bin/$package"
    [ "$package" = picket ] || holds 'no service was started' not_called 'systemctl .*start'
    own_files
    holds 'rpm upgrades it' well --upgrade "$work/made/$package-$newer.rpm"
    holds 'the newer one is there' sh -c "rpm --root $root --dbpath /var/lib/rpm -q $package | grep -q -- '-$newer-'"
    holds "the host's own files are kept" still_mine
    [ "$package" != picket-collector ] || holds 'its edited configuration is kept' grep -q 'keep-days 9' "$root/etc/default/picket-collector"
    holds 'rpm erases it' well --erase "$package"
    holds "the host's own files are kept by a removal" still_mine
    [ "$package" != picket-collector ] || holds 'and its edited configuration beside' grep -q 'keep-days 9' "$root/etc/default/picket-collector.rpmsave"
    # What is a host's own, and the folders of that, its owner removes.
    for path in $kept etc/default/picket-collector.rpmsave; do rm -f "$root/$path"; done
    for folder in etc/picket/agent.toml.d etc/picket var/lib/picket-agent var/lib/picket-collector; do
        [ ! -d "$root/$folder" ] || rmdir "$root/$folder" || true
    done
    paths >"$work/after"
    holds 'nothing else is left' diff "$work/before" "$work/after"
    case $package in picket-agent) watched ;; esac
done
