#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A program with two runtimes: the tasks of both are recorded, each with its own layout. If one of them has nothing to do,
the report contains nothing of it."""

import time

from harness import (DWELL, PROFILES, Checks, Recording, Target, fold, holder, need_files, need_recording, report, scratch,
                     workload)

STEP_NS = 5_000_000
EXECUTOR = "async_executor::Executor::run<(), Task<(), ()>>"  # the future that main() blocks on


def recorded(checks, name, target, directory):
    with Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "0.5"]) as recording:
        target.go()
        checks.equal(recording.wait(), 0, f"{name}: recorded")
        checks.check("no task was polled" not in recording.err, f"{name}: tasks were seen to poll", recording.err)
        return recording.data


def check(checks, name, data, leaves, roots):
    """`leaves`: of each task, what it waits for; `roots`: what is blocked on."""
    found = report(data)
    checks.equal((found["recording"]["runtime"], found["recording"]["other_runtimes"]), ("tokio, async-task, async-io", ""),
                 f"{name}: the runtimes are told, and both are followed")
    checks.equal(found["lost"], {}, f"{name}: nothing was lost")
    checks.equal({holder(row.task) for row in fold(data)}, {*leaves, *roots}, f"{name}: the tasks")
    checks.equal(sum(found["segments"].values()), found["lifetime_ns"], f"{name}: time is conserved")
    for task, leaf in leaves.items():
        points = [point for point in found["await_points"] if point["task"] == task]
        checks.check(len(points) == 1 and leaf in points[0]["leaf"] and points[0]["file"] == "two_runtimes.rs",
                     f"{name}: {task} waits for {leaf}", points)
        count = sum(point["count"] for point in points)
        until = sum(point["split"].get("until deadline", 0) for point in points)
        checks.check(count > 20, f"{name}: {task}: its waits are counted", count)
        checks.timing(abs(until - count * STEP_NS) < 0.1 * count * STEP_NS + STEP_NS,
                      f"{name}: {task}: until deadline", f"{until} ns in {count} waits")


def at_rest(checks, name, target, directory):
    """Not one event tells of its tasks: those of the executor that main() runs, and of the one that smol has for all."""
    target.go()
    time.sleep(0.5)  # it spawns them, and they come to rest
    with Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "1"]) as recording:
        checks.equal(recording.wait(), 0, f"{name}: recorded")
        data = recording.data
    found = report(data)
    checks.equal(found["lost"], {}, f"{name}: nothing was lost")
    checks.equal(found["segments"]["await"], found["lifetime_ns"], f"{name}: all of it is awaiting")
    waits = {(point["task"], point["leaf"].split("::")[-1]): point["open"] for point in found["await_points"]}
    for task, leaf, count in ("idle", "Timer", 1000), ("receiver", "Recv", 1):
        checks.equal(waits.get((f"two_runtimes::{task}", leaf)), count, f"{name}: {task} is there")


def main():
    need_recording()
    need_files(DWELL, *(workload("two_runtimes", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for test, options, leaves, roots in (
                ("one", [], {"two_runtimes::smol_task": "Timer"}, {EXECUTOR}),
                ("both", ["--tokio"], {"two_runtimes::smol_task": "Timer", "two_runtimes::tokio_task": "Sleep"},
                 {EXECUTOR, "two_runtimes::main"}),
            ):
                name = f"{profile}-{test}"
                argv = [workload("two_runtimes", profile), *options, "--rounds", "100000"]
                with checks.guarded(name), Target(argv, directory, name) as target:
                    check(checks, name, recorded(checks, name, target, directory), leaves, roots)
            name = f"{profile}-idle"
            with checks.guarded(name), Target([workload("two_runtimes", profile), "--idle"], directory, name) as target:
                at_rest(checks, name, target, directory)
    checks.done()


if __name__ == "__main__":
    main()
