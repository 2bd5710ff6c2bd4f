/* SPDX-License-Identifier: GPL-2.0
 *
 * Makes the picture interactive; it is complete without this script: boxes as
 * wide as the window, zoom, search, keys. The state is in the URL:
 * #z=FRAME&s=REGEX. All data comes from the document; nothing is downloaded.
 */
(function () {
"use strict";

const NS = "http://www.w3.org/2000/svg";
const XHTML = "http://www.w3.org/1999/xhtml";
const MARGIN = 12, ROW = 18, PAD = 4, TIME_GAP = 2, COLUMNS_MIN = 3;
const WIDTH_MIN = 480, NARROWEST = 0.1;

const svg = document.currentScript && document.currentScript.closest("svg") ||
	document.documentElement;
const area = svg.querySelector(".frames");
const header = svg.querySelector(".header");
const title = header.querySelector(".title text").textContent;
const hint = header.querySelector(".info text").textContent;

function element(parent, name, attributes, text) {
	const e = document.createElementNS(NS, name);

	for (const key in attributes)
		e.setAttribute(key, attributes[key]);
	if (text !== undefined)
		e.textContent = text;
	return parent.appendChild(e);
}

/* ---- frames: in the order of the document, parents before children ---- */

const frames = Array.from(area.children, (g, index) => {
	const [start, ns, depth] = g.getAttribute("data-x").split(",").map(Number);
	const title = g.firstElementChild.textContent;
	const end = title.lastIndexOf("\n");

	return {
		g, index, start, ns, depth, last: index, parent: -1,
		rect: g.querySelector("rect"), text: g.querySelector("text"),
		name: title.slice(0, end), quantity: title.slice(end + 1),
		time: title.slice(end + 1).split(" · ")[0],
		sliver: g.classList.contains("x"), match: false,
	};
});
const frameByElement = new Map(frames.map((f) => [f.g, f]));
const hasSlivers = frames.some((f) => f.sliver);

(function link() {
	const path = [];

	for (const f of frames) {
		f.parent = f.depth ? path[f.depth - 1].index : -1;
		path[f.depth] = f;
	}
	for (let i = frames.length - 1; i > 0; i--) {
		const p = frames[frames[i].parent];

		p.last = Math.max(p.last, frames[i].last);
	}
})();

/* ---- labels: as label.c ---- */

function isWide(c) {
	return c >= 0x1100 &&
		(c <= 0x115f || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
		 (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
		 (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) ||
		 (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd));
}

function columnsOf(s) {
	let n = 0;

	for (const c of s)
		n += isWide(c.codePointAt(0)) ? 2 : 1;
	return n;
}

/* Positions at which a path may be shortened: behind a "::" outside of brackets. */
function breaks(s) {
	const found = [];
	let depth = 0, from = 0;

	for (let i = 0; i < s.length; i++) {
		if ("<([{".includes(s[i]))
			depth++;
		else if (")]}".includes(s[i]) || (s[i] === ">" && s[i - 1] !== "-"))
			depth--;
		else if (s[i] === ":" && !depth && i > from && s[i - 1] === ":" &&
			 i + 1 < s.length && s[i + 1] !== "{")
			found.push(from = i + 1);
	}
	return found;
}

function fit(name, columns) {
	if (columns < COLUMNS_MIN)
		return "";
	name = name.replace(/(.)_\[k\]$/, "$1");

	const location = / \([^()]*:\d+\)$/.exec(name);
	const body = location ? name.slice(0, location.index) : name;
	const tail = location ? location[0] : "";
	let last = body, lead = "";

	if (columnsOf(name) <= columns)
		return name;
	for (const at of breaks(body)) {
		lead = "…";
		last = body.slice(at);
		if (1 + columnsOf(last + tail) <= columns)
			return lead + last + tail;
	}
	if (tail) {
		const short = lead + last + tail.slice(tail.lastIndexOf(":"), -1);

		if (columnsOf(short) <= columns)
			return short;
	}
	if (columnsOf(lead + last) <= columns)
		return lead + last;

	let out = "", room = columns - 1;

	for (const c of last) {
		room -= isWide(c.codePointAt(0)) ? 2 : 1;
		if (room < 0)
			break;
		out += c;
	}
	return out.replace(/ +$/, "") + "…";
}

/* ---- layout ---- */

const state = { zoom: 0, regex: null, source: "", at: -1 };
let width = 0, column = 7.23;

function measureColumn() {
	const probe = element(area, "text", {}, "0".repeat(100));
	const measured = probe.getComputedTextLength() / 100;

	probe.remove();
	if (measured > 0)
		column = measured;
}

function place(f, x, w) {
	f.g.removeAttribute("display");
	f.rect.setAttribute("x", x.toFixed(2));
	f.rect.setAttribute("width", (w >= 3 ? w - 1 : Math.max(w, 0.01)).toFixed(2));

	const columns = Math.floor((w - 2 * PAD) / column);
	const label = f.sliver || columns < COLUMNS_MIN ? "" : fit(f.name, columns);

	if (!label) {
		if (f.text)
			f.text.remove();
		f.text = null;
		return;
	}
	if (!f.text)
		f.text = element(f.g, "text", { y: f.depth * ROW + 12 });
	f.text.setAttribute("x", (x + PAD).toFixed(2));
	f.text.textContent = label;
	if (!(label.endsWith("…") && label !== f.name) &&
	    columnsOf(label) + TIME_GAP + columnsOf(f.time) <= columns)
		element(f.text, "tspan", { class: "q", dx: "14" }, f.time);
}

function placeAll() {
	const z = frames[state.zoom], scale = width / (z.ns || 1);
	const above = new Set();

	for (let i = z.parent; i >= 0; i = frames[i].parent)
		above.add(i);
	for (const f of frames) {
		const inside = f.index >= z.index && f.index <= z.last;

		f.g.classList.toggle("up", above.has(f.index));
		if (above.has(f.index))
			place(f, 0, width);
		else if (inside && (f.ns * scale >= NARROWEST || state.zoom === 0))
			place(f, (f.start - z.start) * scale, f.ns * scale);
		else
			f.g.setAttribute("display", "none");
	}
	reset.g.setAttribute("display", state.zoom ? "inline" : "none");
}

/* Breaks text behind these separators. Returns the number of lines. */
function breakLines(block, h) {
	const text = Array.from(block.children, (t) => t.textContent).join(" ");
	const separator = block.classList.contains("subtitle") ? " · " : ", ";
	const pieces = text.split(separator).map((p, i, all) =>
		i + 1 < all.length ? p + separator : p);
	let line = null, nr = 0;

	block.textContent = "";
	for (const piece of pieces) {
		const before = line && line.textContent;

		if (line)
			line.textContent += piece;
		if (!line || line.getComputedTextLength() > width) {
			if (line)
				line.textContent = before.trimEnd();
			line = element(block, "text", { y: 12 + h * nr++ }, piece);
		}
	}
	return nr;
}

/* Places the blocks from top to bottom; items that do not fit continue in a new line. */
function placeHeader() {
	let y = 6;

	for (const block of header.children) {
		let h = Number(block.getAttribute("data-h")), x = 0, line = 0;

		if (block.classList.contains("bg") || block.classList.contains("tools"))
			continue;
		if (block.classList.contains("bar")) {
			y += 4;
			block.setAttribute("transform", `translate(${MARGIN},${y})`);
			placeBar(block);
			y += h;
			continue;
		}
		block.setAttribute("transform", `translate(${MARGIN},${y})`);
		if (block.classList.contains("lines"))
			line = breakLines(block, h) - 1;
		if (block.classList.contains("flow")) {
			for (const item of block.children) {
				const w = item.getBBox().width;

				if (x && x + w > width) {
					x = 0;
					line++;
				}
				item.setAttribute("transform", `translate(${x.toFixed(1)},${line * h})`);
				x += w + 16;
			}
		}
		y += h * (line + 1);
	}
	header.querySelector(".bg").setAttribute("height", y - 3);
	return y;
}

const barWidth = Math.max(1, ...Array.from(header.querySelectorAll(".bar rect"), (r) =>
	Number(r.getAttribute("x")) + Number(r.getAttribute("width"))));
const bar = Array.from(header.querySelectorAll(".bar rect"), (rect) => ({
	rect, x: rect.getAttribute("x") / barWidth, w: rect.getAttribute("width") / barWidth,
}));

function placeBar() {
	for (const b of bar) {
		b.rect.setAttribute("x", b.x * width);
		b.rect.setAttribute("width", b.w * width);
	}
}

function resize() {
	const rows = frames.reduce((n, f) => Math.max(n, f.depth + 1), 0);
	const whole = Math.max(svg.getBoundingClientRect().width || innerWidth, WIDTH_MIN);

	width = whole - 2 * MARGIN;
	measureColumn();

	const top = placeHeader(), height = top + rows * ROW + MARGIN;

	area.setAttribute("transform", `translate(${MARGIN},${top})`);
	svg.setAttribute("viewBox", `0 0 ${whole} ${height}`);
	svg.setAttribute("height", height);
	tools.setAttribute("transform", `translate(${whole - MARGIN},6)`);
	placeAll();
	fitTitle();
	inform(null);
}

/* ---- what is under the pointer ---- */

function inform(f) {
	const line = header.querySelector(".info text");

	if (!f) {
		line.textContent = hint;
		return;
	}
	/* The font of this line is narrower than a column. */
	const room = Math.floor(width / column) - columnsOf(f.quantity) - 3;

	line.textContent = f.quantity + " — " + (room > 20 ? fit(f.name, room) : f.name);
}

/* ---- tools: at the right of the title ---- */

const tools = element(header, "g", { class: "tools" });

function button(right, label, action) {
	const g = element(tools, "g", { class: "button", tabindex: "0", role: "button" });

	element(g, "text", { x: -right, y: 22, "text-anchor": "end" }, label);
	g.addEventListener("click", action);
	g.addEventListener("keydown", (e) => {
		if (e.key === "Enter" || e.key === " ") {
			e.preventDefault();
			e.stopPropagation();
			action();
		}
	});
	return { g };
}

const box = element(tools, "foreignObject", { x: -220, y: 5, width: 220, height: 26 });
const input = box.appendChild(document.createElementNS(XHTML, "input"));
const found = element(tools, "g", { class: "found" });
const foundText = element(found, "text", { x: -300, y: 22, "text-anchor": "end" });
const reset = button(232, "reset zoom", () => go({ zoom: 0 }));

input.setAttribute("type", "search");
input.setAttribute("placeholder", "search: a regex ( / )");
input.setAttribute("aria-label", "search frames by regular expression");
input.setAttribute("spellcheck", "false");
input.setAttribute("style", "box-sizing:border-box;width:220px;height:25px;" +
	"font:13px ui-monospace,monospace;padding:1px 7px;border:1px solid #8b949e;" +
	"border-radius:4px;color-scheme:light dark;background:Canvas;color:CanvasText");

/* ---- search ---- */

function shareOf(part, whole) {
	const v = whole ? part / whole * 100 : 0;

	return !part ? "0%" : part === whole ? "100%" : v < 0.005 ? "<0.01%" :
		v < 9.995 ? v.toFixed(2) + "%" : v >= 99.95 ? ">99.9%" : v.toFixed(1) + "%";
}

function timeOf(ns) {
	const three = (v) => v < 9.995 ? v.toFixed(2) : v < 99.95 ? v.toFixed(1) : v.toFixed(0);

	if (ns < 1e3)
		return ns + " ns";
	if (ns < 999.5e3)
		return three(ns / 1e3) + " µs";
	if (ns < 999.5e6)
		return three(ns / 1e6) + " ms";
	if (ns < 300e9)
		return three(ns / 1e9) + " s";

	const s = Math.round(ns / 1e9), min = Math.round(ns / 60e9);

	return s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` :
		`${Math.floor(min / 60)} h ${min % 60} min`;
}

/* null: not a valid expression. An expression without capitals ignores case. */
function compile(source) {
	try {
		return new RegExp(source, source === source.toLowerCase() ? "iu" : "u");
	} catch (e) {
		return null;
	}
}

/* The time below nested matches is counted once, and only what is in view is counted. */
function search() {
	const z = frames[state.zoom];
	let ns = 0, count = 0, covered = -1;

	for (const f of frames) {
		f.match = !!state.regex && !f.sliver && state.regex.test(f.name);
		f.g.classList.toggle("m", f.match);
		if (!f.match || f.index < z.index || f.index > z.last)
			continue;
		count++;
		if (f.index > covered) {
			ns += f.ns;
			covered = f.last;
		}
	}
	/* A match above the zoomed frame covers all of it. */
	for (let i = z.parent; i >= 0; i = frames[i].parent) {
		if (frames[i].match)
			ns = z.ns;
	}
	area.classList.toggle("searching", !!state.regex);
	/* Frames in slivers are not searched. */
	foundText.textContent = state.regex ?
		(hasSlivers && ns < z.ns ? "≥ " : "") + shareOf(ns, z.ns) +
		(state.zoom ? " of view · " : " of all · ") + timeOf(ns) +
		` · ${count} ${count === 1 ? "frame" : "frames"}` : "";
	/* To the left of the reset button, if it is shown. */
	foundText.setAttribute("x", state.zoom ? -312 : -232);
	fitTitle();
}

/* Shortens the title to make room for the tools. */
function fitTitle() {
	const text = header.querySelector(".title text");
	const room = width - tools.getBBox().width - 12;

	text.textContent = title;
	for (let n = title.length - 1; n > 0 && text.getComputedTextLength() > room; n--)
		text.textContent = title.slice(0, n).trimEnd() + "…";
}

/* ---- state and URL ---- */

function go(change, quiet) {
	const zoomed = "zoom" in change && change.zoom !== state.zoom;

	Object.assign(state, change);
	if (zoomed)
		placeAll();
	search();

	const parts = [];

	if (state.zoom)
		parts.push("z=" + state.zoom);
	if (state.regex)
		parts.push("s=" + encodeURIComponent(state.source));

	const hash = "#" + parts.join("&");

	if (hash === (location.hash || "#"))
		return;
	try {
		if (quiet)
			location.replace(hash);
		else
			location.hash = hash;
	} catch (e) {
		/* In a sandbox the picture works, but its state is not kept. */
	}
}

function fromUrl() {
	const values = new Map(location.hash.slice(1).split("&").map((p) => {
		const at = p.indexOf("=");

		return [p.slice(0, at), p.slice(at + 1)];
	}));
	const zoom = Number(values.get("z") || 0);
	let source = "";

	try {
		source = decodeURIComponent(values.get("s") || "");
	} catch (e) {
		/* The fragment was not written by this script. */
	}
	if (source !== state.source || !state.regex) {
		input.value = source;
		state.source = source;
		state.regex = source ? compile(source) : null;
	}
	go({ zoom: frames[zoom] && !frames[zoom].sliver ? zoom : 0 }, true);
}

function lookFor(source) {
	const regex = source ? compile(source) : null;

	input.setAttribute("aria-invalid", String(!!source && !regex));
	input.style.borderColor = source && !regex ? "#d1242f" : "#8b949e";
	if (source && !regex)
		return;
	go({ source, regex }, true);
}

/* ---- keys and pointer ---- */

function mark(index) {
	const old = frames[state.at], f = frames[index];

	if (old) {
		old.g.classList.remove("at");
		old.g.removeAttribute("tabindex");
	}
	state.at = f ? index : -1;
	if (!f)
		return;
	f.g.classList.add("at");
	f.g.setAttribute("tabindex", "0");
	f.g.setAttribute("role", "treeitem");
	f.g.setAttribute("aria-level", f.depth + 1);
	f.g.setAttribute("aria-label", f.name + ", " + f.quantity);
	f.g.focus({ preventScroll: true });
	f.g.scrollIntoView({ block: "nearest" });
	inform(f);
}

function isShown(f) {
	return f && f.g.getAttribute("display") !== "none";
}

function neighbour(key) {
	const f = frames[state.at];
	let i;

	if (!f || !isShown(f))
		return state.zoom;
	switch (key) {
	case "ArrowUp":
		return f.parent >= 0 ? f.parent : f.index;
	case "ArrowDown":
		return f.last > f.index && isShown(frames[f.index + 1]) ? f.index + 1 : f.index;
	case "ArrowRight":
		i = f.last + 1;
		return isShown(frames[i]) && frames[i].parent === f.parent ? i : f.index;
	default:
		for (i = f.index - 1; i > f.parent && frames[i].parent !== f.parent; i--)
			;
		return i > f.parent && isShown(frames[i]) ? i : f.index;
	}
}

function frameOf(e) {
	const g = e.target.closest && e.target.closest(".f");

	return g ? frameByElement.get(g) : null;
}

area.addEventListener("mouseover", (e) => inform(frameOf(e)));
area.addEventListener("mouseleave", () => inform(null));
area.addEventListener("click", (e) => {
	const f = frameOf(e);

	if (f && !f.sliver)
		go({ zoom: f.index });
});
header.querySelector(".legend").addEventListener("click", (e) => {
	const rect = e.target.closest("g").querySelector("[data-q]");

	if (!rect)
		return;
	input.value = input.value === rect.getAttribute("data-q") ? "" : rect.getAttribute("data-q");
	lookFor(input.value);
});
input.addEventListener("input", () => lookFor(input.value));
addEventListener("keydown", (e) => {
	if (e.key === "Escape") {
		if (input.value) {
			input.value = "";
			lookFor("");
		} else {
			go({ zoom: 0 });
		}
		input.blur();
		mark(-1);
		inform(null);
	} else if (document.activeElement === input) {
		return;
	} else if (e.key === "/" || (e.key.toLowerCase() === "f" && (e.ctrlKey || e.metaKey))) {
		input.focus();
		input.select();
	} else if (e.ctrlKey || e.metaKey || e.altKey) {
		return;
	} else if (e.key.startsWith("Arrow")) {
		mark(neighbour(e.key));
	} else if (e.key === "Enter" && state.at >= 0 && !frames[state.at].sliver) {
		go({ zoom: state.at });
	} else {
		return;
	}
	e.preventDefault();
});
addEventListener("hashchange", fromUrl);
addEventListener("resize", resize);
/* Keeps the header in view. */
addEventListener("scroll", () => {
	header.setAttribute("transform", `translate(0,${scrollY})`);
});

svg.classList.add("live");
svg.setAttribute("role", "graphics-document");
area.setAttribute("role", "tree");
svg.setAttribute("width", "100%");
resize();
fromUrl();
})();
