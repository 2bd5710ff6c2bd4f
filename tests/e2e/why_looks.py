#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Looks during a recording: at its start, its end, and on SIGUSR1 dwell finds out why tasks wait, and `dwell why -i`
tells it later, without the process. The process that looks ends with dwell, however that ends."""

import json
import os
import pathlib
import signal
import subprocess
import time

from harness import DWELL, ROOT, Checks, Process, need_files, need_recording, run, scratch, wait_for, workload
from why_calm import service


def line_of(mark):
    source = (ROOT / "tests/workloads/src/bin/faults.rs").read_text().splitlines()
    return next(number for number, line in enumerate(source, 1) if line.endswith(f"// {mark}"))


def why(data, *options):
    seen = run(DWELL, "why", "-i", str(data), "--json", *options)
    assert not seen.returncode, seen.stderr
    return json.loads(seen.stdout)


def lookers():
    """Processes that look, of whatever recording."""
    found = []
    for comm in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text() == "dwell-looker\n":
                found.append(int(comm.parent.name))
        except OSError:
            pass
    return found


def record(pid, data, *options):
    recorder = subprocess.Popen([DWELL, "record", "-p", str(pid), "-o", data, *options], stderr=subprocess.PIPE, text=True)
    line = recorder.stderr.readline()
    assert "attached" in line, line
    return recorder


def stop(recorder, sign=signal.SIGINT):
    if sign:
        recorder.send_signal(sign)
    said = recorder.communicate(timeout=60)[1]
    return recorder.returncode, said


def deadlock(checks, directory):
    """Found at the start, when asked, and at the end; told without the process."""
    data = directory / "deadlock.data"
    with Process([workload("faults"), "upgrade"], directory, "upgrade", stdin=subprocess.PIPE) as target:
        wait_for(lambda: "there" in target.out, "the program to stand")
        recorder = record(target.pid, data)
        time.sleep(2.2)
        recorder.send_signal(signal.SIGUSR1)
        time.sleep(1.8)
        checks.equal(stop(recorder)[0], 0, "deadlock: recorded")
        live = json.loads(run(DWELL, "why", "-p", str(target.pid), "--json").stdout)
    seen = why(data)
    first = seen["findings"][0]
    checks.equal(first["kind"], "deadlock", "deadlock: its kind")
    for mark in ("CULPRIT", "HOLDER", "BETWEEN"):
        checks.check(any(at["line"] == line_of(f"upgrade: {mark}") for at in first["where"]), f"deadlock: {mark}", first)
    checks.equal([(task["id"], task["task"], task["chain"]) for task in seen["tasks"]],
                 [(task["id"], task["task"], task["chain"]) for task in live["tasks"]], "deadlock: the tasks of a live look")
    for option, at in (("0", 0), ("3.2", 2.2), ("3.99", 4)):
        checks.check(abs(why(data, "--at", option)["look_ns"] / 1e9 - at) < 1.9, f"deadlock: the look at {option} s",
                     why(data, "--at", option)["look_ns"])
    text = run(DWELL, "why", "-i", str(data)).stdout
    checks.check("1. deadlock: " in text and "A look at " in text, "deadlock: told as text", text)
    depth = run(DWELL, "why", "-i", str(data), "faults::upgrade").stdout
    checks.check(f"faults.rs:{line_of('upgrade: HOLDER')}" in depth, "deadlock: its holder, of one task", depth)


def well(checks, directory):
    data = directory / "well.data"
    with Process([workload("faults"), "rest"], directory, "rest", stdin=subprocess.PIPE) as target:
        wait_for(lambda: "there" in target.out, "the program to be there")
        checks.equal(stop(record(target.pid, data, "--duration", "0.3"), None)[0], 0, "well: recorded")
        without = directory / "without.data"
        checks.equal(stop(record(target.pid, without, "--duration", "0.3", "--no-looks"), None)[0], 0, "well: without looks")
    checks.equal(why(data)["findings"], [], "well: no finding")
    checks.check("look_ns" in why(data), "well: there was a look")
    checks.check("look_ns" not in why(without), "well: no look if not wanted")


def places(task):
    """The await points of a task's chain; both kinds of answers have them in the same order."""
    return [(pathlib.Path(at["file"]).name, at["line"]) for at in task["chain"] if at["line"]]


def compare(data):
    """Tasks that wait, as a look has them, and how many the recording has in the same await points at that time."""
    seen = why(data)
    idle = [task for task in seen["tasks"] if task["state"] == "idle"]
    same = 0
    for task in idle:
        at = (seen["look_ns"] + task["after_ns"]) / 1e9
        then = {other["id"]: other for other in why(data, "--at", f"{at:.9f}")["tasks"]}.get(task["id"])
        # where several are awaited at once, a look lists the await points of all, the other those of one
        same += bool(then) and then["state"] == "waits" and places(task)[:len(places(then))] == places(then)
    return len(idle), same


def agrees(checks, directory):
    """A look and the events beside it tell the same of each task."""
    data = directory / "agrees.data"
    with Process([workload("faults"), "rest"], directory, "agrees-rest", stdin=subprocess.PIPE) as target:
        wait_for(lambda: "there" in target.out, "the program to be there")
        checks.equal(stop(record(target.pid, data, "--duration", "0.4"), None)[0], 0, "agrees: recorded at rest")
    idle, same = compare(data)
    checks.check(idle >= 4 and same == idle, "agrees: each task at rest", f"{same} of {idle}")
    idle = same = 0
    with service("release", directory) as (target, port), \
            Process([workload("peer"), "http", "--connections", "16", "--think-us", "1000", "--seconds", "600", "--paths",
                     "/hello=2,/backend=4,/lock=1,/file=2,/sleep=2", f"127.0.0.1:{port}"], directory, "agrees-load",
                    stdin=subprocess.PIPE):
        time.sleep(0.5)
        for _ in range(4):
            checks.equal(stop(record(target.pid, data, "--duration", "0.4"), None)[0], 0, "agrees: recorded under load")
            found = compare(data)
            idle, same = idle + found[0], same + found[1]
    # reading a task takes a moment, in which it may go on
    checks.check(idle >= 30 and same >= 0.8 * idle, "agrees: nearly all tasks under load", f"{same} of {idle}")


def ends(checks, directory):
    """The target ends, or dwell is killed, while one looks."""
    for who in ("target", "dwell"):
        with Process([workload("faults"), "upgrade"], directory, f"ends-{who}", stdin=subprocess.PIPE) as target:
            wait_for(lambda: "there" in target.out, "the program to stand")
            before = set(lookers())
            data = directory / f"{who}.data"
            recorder = record(target.pid, data)
            wait_for(lambda: set(lookers()) - before, "the process that looks")
            time.sleep(0.3)
            if who == "target":
                os.kill(target.pid, signal.SIGKILL)
                checks.equal(recorder.wait(20), 0, "the target is killed during a look: the recording is complete")
                checks.equal(run(DWELL, "report", "-i", str(data)).returncode, 0, "and can be read")
            else:
                stop(recorder, signal.SIGKILL)
                checks.check(target.alive(), "dwell is killed during a look: the target runs on")
            wait_for(lambda: not set(lookers()) - before, "the process that looks to end")
            checks.check(True, f"{who} is killed: nobody looks any more")


def main():
    need_recording()
    need_files(DWELL, workload("faults"), workload("web"), workload("peer"))
    checks = Checks()
    with scratch() as directory:
        for test in (deadlock, well, agrees, ends):
            with checks.guarded(test.__name__):
                test(checks, directory)
    checks.done()


if __name__ == "__main__":
    main()
