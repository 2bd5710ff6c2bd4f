# SPDX-License-Identifier: GPL-2.0
"""What a benchmark run leaves behind: the form of its file, its targets, and the ways to show it.

A result is one JSON object:

    version     of this form
    date, quick, rounds, seconds, pinning
    machine     what the figures are valid for; no host name, no paths
    workloads   name to {about, server, load, rounds: a list of {variant: what was seen}}
    sources     name to a list of {kernel source: {runs, ns} of a request}; not in older results
    figures     key to {unit, better, median, min, max, runs}: each value that was measured, none dropped
    targets     what was promised, and whether this run keeps it
    notes       what makes figures doubtful
    problems    parts that could not be measured, and why
"""

import json
import statistics
import subprocess

VERSION = 1

VARIANTS = {"bare": "not recorded", "empty": "empty probes at the same sites", "record": "everything recorded",
            "cpu": "… and the CPUs sampled (--cpu)"}


class Figures:
    """Named values with all their runs."""

    def __init__(self, figures=None):
        self.all = figures if figures is not None else {}

    def add(self, key, unit, runs, better=""):
        """`better` is "more", "less" or neither. A run that has no such value is None."""
        runs = [float(f"{run:.6g}") for run in runs if run is not None]
        if runs:
            self.all[key] = {"unit": unit, "better": better, "median": float(f"{statistics.median(runs):.6g}"),
                             "min": min(runs), "max": max(runs), "runs": runs}

    def median(self, key):
        figure = self.all.get(key)
        return figure["median"] if figure else None

    def keys(self, suffix):
        """Those that end so, in the order in which they were added."""
        return [key for key in self.all if key.endswith(suffix)]


# ---- targets ------------------------------------------------------------------------------------------------

# What is promised, the end of the keys that show it, "<=" or ">=", the limit.
TARGETS = (
    ("server CPU added to a request, against empty probes", ".added_ratio", "<=", 1.5),
    ("throughput kept by the saturated echo server", "request.record.kept", ">=", 0.75),
    ("bytes an event in the file", ".bytes_per_event", "<=", 16),
    ("events a second in a report", ".report_events_per_s", ">=", 2e6),
    ("events a second in a comparison of 2 × 10 recordings: a minute for 5 M each", "diff.events_per_s", ">=", 100e6 / 60),
    ("memory of that, over that of 2 × 1", "diff.memory_ratio", "<=", 1.5),
    ("MB of .debug_info a second, cold, on two cores", ".largest.cold_mb_per_s", ">=", 60),
    ("ms for a cached binary", ".largest.cached_ms", "<=", 100),
)


def targets(figures):
    """Each target with each figure that it is about; `reached` is null where nothing was measured."""
    judged = []
    for what, suffix, sign, limit in TARGETS:
        keys = figures.keys(suffix)
        if not keys:
            judged.append({"what": what, "figure": suffix, "sign": sign, "limit": limit, "value": None,
                           "reached": None, "close": False})
        for key in keys:
            figure = figures.all[key]
            value = figure["median"]
            judged.append({"what": what, "figure": key, "sign": sign, "limit": limit, "value": value,
                           "reached": value <= limit if sign == "<=" else value >= limit,
                           "close": figure["min"] <= limit <= figure["max"]})
    return judged


def verdict(target):
    if target["reached"] is None:
        return "not measured"
    close = " (runs on both sides)" if target["close"] and target["value"] != target["limit"] else ""
    return ("reached" if target["reached"] else "NOT reached") + close


# ---- files --------------------------------------------------------------------------------------------------

def load(path):
    with open(path, encoding="utf-8") as file:
        try:
            result = json.load(file)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    if not isinstance(result, dict) or result.get("version") != VERSION:
        raise ValueError(f"{path}: not a result of version {VERSION}")
    return result


def save(result, path):
    """Never over another result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "x", encoding="utf-8") as file:
        json.dump(result, file, indent=1, ensure_ascii=False)
        file.write("\n")


# ---- text ---------------------------------------------------------------------------------------------------

def number(value):
    """Three digits that say something; groups of three for what is long."""
    if value is None:
        return "–"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    if size == int(size):
        return f"{value:.0f}"
    if size < 0.1:
        return f"{value:.2g}"
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def signed(value):
    return "–" if value is None else ("+" if value >= 0 else "−") + number(abs(value))


def spread(figure):
    """`median (min–max)`"""
    if figure is None:
        return "–"
    if len(figure["runs"]) == 1:
        return number(figure["median"])
    return f"{number(figure['median'])} ({number(figure['min'])}–{number(figure['max'])})"


def table(heads, rows):
    """Markdown, its columns aligned so that it can be read as it is; nothing if there are no rows."""
    if not rows:
        return []
    cells = [list(map(str, row)) for row in [heads, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths)] for row in cells]
    lines.insert(1, ["-" * width for width in widths])
    return ["| " + " | ".join(line) + " |" for line in lines]


def origin(result):
    machine = result["machine"]
    kind = " (virtual)" if machine["virtual"] else ""
    source = machine["dwell"] + (" with changes" if machine["changed"] else "")
    rounds = "1 round" if result["rounds"] == 1 else f"{result['rounds']} interleaved rounds"
    return [f"{machine['cpu']}, {machine['cores']} cores{kind}, Linux {machine['kernel']}, {machine['rustc']}, "
            f"tokio {machine['tokio']}; dwell {source}; {result['date'][:10]}.",
            f"{rounds} of {number(result['seconds'])} s; medians (lowest–highest). "
            f"{result['pinning']}"] + (["**A quick run: no measurement.**"] if result["quick"] else [])


def overhead(result, figures):
    rows = []
    for name, workload in result["workloads"].items():
        for variant, what in VARIANTS.items():
            key = f"{name}.{variant}"
            if f"{key}.rate" not in figures.all:
                continue
            rate = spread(figures.all[f"{key}.rate"])
            kept = figures.median(f"{key}.kept")
            if kept is not None:
                rate += f", {signed(100 * (kept - 1))} %"
            rows.append([f"{workload['about']}" if variant == "bare" else "", what, rate,
                         spread(figures.all[f"{key}.cpu_us"]), signed(figures.median(f"{key}.added_us")),
                         signed(figures.median(f"{key}.added_ns_per_poll"))])
    return table(["workload", "", "requests/s", "server CPU µs/request", "added µs/request", "added ns/poll"], rows)


def recording(result, figures):
    rows = []
    for name in result["workloads"]:
        if f"{name}.events_per_s" not in figures.all:
            continue

        def of(key):
            return figures.all.get(f"{name}.{key}")
        rows.append([name, spread(of("added_ratio")), number(of("polls_per_request")["median"]),
                     number(of("hits_per_request")["median"]), number(of("events_per_request")["median"]),
                     spread(of("events_per_s")), number(of("bytes_per_event")["median"]),
                     number(100 * of("recorder_share")["median"]) + " %",
                     number(of("recorder_peak_mb")["median"]), number(of("attach_ms")["median"])])
    return table(["workload", "added, × empty probes", "polls/request", "hits/request", "events/request", "events/s",
                  "bytes/event", "recorder, of a core", "its peak MB", "ms to attach"], rows)


def sources(result, figures):
    """Sources in rows, workloads side by side: ns of a request, and how often the programs run for it."""
    workloads = result.get("sources", {})
    rows = []
    for source in sorted({source for runs in workloads.values() for run in runs for source in run}):
        row = [f"`{source}`"]
        for name in workloads:
            taken = figures.all.get(f"{name}.source.{source}.ns")
            runs = figures.median(f"{name}.source.{source}.runs")
            row.append(f"{spread(taken)} in {number(runs)}" if taken and runs else "–")
        rows.append(row)
    return table(["source: ns a request in so many runs", *workloads], rows)


def losses(result):
    """Of all rounds, by cause."""
    rows = []
    for name, workload in result["workloads"].items():
        causes = {}
        recordings = [each["record"] for each in workload["rounds"] if "record" in each]
        for each in recordings:
            for cause, count in each["lost"].items():
                causes[cause] = causes.get(cause, 0) + count
        events = sum(each["events"] for each in recordings)
        rows += [[name, cause, number(count), number(events)] for cause, count in causes.items()]
    return table(["workload", "lost", "in all rounds", "events recorded"], rows)


def speed(figures):
    def row(what, key, factor=1, unit=""):
        figure = figures.all.get(key)
        if figure:
            shown = {k: figure[k] * factor for k in ("median", "min", "max")}
            rows.append([what, spread({**shown, "runs": figure["runs"]}) + unit])
    rows = []
    for key in figures.keys(".report_events_per_s"):
        name = key.split(".")[0]
        what = "join alone, a made-up recording" if name == "join" else f"`dwell report`, recording of {name}"
        row(what, key, 1e-6, " M events/s")
    row("reading a recording", "join.read_events_per_s", 1e-6, " M events/s")
    row("writing an event", "join.encode_ns_per_event", 1, " ns")
    row("`dwell diff` of 2 × 10 recordings", "diff.events_per_s", 1e-6, " M events/s")
    for key, what in (("sets", "its"), ("per", "with `--per`: its"), ("alone", "of 2 × 1: its")):
        row(f"… {what} time", f"diff.{key}.s", 1, " s")
        row(f"… {what} peak memory", f"diff.{key}.max_rss_mb", 1, " MB")
    for key in figures.keys(".cold_ms"):
        stem = key.removesuffix(".cold_ms")
        name = stem.split(".")[1]
        size = number(figures.median(f"{stem}.debug_info_mb"))
        row(f"`dwell info` {name}, {size} MB of .debug_info, cold", f"{stem}.cold_mb_per_s", 1, " MB/s")
        row("… its time", key, 1, " ms")
        row("… its peak memory", f"{stem}.cold_peak_mb", 1, " MB")
        row("… cached", f"{stem}.cached_ms", 1, " ms")
    return table(["speed", ""], rows)


def markdown(result):
    """The whole result as text for a README."""
    figures = Figures(result["figures"])
    parts = [origin(result), overhead(result, figures), recording(result, figures), sources(result, figures),
             losses(result), speed(figures)]
    rows = [[target["what"], target["figure"].strip("."), f"{'≤' if target['sign'] == '<=' else '≥'} "
             f"{number(target['limit'])}", number(target["value"]), verdict(target)] for target in result["targets"]]
    parts.append(table(["target", "figure", "limit", "median", ""], rows))
    parts += [[f"Note: {note}"] for note in result["notes"]]
    parts += [[f"Not measured: {problem}"] for problem in result["problems"]]
    return "\n\n".join("\n".join(part) for part in parts if part)


def differences(before, after, program):
    """The figures that both have, compared by bench/repeats.c."""
    both = {key: [figure["runs"], after["figures"][key]["runs"]] for key, figure in before["figures"].items()
            if key in after["figures"]}
    done = subprocess.run([program], input=json.dumps(both), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def judge(figure, found, rules):
    """A change counts if it is more than chance would make of it among so many figures, and not too small."""
    if "p_of_all" not in found:
        return "too few runs"
    if found["p_of_all"] > rules["chance"] or abs(found["change"]) < rules["least"] * abs(found["before"]):
        return "no change"
    if not figure["better"]:
        return "changed"
    return "better" if (found["change"] > 0) == (figure["better"] == "more") else "WORSE"


def compare(before, after, program):
    """Two results as text, a line for each figure that both have; and whether any is worse."""
    lines = []
    for what, key in (("machine", "cpu"), ("cores", "cores"), ("kernel", "kernel"), ("rustc", "rustc"),
                      ("tokio", "tokio")):
        a, b = before["machine"][key], after["machine"][key]
        if a != b:
            lines.append(f"Not the same {what}: {a} and {b}.")
    for key in ("pinning", "rounds", "seconds"):
        if before[key] != after[key]:
            lines.append(f"Not the same {key}: {before[key]!r} and {after[key]!r}.")
    if before["quick"] or after["quick"]:
        lines.append("One is a quick run: its figures mean nothing.")
    rules = differences(before, after, program)
    rows = []
    for key, found in rules["figures"].items():
        a, b = before["figures"][key], after["figures"][key]
        change = signed(found["change"])
        if found.get("low") is not None and found.get("high") is not None:
            change += f" ({signed(found['low'])} to {signed(found['high'])})"
        rows.append([key, a["unit"], spread(a), spread(b), change, number(found.get("smallest")),
                     judge(a, found, rules)])
    lines += table(["figure", "unit", before["date"][:16], after["date"][:16], "change of the mean (95 %)",
                    "would have shown", ""], rows)
    for what, one, other in (("first", before, after), ("second", after, before)):
        only = [key for key in one["figures"] if key not in other["figures"]]
        if only:
            lines.append(f"Only in the {what}: {', '.join(only)}")
    worse = [row[0] for row in rows if row[-1] == "WORSE"]
    lines.append(f"Worse: {', '.join(worse)}." if worse else "No figure is worse.")
    return "\n".join(lines), bool(worse)
