#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `make demo`: an HTTP service (axum on tokio) under load, recorded for 10 s by
# its pid. Leaves demo.data, demo.folded and demo.svg, and prints the report.
set -eu

build=${DWELL_BUILD:-build}
programs=$build/workloads/release
dwell=$build/dwell
seconds=${DEMO_SECONDS:-10}
scratch=$(mktemp -d)
pids=()

cleanup() {
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

start() {	# start NAME COMMAND...: in the background, its output in a file
	local name=$1
	shift
	"$@" >"$scratch/$name" 2>"$scratch/$name.err" <&3 &
	pids+=($!)
	eval "$name=$!"
}

port_of() {	# the port that a server prints once it listens
	local i
	for i in $(seq 200); do
		if [ -s "$scratch/$1" ]; then
			head -n 1 "$scratch/$1"
			return
		fi
		sleep 0.05
	done
	echo "demo: $1 did not start:" >&2
	cat "$scratch/$1.err" >&2
	return 1
}

as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "demo: recording needs root" >&2
		exit 1
	fi
	as_root=sudo
fi

# Its end of standard input would end the service: give it one that stays open.
mkfifo "$scratch/open"
exec 3<>"$scratch/open"

start backend "$programs/peer" backend --delay-us 5000
backend_port=$(port_of backend)
start web "$programs/web" serve --backend "127.0.0.1:$backend_port"
web_port=$(port_of web)
start load "$programs/peer" http --connections 16 --think-us 1000 --seconds $((seconds + 60)) \
	--paths /hello=2,/backend=4,/lock=1,/file=2,/sleep=2 "127.0.0.1:$web_port"
sleep 1

echo "demo: an HTTP service on port $web_port (pid $web), 16 clients, a backend on port $backend_port"
$as_root "$dwell" record -p "$web" --duration "$seconds" -o demo.data
"$dwell" fold -i demo.data >demo.folded
"$dwell" flamegraph -i demo.data -o demo.svg
"$dwell" report -i demo.data
echo
echo "demo: the flame graph is demo.svg (open it in a browser), the stacks demo.folded"
