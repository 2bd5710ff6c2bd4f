#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""dwell why on programs that have come to a stand (`faults', `ends', `shapes_of_faults'): the first finding has the
kind and lines that marks in the source say. Programs that are well have no findings. Nothing is attached meanwhile."""

import concurrent.futures
import json
import re
import subprocess

from harness import (DWELL, PROFILES, ROOT, Checks, Process, bpf_links, marked_faults, need_files, need_recording, run,
                     scratch, wait_for, workload)

AT_ONCE = 3     # programs
KINDS = "deadlock|futurelock|lost wake|blocked worker|starved task|chain|missed edge"
PROGRAMS = ("faults", "ends", "shapes_of_faults")
# those that are well, and how often one looks
HEALTHY = {"faults": {"rest": 12, "busy": 12}, "ends": {"passed": 12, "served": 4},
           "shapes_of_faults": {"answered": 12, "moved": 4, "given": 4}}


def look(checks, name, pid):
    seen = run(DWELL, "why", "-p", str(pid), "--json")
    checks.equal(seen.returncode, 0, f"{name}: it is looked at")
    return json.loads(seen.stdout) if not seen.returncode else {"findings": [], "tasks": [], "threads": []}



def one_fault(checks, label, program, name, kind, marks, directory):
    with Process([program, name], directory, label.replace(": ", "-").replace(" ", "-"), stdin=subprocess.PIPE) as target:
        wait_for(lambda: "there" in target.out, "the program to stand")
        seen = look(checks, label, target.pid)
    if not checks.check(seen["findings"], f"{label}: there is a finding", json.dumps(seen["tasks"], indent=1)):
        return
    first = seen["findings"][0]
    checks.equal(first["kind"], kind, f"{label}: its kind")
    source = f"{program.name}.rs"
    told = {place["line"] for place in first["where"] if place["file"] == source}
    for mark, lines in marks.items():
        checks.check(set(lines) <= told, f"{label}: {mark} is told", f"{lines} in {sorted(told)}: {json.dumps(first, indent=1)}")
    culprits = marks["CULPRIT"]
    checks.check(any(f"{source}:{line} " in first["text"] + " " or f"{source}:{line}," in first["text"]
                     for line in culprits), f"{label}: the sentence names a culprit's line", first["text"])
    checks.equal(len(seen["findings"]), 1, f"{label}: one finding for one fault")


def in_depth(checks, label, program, marks, directory):
    """One task: from its await point to the holder, and back to itself."""
    with Process([program, "upgrade"], directory, label, stdin=subprocess.PIPE) as target:
        wait_for(lambda: "there" in target.out, "the program to stand")
        seen = run(DWELL, "why", "-p", str(target.pid), "faults::upgrade")
        none = run(DWELL, "why", "-p", str(target.pid), "no such task")
    checks.equal(seen.returncode, 0, f"{label}: told")
    for mark in ("BETWEEN", "HOLDER", "CULPRIT"):
        checks.check(f"faults.rs:{marks[mark][0]}" in seen.stdout, f"{label}: {mark} is in it", seen.stdout)
    checks.check("nobody can end that" in seen.stdout, f"{label}: that it is stuck", seen.stdout)
    checks.equal((none.returncode, none.stderr.count("\n")), (1, 1), f"{label}: no such task is an error of one line")


def healthy(checks, label, program, name, looks, directory):
    with Process([program, name], directory, label.replace(": ", "-").replace(" ", "-"), stdin=subprocess.PIPE) as target:
        wait_for(lambda: "there" in target.out, "the program to be there")
        links = bpf_links()
        for _ in range(looks):
            seen = look(checks, label, target.pid)
            checks.equal([finding["text"] for finding in seen["findings"]], [], f"{label}: no finding")
            checks.check(len(seen["tasks"]) >= 3, f"{label}: its tasks are seen", f"{seen['tasks']}")
        checks.equal(bpf_links(), links, f"{label}: nothing is attached")
        checks.check(target.alive(), f"{label}: it runs on")


def plain(text):
    """Without what differs from run to run."""
    for pattern, instead in ((r"0x[0-9a-f]+", "0x…"), (r"at least \S+ \S+", "at least T"), (r"thread \d+", "thread N")):
        text = re.sub(pattern, instead, text)
    return text.strip()


def documentation(checks, program, directory):
    """What doc/why.md shows is what is printed."""
    page = (ROOT / "doc/why.md").read_text()
    shown = re.findall(r"```\n\$ dwell why [^\n]* # faults (\w+)\n(.*?)```", page, re.DOTALL)
    checks.equal(len(shown), 3, "programs in the page")
    for name, text in shown:
        with Process([program, name], directory, f"page-{name}", stdin=subprocess.PIPE) as target:
            wait_for(lambda: "there" in target.out, "the program to stand")
            seen = run(DWELL, "why", "-p", str(target.pid))
        checks.equal(plain(seen.stdout), plain(text), f"doc/why.md is true of {name}")


def wrong_use(checks):
    for argv, word in ((["why"], "-p PID"), (["why", "-p", "x"], "not a process id"), (["why", "1"], "-p PID"),
                       (["why", "-p", "1", "a", "b"], "one task")):
        seen = run(DWELL, *argv)
        checks.equal(seen.returncode, 2, f"{argv}: wrong usage")
        checks.check(word in seen.stderr and seen.stderr.count("\n") == 1, f"{argv}: one line says how", seen.stderr)
    seen = run(DWELL, "why", "-p", "1")
    checks.equal(seen.returncode, 1, "a program without tasks is refused")
    checks.equal(seen.stderr.count("\n"), 1, "in one line")


def programs(known, directory):
    """All that is looked at in programs of the workloads: label, function, its arguments."""
    for profile in PROFILES:
        for program, of in known.items():
            path = workload(program, profile)
            for name, (kind, marks) in of.items():
                label = f"{profile}: {program} {name}"
                yield label, one_fault, (label, path, name, kind, marks, directory)
            for name, looks in HEALTHY[program].items():
                label = f"{profile}: {program} {name}"
                yield label, healthy, (label, path, name, looks, directory)
        yield f"{profile}: in depth", in_depth, (f"{profile}-in-depth", workload("faults", profile),
                                                 known["faults"]["upgrade"][1], directory)


def guarded(checks, label, function, arguments):
    with checks.guarded(label):
        function(checks, *arguments)


def main():
    need_recording()
    need_files(DWELL, *(workload(name, profile) for profile in PROFILES for name in PROGRAMS))
    checks = Checks()
    known = {program: marked_faults(program, KINDS) for program in PROGRAMS}
    checks.equal([len(of) for of in known.values()], [11, 7, 8], "faults with marks")
    with scratch() as directory:
        # they stand still, and dwell waits most of the time
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for label, function, arguments in programs(known, directory):
                pool.submit(guarded, checks, label, function, arguments)
        with checks.guarded("page"):
            documentation(checks, workload("faults"), directory)
    with checks.guarded("wrong use"):
        wrong_use(checks)
    checks.check(checks.passed > 700, "nothing was left out", checks.passed)
    checks.done()


if __name__ == "__main__":
    main()
