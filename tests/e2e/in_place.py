#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""block_in_place: the time of the poll that calls it belongs to the poll's task, even if a runtime runs inside it, if the
recording ends before the poll, or if the poll began before the recording. The worker, which moves to another thread, is
not shown as a job. With and without debug information."""

import pathlib
import shutil
import time

from harness import (DWELL, PROFILES, Checks, Recording, Target, fold, holder, need_files, need_recording, output, report,
                     scratch, workload)

# What a task's polls are spent in: a word of its kernel stacks, or none where it computes.
KERNEL = {"sleeps": "nanosleep", "waits": "block_on of in_place::nap", "drives": "epoll", "stays": "epoll"}


def record(checks, name, program, directory, late=False):
    with Target([program, "--rounds", "100000"], directory, name) as target:
        if late:
            target.go()
            time.sleep(0.3)
        with Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "1.5"]) as recording:
            if not late:
                target.go()
            checks.equal(recording.wait(), 0, f"{name}: recorded")
            return report(recording.data), fold(recording.data)


def polls_go_on(checks, name, seen, rows):
    """What holds with and without debug information."""
    checks.check(not any("poll" in cause for cause in seen["lost"]), f"{name}: no poll is taken for lost", f"{seen['lost']}")
    checks.check(seen["segments"]["unattributed"] < 0.01 * seen["lifetime_ns"], f"{name}: all time is attributed",
                 "\n".join(f"{row.weight} {row.task} {row.parts}" for row in rows if row.segment == "unattributed"))
    # What a thread called when it slept is below the segment.
    workers = [frame for row in rows for frame in row.frames[: len(row.frames) - len(row.parts)] if "scheduler::multi_thread" in frame]
    checks.equal(workers, [], f"{name}: a worker that moves is no job")


def whose_time(checks, name, rows):
    tasks = {holder(row.task) for row in rows}
    runtimes_own = {task for task in tasks if task == "oneshot::Receiver"}  # when it shuts down
    checks.equal(tasks - runtimes_own, {f"in_place::{task}" for task in (
        "run", "own_runtime", "ticks", "sleeps", "computes", "waits", "drives", "stays", "nap")},
                 f"{name}: the tasks and the roots, and nothing else")
    for task, word in KERNEL.items():
        spent = [row for row in rows if row.task == f"in_place::{task}" and row.segment in ("running", "blocked")]
        there = sum(row.weight for row in spent if any(word in part for part in row.parts))
        checks.check(there > 0.5 * sum(row.weight for row in spent), f"{name}: {task} is blocked in {word}",
                     "\n".join(f"{row.weight} {row.segment} {row.parts}" for row in spent))
    running = sum(row.weight for row in rows if row.task == "in_place::computes" and row.segment == "running")
    blocked = sum(row.weight for row in rows if row.task == "in_place::computes" and row.segment == "blocked")
    checks.check(running > 10 * blocked, f"{name}: computes runs", f"{running} of {running + blocked}")
    stays = sum(row.weight for row in rows if row.task == "in_place::stays" and row.segment == "await")
    whole = sum(row.weight for row in rows if row.task == "in_place::stays")
    checks.check(stays < 0.5 * whole, f"{name}: stays is in its poll until the end", f"{stays} of {whole}")


def main():
    need_recording()
    need_files(DWELL, *(workload("in_place", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(profile):
                seen, rows = record(checks, profile, workload("in_place", profile), directory)
                polls_go_on(checks, profile, seen, rows)
                whose_time(checks, profile, rows)
            with checks.guarded(f"{profile}: begun before"):
                seen, rows = record(checks, f"{profile}: begun before", workload("in_place", profile), directory, late=True)
                polls_go_on(checks, f"{profile}: begun before", seen, rows)
                whose_time(checks, f"{profile}: begun before", rows)
            if not shutil.which("objcopy"):
                checks.skip(f"{profile}: without debug information", "no objcopy")
                continue
            with checks.guarded(f"{profile}: without debug information"):
                bare = pathlib.Path(directory) / f"in_place.{profile}"
                output("objcopy", "--strip-debug", workload("in_place", profile), bare)
                seen, rows = record(checks, f"{profile}: without debug information", bare, directory)
                polls_go_on(checks, f"{profile}: without debug information", seen, rows)
    checks.done()


if __name__ == "__main__":
    main()
