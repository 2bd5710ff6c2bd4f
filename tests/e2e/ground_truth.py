#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Recordings of the workloads against what they log themselves: tasks, lines, leaves, counts, durations,
splits, chains; on both kinds of runtime, as release and as fat LTO with panic=abort.

    ground_truth.py [NAME...]      only runs whose name begins so (request, timers-current, fat/shapes …)
"""

import sys

import truth
from harness import (PROFILES, Checks, Recording, Target, fold, need_files, need_recording, report, scratch,
                     workload, DWELL)

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


def one(checks, name, program, arguments, directory):
    tag = name.replace("/", "-")
    with Target([program, *arguments, "--truth", directory / f"{tag}.truth"], directory, tag) as target:
        with Recording(target.pid, directory, f"{tag}.dwell") as recording:
            target.go()
            status = target.wait(120)
            checks.equal((status, target.err), (0, ""), f"{name}: the program ends as it should")
            checks.equal(recording.wait(60), 0, f"{name}: the recording ends with it")
            notes = truth.Truth(target.truth_path)
            truth.compare(checks, name, notes, report(recording.data), fold(recording.data))


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
