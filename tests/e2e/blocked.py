#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What blocks a worker is told with its place in the program, what it slept for, and whom it delayed: tasks that were
ready meanwhile, and timers that nobody looked at. Of a worker that never comes back, too."""

import time
from pathlib import Path

from harness import DWELL, PROFILES, Checks, Recording, Target, fold, need_files, need_recording, report, scratch, workload

SOURCES = Path(__file__).resolve().parent.parent / "workloads" / "src" / "bin"
ROUNDS = 150
BLOCK_NS = 10_000_000  # of a round, in a poll; 2 ms into it `waiter` is woken
LATE_NS = 8_000_000


def line_of(source, text):
    lines = (SOURCES / source).read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, 1) if text in line]
    assert len(found) == 1, f"{source}: '{text}' is in lines {found}"
    return found[0]


def close(got, want, relative=0.15):
    return abs(got - want) <= relative * want


def places(checks, name, seen, rows):
    """Each kind of block is a third of the rounds, at a line of its own."""
    blocks = [b for b in seen["blocked_places"] if b["task"] == "blocker::handler"]
    # What a task sends and locks besides is over in no time.
    blocks = [b for b in blocks if b["max_ns"] > BLOCK_NS / 2]
    for what, text in (("a pipe that is empty", "pipe.read_exact("), ("a sleep of the thread", "thread::sleep(BLOCK);"),
                       ("a futex", "drop(shared.lock.lock());")):
        found = [b for b in blocks if b["what"].startswith(what)]
        at = [b for b in found if b["function"]]
        line = line_of("blocker.rs", text)
        checks.equal({(b["function"], b["file"], b["line"]) for b in at}, {("blocker::handler", "blocker.rs", line)},
                     f"{name}: {what}: at the line that blocks")
        count = sum(b["count"] for b in found)
        checks.check(close(count, ROUNDS / 3), f"{name}: {what}: how often", f"{count} of {ROUNDS / 3}")
        time_ns = sum(b["blocked_ns"] for b in found)
        checks.timing(close(time_ns, ROUNDS / 3 * BLOCK_NS, 0.3), f"{name}: {what}: how long", time_ns)
        frames = {row.parts[0] for row in rows if row.segment == "blocked" and row.task == "blocker::handler"}
        checks.check(f"blocker::handler (blocker.rs:{line})" in frames, f"{name}: {what}: in the folded stacks", f"{frames}")
    checks.check(all(not b["job"] for b in blocks), f"{name}: no block is a job's")


def delays(checks, name, seen):
    """`waiter` is ready through what is left of each block; timers come too late."""
    delayed = {}
    for block in seen["blocked_places"]:
        for task in block["delayed"]:
            checks.check(task["task"] not in delayed, f"{name}: {task['task']}'s delay is told once")
            delayed[task["task"]] = (block["task"], task["ready_ns"], task["await_ns"])
    by, ready, _ = delayed.get("blocker::waiter", ("", 0, 0))
    checks.equal(by, "blocker::handler", f"{name}: who delays the waiter")
    checks.timing(close(ready, ROUNDS * LATE_NS, 0.25), f"{name}: how long", ready)
    checks.timing(close(seen["ready"].get("worker blocked in task blocker::handler", 0), ready, 0.1),
                  f"{name}: it is ready because of that", seen["ready"])
    by, _, late = delayed.get("blocker::timer", ("", 0, 0))
    checks.check(by == "blocker::handler" and late > ROUNDS * BLOCK_NS / 10, f"{name}: and the timer, which is late", delayed)


def starved(checks, name, profile, directory):
    """Of none of these states there is an event when it ends: it does not."""
    with Target([workload("starved", profile)], directory, name) as target:
        with Recording(target.pid, directory, f"{name}-early") as early:
            target.go()
            time.sleep(1)
            checks.equal(early.stop(), 0, f"{name}: recorded")
        with Recording(target.pid, directory, f"{name}-late", options=["--duration", "0.3"]) as late:
            checks.equal(late.wait(), 0, f"{name}: recorded when all was over")
        innermost, culprit = line_of("starved.rs", "// INNERMOST"), line_of("starved.rs", "// CULPRIT")
        for data, since in ((early.data, "seen to begin"), (late.data, "begun before")):
            blocks = [b for b in report(data)["blocked_places"] if b["task"] == "starved::eats"]
            checks.equal([(b["function"], b["line"], b["what"].split(":")[0], b["count"]) for b in blocks if b["max_ns"] > 100_000_000],
                         [("starved::lock", innermost, "a file lock", 1)], f"{name}: {since}: the culprit")
            stack = [(f["function"], f["line"]) for b in blocks for f in b["stack"] if f["file"] == "starved.rs"]
            checks.check(("starved::blocks", culprit) in stack, f"{name}: {since}: who called", f"{stack}")
        waits = {}
        for row in fold(early.data):
            waits.setdefault((row.task, row.segment, *row.parts), 0)
            waits[row.task, row.segment, *row.parts] += row.weight
        ready = waits.get(("starved::answers", "ready", "worker blocked in task starved::eats"), 0)
        overdue = waits.get(("starved::ticks", "await", "worker blocked", "task starved::eats"), 0)
        checks.check(ready > 500_000_000, f"{name}: a task that was woken is in the queue of the worker that blocks", f"{waits}")
        checks.check(overdue > 500_000_000, f"{name}: a timer is overdue because of the worker that blocks", f"{waits}")
        words = {row.parts[0] for row in fold(late.data) if row.task == "starved::ticks"}
        checks.equal(words - {"until deadline"}, {"timer late: no worker looks"},
                     f"{name}: nobody was seen to drive timers, and nobody does")


def main():
    need_recording()
    need_files(DWELL, *(workload(program, profile) for program in ("blocker", "starved") for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(profile), Target([workload("blocker", profile), "--rounds", str(ROUNDS)], directory,
                                                 profile) as target:
                with Recording(target.pid, directory, f"{profile}.dwell") as recording:
                    target.go()
                    checks.equal(recording.wait(), 0, f"{profile}: recorded")
                    seen = report(recording.data)
                    places(checks, profile, seen, fold(recording.data))
                    delays(checks, profile, seen)
            with checks.guarded(f"{profile} starved"):
                starved(checks, f"{profile}-starved", profile, directory)
    checks.done()


if __name__ == "__main__":
    main()
