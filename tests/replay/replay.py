#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Recorded files against their expected output, byte for byte.

cases/NAME.txt     the recording as text, to be read
cases/NAME.data    the trace itself: a golden file, replayed here
cases/NAME.folded  `dwell fold --weight ns`
cases/NAME.json    `dwell report --json`
cases/NAME.report  `dwell report`, for some

replay.py            run all cases; the status is 0 if all pass
replay.py --update   write all but the texts anew, to be read over
"""

import difflib
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CASES = HERE / "cases"
SCHEMA = ROOT / "src" / "join" / "report.schema.json"

sys.path.insert(0, str(HERE))
import schema  # noqa: E402

OUTPUTS = [
    ("folded", ["fold", "--weight", "ns"]),
    ("json", ["report", "--json"]),
    ("report", ["report"]),
]
REPORTS = {"io", "losses", "torn", "symbols", "spin", "paths"}  # whose report for people is kept, too
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
        if suffix == "report" and not expected.exists():
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
        for args in (["fold"], ["report"], ["report", "--json"]):
            p = dwell(args, path)
            err = p.stderr.decode()
            if p.returncode != 1 or p.stdout or len(err.splitlines()) != 1 or word not in err:
                yield f"{content!r}: {args}: status {p.returncode}, {p.stdout!r}, {err!r}, wanted {word!r}"
        path.unlink(missing_ok=True)
    for args in (["fold", "--weight", "s"], ["report", "--xml"], ["fold", "a", "b"]):
        p = dwell(args)
        if p.returncode != 2 or p.stdout:
            yield f"{args}: status {p.returncode}, {p.stdout!r}, {p.stderr.decode()!r}"


def run_cut():
    """A trace cut off at each byte is read up to there, or refused with one line."""
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


def tests():
    """Pairs of a name and a function that yields errors, for a runner."""
    for txt in sorted(CASES.glob("*.txt")):
        yield f"replay {txt.stem}", lambda txt=txt: run_case(txt)
    yield "replay wrong input", run_wrong
    yield "replay cut anywhere", run_cut


def update():
    tool = build() / "text2trace"
    subprocess.run(
        [os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-g", "-Isrc", "-Ibpf", "-I.",
         "-o", str(tool), "tests/replay/text2trace.c", "tests/replay/text_trace.c",
         str(build() / "libdwell.a")], cwd=ROOT, check=True)
    for txt in sorted(CASES.glob("*.txt")):
        data = txt.with_suffix(".data")
        subprocess.run([str(tool), str(txt), str(data)], check=True)
        for suffix, args in OUTPUTS:
            expected = txt.with_suffix("." + suffix)
            if suffix != "report" or txt.stem in REPORTS:
                expected.write_bytes(dwell(args, data).stdout)


def main():
    if sys.argv[1:] == ["--update"]:
        update()
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
