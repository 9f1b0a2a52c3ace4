#!/bin/sh
# Builds the agent as one static file and prints its size as one JSON line; fails above the limit of 5 MiB. Two more lines say
# what takes how much: the sections, and the code of the ten largest crates.
#
#   cross/size.sh
#
# Static by glibc (crt-static on this machine's own target), since that needs nothing that is not here already; musl takes
# what cross/setup-musl.sh brings. The same agent with musl is smaller, since glibc brings its resolver and locale code along,
# so this figure errs to the strict side. What makes it small is in cross/build.sh.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
target=$(rustc -vV | sed -n 's/^host: //p')
case $target in
*-linux-gnu) ;;
*) echo "size.sh: the size is measured on glibc Linux, this is $target" >&2; exit 2 ;;
esac
if [ ! -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; then cross/setup.sh >&2; fi

status=0
line=$(cross/build.sh --std built --static "$target") || status=$?
# Above the limit it says so and still tells the size.
[ -z "$line" ] || echo "$line" | sed 's/.*"bytes":\([0-9]*\),"limit":\([0-9]*\).*/{"figure":"agent_static_bytes","value":\1,"unit":"bytes","limit":\2}/'
[ "$status" -eq 0 ] || exit "$status"

out=${CARGO_TARGET_DIR:-$here/target}/$target
LC_ALL=C size -A -d "$out/agent/picket-agent" | sort -k2,2nr | awk '
    $1 ~ /^\./ && $2 >= 10000 { list = list (list ? "," : "") "\"" $1 "\":" $2 }
    END { printf "{\"figure\":\"agent_static_sections\",\"unit\":\"bytes\",\"value\":{%s}}\n", list }'

# In the linker's map a line of an input section is followed by those of its symbols: address, address, size, alignment,
# name. A name begins with the crate whose code it is; of `<T as Trait>::method` that is the first crate named. What has several
# names counts once. Runs of instructions that several functions share, and C, above all glibc, have no crate.
awk '
    $5 ~ /^\.[a-z]/ && NF == 5 { text = ($5 ~ /^\.text/) }
    text && NF >= 5 && $5 !~ /:\(/ && $5 !~ /^\./ && !($1 in seen) {
        seen[$1] = 1
        hex = "0x" $3; size = 0
        for (i = 3; i <= length(hex); i++) size = size * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
        name = $0; sub(/^ *[0-9a-f]+ +[0-9a-f]+ +[0-9a-f]+ +[0-9]+ +/, "", name)
        crate = "C"
        if (name ~ /^OUTLINED_FUNCTION/) crate = "shared runs"
        else if (name ~ /^ring_core/) crate = "ring"
        else if (name ~ /::/) {
            gsub(/\$[A-Z0-9a-z]+\$/, " ", name); gsub(/\.\./, "::", name)
            if (match(name, /[a-z_][a-z_0-9]*::/)) crate = substr(name, RSTART, RLENGTH - 2)
            sub(/^_+/, "", crate)
        }
        sum[crate] += size
    }
    END { for (crate in sum) print sum[crate], crate }' "$out/picket-agent.map" | sort -nr | awk '
    NR <= 10 { size = $1; sub(/^[0-9]+ /, ""); list = list (list ? "," : "") "\"" $0 "\":" size }
    END { printf "{\"figure\":\"agent_static_crates\",\"unit\":\"bytes\",\"value\":{%s}}\n", list }'
