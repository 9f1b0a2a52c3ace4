#!/bin/sh
# Adds packages to a signed repository for apt and dnf, and makes one where there is none; prints a JSON line for each package.
#
#   packaging/repository.sh --key GPGKEYID DIR PACKAGE ...
#
# | in DIR | what |
# |---|---|
# | `picket.asc`, `picket.gpg` | the public key, armoured and not |
# | `apt/pool`, `apt/dists/stable` | packages, and their lists by architecture: Packages(.gz), Release, InRelease, Release.gpg |
# | `rpm/ARCH` | packages, each signed where rpmsign is here, and repodata with repomd.xml.asc |
#
# DIR is static: any web server, or a folder of a host. What was added before stays, so that a host can go back. A version that is there
# is never taken again with other bytes: hosts that have its checksum would refuse it. Lists take the place of the old ones at the end.
#
# The key: RSA of 4096 bits, since the rpm of older hosts knows no other that is as strong. It needs gpg, for .deb apt-ftparchive (apt-utils), for .rpm createrepo_c and rpm. docs/install.md says how a host takes it in.
set -eu
usage='say packaging/repository.sh --key GPGKEYID DIR PACKAGE ...'
if [ $# -lt 4 ] || [ "$1" != --key ]; then
    echo "repository.sh: $usage" >&2
    exit 64
fi
key=$2
mkdir -p "$3"
dir=$(cd "$3" && pwd)
shift 3

fail() {
    echo "repository.sh: $*" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null || { echo "repository.sh: no $1 here: apt-get install $2" >&2; exit 2; }
}

need gpg gnupg
debs=
rpms=
for package; do
    [ -f "$package" ] || fail "there is no $package"
    case $package in
    *.deb) debs=yes; need apt-ftparchive apt-utils ;;
    *.rpm) rpms=yes; need createrepo_c createrepo-c; need rpm rpm ;;
    *) fail "$package is neither a .deb nor a .rpm" ;;
    esac
done
work=$(mktemp -d "$dir/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT

gpg --batch --armor --export "$key" >"$work/picket.asc"
gpg --batch --export "$key" >"$work/picket.gpg"
[ -s "$work/picket.gpg" ] || fail "gpg has no key $key"
if [ -e "$dir/picket.gpg" ] && ! cmp -s "$work/picket.gpg" "$dir/picket.gpg"; then
    # The same key with a later end, or another one: the second would lock out every host.
    was=$(gpg --batch --with-colons --show-keys "$dir/picket.gpg" | sed -n 's/^fpr:*\([0-9A-F]*\):.*/\1/p' | head -n 1)
    now=$(gpg --batch --with-colons --show-keys "$work/picket.gpg" | sed -n 's/^fpr:*\([0-9A-F]*\):.*/\1/p' | head -n 1)
    [ "$was" = "$now" ] || fail "$dir is signed by $was, and hosts that have it would refuse $now: make another folder for another key"
fi
chmod 755 "$work"
chmod 644 "$work"/picket.*

# sign FILE SIGNATURE WORD ...
sign() {
    from=$1 to=$2
    shift 2
    gpg --batch --quiet --yes --local-user "$key" --digest-algo SHA256 --output "$to" "$@" "$from"
}

line() {
    printf '{"file":"%s","bytes":%s,"package_signed":%s}\n' "$1" "$(wc -c <"$1" | tr -d ' ')" "$2"
}

# Of a .deb its list's checksum is signed, not the file.
add_deb() {
    place=$dir/apt/pool/main/p/picket/${1##*/}
    mkdir -p "${place%/*}"
    if [ -e "$place" ]; then
        cmp -s "$1" "$place" || fail "${1##*/} is there with other bytes: a version that is out never changes; make a new one"
    else
        cp "$1" "$place.new"
        chmod 644 "$place.new"
        mv "$place.new" "$place"
    fi
    line "$place" false
}

add_rpm() {
    arch=$(rpm -qp --nosignature --qf '%{ARCH}' "$1")
    place=$dir/rpm/$arch/${1##*/}
    mkdir -p "${place%/*}"
    if [ -e "$place" ]; then
        # A signature changes the file and not the header that it signs.
        [ "$(rpm -qp --nosignature --qf '%{SHA256HEADER}' "$1")" = "$(rpm -qp --nosignature --qf '%{SHA256HEADER}' "$place")" ] ||
            fail "${1##*/} is there with other bytes: a version that is out never changes; make a new one"
    else
        cp "$1" "$work/${1##*/}"
        chmod 644 "$work/${1##*/}"
        if command -v rpmsign >/dev/null; then
            rpmsign --define "_gpg_name $key" --define "__gpg $(command -v gpg)" --addsign "$work/${1##*/}" >"$work/said" 2>&1 || { cat "$work/said" >&2; fail "rpmsign can't sign ${1##*/}"; }
        else
            echo "repository.sh: no rpmsign here, so ${1##*/} itself is unsigned: hosts need gpgcheck=0 beside repo_gpgcheck=1" >&2
        fi
        mv "$work/${1##*/}" "$place"
    fi
    if [ "$(rpm -qp --nosignature --qf '%|RSAHEADER?{yes}:{%|DSAHEADER?{yes}:{no}|}|' "$place")" = yes ]; then line "$place" true; else line "$place" false; fi
}

apt_lists() {
    lists=$work/dists/stable
    for arch in $(for deb in "$dir"/apt/pool/main/p/picket/*.deb; do dpkg-deb --field "$deb" Architecture; done | sort -u); do
        mkdir -p "$lists/main/binary-$arch"
        (cd "$dir/apt" && apt-ftparchive --arch "$arch" packages pool) >"$lists/main/binary-$arch/Packages"
        gzip -9 --no-name --keep "$lists/main/binary-$arch/Packages"
    done
    archs=$(cd "$lists/main" && printf '%s ' binary-* | sed 's/binary-//g; s/ $//')
    (cd "$work/dists" && apt-ftparchive -o APT::FTPArchive::Release::Origin=Picket -o APT::FTPArchive::Release::Label=Picket \
        -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=stable \
        -o APT::FTPArchive::Release::Components=main -o "APT::FTPArchive::Release::Architectures=$archs" release stable) >"$work/Release"
    mv "$work/Release" "$lists/Release"
    sign "$lists/Release" "$lists/InRelease" --clearsign
    sign "$lists/Release" "$lists/Release.gpg" --armor --detach-sign
    replace "$work/dists" "$dir/apt/dists"
}

rpm_lists() {
    for folder in "$dir"/rpm/*/; do
        arch=$(basename "$folder")
        mkdir "$work/lists-$arch"
        createrepo_c --quiet --no-database --outputdir "$work/lists-$arch" "$folder"
        sign "$work/lists-$arch/repodata/repomd.xml" "$work/lists-$arch/repodata/repomd.xml.asc" --armor --detach-sign
        replace "$work/lists-$arch/repodata" "$folder/repodata"
    done
}

# A folder in the place of another.
replace() {
    [ ! -e "$2" ] || mv "$2" "$work/old-$(basename "$(dirname "$2")")"
    mv "$1" "$2"
}

for package; do
    case $package in
    *.deb) add_deb "$package" ;;
    *) add_rpm "$package" ;;
    esac
done
[ -z "$debs" ] || apt_lists
[ -z "$rpms" ] || rpm_lists
mv "$work/picket.asc" "$work/picket.gpg" "$dir/"
