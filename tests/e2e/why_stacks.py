#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""User stacks of threads that are blocked, as `dwell why --json` has them: they reach the thread's start, and are those
of a debugger for the same wait. Programs are release builds without frame pointers."""

import json
import pathlib
import re
import shutil
import subprocess

from harness import (DWELL, PROFILES, Checks, Process, need_files, need_recording, run, scratch, skip_all, wait_for,
                     workload)

STILL = ("upgrade", "ring", "unpolled", "sleeper", "chain", "unread")       # workload `faults'
COMPLETE = 0.99
# What the debugger is told: thread id and the addresses of its frames that are not inlined, innermost first.
SCRIPT = """
import gdb
for thread in gdb.selected_inferior().threads():
    thread.switch()
    frame, pcs = gdb.newest_frame(), []
    while frame is not None and frame.is_valid():
        if frame.type() != gdb.INLINE_FRAME:
            pcs.append("%#x" % frame.pc())
        try:
            frame = frame.older()
        except gdb.error:
            break
    print("STACK", thread.ptid[1], *pcs)
"""


def switches(pid):
    """Thread → how often it has slept; it has not run since if that is the same."""
    found = {}
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        text = status.read_text()
        found[int(status.parent.name)] = re.findall(r"ctxt_switches:\s+(\d+)", text)
    return found


def debugger(pid, directory):
    """Thread → its stack."""
    script = directory / "stacks.py"
    script.write_text(SCRIPT)
    seen = run("gdb", "-batch", "-nx", "-p", str(pid), "-ex", "set debuginfod enabled off", "-ex", f"source {script}")
    return {int(line.split()[1]): line.split()[2:] for line in seen.stdout.splitlines() if line.startswith("STACK ")}


def stacks(pid):
    seen = run(DWELL, "why", "-p", str(pid), "--json")
    assert not seen.returncode, seen.stderr
    return {thread["tid"]: thread for thread in json.loads(seen.stdout)["threads"] if thread["stack"]}


def addresses(thread):
    return [frame["pc"] for frame in thread["stack"] if not frame["inlined"]]


def compare(checks, label, pid, directory):
    """How many stacks there were, and how many of them reach the start."""
    before = switches(pid)
    told = stacks(pid)
    same = {tid for tid, count in switches(pid).items() if before.get(tid) == count}
    shown = debugger(pid, directory)
    compared = 0
    for tid, thread in told.items():
        if tid not in same or tid not in shown:
            continue
        compared += 1
        checks.equal(addresses(thread), shown[tid], f"{label}: thread {thread['name']} as in the debugger")
    checks.check(compared, f"{label}: there were threads to compare", f"{before} {list(told)} {list(shown)}")
    return len(told), sum(thread["complete"] for thread in told.values())


def names(checks, label, pid, task, line):
    """A thread that sleeps in a poll: from there up, the task's own function is on the stack, with its line."""
    for thread in stacks(pid).values():
        if thread["polls"] and any(f["function"] == task and f["line"] == line for f in thread["stack"]):
            checks.check(True, f"{label}: the function that sleeps is on the stack")
            return
    checks.check(False, f"{label}: the function that sleeps is on the stack", json.dumps(stacks(pid), indent=1))


def sleeping_line():
    source = pathlib.Path(__file__).parents[1] / "workloads/src/bin/faults.rs"
    return next(number for number, line in enumerate(source.read_text().splitlines(), 1) if "// sleeper: CULPRIT" in line)


def main():
    need_recording()
    need_files(DWELL, *(workload("faults", profile) for profile in PROFILES))
    if not shutil.which("gdb"):
        skip_all("gdb is not installed")
    checks, told, complete = Checks(), 0, 0
    with scratch() as directory:
        for profile in PROFILES:
            for name in STILL:
                label = f"{profile}: {name}"
                with Process([workload("faults", profile), name], directory, f"{profile}-{name}",
                             stdin=subprocess.PIPE) as target, checks.guarded(label):
                    wait_for(lambda: "there" in target.out, "the program to stand")
                    if name == "sleeper":
                        names(checks, label, target.pid, "faults::sleeper", sleeping_line())
                    counts = compare(checks, label, target.pid, directory)
                    told, complete = told + counts[0], complete + counts[1]
            with Process([workload("stuck", profile)], directory, f"{profile}-stuck",
                         stdin=subprocess.PIPE) as target, checks.guarded(f"{profile}: stuck"):
                wait_for(lambda: "stuck" in target.out, "the program to stand")
                counts = compare(checks, f"{profile}: stuck", target.pid, directory)
                told, complete = told + counts[0], complete + counts[1]
    checks.check(told > 40, "there were stacks", told)
    checks.check(complete >= COMPLETE * told, "they reach the thread's start", f"{complete} of {told}")
    checks.done()


if __name__ == "__main__":
    main()
