#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""--follow against what the workload `pipeline' notes: of each wait for a task that sleeps, the time that the sleeper was
asleep within that very wait stands below it, for locks, channels, oneshots, notifications and joins. Below each wait
is as much time as the wait has without --follow, to the nanosecond; waits that no task ended stay as they are. The trees of
the report tell the same times as the stacks.

As in ground_truth.py, a run in which only times were wrong is made again, twice at most.
"""

import collections

import truth
from harness import (DWELL, PROFILES, Checks, Recording, Row, Target, attempts, below, need_files, need_recording, output,
                     report, run, scratch, workload)

# Who waits for whom. At any time in which a clerk waits, one other sleeps.
PAIRS = [("clerk", "clerk"), ("guest", "ringer"), ("parent", "child"), ("sink", "stage"), ("source", "stage"),
         ("client", "server"), ("reader", "announcer"), ("watcher", "announcer")]
SOURCES = ("by task ", "joined task ")


def told(data, *options):
    """Stack → ns. All of [ready] is one: with --follow no details of it are merged into `others'."""
    stacks = collections.Counter()
    for line in output(DWELL, "fold", "--weight", "ns", "-i", data, *options).splitlines():
        stack, _, ns = line.rpartition(" ")
        frames = tuple(stack.split(";"))
        at = next(i for i, frame in enumerate(frames) if frame in Row.SEGMENTS)
        stacks[frames[:at + 1] if frames[at] == "[ready]" else frames] += int(ns)
    return stacks


def waits_of(known, name, sleeps):
    """When task @name slept, or waited for others."""
    return sorted((wait["start"], wait["end"]) for site, waits in known.waits.items() if site.task == f"pipeline::{name}"
                  for wait in waits if (wait["leaf"] == "Sleep") == sleeps and wait["pendings"] != 0)


def overlap(some, others):
    return sum(max(min(end, to) - max(start, begin), 0) for start, end in some for begin, to in others)


def sleeping_below(stacks, waiter, source):
    """How long @source slept below waits of @waiter that it ended, at any depth; and how many such stacks there are."""
    got = nr = 0
    for frames, ns in stacks.items():
        if truth.plain(frames[1]) != f"pipeline::{waiter}" or "[await]" not in frames:
            continue
        rest = frames[frames.index("[await]") + 1:]
        if len(rest) < 3 or not rest[1].startswith(SOURCES):
            continue
        slept = f"pipeline::{source} (pipeline.rs:"
        at = [i for i, frame in enumerate(rest) if truth.plain(frame).startswith(slept) and rest[i + 1] == "Sleep"]
        if at:
            got += ns
            nr += 1
    return got, nr


def sleeping_in_trees(found, waiter, source):
    """The same by the report, of what the sleeper awaited; and how many await points of the waiter have that below them."""
    got = nr = 0
    for point in found["await_points"]:
        if truth.plain(point["task"]) != f"pipeline::{waiter}":
            continue
        slept = [e["ns"] for e in below(point["followed"]) if "followed" not in e and e.get("leaf") == "Sleep"
                 and truth.plain(e["task"]) == f"pipeline::{source}" and truth.plain(e["function"]) == f"pipeline::{source}"]
        got += sum(slept)
        nr += bool(slept)
    return got, nr


def look_at_report(checks, label, known, data):
    found = report(data, "--follow")
    plain = report(data)
    checks.equal([p["await_ns"] for p in found["await_points"]], [p["await_ns"] for p in plain["await_points"]],
                 f"{label}: the report's await points have the same times")
    uneven = [e for p in found["await_points"] for e in below(p["followed"])
              if "followed" in e and sum(b["ns"] for b in e["followed"]) != e["ns"]]
    checks.equal(uneven, [], f"{label}: what is below each of the report's waits is its time")
    ended = [(p["function"], d, ns) for p in found["await_points"] for d, ns in p["details"].items()
             if d.startswith(SOURCES) and ns != sum(e["ns"] for e in p["followed"] if e["detail"] == d)]
    checks.equal(ended, [], f"{label}: the report follows each wait for a task")
    for waiter, source in PAIRS:
        waits, sleeps = waits_of(known, waiter, False), waits_of(known, source, True)
        got, nr = sleeping_in_trees(found, waiter, source)
        want = overlap(waits, sleeps)
        checks.check(nr, f"{label}: below a wait of {waiter} the report has where {source} sleeps")
        checks.timing(truth.close(got, want, 0.02, 100_000 * len(waits)), f"{label}: the report: as long as {source} does",
                      f"{got}, {want} expected")
    text = output(DWELL, "report", "--follow", "-i", data)
    tree = " ".join(text.partition("followed:")[2].split())
    checks.check("until woken — by task pipeline::" in tree and "on Sleep: until deadline" in tree,
                 f"{label}: the report for people has the trees", text)


def look(checks, label, known, data):
    plain, followed = told(data), told(data, "--follow")
    sums = collections.Counter()
    new = []
    for frames, ns in followed.items():
        wait = next((frames[:n] for n in range(len(frames), 0, -1) if frames[:n] in plain), None)
        if wait is None or (wait != frames and not wait[-1].startswith(SOURCES)):
            new.append(frames)
        sums[wait] += ns
    checks.equal(new, [], f"{label}: only waits for tasks are followed")
    checks.equal({w: ns for w, ns in sums.items() if ns != plain.get(w)}, {}, f"{label}: below each wait is its time")
    checks.equal(len(sums), len(plain), f"{label}: all waits are there")
    open_ends = sum(ns for frames, ns in followed.items() if frames[-1].startswith("[follow: "))
    added = sum(ns for frames, ns in followed.items() if frames not in plain)
    checks.check(added > 0 and open_ends < 0.02 * added, f"{label}: what the others did is known",
                 f"{open_ends} of {added} is not")
    threads = [frames for frames in followed if "by thread bell" in frames[-1]]
    checks.check(threads, f"{label}: a wait that a thread ended stays as it is", plain)
    look_at_report(checks, label, known, data)
    for waiter, source in PAIRS:
        waits, sleeps = waits_of(known, waiter, False), waits_of(known, source, True)
        want = overlap(waits, sleeps)
        got, nr = sleeping_below(followed, waiter, source)
        checks.check(waits and nr, f"{label}: below {waiter} stands where {source} sleeps", waits)
        checks.timing(truth.close(got, want, 0.02, 100_000 * len(waits)), f"{label}: as long as {source} does while {waiter} waits",
                      f"{got}, {want} expected")
    picture = output(DWELL, "flamegraph", "--follow", "-o", "-", "-i", data)
    checks.check("pipeline::stage (pipeline.rs" in picture.partition("by task pipeline::stage")[2], f"{label}: the picture has it, too")


def attempt(checks, profile, flavor, directory):
    label = f"{profile}, {flavor}"
    name = f"{profile}-{flavor}"
    program = [workload("pipeline", profile), "--flavor", flavor, "--rounds", "60", "--truth", directory / f"{name}.truth"]
    with Target(program, directory, name) as target:
        with Recording(target.pid, directory, f"{name}.dwell", options=["--no-looks"]) as recording:
            target.go()
            checks.equal((target.wait(120), target.err), (0, ""), f"{label}: the program ends as it should")
            checks.equal(recording.wait(60), 0, f"{label}: the recording ends with it")
            look(checks, label, truth.Truth(target.truth_path), recording.data)


def main():
    need_recording()
    need_files(DWELL, *(workload("pipeline", profile) for profile in PROFILES))
    checks = Checks()
    checks.equal(run(DWELL, "flamegraph", "--folded", "--follow", "-i", "x").returncode, 2, "folded stacks cannot be followed")
    with scratch() as directory:
        for profile in PROFILES:
            for flavor in ("multi", "current"):
                with checks.guarded(f"{profile}, {flavor}: a comparison"):
                    attempts(checks, lambda trial: attempt(trial, profile, flavor, directory))
    checks.done()


if __name__ == "__main__":
    main()
