#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""dwell why -i: what lints find in recordings of programs with a fault (workload `lints'), at the lines that marks in the
source say; nothing in those of programs that are well. A moment, the slowest waits, a task's history: they agree with
each other, and a history has all of the task's time. Without root, and without the program."""

import json
import os
import re
import shutil
import subprocess

from harness import (DWELL, PROFILES, ROOT, Checks, marked_faults, need_files, need_recording, output, report, run, scratch, workload)

SOURCE = ROOT / "tests/workloads/src/bin/lints.rs"
TRIES = 3       # of a program that is well: a busy machine may delay it
NOBODY = 65534


def record(data, *argv, seconds=6):
    """It has a standard input that does not end before the recording does."""
    theirs, ours = os.pipe()
    try:
        done = run(DWELL, "record", "-o", data, "--duration", str(seconds), "--", *argv, timeout=60, stdin=theirs)
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 0, f"{argv}: {done.stderr[-2000:]}"


def why(data, *options):
    return json.loads(output(DWELL, "why", "--json", "-i", data, *options))


def lines_of(finding):
    return {place["line"] for place in finding["where"] if place["file"] == SOURCE.name}


def one_lint(checks, label, data, kind, marks):
    seen = why(data)
    found = [finding for finding in seen["findings"] if finding["kind"] == kind]
    if not checks.check(found, f"{label}: there is a finding of its kind", json.dumps(seen["findings"], indent=1)):
        return
    for mark, lines in marks.items():
        checks.check(any(set(lines) <= lines_of(finding) for finding in found), f"{label}: {mark} is told",
                     f"{lines}: {json.dumps(found, indent=1)}")
    culprits = set(marks["CULPRIT"])
    checks.check(culprits <= lines_of(seen["findings"][0]), f"{label}: the first finding has the culprit's line",
                 f"{culprits}: {json.dumps(seen['findings'][0], indent=1)}")
    option = {"timer late by its own task": "timer-late", "burst of an interval": "burst", "self-wakes": "self-wake",
              "starved task": "queue-delay"}.get(kind, kind.replace("never yielded", "never-yielded").replace(" ", "-"))
    off = why(data, f"--{option}", "off")
    checks.check(all(finding["kind"] != kind for finding in off["findings"]), f"{label}: --{option} off",
                 f"{off['findings']}")


def healthy(checks, label, directory, *argv):
    told = []
    for _ in range(TRIES):
        data = directory / "healthy.data"
        record(data, *argv, seconds=2)
        told = why(data)["findings"]
        if not told:
            break
    checks.check(not told, f"{label}: no finding", json.dumps(told, indent=1))


def moment(checks, data, marks):
    """While the culprit sleeps: it is being polled, and the victim waits for a time that has passed."""
    finding = next(f for f in why(data)["findings"] if f["kind"] == "lost driver")
    at = (finding["from_ns"] + finding["to_ns"]) // 2
    seen = why(data, "--at", f"{at / 1e9:.6f}")
    states = {task["at"]["line"]: task for task in seen["tasks"]}
    culprit, victim = states.get(marks["CULPRIT"][0]), states.get(marks["VICTIM"][0])
    if not checks.check(culprit and victim, "at: both are told", json.dumps(seen["tasks"], indent=1)):
        return
    checks.equal((culprit["state"], victim["state"]), ("is being polled", "waits"), "at: their states")
    checks.check(victim["keys"][0]["kind"] == "deadline" and victim["keys"][0]["due_ns"] < at, "at: it is overdue",
                 f"{victim['keys']}")
    checks.check(victim["chain"][0]["line"] == marks["VICTIM"][0], "at: its chain", f"{victim['chain']}")
    checks.check(all(task["from_ns"] <= at <= task["to_ns"] for task in seen["tasks"]), "at: all of them are of that moment")
    text = output(DWELL, "why", "-i", data, "--at", f"{at / 1e9:.6f}")
    checks.check("was due at" in text and f"lints.rs:{marks['VICTIM'][0]}" in text, "at: in words", text)


def slowest(checks, data, marks):
    seen = why(data, "--slowest", "5")["slowest"]
    for what, events in seen.items():
        spans = [event["to_ns"] - event["from_ns"] for event in events]
        checks.equal(spans, sorted(spans, reverse=True), f"slowest {what}: in order")
    checks.equal(len(seen["polls"]), 5, "slowest: so many as asked for")
    checks.equal({poll["at"]["line"] for poll in seen["polls"]}, set(marks["CULPRIT"]), "slowest polls: where it sleeps")
    more = why(data, "--slowest", "100000")["slowest"]["waits"]
    checks.equal(max((wait["to_ns"] - wait["from_ns"] for wait in more)), seen["waits"][0]["to_ns"] -
                 seen["waits"][0]["from_ns"], "slowest waits: of all the longest")


def history(checks, label, data):
    """All lives together are the recording's tasks; each life's time is that of its parts."""
    whole = report(data)
    names = {row["task"] for row in why(data)["waits"]}
    checks.check(names, f"{label}: tasks that wait")
    for name in sorted(names):
        seen = why(data, name)
        for life in seen["tasks"]:
            checks.equal(sum(life["segments"].values()), life["to_ns"] - life["from_ns"], f"{label}: {name}: its time")
            episodes = life["episodes"]
            ends = [event["to_ns"] for event in episodes]
            checks.check(life["more"] or ([life["from_ns"], *ends[:-1]] == [event["from_ns"] for event in episodes]
                                          and ends[-1] == life["to_ns"]), f"{label}: {name}: without gaps",
                         json.dumps(episodes, indent=1)[:2000])
            again = why(data, life["id"])["tasks"]
            checks.check(life in again, f"{label}: {name}: the same by its id")
        checks.check(whole["tasks"]["seen"] >= len(seen["tasks"]), f"{label}: {name}: so many tasks")


def woken_by(checks, data, marks):
    seen = why(data, "--slowest", "1000")["slowest"]["waits"]
    victim = [wait for wait in seen if wait["at"]["line"] == marks["VICTIM"][0]]
    checks.check(victim and victim[0]["woken_by"] == "task lints::queue", "queue: who woke it", f"{victim}")
    checks.check(victim and any("worker blocked in task lints::queue" in part["detail"] for part in victim[0]["parts"]),
                 "queue: what kept it from its poll", f"{victim}")


def elsewhere(checks, directory, program):
    """The file is enough: no root, no program."""
    copy, data = directory / "gone", directory / "elsewhere.data"
    shutil.copy(program, copy)
    record(data, copy, "blocking")
    want = output(DWELL, "why", "-i", data)
    copy.unlink()
    with open(data, "rb") as file:
        there = subprocess.run([DWELL, "why", "-i", "-"], stdin=file, capture_output=True, text=True, timeout=60,
                               user=NOBODY if os.geteuid() == 0 else None, cwd="/")
    checks.equal((there.returncode, there.stdout), (0, want), "without root and without the program: the same")


def wrong_use(checks, data):
    empty = data.with_name("empty.data")
    empty.write_bytes(b"")
    for argv, status, word in (
            (["-p", "1", "-i", data], 2, "exclude each other"), (["-p", "1", "--at", "1"], 2, "-i FILE"),
            (["-p", "1", "--long-poll", "1"], 2, "-i FILE"), (["-i", data, "-i", data], 2, "one recording"),
            (["-i", data, "--at", "x"], 2, "--at is a time"), (["-i", data, "--slowest", "0"], 2, "--slowest is a number"),
            (["-i", data, "--self-wake", "101"], 2, "from 1 to 100"), (["-i", data, "--burst", "x"], 2, "--burst is a number"),
            (["-i", data, "--long-poll", "soon"], 2, "--long-poll is a time"), (["-i", data, "a", "b"], 2, "one task"),
            (["-i", data, "--at", "1h"], 1, "behind the end"), (["-i", data, "no such task"], 1, "no such task"),
            (["-i", data, "0x1"], 1, "0x1"), (["-i", empty], 1, "empty"), (["-i", "/nowhere"], 1, "No such file"),
            (["-i", DWELL], 1, "not a dwell trace")):
        seen = run(DWELL, "why", *argv)
        checks.equal((seen.returncode, seen.stdout), (status, ""), f"{argv[1:]}: status")
        checks.check(word in seen.stderr and seen.stderr.count("\n") == 1, f"{argv[1:]}: one line says how", seen.stderr)


def plain(text):
    """Without what differs from run to run."""
    text = re.sub(r"\d+\.\d{6} s", "T", re.sub(r"0x[0-9a-f]+", "0x…", text))
    text = re.sub(r"\d+ ticks", "N ticks", re.sub(r"; the longest of .*", "", text))
    text = re.sub(r"\b\d+(\.\d+)? (ns|µs|ms|s)\b", "T", re.sub(r"<?\d+(\.\d+)?%", "N%", text))
    return re.sub(r" +", " ", text).strip()


def findings_of(text):
    """What the documentation shows: all before the waits, whose small parts differ from run to run."""
    return text.partition("Longest waits")[0]


def documentation(checks, program, directory):
    """What doc/why.md shows is what is printed, and its table of lints is the help's."""
    page = (ROOT / "doc/why.md").read_text()
    shown = re.findall(r"```\n\$ dwell record -o dwell.data -- lints (\w+)\n\$ dwell why -i dwell.data([^\n]*)\n(.*?)```", page,
                       re.DOTALL)
    checks.equal(len(shown), 2, "recordings in the page")
    for name, options, text in shown:
        data = directory / "page.data"
        record(data, program, name)
        seen = output(DWELL, "why", "-i", data, *options.split())
        checks.equal(plain(findings_of(seen)), plain(findings_of(text)), f"doc/why.md is true of lints {name} {options}")
    described = dict(re.findall(r"^\| `[a-z -]+` \| `--([a-z-]+)` \| ([^|]+?) \|", page, re.MULTILINE))
    told = " ".join(output(DWELL, "why", "--help").split())
    checks.equal(len(described), 9, "lints in the page")
    for option, limit in described.items():
        checks.check(re.search(rf"--{option}=\w+ (?:(?!--).)*\({re.escape(limit)}\)", told), f"--{option}: {limit} by default", told)


def main():
    need_recording()
    need_files(DWELL, *(workload("lints", profile) for profile in PROFILES), workload("faults"), workload("web"))
    checks = Checks()
    known = marked_faults("lints")
    checks.equal(len(known), 7, "lints with marks")
    with scratch() as directory:
        for profile in PROFILES:
            for name, (kind, marks) in known.items():
                data = directory / f"{profile}-{name}.data"
                with checks.guarded(f"{profile}: {name}"):
                    record(data, workload("lints", profile), name)
                    one_lint(checks, f"{profile}: {name}", data, kind, marks)
        for name in ("busy", "rest"):
            with checks.guarded(name):
                healthy(checks, name, directory, workload("faults"), name)
        with checks.guarded("web"):
            healthy(checks, "web", directory, workload("web"), "--seconds", "2")
        with checks.guarded("moment"):
            moment(checks, directory / "release-lost_driver.data", known["lost_driver"][1])
        with checks.guarded("slowest"):
            slowest(checks, directory / "release-blocking.data", known["blocking"][1])
        with checks.guarded("woken"):
            woken_by(checks, directory / "release-queue.data", known["queue"][1])
        for name in ("late", "lost_driver", "queue"):
            with checks.guarded(f"history of {name}"):
                history(checks, f"history of {name}", directory / f"release-{name}.data")
        with checks.guarded("elsewhere"):
            elsewhere(checks, directory, workload("lints"))
        with checks.guarded("wrong use"):
            wrong_use(checks, directory / "release-queue.data")
        with checks.guarded("page"):
            documentation(checks, workload("lints"), directory)
    checks.done()


if __name__ == "__main__":
    main()
