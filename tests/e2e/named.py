#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tasks are named by the future that somebody wrote: not by the wrappers of libraries or by the box around it, and
blocks and closures of one function are told from each other. Both for tasks that were spawned while dwell recorded,
and for tasks that were at rest before."""

import re
import time
from pathlib import Path

from harness import DWELL, PROFILES, Checks, Recording, Target, fold, need_files, need_recording, scratch, workload

SOURCE = Path(__file__).resolve().parent.parent / "workloads" / "src" / "bin" / "named.rs"


def expected():
    """What each task is called, with the segment that it spends its time in."""
    names = dict.fromkeys(("named::one", "named::two", "named::three", "named::Rests", "named::Naps",
                           "futures_util::sink::send::Send"), "await")  # what is sent gives no name
    for number, line in enumerate(SOURCE.read_text(encoding="utf-8").splitlines(), 1):
        if "// BLOCK " in line:
            names[f"named::run {{async block named.rs:{number}}}"] = "await"
        elif "// CLOSURE " in line:
            names[f"named::run {{closure named.rs:{number}}}"] = "blocked"
    assert len(names) == 11, names
    return names


def check_names(checks, name, rows, seconds):
    want = expected()
    times = {}
    for row in rows:
        times.setdefault(row.task, {}).setdefault(row.segment, 0)
        times[row.task][row.segment] += row.weight
    checks.equal(set(times), set(want) | {"named::run"}, f"{name}: the tasks' names")
    tasks = {"named::Naps": 2}
    for task, segment in want.items():
        spent = times.get(task, {}).get(segment, 0) / tasks.get(task, 1)
        checks.check(0.5 * seconds < spent / 1e9 < 1.1 * seconds, f"{name}: {task} is in {segment} most of the time",
                     f"{spent / 1e9:.3f} s of {seconds} s: {times.get(task)}")


def main():
    need_recording()
    need_files(DWELL, *(workload("named", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for early in (True, False):
                name = f"{profile}, {'spawned meanwhile' if early else 'at rest before'}"
                with checks.guarded(name), Target([workload("named", profile), "--rounds", "100000"], directory,
                                                  re.sub(r"\W+", "-", name)) as target:
                    if not early:
                        target.go()
                        time.sleep(0.5)
                    with Recording(target.pid, directory, f"{target.name}",
                                   options=["--duration", "1"]) as recording:
                        if early:
                            target.go()
                        checks.equal(recording.wait(), 0, f"{name}: recorded")
                        check_names(checks, name, fold(recording.data), 1)
    checks.done()


if __name__ == "__main__":
    main()
