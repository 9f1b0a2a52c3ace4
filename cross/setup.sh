#!/bin/sh
# Unpacks Debian's compiler and its library source into one folder, so that a machine without a download host for
# rustup targets can still build `core` and `alloc` for a foreign target (-Zbuild-std).
#
#   cross/setup.sh [FOLDER]      FOLDER defaults to $PICKET_CROSS, else target/cross in this repository
#
# The packages are unpacked, not installed: no root, no new rustup toolchain, nothing outside FOLDER. It needs a
# Debian machine with fresh package lists (apt-get update). About 850 MB. Running it again costs nothing.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
dest=${1:-${PICKET_CROSS:-$here/target/cross}}

if [ -x "$dest/rustc" ] && "$dest/rustc" -V; then exit 0; fi
for tool in apt-cache apt-get dpkg; do
    command -v "$tool" >/dev/null || { echo "setup.sh: no $tool here: this way needs Debian" >&2; exit 2; }
done

# The compiler, its libraries and the library source must be of one build: the versions come from one package.
version=$(apt-cache madison rustc-web | awk '{ print $3; exit }')
[ -n "$version" ] || { echo "setup.sh: apt knows no rustc-web: run apt-get update" >&2; exit 2; }
shared=$(apt-cache show "libstd-rust-web-dev=$version" | sed -n 's/^Depends: \(libstd-rust-web-[0-9.]*\).*/\1/p' | head -n 1)
llvm=$(apt-cache show "$shared=$version" | sed -n 's/.*\(libllvm[0-9][0-9]*\).*/\1/p' | head -n 1)

rm -rf "$dest"
mkdir -p "$dest/debs"
cd "$dest/debs"
apt-get -o APT::Sandbox::User=root download -qq "rustc-web=$version" "libstd-rust-web-dev=$version" "$shared=$version" "rust-web-src=$version" "$llvm"
for package in *.deb; do dpkg -x "$package" "$dest"; done
cd "$dest"
rm -rf debs

# The compiler looks for its libraries in the system's folders; this wrapper names ours, and the sysroot with them.
multiarch=$(dpkg --print-architecture | sed 's/^amd64$/x86_64-linux-gnu/; s/^arm64$/aarch64-linux-gnu/')
cat >rustc.new <<WRAPPER
#!/bin/sh
export LD_LIBRARY_PATH="$dest/usr/lib/$multiarch\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$dest/usr/bin/rustc" --sysroot "$dest/usr" "\$@"
WRAPPER
chmod +x rustc.new
./rustc.new -V
mv rustc.new rustc        # last, so that a broken set-up is done again and not taken for a good one
