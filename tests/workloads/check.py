#!/usr/bin/env python3
"""Runs the workloads and checks that the truth they write is plausible.

    check.py [--build DIR] [--keep DIR] [NAME...]

DIR holds the programs (default: build/workloads/release); NAME picks workloads.
What is checked of each truth file: it has all its records, each await's line holds an `.await` inside the
function named, no await is shorter than its designed length, all tasks came to their end. Built with
RUSTFLAGS="--cfg tokio_unstable" (into another directory), the number of polls that tokio counted must fit
the number of Pendings noted.
"""

import argparse
import collections
import functools
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE / "../../build/workloads/release"

# Each run: a name, its command line, the kinds of record it must have.
RUNS = [
    ("request", ["request", "--rounds", "20"], ["await", "expect", "task"]),
    ("request-current", ["request", "--rounds", "20", "--flavor", "current"], ["await", "expect", "task"]),
    ("timers", ["timers"], ["await", "expect", "task"]),
    ("timers-current", ["timers", "--flavor", "current"], ["await", "expect", "task"]),
    ("pipeline", ["pipeline"], ["await", "expect", "task", "hold", "wake"]),
    ("pipeline-current", ["pipeline", "--flavor", "current"], ["await", "expect", "task", "hold", "wake"]),
    ("web", ["web", "--rounds", "20"], ["await", "expect", "task", "hold", "work"]),
    ("web-current", ["web", "--rounds", "20", "--flavor", "current"], ["await", "expect", "task", "hold", "work"]),
    ("blocker", ["blocker"], ["await", "expect", "task", "wake", "work"]),
    ("blocker-current", ["blocker", "--flavor", "current"], ["await", "expect", "task", "wake", "work"]),
    ("burn", ["burn"], ["await", "expect", "task", "work"]),
    ("roots", ["roots"], ["await", "expect", "task"]),
    ("shapes", ["shapes"], ["await", "expect", "task", "chain"]),
    ("shapes-current", ["shapes", "--flavor", "current"], ["await", "expect", "task", "chain"]),
]

# Each mode of `panics`: its options, what it prints, its status; and whether it needs unwinding.
LINES = [f"round {n}: {{}}\n" for n in range(3)]
PANICS = [
    (["spawned"], "".join(line.format(f"round {n} exploded") for n, line in enumerate(LINES)), 0, True),
    (
        ["unwind"],
        "".join(line.format(f"left block_on: round {n} exploded") for n, line in enumerate(LINES))
        + "and the runtime still knows: 42\n",
        0,
        True,
    ),
    (["inside"], "caught 12 panics inside of polls\n", 0, True),
    (["churn", "--seconds", "1"], "all tasks gave the right result\n", 0, False),
    (["exec", "--after-ms", "50"], "", 0, False),
    (["fork"], "".join(line.format("the child exited with 7") for line in LINES), 0, False),
    (["abort", "--after-ms", "50"], "aborting\n", -signal.SIGABRT, False),
]


@functools.cache
def source(file):
    found = list(HERE.glob(f"src/bin/**/{file}"))
    assert len(found) == 1, f"{file}: {found}"
    return found[0].read_text().splitlines()


def enclosing(file, line):
    """The names of the functions whose `fn` line stands above a line and further left, innermost first."""
    lines = source(file)
    column = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    names = []
    for text in reversed(lines[:line]):
        indent = len(text) - len(text.lstrip())
        match = re.match(r"\s*(?:pub )?(?:const )?(?:async )?fn (\w+)", text)
        if match and indent < column:
            names.append(match[1])
            column = indent
    return names


def check(records, kinds):
    """Yields what is wrong with the records of a run."""
    by_type = collections.defaultdict(list)
    for record in records:
        by_type[record["t"]].append(record)
    if not records or records[0]["t"] != "run":
        yield "no run record in front"
    for kind in kinds:
        if not by_type[kind]:
            yield f"no {kind} record"

    for file, line, function in sorted({(a["file"], a["line"], a["function"]) for a in by_type["await"]}):
        text = source(file)[line - 1]
        if ".await" not in text and not re.search(r"(select|join)!", text):
            yield f"{file}:{line}: no await here: {text.strip()}"
        if function.split("::")[-1] not in enclosing(file, line):
            yield f"{file}:{line}: not in {function} but in {enclosing(file, line)}"
    for frame in sorted({f for c in by_type["chain"] for b in [c["frames"], *c.get("branches", [])] for f in b}):
        if " (" not in frame:
            continue
        function, file, line = re.fullmatch(r"(.*) \((\S+):(\d+)\)", frame).groups()
        if function.split("::")[-1] not in enclosing(file, int(line)):
            yield f"chain: {frame}: in {enclosing(file, int(line))}"

    parts = {(e["task"], e["line"]): e for e in by_type["expect"] if "line" in e}
    designed = [e for e in by_type["expect"] if "line" in e]
    if len(parts) != len(designed):
        yield "one line has several designed lengths"
    for a in by_type["await"]:
        took = a["end"] - a["start"]
        expect = parts.get((a["task"], a["line"]))
        if took < 0:
            yield f"ends before it starts: {a}"
        if expect and a["pendings"] and expect["part"] == "until deadline" and took < expect["ns"]:
            yield f"shorter than {expect['ns']}: {took}: {a}"

    for t in by_type["task"]:
        if t["spawned"] != t["completed"] and t["task"] != "request::listen":
            yield f"not completed: {t}"
        if not t["partial"] and not any(a["task"] == t["task"] for a in by_type["await"] + by_type["work"] + by_type["chain"]):
            yield f"nothing noted of {t['task']}"

    polls = {p["id"]: p["polls"] for p in by_type["polls"]}
    pendings = collections.Counter()
    names = {}
    unknown = set()
    for a in by_type["await"]:
        names[a["id"]] = a["task"]
        pendings[a["id"]] += a["pendings"] or 0
        if a["pendings"] is None:
            unknown.add(a["id"])
    incomplete = {t["task"] for t in by_type["task"] if t["spawned"] != t["completed"] or t["partial"]}
    for id, count in sorted(polls.items()):
        name = names.get(id, "?")
        if count < pendings[id]:
            yield f"task {id} ({name}): {count} polls, but {pendings[id]} Pendings noted"
        if id in unknown or name in incomplete:
            continue
        if count != pendings[id] + 1:
            yield f"task {id} ({name}): {count} polls, {pendings[id]} Pendings noted"


def run(build, command, truth):
    program = [str(build / command[0]), *command[1:], "--truth", str(truth)]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode or done.stdout or done.stderr:
        yield f"exit status {done.returncode}, printed {done.stdout!r} {done.stderr!r}"


def summary(records):
    """Per await site: count, count of zero and unknown Pendings, mean lateness against the design."""
    parts = {(r["task"], r["line"]): r["ns"] for r in records if r["t"] == "expect" and "line" in r}
    sites = collections.defaultdict(list)
    for r in records:
        if r["t"] == "await":
            sites[r["task"], r["function"], r["line"], r["leaf"]].append(r)
    for (task, function, line, leaf), waits in sorted(sites.items()):
        times = [w["end"] - w["start"] for w in waits]
        zero = sum(w["pendings"] == 0 for w in waits)
        unknown = sum(w["pendings"] is None for w in waits)
        designed = parts.get((task, line))
        mean = sum(times) / len(times)
        text = f"    {task:24} {function:36} {line:4} {leaf:12} {len(waits):5} waits"
        text += f" mean {mean / 1e3:9.0f} µs" + (f" designed {designed / 1e3:7.0f}" if designed else "")
        text += (f" zero {zero}" if zero else "") + (f" unknown {unknown}" if unknown else "")
        print(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=BUILD, help="where the programs are")
    parser.add_argument("--keep", type=pathlib.Path, help="keep the truth files here")
    parser.add_argument("--verbose", "-v", action="store_true", help="show each await's counts and means")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.keep or pathlib.Path(scratch)
        directory.mkdir(exist_ok=True)
        for name, command, kinds in RUNS:
            if options.names and not any(name.startswith(wanted) for wanted in options.names):
                continue
            truth = directory / f"{name}.jsonl"
            errors = list(run(options.build, command, truth))
            records = [json.loads(line) for line in truth.read_text().splitlines()] if truth.exists() else []
            errors += check(records, kinds)
            print(f"{'FAIL' if errors else 'ok':4} {name}: {len(records)} records", flush=True)
            for error in errors[:20]:
                print(f"     {error}")
            if options.verbose:
                summary(records)
            failed += bool(errors)
    for mode, output, status, unwinds in PANICS:
        name = f"panics-{mode[0]}"
        if options.names and not any(name.startswith(wanted) for wanted in options.names):
            continue
        program = [options.build / "panics", *mode]
        done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if unwinds and options.build.name == "fat":
            print(f"skip {name}: panic = abort")
        elif (done.stdout, done.returncode) == (output, status):
            print(f"ok   {name}")
        else:
            print(f"FAIL {name}: status {done.returncode}, printed {done.stdout!r} {done.stderr!r}")
            failed += 1
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
