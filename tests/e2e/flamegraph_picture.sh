#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The flame graph in a real browser: folded stacks are drawn by `dwell
# flamegraph`, read by an XML parser, opened in headless Chromium as it is, and
# zoomed and searched by the state in the URL; and a difference. The pictures stay in
# $DWELL_BUILD/pictures for looking at. A file given as argument is drawn
# instead of the stacks below, for looking only.
#
# Exit status: 0 passed, 1 failed, 2 skipped (no Chromium).
set -eu

build=${DWELL_BUILD:-build}
out=$build/pictures
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail()
{
	echo "flamegraph_picture: $*" >&2
	exit 1
}

# What the browser prints goes to standard output; ARG... URL
browse()
{
	timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--hide-scrollbars --virtual-time-budget=3000 --user-data-dir="$scratch/profile" \
		"$@" 2>"$scratch/browser.log" || fail "$browser failed: $(tail -1 "$scratch/browser.log")"
}

expect()
{
	want=$1
	got=$2
	what=$3
	[ "$want" = "$got" ] || fail "$what: want '$want', got '$got'"
}

# Attribute $2 of the box with the name $3 in the document $1: as seen, not as written.
box()
{
	python3 - "$@" <<'EOF'
import sys, xml.etree.ElementTree as xml
svg = '{http://www.w3.org/2000/svg}'
for g in xml.parse(sys.argv[1]).iter(svg + 'g'):
    title = g.find(svg + 'title')
    if 'f' in g.get('class', '').split() and title.text.split('\n')[0] == sys.argv[3]:
        shown = g.get('class') if sys.argv[2] == 'class' else g.find(svg + 'rect').get(sys.argv[2])
        print(g.get('display', shown))
EOF
}

mkdir -p "$out"
if [ $# -gt 0 ]; then
	[ -n "$browser" ] || exit 2
	cp "$1" "$out/given.svg"
	browse --window-size=1200,800 --screenshot="$out/given.png" "file://$(realpath "$out")/given.svg"
	echo "$out/given.png"
	exit 0
fi

cat >"$scratch/stacks" <<'EOF'
srv;srv::accept::{async block};srv::Handler::run (server.rs:86);srv::Conn::read (conn.rs:12);TcpStream::read;[await];no data;tcp 10.0.0.7:5432 600
srv;srv::accept::{async block};srv::Handler::run (server.rs:86);srv::Conn::read (conn.rs:12);TcpStream::read;[ready];runtime queue 100
srv;srv::accept::{async block};[running] 150
srv;srv::accept::{async block};[blocked];pipe:[77];vfs_read_[k];pipe_read_[k] 50
srv;srv::purge<Vec<u8>, &'static str>;{Sleep | Notified};[await];until the deadline 80
srv;srv::purge<Vec<u8>, &'static str>;[unattributed];events lost 20
EOF
"$build/dwell" flamegraph --folded -i "$scratch/stacks" -o "$out/stacks.svg" --title 'Stacks & <names>'
"$build/dwell" flamegraph --folded -i - -o - --title 'Stacks & <names>' <"$scratch/stacks" \
	>"$scratch/again.svg"
cmp "$out/stacks.svg" "$scratch/again.svg" || fail "two runs differ"
# 700 of 1000 us in 1176 px, less the gap.
expect 822.2 "$(box "$out/stacks.svg" width TcpStream::read)" "width as written"

# A difference: as wide as after, and what is gone beside it, as wide as before.
cat >"$scratch/change" <<'EOF'
srv;srv::run;srv::read (a.rs:1);[await];no data 400 600
srv;srv::run;srv::lock (a.rs:2);[await];until woken 200 0
srv;srv::run;[running] 100 80
srv;srv::new;[running] 0 20
EOF
"$build/dwell" flamegraph --diff --folded "$scratch/change" -o "$out/change.svg"
# 700 us after and 200 us gone in 1176 px.
expect 783 "$(box "$out/change.svg" width 'srv::read (a.rs:1)')" "width of a frame after"
expect 260.34 "$(box "$out/change.svg" width '[gone]')" "width of what is gone"
expect 'f same' "$(box "$out/change.svg" class srv | head -1)" "colour of all"
expect 'f less4 gone' "$(box "$out/change.svg" class srv | tail -1)" "colour of what is gone"
expect 'f more4' "$(box "$out/change.svg" class 'srv::read (a.rs:1)')" "colour of more"
expect 'f more2 new' "$(box "$out/change.svg" class srv::new)" "colour of what is new"
if command -v rsvg-convert >/dev/null; then
	rsvg-convert "$out/change.svg" -o "$out/change.png" 2>"$scratch/rsvg" ||
		fail "rsvg-convert: $(cat "$scratch/rsvg")"
	[ ! -s "$scratch/rsvg" ] || fail "rsvg-convert: $(cat "$scratch/rsvg")"
fi

if [ -z "$browser" ]; then
	echo "flamegraph_picture: no Chromium: the browser's part is skipped" >&2
	exit 2
fi
url=file://$(realpath "$out")/stacks.svg

browse --window-size=1200,420 --screenshot="$out/stacks.png" "$url"
browse --window-size=800,420 --screenshot="$out/zoomed.png" "$url#z=4&s=tcp"
browse --window-size=1200,420 --force-dark-mode --blink-settings=preferredColorScheme=0 \
	--screenshot="$out/dark.png" "$url"

# The whole, fitted to a window of 1000 px: 976 for the frames, 1 for the gap.
browse --window-size=1000,600 --dump-dom "$url" >"$scratch/whole.xml"
expect 975.00 "$(box "$scratch/whole.xml" width all)" "width of all"
# 700 of 1000 us.
expect 682.20 "$(box "$scratch/whole.xml" width TcpStream::read)" "width of a frame"

# Zoomed to the fourth frame (Handler::run): what is beside it is gone.
browse --window-size=1000,600 --dump-dom "$url#z=3&s=%5BQT%5Dcp" >"$scratch/zoomed.xml"
expect 975.00 "$(box "$scratch/zoomed.xml" width 'srv::Handler::run (server.rs:86)')" "zoomed width"
expect none "$(box "$scratch/zoomed.xml" width '[blocked]')" "display of what is not in view"
expect '100% of view · 700 µs · 1 frame' \
	"$(sed -n 's/.*class="found"><text[^>]*>\([^<]*\)<.*/\1/p' "$scratch/zoomed.xml")" "share found"
expect 1 "$(grep -c 'class="f n6 m"' "$scratch/zoomed.xml")" "frames marked as found"

# What a user does, in the page: FILE JAVASCRIPT; the document afterwards goes to standard output.
act()
{
	python3 - "$1" "$2" >"$scratch/acted.svg" <<'EOF2'
import sys
text = open(sys.argv[1], encoding='utf-8').read()
script = """
const box = (name) => [...document.querySelectorAll("g.f")].find((g) =>
	g.querySelector("title").textContent.split("\\n")[0] === name);
const click = (name) => box(name).dispatchEvent(new MouseEvent("click", { bubbles: true }));
const type = (text) => {
	const input = document.querySelector("input");
	input.value = text;
	input.dispatchEvent(new Event("input", { bubbles: true }));
};
const key = (name) => dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
""" + sys.argv[2]
end = text.rindex('</svg>')
print(text[:end] + '<script><![CDATA[{' + script + '}]]></script>' + text[end:])
EOF2
	browse --window-size=1000,600 --dump-dom "file://$scratch/acted.svg"
}

# Clicked, searched, and back to all, in a difference and in a plain picture.
act "$out/change.svg" 'click("srv::run")' >"$scratch/clicked.xml"
expect 975.00 "$(box "$scratch/clicked.xml" width 'srv::run' | sed -n 1p)" "width of what was clicked, in a difference"
# 600 us of 680 after and 200 gone: what is gone below it is not in view, as it stands below [gone].
expect none "$(box "$scratch/clicked.xml" display '[gone]')" "what is gone is beside the view"
act "$out/change.svg" 'click("[gone]")' >"$scratch/gone.xml"
expect 975.00 "$(box "$scratch/gone.xml" width '[gone]')" "width of what is gone, clicked"
expect 'f less4 gone' "$(box "$scratch/gone.xml" class 'srv::lock (a.rs:2)')" "colour of what is gone, clicked"
act "$out/change.svg" 'type("lock"); ' >"$scratch/found.xml"
expect 'f less4 gone m' "$(box "$scratch/found.xml" class 'srv::lock (a.rs:2)')" "found in a difference"
expect 1 "$(grep -c 'class="found"><text[^>]*>[^<]*200 µs' "$scratch/found.xml")" "time found in a difference"
act "$out/change.svg" 'click("srv::run"); type("lock"); key("Escape"); key("Escape")' >"$scratch/back.xml"
expect 975.00 "$(box "$scratch/back.xml" width all)" "back to all, in a difference"
expect 'f less4 gone' "$(box "$scratch/back.xml" class 'srv::lock (a.rs:2)')" "nothing is found any more"
act "$out/stacks.svg" 'click("TcpStream::read"); type("no data")' >"$scratch/plain.xml"
expect 975.00 "$(box "$scratch/plain.xml" width 'TcpStream::read')" "width of what was clicked"
expect 'f s3 h0 m' "$(box "$scratch/plain.xml" class 'no data')" "found"
browse --window-size=1200,420 --screenshot="$out/change-browser.png" "file://$(realpath "$out")/change.svg"

echo "flamegraph_picture: passed; pictures in $out"
