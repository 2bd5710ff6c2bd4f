#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Recordings of the workloads against what they log themselves: tasks, lines, leaves, counts, durations,
splits, chains; on both kinds of runtime, as release and as fat LTO with panic=abort, and some not optimised.

    ground_truth.py [NAME...]      only runs whose name begins so (request, timers-current, fat/shapes, debug/ …)

The truth must also be found where the kernel does not report some of the switches (runs named hidden/…).

On a machine that has other work, or is a virtual one, the durations of waits can be wrong for reasons that are
not dwell's: a run in which only these were wrong is made again, twice at most. Anything else that is wrong once
has failed, the totals of running and blocked too.
"""

import sys

import truth
from harness import (PROFILES, Checks, Recording, Target, attempts, fold, need_files, need_recording, no_io_uring, not_built, report,
                     scratch, workload, DWELL)

ATTEMPTS = 3
CANCELS = {"smol_tasks"}  # programs that drop tasks while these wait
LOCAL_SETS = {"shapes", "roots", "uring", "registered", "mono", "glom", "comp"}  # programs that have one, or no function that spawns
RINGS = {"uring", "registered", "mono", "glom", "comp"}  # programs that use io_uring

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
    ("smol", ["smol_tasks"]),
    ("std", ["std_tasks"]),
    ("roots", ["roots"]),
    ("uring", ["uring"]),
    ("uring-sqpoll", ["uring", "--sqpoll"]),
    ("registered", ["registered"]),
    ("mono", ["mono"]),
    ("glom", ["glom"]),
    ("comp", ["comp"]),
]

# Where nothing is inlined, polls return through functions of other shapes.
UNOPTIMISED_RUNS = ["request", "pipeline", "timers", "shapes"]

# Some kernels hide what some of their processes do. Here a third of the threads' returns to a CPU.
HIDDEN_RUNS = ["request", "blocker", "burn", "web"]
HIDDEN = ["--hide-switches", "3"]
HIDDEN_LOSS = "switch of a thread not seen"  # the first ones: the scheduler's clock is not known yet


def attempt(checks, name, program, arguments, directory, hidden=False):
    tag = name.replace("/", "-")
    options = HIDDEN if hidden else []
    with Target([program, *arguments, "--truth", directory / f"{tag}.truth"], directory, tag) as target:
        with Recording(target.pid, directory, f"{tag}.dwell", options=options) as recording:
            target.go()
            status = target.wait(120)
            checks.equal((status, target.err), (0, ""), f"{name}: the program ends as it should")
            checks.equal(recording.wait(60), 0, f"{name}: the recording ends with it")
            known = truth.Truth(target.truth_path)
            found = report(recording.data)
            truth.compare(checks, name, known, found, fold(recording.data), [HIDDEN_LOSS] if hidden else [])
            if hidden:
                told = sum(int(note.split()[0].replace(",", "")) for note in found["notes"] if "scheduler's counters" in note)
                lost = found["lost"].get(HIDDEN_LOSS, 0)
                checks.check(told > 10 and told > 10 * lost, f"{name}: the hidden switches are told all the same",
                             f"told {told}, lost {lost}")
            unfinished = sum(t["spawned"] - t["completed"] for t in known.tasks.values() if not t["root"])
            if program.name in CANCELS:
                checks.equal(found["tasks"]["cancelled"], unfinished, f"{name}: tasks that are dropped are cancelled")
            # burn spawns one type of task only: there the function that tells is inlined.
            unseen = any("no probe sees their spawn" in note for note in found["notes"])
            checks.equal(unseen, program.name in LOCAL_SETS, f"{name}: spawns that are not seen are told")


def main():
    need_recording()
    need_files(DWELL, *(workload("request", profile) for profile in PROFILES))
    wanted = sys.argv[1:]
    checks = Checks()
    runs = [(name if profile == "release" else f"{profile}/{name}", command, profile, False)
            for profile in PROFILES for name, command in RUNS]
    runs += [(f"debug/{name}", [name], "debug", False) for name in UNOPTIMISED_RUNS]
    runs += [(f"hidden/{name}", [name], "release", True) for name in HIDDEN_RUNS]
    with scratch() as directory:
        for name, command, profile, hidden in runs:
            if wanted and not any(name.startswith(prefix) for prefix in wanted):
                continue
            why = no_io_uring() if command[0] in RINGS else None
            why = why or not_built(command[0], profile)
            if why:
                checks.skip(name, why)
                continue
            with checks.guarded(f"{name}: a comparison"):
                attempts(checks,
                         lambda trial: attempt(trial, name, workload(command[0], profile), command[1:], directory, hidden), ATTEMPTS)
    checks.done()


if __name__ == "__main__":
    main()
