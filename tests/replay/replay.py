#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Recorded files against their expected output, byte for byte.

cases/NAME.txt     the recording as text, to be read
cases/NAME.data    the trace itself: a golden file, replayed here
cases/NAME.folded  `dwell fold --weight ns`
cases/NAME.json    `dwell report --json`
cases/NAME.report  `dwell report`, for some; cases/NAME.hidden the folded stacks without idle waits;
cases/NAME.followed those of --follow; cases/NAME.tree and .nested the report with --follow, and its JSON
cases/NAME.why     `dwell why`, for some; cases/NAME.past what it tells of a moment, and the slowest waits

replay.py            run all cases; the status is 0 if all pass
replay.py --update [CASE...]   write all files but the texts again, or those of a case; review the difference
"""

import difflib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CASES = HERE / "cases"
SCHEMA = ROOT / "src" / "output" / "report.schema.json"

sys.path.insert(0, str(HERE))
import schema  # noqa: E402

OUTPUTS = [
    ("folded", ["fold", "--weight", "ns"]),
    ("json", ["report", "--json"]),
    ("report", ["report"]),
    ("hidden", ["fold", "--weight", "ns", "--idle=hide"]),
    ("followed", ["fold", "--weight", "ns", "--follow"]),
    ("tree", ["report", "--follow"]),
    ("nested", ["report", "--json", "--follow"]),
    ("why", ["why"]),
    ("past", ["why", "--at", "0.1", "--slowest", "3"]),
]
REPORTS = {"io", "losses", "torn", "symbols", "spin", "paths", "blocked", "jobs", "uring", "cpu",
           "user_stacks", "futexes", "throttled_more", "callers"}  # whose report for people is kept, too
WHYS = {"lints", "blocked", "spin", "losses"}  # what is told of why their tasks wait
FOLLOWED = {"follow", "follow_cpu"}
OF_SOME = {"report": REPORTS, "hidden": {"idle", "rings"}, "followed": FOLLOWED, "tree": FOLLOWED,
           "nested": FOLLOWED, "why": WHYS, "past": {"lints"}}
TORN = {"torn"}  # cases that end with a status that is not 0, as they should


def build():
    return Path(os.environ.get("DWELL_BUILD", ROOT / "build"))


def dwell(args, data=None, stdin=None):
    argv = [str(build() / "dwell"), *args]
    if data:
        argv += ["-i", str(data)]
    return subprocess.run(argv, stdin=stdin, capture_output=True, timeout=60)


def differs(name, want, got):
    if want == got:
        return None
    lines = difflib.unified_diff(
        want.decode(errors="replace").splitlines(), got.decode(errors="replace").splitlines(),
        f"{name} expected", "got", lineterm="")
    return "\n".join(lines)


def check_report(name, report):
    """What must hold of any report."""
    with open(SCHEMA, encoding="utf-8") as f:
        yield from (f"{name}: {e}" for e in schema.errors(report, json.load(f)))
    tasks = dict(report["tasks"])
    if tasks.pop("seen") != sum(tasks.values()):
        yield f"{name}: tasks {report['tasks']} do not add up"
    if sum(report["segments"].values()) != report["lifetime_ns"]:
        yield f"{name}: segments {report['segments']} do not add up to {report['lifetime_ns']}"
    total = sum(p["await_ns"] for p in report["await_points"])
    if total != report["segments"]["await"]:
        yield f"{name}: await points add up to {total}, not {report['segments']['await']}"
    for p in report["await_points"]:
        if sum(p["split"].values()) != p["await_ns"]:
            yield f"{name}: split {p['split']} does not add up to {p['await_ns']}"


def check_fold(name, folded, lifetime_ns):
    """What must hold of folded stacks in ns."""
    total = 0
    last = b""
    for line in folded.splitlines():
        stack, _, weight = line.rpartition(b" ")
        total += int(weight)
        if stack <= last:
            yield f"{name}: {stack!r} is out of order"
        last = stack
        for frame in stack.split(b";"):
            if not frame or frame.rpartition(b" ")[2].replace(b".", b"", 1).isdigit() and b" " in frame:
                yield f"{name}: frame {frame!r} is not safe"
    if total != lifetime_ns:
        yield f"{name}: stacks add up to {total}, not {lifetime_ns}"


def run_case(txt):
    """Yield what is wrong with one case."""
    data = txt.with_suffix(".data")
    name = txt.stem
    outputs = {}
    for suffix, args in OUTPUTS:
        expected = txt.with_suffix("." + suffix)
        if suffix in OF_SOME and not expected.exists():
            continue
        p = dwell(args, data)
        if (p.returncode != 0) != (name in TORN):
            yield f"{name}: dwell {args[0]} ended with status {p.returncode}: {p.stderr.decode()}"
        if p.returncode and len(p.stderr.splitlines()) != 1:
            yield f"{name}: not one line of error: {p.stderr.decode()!r}"
        outputs[suffix] = p.stdout
        diff = differs(expected.name, expected.read_bytes(), p.stdout)
        if diff:
            yield diff
    report = json.loads(outputs["json"])
    yield from check_report(name, report)
    yield from check_fold(name, outputs["folded"], report["lifetime_ns"])
    # The same through a pipe, which cannot be read twice.
    cat = subprocess.Popen(["cat", str(data)], stdout=subprocess.PIPE)
    piped = dwell(["fold", "--weight", "ns", "-i", "-"], stdin=cat.stdout).stdout
    cat.stdout.close()
    cat.wait()
    if piped != outputs["folded"]:
        yield f"{name}: standard input folds to something else"
    # In microseconds nothing is lost but the last rounding.
    us = dwell(["fold"], data).stdout
    total = sum(int(line.rpartition(b" ")[2]) for line in us.splitlines())
    if total != (report["lifetime_ns"] + 500) // 1000:
        yield f"{name}: in us {total}, in ns {report['lifetime_ns']}"


def run_wrong():
    """Input that is no trace: one clear line and a status."""
    # What is in the file, and a word that the message must have.
    for content, word in [
        (None, "No such file"), (b"", "empty"), (b"dwell", "not a dwell trace"),
        (b"#!/bin/sh\necho a text file\n", "not a dwell trace"),
        (b"dwelltr\n" + b"\x63\0\0\0" + b"\0" * 4, "format 99"),
        (b"dwelltr\n" + b"\x01\0\0\0" + b"\0" * 4, "nothing was recorded"),
    ]:
        path = build() / "replay.wrong"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        for args in (["fold"], ["report"], ["report", "--json"], ["why"]):
            p = dwell(args, path)
            err = p.stderr.decode()
            if p.returncode != 1 or p.stdout or len(err.splitlines()) != 1 or word not in err:
                yield f"{content!r}: {args}: status {p.returncode}, {p.stdout!r}, {err!r}, wanted {word!r}"
        path.unlink(missing_ok=True)
    for command in ("fold", "flamegraph"):
        p = dwell([command, "--diff", "a", "b", "c"])
        if p.returncode != 2 or b"compares two recordings, and then what is c?" not in p.stderr:
            yield f"{command} --diff of three: status {p.returncode}, {p.stderr.decode()!r}"
    for args in (["fold", "--weight", "s"], ["report", "--xml"], ["fold", "a", "b"]):
        p = dwell(args)
        if p.returncode != 2 or p.stdout:
            yield f"{args}: status {p.returncode}, {p.stdout!r}, {p.stderr.decode()!r}"


def run_cut():
    """A trace truncated at each byte is read up to there, or refused with one line."""
    data = (CASES / "io.data").read_bytes()
    path = build() / "replay.cut"
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        p = dwell(["report", "--json"], path)
        if p.returncode != 1 or len(p.stderr.splitlines()) != 1:
            yield f"cut at {size}: status {p.returncode}, {p.stderr.decode()!r}"
            break
        if p.stdout:
            yield from check_report(f"cut at {size}", json.loads(p.stdout))
    path.unlink(missing_ok=True)


def order_of(report, sort):
    """What the await points of a report are ordered by."""
    keys = {
        "total": lambda p: p["await_ns"] + p["ready_ns"], "await": lambda p: p["await_ns"],
        "ready": lambda p: p["ready_ns"], "count": lambda p: p["count"] + p["open"],
        "p99": lambda p: p["p99_ns"], "max": lambda p: p["max_ns"],
    }
    return [keys[sort](p) for p in report["await_points"]]


def run_sorted():
    """--sort and --top, in both reports."""
    for data in sorted(CASES.glob("*.data")):
        name = data.stem
        usual = json.loads(dwell(["report", "--json"], data).stdout)
        nr = len(usual["await_points"])
        for sort in ("total", "await", "ready", "count", "p99", "max"):
            report = json.loads(dwell(["report", "--json", "--sort", sort], data).stdout)
            order = order_of(report, sort)
            if order != sorted(order, reverse=True):
                yield f"{name}: --sort {sort}: {order}"
            if sort == "total" and report != usual:
                yield f"{name}: --sort total is not what there is without"
            text = dwell(["report", "--sort", sort, "--top", "1"], data).stdout.decode()
            if "\n  2. " in text:
                yield f"{name}: --top 1 shows a second place\n{text}"
            text = text[text.find("\nAwait points"):]
            if nr and text.count("\n  1. ") != 1:
                yield f"{name}: --top 1 shows\n{text}"
            if nr > 1 and f"(1 of {nr}; --top {nr} for all):" not in text:
                yield f"{name}: --top 1 does not say that there are {nr}\n{text}"
            one = json.loads(dwell(["report", "--json", "--sort", sort, "--top", "1"], data).stdout)
            if one["await_points"] != report["await_points"][:1] or one["selection"]["await_points"] != nr:
                yield f"{name}: --json --sort {sort} --top 1: {one['selection']} {one['await_points']}"
    for args in (["--sort", "time"], ["--top", "0"], ["--top", "-1"], ["--top", "x"], ["--top", "9" * 30]):
        p = dwell(["report", *args], CASES / "io.data")
        if p.returncode != 2 or p.stdout or len(p.stderr.splitlines()) != 1:
            yield f"{args}: status {p.returncode}, {p.stderr.decode()!r}"


def run_selected():
    """--task: each task's share is what it is of the whole, and the shares add up to it."""
    for data in sorted(CASES.glob("*.data")):
        name = data.stem
        whole = json.loads(dwell(["report", "--json"], data).stdout)
        stacks = dwell(["fold", "--weight", "ns"], data).stdout.splitlines()
        seen = lifetime = 0
        points = []
        for task in sorted({line.split(b";")[1].decode() for line in stacks}):
            pattern = "".join(f"[{c}]" if c in "*?[\\" else c for c in task)
            part = json.loads(dwell(["report", "--json", "--task", pattern], data).stdout)
            yield from check_report(f"{name}: {task}", part)
            seen += part["tasks"]["seen"]
            lifetime += part["lifetime_ns"]
            points += part["await_points"]
            if {p["task"] for p in part["await_points"]} - {task}:
                yield f"{name}: --task {task} has others' points"
            if part["selection"]["task"] != pattern or part["selection"]["all_lifetime_ns"] != whole["lifetime_ns"]:
                yield f"{name}: --task {task}: {part['selection']}"
            folded = dwell(["fold", "--weight", "ns", "--task", pattern], data).stdout.splitlines()
            if folded != [line for line in stacks if line.split(b";")[1].decode() == task]:
                yield f"{name}: fold --task {task}: {folded}"
            text = dwell(["report", "--task", pattern], data).stdout.decode()
            if f"{part['tasks']['seen']} of {whole['tasks']['seen']}:" not in text or "These tasks' time: " not in text:
                yield f"{name}: --task {task} does not say what it covers:\n{text}"
        if lifetime != whole["lifetime_ns"] or seen > whole["tasks"]["seen"]:
            yield f"{name}: parts add up to {lifetime} ns and {seen} tasks, {whole['lifetime_ns']} and {whole['tasks']}"
        if sorted(map(str, points)) != sorted(map(str, whole["await_points"])):
            yield f"{name}: the parts' points are not those of the whole"
        if stacks and dwell(["fold", "--weight", "ns", "--task", "*"], data).stdout.splitlines() != stacks:
            yield f"{name}: --task '*' is not all"
    for args in (["report"], ["report", "--json"], ["fold"], ["flamegraph", "-o", "-"]):
        for pattern in ("SERVER::*", "server", "", "server::ru"):
            p = dwell([*args, "--task", pattern], CASES / "io.data")
            err = p.stderr.decode()
            if p.returncode != 1 or p.stdout or len(err.splitlines()) != 1 or "other::work, server::run" not in err:
                yield f"{args} --task {pattern!r}: status {p.returncode}, {err!r}"


def weights(data, *options):
    """The folded stacks of a recording, in ns. Waits for a job are one: of a long one --follow keeps more of what it did."""
    stacks = {}
    for line in dwell(["fold", "--weight", "ns", *options], data).stdout.splitlines():
        stack, _, weight = line.rpartition(b" ")
        stack = re.sub(rb";\[await\];job .*", b";[await];job", stack)
        stacks[stack] = stacks.get(stack, 0) + int(weight)
    return stacks


def run_followed():
    """--follow: what stands below a wait adds up to the wait, to the nanosecond, and nothing else changes."""
    followed = 0
    for data in sorted(CASES.glob("*.data")):
        for idle in ("--idle=show", "--idle=hide", "--idle=only"):
            plain, below = weights(data, idle), weights(data, idle, "--follow")
            sums = dict.fromkeys(plain, 0)
            for stack, ns in below.items():
                frames = stack.split(b";")
                # The longest one that it goes on from.
                wait = next((w for n in range(len(frames), 0, -1) if (w := b";".join(frames[:n])) in plain), None)
                if wait is None:
                    yield f"{data.stem} {idle}: --follow has a new stack {stack!r}"
                    continue
                sums[wait] += ns
                if wait != stack:
                    followed += 1
                    if b";by task " not in wait and b";by blocking job " not in wait and b";joined " not in wait:
                        yield f"{data.stem} {idle}: {wait!r} is followed: {stack!r}"
            yield from (f"{data.stem} {idle}: {stack!r} took {plain[stack]}, what is below it {ns}"
                        for stack, ns in sums.items() if ns != plain[stack])
            yield from (f"{data.stem} {idle}: {stack!r} is not followed" for stack in below
                        if stack.rpartition(b";")[2].startswith((b"by task ", b"by blocking job ")))
    if not followed:
        yield "no case has anything to follow"


def check_tree(name, entries):
    """What must hold of a tree of followed waits: longest first, and all that is below an entry adds up to it."""
    times = [e["ns"] for e in entries if "others" not in e]
    if times != sorted(times, reverse=True) or min(times, default=1) <= 0:
        yield f"{name}: {times} are not the longest first"
    for e in entries:
        if ("segment" in e) == ("why" in e) and "others" not in e:
            yield f"{name}: {e} tells neither what was done nor why that is not known"
        if "followed" not in e:
            continue
        if sum(b["ns"] for b in e["followed"]) != e["ns"]:
            yield f"{name}: what is below {e} does not add up to it"
        yield from check_tree(name, e["followed"])


def leaves(entries):
    """The entries that have nothing below them."""
    for e in entries:
        if "followed" in e:
            yield from leaves(e["followed"])
        else:
            yield e


def run_trees():
    """report --follow: the same report, with trees that say what the folded stacks of --follow say."""
    nr = 0
    for data in sorted(CASES.glob("*.data")):
        name = data.stem
        for options in ([], ["--idle=hide"], ["--follow=1"]):
            plain = json.loads(dwell(["report", "--json", *[o for o in options if "follow" not in o]], data).stdout)
            report = json.loads(dwell(["report", "--json", "--follow", *options], data).stdout)
            yield from check_report(name, report)
            if report["selection"].pop("follow", None) != (1 if "--follow=1" in options else 4):
                yield f"{name}: the report does not say how deep it follows"
            below = {}
            for p, q in zip(report["await_points"], plain["await_points"]):
                yield from check_tree(name, p["followed"])
                for e in p.pop("followed"):
                    nr += 1
                    if e.get("task") != p["task"] or e["ns"] > p["split"].get(e["part"], 0):
                        yield f"{name}: {e} is not of {p}"
                    if not e["detail"].endswith("others") and not any(d.endswith("others") for d in p["details"]) and \
                       e["ns"] > p["details"].get(e["detail"], 0):
                        yield f"{name}: {e} has more than {p['details']}"
                    for leaf in leaves([e]):
                        why = leaf.get("why", "")
                        below[why] = below.get(why, 0) + leaf["ns"]
                # Details are not merged, more is known of jobs; and nothing else changes.
                if {k: v for k, v in p.items() if k not in ("details", "split")} != \
                   {k: v for k, v in q.items() if k not in ("details", "split")}:
                    yield f"{name}: {p} is {q} without --follow"
            folded = {}
            for line in dwell(["fold", "--weight", "ns", "--follow", *options], data).stdout.decode().splitlines():
                stack, _, ns = line.rpartition(" ")
                why = stack.rpartition(";")[2]
                if why.startswith("[follow: "):
                    folded[why] = folded.get(why, 0) + int(ns)
            if {w: n for w, n in below.items() if w} != folded:
                yield f"{name}: {below} in trees, {folded} in stacks"
            text = dwell(["report", "--follow", *options], data).stdout.decode()
            if text.count("\n     followed:\n") != sum("followed" in p and bool(p["followed"]) for p in json.loads(
                    dwell(["report", "--json", "--follow", "--top", "20", *options], data).stdout)["await_points"]):
                yield f"{name}: not each point's tree is in the text\n{text}"
    if nr < 5:
        yield f"only {nr} waits have been followed"
    for command in ("fold", "report", "flamegraph"):
        for depth in ("0", "17", "x", ""):
            p = dwell([command, f"--follow={depth}"], CASES / "io.data")
            if p.returncode != 2 or p.stdout or len(p.stderr.splitlines()) != 1 or b"from 1 to 16" not in p.stderr:
                yield f"{command} --follow={depth}: status {p.returncode}, {p.stderr.decode()!r}"


def columns(line):
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(unicodedata.category(c) in ("Mn", "Me") for c in line)


def on_terminal(args, data, width, env):
    """Standard output of a command that writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    command = [str(build() / "dwell"), *args, "-i", str(data)]
    # The end is marked, and the terminal closed only then: what a program wrote may be lost once nobody has it open.
    mark = threading.Thread(target=lambda: (child.wait(), os.write(theirs, b"\0")))
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL,
                          env={**os.environ, **env}) as child:
        mark.start()
        out = b""
        while not out.endswith(b"\0"):
            out += os.read(ours, 65536)
        mark.join()
    os.close(theirs)
    os.close(ours)
    return out[:-1].decode().replace("\r\n", "\n")


def run_width():
    """No line is wider than the terminal, or than 80 columns if there is none; wider ones are made use of."""
    for data in sorted(CASES.glob("*.data")):
        plain = {}
        for width in (40, 53, 80, 132, 300):
            plain[width] = on_terminal(["report"], data, width, {"COLUMNS": "10"})
            followed = on_terminal(["report", "--follow"], data, width, {"COLUMNS": "10"})
            for text in (plain[width], followed):
                wide = [line for line in text.splitlines() if columns(line) > width]
                if wide or not text or any(line != line.rstrip() for line in text.splitlines()):
                    yield f"{data.stem}: {width} columns: {wide}\n{text}"
        piped = dwell(["report"], data).stdout.decode()
        if piped != plain[80] or piped != subprocess.run([str(build() / "dwell"), "report", str(data)], env={
                **os.environ, "COLUMNS": "50"}, capture_output=True, timeout=60).stdout.decode():
            yield f"{data.stem}: without a terminal it is not 80 columns wide\n{piped}"
        # The same words, however they are broken.
        if data.stem == "io" and len({" ".join(plain[w].replace("#", "").split()) for w in (80, 132, 300)}) != 1:
            yield f"{data.stem}: other words in other widths"
        if len(plain[40].splitlines()) < len(plain[80].splitlines()) or \
           len(plain[300].splitlines()) > len(plain[80].splitlines()):
            yield f"{data.stem}: a wider terminal takes more lines"
    for said, width in (("100", 100), ("x", 80), ("", 80), ("0", 80), ("7", 40)):
        text = on_terminal(["report"], CASES / "paths.data", 0, {"COLUMNS": said})
        if text != on_terminal(["report"], CASES / "paths.data", width, {}):
            yield f"COLUMNS={said!r}: not {width} columns"


# What no report says: a number with a noun of the other number, times that are none, units of which there are 1000.
NEVER = re.compile(r"\b1 (waits|tasks|events|probe hits|times|others|open waits)\b|(?<![.,\d])[02-9] (wait|task|event|probe hit)\b"
                   r"|\b0 waits|\b0 open|then ready 0 ns|\b1000 [a-zµ]|\b0\.0 [kM]B|task task|dropped before"
                   r"|\b\d{4,}\.\d %")


def run_words():
    for data in sorted(CASES.glob("*.data")):
        text = " ".join(dwell(["report"], data).stdout.decode().split())
        if NEVER.search(text):
            yield f"{data.stem}: {NEVER.search(text)}\n{text}"


def tests():
    """Pairs of a name and a function that yields errors, for a runner."""
    for txt in sorted(CASES.glob("*.txt")):
        yield f"replay {txt.stem}", lambda txt=txt: run_case(txt)
    yield "replay sorted", run_sorted
    yield "replay selected", run_selected
    yield "replay followed", run_followed
    yield "replay trees", run_trees
    yield "replay width", run_width
    yield "replay words", run_words
    yield "replay wrong input", run_wrong
    yield "replay truncated anywhere", run_cut


def update(only):
    tool = build() / "text2trace"
    subprocess.run(
        [os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-g", "-Isrc", "-Ibpf", "-I.",
         "-o", str(tool), "tests/replay/text2trace.c", "tests/replay/text_trace.c", "tests/replay/text_words.c",
         str(build() / "libdwell.a")], cwd=ROOT, check=True)
    for txt in sorted(CASES.glob("*.txt")):
        if only and txt.stem not in only:
            continue
        data = txt.with_suffix(".data")
        subprocess.run([str(tool), str(txt), str(data)], check=True)
        for suffix, args in OUTPUTS:
            expected = txt.with_suffix("." + suffix)
            if txt.stem in OF_SOME.get(suffix, {txt.stem}):
                expected.write_bytes(dwell(args, data).stdout)


def main():
    if sys.argv[1:2] == ["--update"]:
        update(sys.argv[2:])
        return 0
    failed = 0
    for name, test in tests():
        wrong = list(test())
        print("FAIL" if wrong else "ok  ", name)
        for line in wrong:
            print("    " + line.replace("\n", "\n    "))
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
