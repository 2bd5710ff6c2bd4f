#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Waits for blocking jobs (workloads `jobs` and `smol_jobs') against what the jobs note themselves: how long each was
queued, on a CPU, in a run queue and asleep; wait by wait, at the median to 1 % or 50 µs. On tokio and smol, as release and
as fat LTO. The kernel accounts a thread's time in a run queue itself (schedstat): that is the truth of it.

    jobs.py [NAME...]      only runs whose name begins so

As in ground_truth.py, a run in which only times were wrong is made again, twice at most.
"""

import collections
import json
import statistics
import sys
import time

import truth
from harness import (DWELL, PROFILES, Checks, Recording, Target, attempts, fold, need_files, need_recording, output, report,
                     scratch, workload)

ATTEMPTS = 3
RUNS = [
    ("jobs", ["jobs"]),
    ("jobs-current", ["jobs", "--flavor", "current"]),
    ("smol_jobs", ["smol_jobs"]),
]
PARTS = ("job queued", "job running", "job run queue", "job blocked")
# What else may be in a wait that a job ended.
SMALL = "job done"
# What jobs of these tasks sleep in, in words.
SLEEPS = {
    **dict.fromkeys(("root", "sleeper", "third", "late", "set", "impatient", "several"), "a sleep of the thread"),
    "locked": "a file lock: file /", "piped": "a pipe that is empty: pipe from this process",
    "filed": "a pipe that is empty: pipe from this process",
}
# Tasks whose jobs have code like no others': link-time optimization keeps equal code once, under one name.
ALONE = {"burner", "crowded", "locked", "piped"}
# Jobs of a library, that note nothing but their end.
LIBRARY = {"filed"}
# Jobs that no truth tells anything of, but that they are jobs.
UNTOLD = {"resolver"}


def parts_of(wait):
    parts = collections.Counter()
    for part in wait["parts"]:
        if part["segment"] == "await":
            parts[part["part"]] += part["ns"]
    return parts


def wanted_of(wait):
    job = wait["job"]
    parts = {"job queued": max(job["begin"] - wait["start"], 0), "job running": job["running"],
             "job run queue": job["run_queue"], "job blocked": job["blocked"]}
    # What it did before the wait began: it slept, or it computed.
    parts[max(parts, key=parts.get)] -= max(wait["start"] - job["begin"], 0)
    return parts


def pairs_of(known, found, begin):
    """Each noted wait with that of the recording, whose time begins at `begin`; and the notes without one."""
    pairs, missing = [], []
    for wait in known:
        at = [f for f in found if wait["start"] <= begin + f["from_ns"] + 20_000 and begin + f["from_ns"] <= wait["end"]]
        if len(at) == 1:
            pairs.append((at[0], wait))
        elif at or wait["end"] - wait["start"] > 200_000:
            missing.append((wait, at))
    return pairs, missing


def task_of(name):
    return name.split("::")[-1]


def check_site(checks, name, site, waits, found, begin):
    task = task_of(site.task)
    where = f"{name}: {task}:{site.line}"
    pairs, missing = pairs_of(waits, found, begin)
    checks.check(not missing and len(pairs) >= 0.8 * len(waits), f"{where}: {len(waits)} waits",
                 f"{len(pairs)} found, {missing}")
    if not pairs:
        return
    others = collections.Counter()
    for wait in found:
        others.update({part for part in parts_of(wait) if part not in (*PARTS, SMALL)})
    # A root's thread may lose its CPU before it sleeps: whoever ends the wait then has nobody to wake.
    if task == "root" and others["no wake seen"] == 1:
        del others["no wake seen"]
    checks.check(not others, f"{where}: is split by what the job did, and by nothing else", f"{others}")
    got = [parts_of(wait) for wait, _ in pairs]
    want = [wanted_of(wait) for _, wait in pairs]
    if task in LIBRARY:
        got = [{"all of it": sum(parts.values())} for parts in got]
        want = [{"all of it": sum(parts.values())} for parts in want]
    for part in want[0]:
        error = statistics.median(g.get(part, 0) - w[part] for g, w in zip(got, want))
        middle, ours = (statistics.median(side.get(part, 0) for side in sides) for sides in (want, got))
        print(f"     {where + ': ' + part:52} truth {middle / 1e3:10.1f} µs   dwell {ours / 1e3:10.1f} µs   "
              f"error {error / 1e3:+8.1f} µs", flush=True)
        checks.timing(abs(error) <= max(0.01 * middle, 50_000), f"{where}: {part}",
                      f"median error {error / 1e3:.1f} µs of {middle / 1e3:.1f} µs")
    if task in SLEEPS:
        sleeps = collections.Counter()
        for wait in found:
            for part in wait["parts"]:
                if part["part"] == "job blocked":
                    sleeps[part["detail"]] += part["ns"]
        most = max(sleeps, key=sleeps.get, default="")
        checks.check(most.startswith(SLEEPS[task]), f"{where}: what it slept in", f"{dict(sleeps)}")


def check_jobs(checks, name, known, found):
    """The report's list of them."""
    by_task = {task_of(truth.plain(job["task"])): job for job in found["jobs"]}
    for site, waits in sorted(known.waits.items()):
        jobs = [wait["job"] for wait in waits if "job" in wait]
        task = task_of(site.task)
        if not jobs or task not in ALONE:
            continue
        job = by_task.get(task)
        if not checks.check(job, f"{name}: jobs of {task} are in the report's list", f"{sorted(by_task)}"):
            continue
        checks.equal((job["count"], job["run"]["count"]), (len(jobs), len(jobs)), f"{name}: {task}: so many jobs")
        # In smol, link-time optimization may leave no function that all spawns go through.
        if known.run["program"] == "jobs":
            checks.equal((job["queue"]["count"], job["queue_from_wait"]), (len(jobs), 0),
                         f"{name}: {task}: the queue is known from each spawn on")
        for key, part in (("running_ns", "running"), ("preempted_ns", "run_queue"), ("blocked_ns", "blocked")):
            want = sum(job[part] for job in jobs)
            checks.timing(abs(job[key] - want) <= max(0.01 * want, 50_000 * len(jobs)), f"{name}: {task}: {key}",
                          f"{job[key]}, {want} noted")


def attempt(checks, name, program, arguments, directory):
    tag = name.replace("/", "-")
    with Target([program, *arguments, "--truth", directory / f"{tag}.truth"], directory, tag) as target:
        with Recording(target.pid, directory, f"{tag}.dwell") as recording:
            target.go()
            ended = checks.equal((target.wait(120), target.err), (0, ""), f"{name}: the program ends as it should")
            checks.equal(recording.wait(60), 0, f"{name}: the recording ends with it")
            if not ended:
                return
            data = recording.data
            known = truth.Truth(target.truth_path)
    found = report(data)
    begin = found["recording"]["start_realtime_ns"] - (time.time_ns() - time.monotonic_ns())
    truth.check_totals(checks, name, found, fold(data))
    waits = collections.defaultdict(list)
    for wait in json.loads(output(DWELL, "why", "-i", data, "--json", "--slowest", "100000"))["slowest"]["waits"]:
        if wait["chain"]:
            waits[truth.plain(wait["task"]), wait["at"]["line"]].append(wait)
    for site, noted in sorted(known.waits.items()):
        if task_of(site.task) in UNTOLD:
            parts = collections.Counter(part["part"] for wait in waits[site.task, site.line]
                                        for part in wait["parts"] if part["segment"] == "await")
            checks.check("job running" in parts, f"{name}: {task_of(site.task)}: waits for a job", f"{parts}")
            checks.check(set(parts) <= {*PARTS, SMALL}, f"{name}: {task_of(site.task)}: and for nothing else", f"{parts}")
        elif "job" in noted[0]:
            check_site(checks, name, site, noted, waits[site.task, site.line], begin)
    check_jobs(checks, name, known, found)


def main():
    need_recording()
    need_files(DWELL, *(workload(program, profile) for profile in PROFILES for program in ("jobs", "smol_jobs")))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for name, command in RUNS:
                name = name if profile == "release" else f"{profile}/{name}"
                if sys.argv[1:] and not any(name.startswith(prefix) for prefix in sys.argv[1:]):
                    continue
                with checks.guarded(f"{name}: a comparison"):
                    attempts(checks,
                             lambda trial: attempt(trial, name, workload(command[0], profile), command[1:], directory), ATTEMPTS)
    checks.done()


if __name__ == "__main__":
    main()
