#!/bin/sh
# Makes a repository of packages with a key of its own and asks apt, in a private root and from a folder of this machine, what it
# takes and what it refuses; where rpm is here, rpm too. A JSON line for each question; the first wrong answer fails.
#
#   packaging/repository-check.sh FILE.deb [FILE.rpm ...]
#
# Where no .rpm is named and rpmbuild is here it makes one, since CI makes no others. It needs gpg, gpgv, apt and apt-ftparchive; for .rpm also
# createrepo_c, rpm and rpmsign. Nothing is installed, and no network is asked.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo 'repository-check.sh: say packaging/repository-check.sh FILE.deb [FILE.rpm ...]' >&2; exit 64; }
deb=$1
for tool in gpg gpgv apt-get apt-ftparchive dpkg-deb; do
    command -v $tool >/dev/null || { echo "repository-check.sh: no $tool here: apt-get install gnupg gpgv apt-utils" >&2; exit 2; }
done
work=$(mktemp -d)
export GNUPGHOME="$work/gnupg"
done_with() {
    gpgconf --kill gpg-agent 2>/dev/null || true
    rm -rf "$work"
}
trap done_with EXIT
(umask 077 && mkdir "$GNUPGHOME")
for name in picket other; do
    gpg --batch --quiet --passphrase '' --quick-generate-key "$name <$name@example.org>" rsa3072 sign 1d 2>/dev/null
done
gpg --batch --export other@example.org >"$work/other.gpg"
case "$*" in
*.rpm*) ;;
*)
    if command -v rpmbuild >/dev/null && command -v createrepo_c >/dev/null; then
        printf 'Name: picket-demo\nVersion: 1\nRelease: 1\nSummary: Nothing\nLicense: MIT\nBuildArch: noarch\n%%description\nNothing.\n%%files\n' >"$work/demo.spec"
        rpmbuild --quiet --define "_topdir $work/rpmbuild" -bb "$work/demo.spec" >&2
        set -- "$@" "$work"/rpmbuild/RPMS/noarch/*.rpm
    else
        echo 'repository-check.sh: no rpmbuild and createrepo_c here, so rpm is not asked: apt-get install rpm createrepo-c' >&2
    fi
    ;;
esac
"$here/repository.sh" --key picket@example.org "$work/repository" "$@" >&2
package=$(dpkg-deb --field "$deb" Package)
version=$(dpkg-deb --field "$deb" Version)
arch=$(dpkg-deb --field "$deb" Architecture)

# A host with nothing but this one source, which believes key $1.
host() {
    rm -rf "$work/host"
    for folder in etc/apt/sources.list.d etc/apt/apt.conf.d etc/apt/preferences.d etc/apt/trusted.gpg.d \
        var/lib/apt/lists/partial var/cache/apt/archives/partial var/lib/dpkg; do
        mkdir -p "$work/host/$folder"
    done
    : >"$work/host/var/lib/dpkg/status"
    cp "$1" "$work/host/etc/apt/picket.gpg"
    # Only the copy is asked, which is then spoiled.
    rm -rf "$work/copy"
    cp -R "$work/repository" "$work/copy"
    echo "deb [arch=$arch signed-by=$work/host/etc/apt/picket.gpg] file:$work/copy/apt stable main" >"$work/host/etc/apt/sources.list.d/picket.list"
}

# apt of that host. Under root apt would give up its rights, and could then not read a private folder.
apt() {
    command=$1
    shift
    "$command" -o "Dir=$work/host" -o "Dir::State::status=$work/host/var/lib/dpkg/status" -o APT::Architecture="$arch" \
        -o APT::Architectures::="$arch" -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Languages=none "$@" >"$work/said" 2>&1
}

tell() {
    printf '{"check":"%s","holds":%s}\n' "$1" "$2"
    [ "$2" = true ] || { sed 's/^/    /' "$work/said" >&2; echo "repository-check.sh: that does not hold" >&2; exit 1; }
}

# Whether the list is taken and names the package, and whether its file is.
listed() {
    apt apt-get update && apt apt-cache policy "$package" && grep -q "Candidate: $version" "$work/said"
}

fetched() {
    # A file source is not copied into the cache unless asked for by `download`, which checks it like any other.
    (mkdir -p "$work/got" && cd "$work/got" && rm -f ./* && apt apt-get download "$package" && [ -n "$(ls)" ])
}

takes() {
    if listed && fetched; then tell "$1" true; else tell "$1" false; fi
}

# Refused while the lists are read, with these words of apt's, and no package is known afterwards.
refuses() {
    if listed; then tell "$1" false; fi
    apt apt-get update || true
    if grep -q "$2" "$work/said"; then tell "$1" true; else tell "$1" false; fi
}

host "$work/repository/picket.gpg"
takes 'apt takes what is signed by the key that the host names'
host "$work/repository/picket.asc"
mv "$work/host/etc/apt/picket.gpg" "$work/host/etc/apt/picket.asc"
sed -i 's/picket\.gpg/picket.asc/' "$work/host/etc/apt/sources.list.d/picket.list"
takes 'apt takes the armoured key as well'
host "$work/other.gpg"
refuses 'apt refuses what another key signed' NO_PUBKEY
host "$work/repository/picket.gpg"
rm "$work/copy/apt/dists/stable/InRelease" "$work/copy/apt/dists/stable/Release.gpg"
refuses 'apt refuses what nobody signed' 'is not signed'
host "$work/repository/picket.gpg"
rm "$work/copy/apt/dists/stable/InRelease"
printf 'Suite: other\n' >>"$work/copy/apt/dists/stable/Release"
refuses 'apt refuses a list of lists that was changed' 'BADSIG\|invalid'
host "$work/repository/picket.gpg"
echo 'Package: more' >>"$work/copy/apt/dists/stable/main/binary-$arch/Packages"
rm "$work/copy/apt/dists/stable/main/binary-$arch/Packages.gz"
refuses 'apt refuses a list that was changed' 'Hash Sum mismatch\|unexpected size'
host "$work/repository/picket.gpg"
listed || tell 'the list is taken' false
printf x >>"$work/copy/apt/pool/main/p/picket/${deb##*/}"
if fetched; then
    tell 'apt refuses a package that was changed' false
elif grep -q 'Hash Sum mismatch\|unexpected size' "$work/said"; then
    tell 'apt refuses a package that was changed' true
else
    tell 'apt refuses a package that was changed' false
fi

for rpm in "$work"/repository/rpm/*/*.rpm; do
    [ -e "$rpm" ] || continue
    # rpm -K ends with 0 for digests alone as well; it names signatures only where it has tried one.
    judged() { rpm --dbpath "$work/rpmdb" --define '_pkgverify_level all' -K "$rpm" >"$work/said" 2>&1; }
    if judged; then tell 'rpm refuses what it has no key for' false; else tell 'rpm refuses what it has no key for' true; fi
    rpm --dbpath "$work/rpmdb" --import "$work/repository/picket.asc"
    if judged && grep -q 'signatures OK' "$work/said"; then tell 'rpm takes what is signed by its key' true; else tell 'rpm takes what is signed by its key' false; fi
    lists=${rpm%/*}/repodata/repomd.xml
    if gpgv --keyring "$work/repository/picket.gpg" "$lists.asc" "$lists" 2>"$work/said"; then tell 'the list of rpms is signed' true; else tell 'the list of rpms is signed' false; fi
    break
done
