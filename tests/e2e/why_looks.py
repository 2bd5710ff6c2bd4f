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
    for option, at in (("0", 0), ("2.3", 2.2), ("3.9", 4)):
        checks.check(abs(why(data, "--at", option)["look_ns"] / 1e9 - at) < 1, f"deadlock: the look at {option} s",
                     why(data, "--at", option)["look_ns"])
    text = run(DWELL, "why", "-i", str(data)).stdout
    checks.check("1. deadlock: " in text and "A look at " in text, "deadlock: told as text", text)
    depth = run(DWELL, "why", "-i", str(data), "faults::upgrade").stdout
    checks.check(f"faults.rs:{line_of('upgrade: HOLDER')}" in depth, "deadlock: its holder, of one task", depth)


def well(checks, directory):
    data = directory / "well.data"
    with Process([workload("faults"), "rest"], directory, "rest", stdin=subprocess.PIPE) as target:
        wait_for(lambda: "there" in target.out, "the program to be there")
        checks.equal(stop(record(target.pid, data, "--duration", "0.3"), 0)[0], 0, "well: recorded")
        without = directory / "without.data"
        checks.equal(stop(record(target.pid, without, "--duration", "0.3", "--no-looks"), 0)[0], 0, "well: without looks")
    checks.equal(why(data)["findings"], [], "well: no finding")
    checks.check("look_ns" in why(data), "well: there was a look")
    checks.check("look_ns" not in why(without), "well: no look if not wanted")


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
    need_files(DWELL, workload("faults"))
    checks = Checks()
    with scratch() as directory:
        for test in (deadlock, well, ends):
            with checks.guarded(test.__name__):
                test(checks, directory)
    checks.done()


if __name__ == "__main__":
    main()
