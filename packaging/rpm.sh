#!/bin/sh
# Writes an rpm's scripts into FOLDER, from those that dpkg runs: what happens is the same, said in the other's words.
#
#   packaging/rpm.sh FOLDER
#
# rpm gives its scripts the number of versions that will be there afterwards, and runs the new version's %pre and %post
# before the old one's %preun and %postun. It has no purge, so a removal keeps what a purge would remove, and no
# half-configured state: a version that was put back is told, and stays. Which version that was rpm does not say.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"

# Only where no version stays.
last() {
    cat <<'SCRIPT'
[ "$1" -eq 0 ] || exit 0
set -- remove
SCRIPT
}

# rpm leaves folders that no package names, so what dpkg takes by itself is taken here, where nobody has put anything there.
folders() {
    echo "for folder in $*; do"
    echo '    rmdir "$folder" 2>/dev/null || true'
    echo done
}

{
    echo '#!/bin/sh'
    last
    folders /usr/share/doc/picket
} >"$1/picket.postun"
for package in picket-agent picket-collector; do
    from=$here/packaging/${package#picket-}
    {
        echo '#!/bin/sh'
        cat <<'SCRIPT'
if [ "$1" -gt 1 ]; then set -- upgrade "the version before"; else set -- install; fi
SCRIPT
        tail -n +2 "$from/preinst"
    } >"$1/$package.pre"
    {
        echo '#!/bin/sh'
        cat <<'SCRIPT'
if [ "$1" -gt 1 ]; then set -- configure "the version before"; else set -- configure ""; fi
# Whether a unit is enabled at its first installation is the preset's word.
[ -n "$2" ] && first= || first=yes
helper() {
    case $1 in
    --quiet) return 0 ;;
    enable) [ -z "$first" ] || systemctl preset "$2" ;;
    esac
}
SCRIPT
        tail -n +2 "$from/postinst" | sed -e 's/deb-systemd-helper/helper/' -e '/dpkg --configure/d'
    } >"$1/$package.post"
    {
        echo '#!/bin/sh'
        last
        tail -n +2 "$from/prerm"
        echo "if [ -d /run/systemd/system ]; then systemctl --quiet disable $package.service || true; fi"
    } >"$1/$package.preun"
    {
        echo '#!/bin/sh'
        last
        tail -n +2 "$from/postrm"
        folders "/usr/share/doc/$package/examples" "/usr/share/doc/$package" /etc/picket
    } >"$1/$package.postun"
done
