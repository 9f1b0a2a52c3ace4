#!/bin/sh
# Makes the archive picket-agent-VERSION-ARCH.tar.gz for hosts without dpkg or rpm, or whose packages are not to be touched, and
# prints a JSON line for it: file, architecture, bytes, whether it is signed.
#
#   packaging/tarball.sh [--target TARGET] [--key GPGKEYID] [--program FILE] [--papers PROGRAM] [--version VERSION] [--out DIR]
#
# In it: the static agent, install.sh (packaging/tarball), units and scripts for systemd, OpenRC, runit, SysV and BusyBox init, pages,
# completions, an example configuration, licences, SHA256SUMS of all of that, and with --key its signature SHA256SUMS.sig. Beside the
# archive lie its own .sha256 and, with --key, a signature of the archive itself, .sig. gpg asks for the key's passphrase where it has one.
#
# The agent is that of cross/build.sh for the musl target of that processor; --program takes any other file, --papers and --version
# what would else be made or read here (cli/examples/papers.rs, Cargo.toml). Without --key the archive is the same byte for byte
# wherever it is made of the same program; its time is that of the newest entry of packaging/changelog, or SOURCE_DATE_EPOCH.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
built=${CARGO_TARGET_DIR:-$here/target}
out=$built/packages
target=
key=
program=
papers=
version=
usage='say packaging/tarball.sh [--target TARGET] [--key GPGKEYID] [--program FILE] [--papers PROGRAM] [--version VERSION] [--out DIR]'
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || { echo "tarball.sh: $usage" >&2; exit 64; }
    case $1 in
    --target) target=$2 ;;
    --key) key=$2 ;;
    --program) program=$2 ;;
    --papers) papers=$2 ;;
    --version) version=$2 ;;
    --out) out=$2 ;;
    *) echo "tarball.sh: $usage" >&2; exit 64 ;;
    esac
    shift 2
done
[ -n "$target" ] || target=$(rustc -vV | sed -n 's/^host: //p')
musl=$(printf %s "$target" | sed 's/-linux-gnu/-linux-musl/')
case ${target%%-*} in
armv7*) arch=armv7 ;;
*) arch=${target%%-*} ;;
esac
[ -n "$version" ] || version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$here/Cargo.toml")
for tool in tar gzip sha256sum awk ${key:+gpg}; do
    command -v "$tool" >/dev/null || { echo "tarball.sh: no $tool here" >&2; exit 2; }
done
tar --version | grep -q GNU || { echo 'tarball.sh: it needs GNU tar, which sorts' >&2; exit 2; }
if [ -z "$program" ]; then
    program=$built/$musl/agent/picket-agent
    [ -e "$program" ] || { echo "tarball.sh: no $program: cross/README.md says how it is built" >&2; exit 2; }
    # INTERP names the dynamic loader: a static file has none.
    if LC_ALL=C readelf --program-headers "$program" | grep -q INTERP; then
        echo "tarball.sh: $program is not static: cross/setup-musl.sh and cross/build.sh make one that is" >&2
        exit 1
    fi
fi
when=${SOURCE_DATE_EPOCH:-$(date -d "$(sed -n 's/^ -- .*>  //p' "$here/packaging/changelog" | head -n 1)" +%s)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$papers" ]; then
    "$papers" "$work/papers" >&2
else
    (cd "$here" && cargo run --locked --quiet -p picket --example papers -- "$work/papers") >&2
fi

name=picket-agent-$version-$arch
tree=$work/$name
umask 022

# put MODE FILE PLACE
put() {
    mkdir -p "$tree/$(dirname "$3")"
    cp "$2" "$tree/$3"
    chmod "$1" "$tree/$3"
}

# Takes in for each line `#part FILE` that file, and for each line `#from FILE FUNCTION` that function of a script that dpkg runs, so
# that both do the same.
whole() {
    (cd "$here/packaging" && awk '
        function take(file, from, line, found) {
            while ((getline line < file) > 0) {
                if (line == from) found = 1
                if (found) print line
                if (found && line == "}") break
            }
            close(file)
            if (!found) { print "tarball.sh: no " from " in " file > "/dev/stderr"; exit 1 }
        }
        function part(file, line, word, lines) {
            while ((getline line < file) > 0) {
                lines++
                split(line, word, " ")
                if (word[1] == "#part") part("tarball/" word[2])
                else if (word[1] == "#from") take(word[2], word[3] "() {")
                else print line
            }
            close(file)
            if (!lines) { print "tarball.sh: nothing in " file > "/dev/stderr"; exit 1 }
        }
        BEGIN { part("tarball/install.sh") }')
}

mkdir "$tree"
whole >"$tree/install.sh"
chmod 755 "$tree/install.sh"
printf 'version %s\narchitecture %s\n' "$version" "$arch" >"$tree/ARCHIVE"
put 644 "$here/LICENSE-MIT" LICENSE-MIT
put 644 "$here/LICENSE-APACHE" LICENSE-APACHE
ships=$here/packaging/tarball
of=$work/papers/picket-agent
put 755 "$program" all/usr/bin/picket-agent
put 644 "$of/agent.toml.example" all/etc/picket/agent.toml.example
put 644 "$here/packaging/copyright" all/usr/share/doc/picket-agent/copyright
put 644 "$here/LICENSE-MIT" all/usr/share/doc/picket-agent/LICENSE-MIT
put 644 "$here/LICENSE-APACHE" all/usr/share/doc/picket-agent/LICENSE-APACHE
for page in "$of"/man/*.1; do put 644 "$page" "all/usr/share/man/man1/${page##*/}"; done
put 644 "$of/bash/picket-agent.bash" all/usr/share/bash-completion/completions/picket-agent
put 644 "$of/zsh/_picket-agent" all/usr/share/zsh/site-functions/_picket-agent
put 644 "$of/fish/picket-agent.fish" all/usr/share/fish/vendor_completions.d/picket-agent.fish
put 644 "$here/systemd/picket-agent.service" systemd/usr/lib/systemd/system/picket-agent.service
put 644 "$here/systemd/picket-agent.preset" systemd/usr/lib/systemd/system-preset/80-picket-agent.preset
put 644 "$here/systemd/picket-agent.tmpfiles" systemd/usr/lib/tmpfiles.d/picket-agent.conf
put 644 "$here/systemd/examples/units-only.conf" systemd/usr/share/doc/picket-agent/examples/units-only.conf
put 755 "$ships/others/keep" others/usr/lib/picket-agent/keep
put 755 "$ships/openrc/picket-agent" openrc/etc/init.d/picket-agent
put 755 "$ships/sysv/picket-agent" sysv/etc/init.d/picket-agent
put 755 "$ships/runit/run" runit/etc/sv/picket-agent/run
put 755 "$ships/runit/log/run" runit/etc/sv/picket-agent/log/run

(cd "$tree" && find . -type f | LC_ALL=C sort | xargs sha256sum >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
# sign FILE
sign() {
    rm -f "$1.sig"
    gpg --batch --quiet --local-user "$key" --output "$1.sig" --detach-sign "$1"
}
[ -z "$key" ] || sign "$tree/SHA256SUMS"

mkdir -p "$out"
file=$out/$name.tar.gz
(cd "$work" && tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r-w --mtime="@$when" "$name") |
    gzip -9 --no-name >"$work/archive"
mv "$work/archive" "$file"
chmod 644 "$file"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
rm -f "$file.sig"
[ -z "$key" ] || sign "$file"
printf '{"file":"%s","architecture":"%s","bytes":%s,"signed":%s}\n' "$file" "$arch" "$(wc -c <"$file" | tr -d ' ')" "$([ -n "$key" ] && echo true || echo false)"
