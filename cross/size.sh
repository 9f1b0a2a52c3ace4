#!/bin/sh
# Builds the agent as one static file and prints its size as one JSON line; fails above the limit. Two more lines say what takes
# how much: the sections, and the code of the ten largest crates.
#
#   cross/size.sh [TARGET]
#
# Without TARGET it is static by glibc (crt-static on this machine's own target), since that needs nothing that is not here
# already. CI names the musl target of this machine, which packages have (cross/setup-musl.sh first). What makes either small is in
# cross/build.sh.
#
# The limit is 5 MiB. The same agent is 0.83 MB smaller with musl, since glibc brings its resolver and locale code along, and is
# held to as much less: so the other one, which CI does not build, keeps its limit as well.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
musl_is_less=831000
own=$(rustc -vV | sed -n 's/^host: //p')
target=${1:-$own}
case $target in
*-linux-gnu)
    [ "$target" = "$own" ] || { echo "size.sh: static glibc is built for this machine alone, $own" >&2; exit 2; }
    how=--static less=0
    ;;
*-linux-musl*) how='' less=$musl_is_less ;;
*) echo "size.sh: the size is measured on Linux, this is $target" >&2; exit 2 ;;
esac
if [ ! -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; then cross/setup.sh >&2; fi

status=0
line=$(cross/build.sh --std built $how "$target") || status=$?
# Above the limit it says so and still tells the size; what is not static has none.
figures=$(echo "$line" | sed -n 's/.*"bytes":\([0-9]*\),"limit":\([0-9][0-9]*\).*/\1 \2/p')
if [ -n "$figures" ]; then
    bytes=${figures% *}
    limit=$((${figures#* } - less))
    printf '{"figure":"agent_static_bytes","target":"%s","value":%s,"unit":"bytes","limit":%s}\n' "$target" "$bytes" "$limit"
    if [ "$status" -eq 0 ] && [ "$bytes" -gt "$limit" ]; then
        echo "size.sh: $bytes bytes are more than $limit: look at new dependencies and features first" >&2
        status=1
    fi
fi
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
