#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A million tasks, and tasks that were in a poll at attach. All are in the recording from its first moment, no events are
lost because they are read, the recording still ends when it should, and after a loss the tasks are known again.

    crowd.py [PART...]     idle, million, loss, jobs, pulses, runtimes

$DWELL_MILLION     the number of tasks in part "million" (1000000)
"""

import contextlib
import os
import signal
import sys
import time

from harness import (DWELL, PROFILES, Checks, Process, Recording, fold, need_files, need_recording, report, scratch,
                     wait_for, workload)

ROOT = 1  # the future that main() blocks on
MILLION = int(os.environ.get("DWELL_MILLION", "1000000"))
BUSY = 2  # pairs of tasks that never rest
PAGES = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def crowd(directory, name, profile="release", **numbers):
    """The program, when all of its tasks are where they stay."""
    ours, theirs = os.pipe()
    options = [part for key, value in numbers.items() for part in (f"--{key}", value)]
    with Process([workload("crowd", profile), *options], directory, name, stdin=ours) as target:
        os.close(ours)
        wait_for(lambda: "there" in target.out, "'there'", 120)
        time.sleep(0.2)
        try:
            yield target
        finally:
            os.close(theirs)


def share(seen, segment):
    return seen["segments"][segment] / seen["lifetime_ns"]


def idle(checks, directory):
    """A hundred thousand that stand still, and some that do not."""
    for flavor in ("multi", "current"):
        with crowd(directory, f"idle-{flavor}", tasks=100000, busy=BUSY, flavor=flavor) as target, \
             Recording(target.pid, directory, "idle.dwell", options=["--duration", "2"]) as recording:
            checks.equal(recording.wait(), 0, f"100,000 tasks, {flavor}: recorded")
            seen = report(recording.data)
            checks.equal((seen["tasks"]["seen"], seen["tasks"]["alive_at_end"]), (100000 + 2 * BUSY + ROOT,) * 2,
                         f"100,000 tasks, {flavor}: all of them")
            checks.equal(seen["lost"], {}, f"100,000 tasks, {flavor}: nothing is lost")
            checks.check(share(seen, "unattributed") < 0.001, f"100,000 tasks, {flavor}: nothing is unattributed",
                         f"{seen['segments']} of {seen['lifetime_ns']}")


def million(checks, directory):
    if PAGES < 6 << 30:
        checks.skip("a million tasks", f"they need 6 GB of memory, {PAGES >> 30} GB are free")
        return
    with crowd(directory, "million", tasks=MILLION) as target:
        with Recording(target.pid, directory, "million.dwell", options=["--duration", "2"]) as recording:
            begin = time.monotonic()
            checks.equal(recording.wait(), 0, f"{MILLION} tasks: recorded")
            took = time.monotonic() - begin
        checks.check(took < 5, f"{MILLION} tasks: --duration 2 ends when it should", f"{took:.1f} s")
        seen = report(recording.data)
        checks.equal((seen["tasks"]["seen"], seen["lost"]), (MILLION + ROOT, {}), f"{MILLION} tasks: all of them, nothing lost")
        with Recording(target.pid, directory, "interrupted") as recording:
            time.sleep(0.1)
            begin = time.monotonic()
            checks.equal(recording.stop(), 0, f"{MILLION} tasks: Ctrl-C while they are looked at")
            took = time.monotonic() - begin
            checks.check(took < 3, f"{MILLION} tasks: Ctrl-C is heard", f"{took:.1f} s")
        notes = " ".join(report(recording.data)["notes"])
        seen = report(recording.data)["tasks"]["seen"]
        checks.check(seen == MILLION + ROOT or "before all tasks" in notes, f"{MILLION} tasks: what is missing then is said",
                     f"{seen} tasks; {notes}")


def loss(checks, directory):
    """The recorder is stopped for a second, and loses the events of that time."""
    tasks = 50000
    with crowd(directory, "loss", tasks=tasks, busy=BUSY) as target, \
         Recording(target.pid, directory, "loss.dwell", options=["--duration", "6"]) as recording:
        time.sleep(1)
        begin = time.monotonic()
        recording.signal(signal.SIGSTOP)
        time.sleep(1)
        recording.signal(signal.SIGCONT)
        gap = time.monotonic() - begin
        checks.equal(recording.wait(), 0, "a loss: recorded")
        seen = report(recording.data)
        checks.check(seen["lost"].get("ring buffer full", 0) > 0, "a loss: there was one", f"{seen['lost']}")
        checks.equal(seen["tasks"]["seen"], tasks + 2 * BUSY + ROOT, "a loss: no task is seen twice")
        wall = seen["wall_ns"] / 1e9
        # Not known is what they did meanwhile, and a second more at most; of what is left 2 % at most.
        allowed = (gap + 1 + 0.02 * (wall - gap - 1)) / wall
        checks.check(share(seen, "unattributed") < allowed, "a loss: a second later all is known again",
                     f"{share(seen, 'unattributed'):.3f} is unattributed, {gap / wall:.3f} was lost, {allowed:.3f} allowed")


def jobs(checks, directory):
    """Jobs and polls that began long before: they make no event."""
    for profile in PROFILES:
        with crowd(directory, f"jobs-{profile}", profile, jobs=500, naps=1, tasks=3, workers=3) as target, \
             Recording(target.pid, directory, "jobs.dwell", options=["--duration", "0.7"]) as recording:
            checks.equal(recording.wait(), 0, f"{profile}, jobs: recorded")
            seen = report(recording.data)
            checks.equal((seen["tasks"]["seen"], seen["tasks"]["alive_at_end"]), (504 + ROOT,) * 2,
                         f"{profile}, jobs: 500 of them, a task that sleeps in its poll, three that wait")
            blocked = {}
            for row in fold(recording.data):
                if row.segment == "blocked" and any("nanosleep" in frame for frame in row.parts):
                    blocked[row.task] = blocked.get(row.task, 0) + row.weight
            wall = seen["wall_ns"]
            for task, number in (("crowd::sleeping_job", 500), ("crowd::napper", 1)):
                checks.check(blocked.get(task, 0) > 0.97 * number * wall,
                             f"{profile}, jobs: {task} has slept in its poll from the first moment to the last",
                             f"{blocked} of {number * wall}")
            checks.check(share(seen, "unattributed") < 0.001, f"{profile}, jobs: nothing is unattributed",
                         f"{seen['segments']}")
        with crowd(directory, f"burns-{profile}", profile, burns=1) as target, \
             Recording(target.pid, directory, "burns.dwell", options=["--duration", "0.7"]) as recording:
            checks.equal(recording.wait(), 0, f"{profile}, a job that computes: recorded")
            seen = report(recording.data)
            checks.equal(seen["tasks"]["seen"], 1 + ROOT, f"{profile}, a job that computes: it is seen")
            checks.check(seen["segments"]["running"] + seen["segments"]["preempted"] > 0.97 * seen["wall_ns"],
                         f"{profile}, a job that computes: all the time", f"{seen['segments']}")


def pulses(checks, directory):
    """Polls that begin and end while the stacks of many threads are gone through: each is where it was."""
    for turn in range(6):
        with crowd(directory, f"pulses-{turn}", jobs=400, pulses=3, workers=2) as target, \
             Recording(target.pid, directory, f"pulses-{turn}.dwell", options=["--duration", "0.5"]) as recording:
            checks.equal(recording.wait(), 0, f"pulses {turn}: recorded")
            seen = report(recording.data)
            checks.equal((seen["lost"], seen["tasks"]["seen"]), ({}, 403 + ROOT), f"pulses {turn}: nothing is lost")
            asleep = max(row.weight for row in fold(recording.data)
                         if row.task == "crowd::pulse" and row.segment == "blocked")
            checks.check(asleep < 3 * 0.8 * seen["wall_ns"], f"pulses {turn}: they do not sleep all the time",
                         f"{asleep} of {seen['wall_ns']}")


def runtimes(checks, directory):
    """More runtimes than a machine has any use for, also after a loss."""
    with crowd(directory, "runtimes", runtimes=100, busy=BUSY) as target:
        with Recording(target.pid, directory, "runtimes.dwell", options=["--duration", "2"]) as recording:
            checks.equal(recording.wait(), 0, "100 runtimes: recorded")
        seen = report(recording.data)
        checks.equal((seen["tasks"]["seen"], seen["tasks"]["alive_at_end"], seen["lost"]), (504 + 101, 504 + 101, {}),
                     "100 runtimes: all tasks of all of them, and their roots")
        with Recording(target.pid, directory, "lossy.dwell", options=["--duration", "3"]) as recording:
            time.sleep(0.5)
            recording.signal(signal.SIGSTOP)
            time.sleep(1)
            recording.signal(signal.SIGCONT)
            checks.equal(recording.wait(), 0, "100 runtimes, a loss: recorded")
        seen = report(recording.data)
        checks.check(seen["lost"].get("ring buffer full", 0) > 0, "100 runtimes, a loss: there was one", f"{seen['lost']}")
        checks.equal((seen["tasks"]["seen"], seen["tasks"]["alive_at_end"]), (504 + 101,) * 2,
                     "100 runtimes, a loss: none is taken for ended")


def main():
    need_recording()
    need_files(DWELL, *(workload("crowd", profile) for profile in PROFILES))
    wanted = sys.argv[1:]
    checks = Checks()
    with scratch() as directory:
        for part in (idle, million, loss, jobs, pulses, runtimes):
            if not wanted or part.__name__ in wanted:
                with checks.guarded(f"{part.__name__}: all of it"):
                    part(checks, directory)
    checks.done()


if __name__ == "__main__":
    main()
