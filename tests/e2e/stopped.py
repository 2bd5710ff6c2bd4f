#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A target that is stopped by a signal and continues: nothing counts as late because of that time. This also holds if the
recording begins or ends while the target is stopped."""

import signal
import time

from harness import (DWELL, PROFILES, Checks, Recording, Target, fold, need_files, need_recording, report, scratch, wait_for,
                     workload)

# Parts that tell of a program that is slow.
LATE = ("timer late", "worker run queue", "worker busy", "worker blocked", "worker parked", "epoll", "dispatch")


def is_stopped(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


class Stop:
    """Stops a process; `seconds` is how long at least."""

    def __init__(self, target):
        self.target = target

    def __enter__(self):
        self.target.signal(signal.SIGSTOP)
        wait_for(lambda: is_stopped(self.target.pid), "a stopped process")
        self.begin = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.begin
        self.target.signal(signal.SIGCONT)


def parts(rows, task, *names):
    return sum(row.weight for row in rows if row.task == task and row.segment in ("await", "ready") and row.parts[:1]
               and (row.parts[0] in names or row.parts[0].split(":")[0] in names))


def stops_once(checks, name, target, directory):
    with Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "1.5"]) as recording:
        target.go()
        time.sleep(0.4)
        with Stop(target) as stop:
            time.sleep(0.4)
        checks.equal(recording.wait(), 0, f"{name}: recorded")
        rows, seen = fold(recording.data), report(recording.data)
        long = stop.seconds * 1e9
        checks.equal(sum(seen["segments"].values()), seen["lifetime_ns"], f"{name}: time adds up")
        stopped, late = parts(rows, "waiters::ticks", "stopped"), parts(rows, "waiters::ticks", *LATE)
        checks.check(0.95 * long < stopped, f"{name}: a timer's wait says how long it was stopped",
                     f"{stopped} ns of {long:.0f}, {late} late")
        stopped = parts(rows, "waiters::listens", "stopped")
        checks.check(0.95 * long < stopped, f"{name}: so does a wait for a message", f"{stopped} ns of {long:.0f}")
        data = parts(rows, "waiters::relays", "no data", "not woken yet")
        checks.check(data > 0.95 * long, f"{name}: who waits for a peer that is silent still does", f"{data} ns")


def stopped_at_both_ends(checks, name, target, directory):
    with Stop(target):
        with Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "0.5"]) as recording:
            checks.equal(recording.wait(), 0, f"{name}: recorded")
            rows = fold(recording.data)
    rows = [row for row in rows if row.task == "waiters::ticks"]
    whole = sum(row.weight for row in rows)
    stopped = sum(row.weight for row in rows if "stopped" in row.parts)
    checks.check(whole and stopped > 0.95 * whole, f"{name}: stopped all the time",
                 "\n".join(f"{row.weight} {row.segment} {row.parts}" for row in rows))


def main():
    need_recording()
    need_files(DWELL, *(workload("waiters", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(profile), Target([workload("waiters", profile), "--rounds", "100000"], directory, profile) as target:
                stops_once(checks, profile, target, directory)
                stopped_at_both_ends(checks, f"{profile}: stopped throughout", target, directory)
    checks.done()


if __name__ == "__main__":
    main()
