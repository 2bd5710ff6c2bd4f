#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Recordings of the workloads against what they log themselves: tasks, lines, leaves, counts, durations,
splits, chains; on both kinds of runtime, as release and as fat LTO with panic=abort.

    ground_truth.py [NAME...]      only runs whose name begins so (request, timers-current, fat/shapes …)

On a machine that has other work, or is a virtual one, times can be wrong for reasons that are not dwell's: a
run in which only times were wrong is made again, twice at most. Anything else that is wrong once has failed.
This also hides a known fault of dwell's: now and then (3 of 6,500 sleeps) a thread's time off its CPU is not
recorded, and counts as running. Once that is mended, totals of running and blocked must not be made again.
"""

import sys

import truth
from harness import (PROFILES, Attempt, Checks, Recording, Target, fold, need_files, need_recording, report,
                     scratch, stolen_ns, workload, DWELL)

ATTEMPTS = 3
LOCAL_SETS = {"shapes"}  # programs that have one

# Name and command line; each ends by itself after about a second.
RUNS = [
    ("request", ["request"]),
    ("request-current", ["request", "--flavor", "current"]),
    ("pipeline", ["pipeline"]),
    ("pipeline-current", ["pipeline", "--flavor", "current"]),
    ("timers", ["timers"]),
    ("timers-current", ["timers", "--flavor", "current"]),
    ("blocker", ["blocker"]),
    ("blocker-current", ["blocker", "--flavor", "current"]),
    ("burn", ["burn"]),
    ("shapes", ["shapes"]),
    ("shapes-current", ["shapes", "--flavor", "current"]),
    ("web", ["web"]),
]


def attempt(checks, name, program, arguments, directory):
    tag = name.replace("/", "-")
    stolen = stolen_ns()
    with Target([program, *arguments, "--truth", directory / f"{tag}.truth"], directory, tag) as target:
        with Recording(target.pid, directory, f"{tag}.dwell") as recording:
            target.go()
            status = target.wait(120)
            checks.equal((status, target.err), (0, ""), f"{name}: the program ends as it should")
            checks.equal(recording.wait(60), 0, f"{name}: the recording ends with it")
            known = truth.Truth(target.truth_path, stolen_ns() - stolen)
            found = report(recording.data)
            truth.compare(checks, name, known, found, fold(recording.data))
            # burn spawns one type of task only: there the function that tells is inlined.
            unseen = any("no probe sees their spawn" in note for note in found["notes"])
            checks.equal(unseen, program.name in LOCAL_SETS, f"{name}: spawns that are not seen are told")


def one(checks, name, program, arguments, directory):
    for i in range(ATTEMPTS):
        trial = Attempt()
        attempt(trial, name, program, arguments, directory)
        if i == ATTEMPTS - 1 or not trial.only_times_failed():
            break
        print(f"     again, since only times were wrong: {', '.join(trial.spoilt)}", flush=True)
    trial.hand_on(checks)


def main():
    need_recording()
    need_files(DWELL, *(workload("request", profile) for profile in PROFILES))
    wanted = sys.argv[1:]
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for name, command in RUNS:
                full = name if profile == "release" else f"{profile}/{name}"
                if wanted and not any(full.startswith(prefix) for prefix in wanted):
                    continue
                with checks.guarded(f"{full}: a comparison"):
                    one(checks, full, workload(command[0], profile), command[1:], directory)
    checks.done()


if __name__ == "__main__":
    main()
