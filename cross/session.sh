#!/bin/sh
# Shows that what was built for other processors works: each target's agent in a session with a collector of this machine
# (tests/src/foreign.rs says what happens). One JSON line per target; the status is that of the last which failed.
#
#   cross/session.sh TARGET ...
#
# The agents must have been built (cross/build.sh); the collector and the rest are a test build of this machine.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
out=${CARGO_TARGET_DIR:-$here/target}
[ $# -gt 0 ] || { sed -n '5p' "$here/cross/session.sh" | sed 's/^# */usage: /' >&2; exit 64; }

cargo build --locked --quiet -p picket-tests --bin foreign >&2
status=0
for target in "$@"; do
    agent=$out/$target/agent/picket-agent
    [ -x "$agent" ] || { echo "session.sh: no agent at $agent: cross/build.sh $target" >&2; status=2; continue; }
    how=$(cross/run.sh --how "$target") || exit
    # shellcheck disable=SC2086  # no word of it has a space
    "$out/debug/foreign" --target "$target" --agent "$agent" -- $how || status=$?
done
exit "$status"
