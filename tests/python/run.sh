#!/usr/bin/env bash
# Python's grpcio beside a running `picket up`, with one real failure while it watches:  run.sh PICKET PYTHON
#
# PICKET is the built command, PYTHON an interpreter with grpcio and grpcio-reflection. All of it lives in a temporary
# folder; what it starts, it ends. Status 0 if Python saw what it must.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
picket=$1 python=$2
folder=$(mktemp -d)
up= check=
ended() {
    [ -z "$check" ] || kill "$check" 2>/dev/null || true
    [ -z "$up" ] || { kill -TERM "$up" 2>/dev/null && wait "$up" 2>/dev/null; } || true
    rm -rf "$folder"
}
trap ended EXIT

printf '[host]\nenabled = false\n\n[[service]]\nname = "sleeper"\ncommand = ["sleep", "86395"]\nhold = "2s"\n' >"$folder/config.toml"
mkfifo "$folder/said"
"$picket" --color never up --config "$folder/config.toml" --data "$folder/data" >"$folder/said" 2>&1 &
up=$!
exec 3<"$folder/said"
# Reads what `up` says until a line has all of $1 in it; keeps the service's newest process: "sleeper started (pid N)".
pid=
until_said() {
    local line
    while IFS= read -r -t 60 line <&3; do
        case $line in *'sleeper started (pid '*) pid=${line##*(pid } pid=${pid%)*} ;; esac
        case $line in *"$1"*) return 0 ;; esac
    done
    echo "picket up did not say: $1" >&2
    return 1
}
# One failure before Python asks, so that there is an incident to get.
until_said 'took the session'
kill -9 "$pid"
until_said 'resolved'
cat <&3 >/dev/null &
mkfifo "$folder/checked"
"$python" "$here/grpcio_check.py" --addr "$(cat "$folder/data/collector.addr")" \
    --credentials "$folder/data/operator" --timeout 60 >"$folder/checked" 2>&1 &
check=$!
while IFS= read -r line; do
    echo "$line"
    # It says that it watches before it does; the failure then comes to a stream that is open.
    case $line in watch*) [ -z "$pid" ] || kill -9 "$pid"; pid= ;; esac
done <"$folder/checked"
wait "$check"
check=
