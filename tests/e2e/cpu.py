#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Samples of the CPUs (`record --cpu`) of workload `cpu`, which says what the kernel accounts to its threads in each
function: how running time is divided by them, to five standard deviations of so many samples; that they change no sum, where
they are in the program, and that nothing is opened without the option.

    cpu.py [PROFILE...]    release, fat
"""

import collections
import math
import os
import pathlib
import sys

from harness import (DWELL, PROFILES, Checks, Process, attempts, below, fold, holder, need_files, need_recording, output, report, run,
                     scratch, skip_all, wait_for, workload)

HZ = 999
ROUNDS = 2000
DEPTH = 30
# Function → the task or job that it is all but alone in.
ALONE = {"heavy": "cpu::mixed", "light": "cpu::mixed", "bottom": "cpu::deep", "written": "cpu::written",
         "hash": "cpu::waits_for_jobs"}
JOBS = {"hash"}


def record(directory, name, profile, *options):
    """The recording of a run of the workload, and what the workload said: function → ns."""
    data, said = directory / f"{name}.data", directory / f"{name}.truth"
    with open(said, "wb") as out:
        with Process([DWELL, "record", "-q", "-o", data, *options, "--", workload("cpu", profile), "--rounds", ROUNDS],
                     directory, name, stdout=out) as dwell:
            status = dwell.wait(120)
            assert status == 0, f"status {status}: {dwell.err}"
    return data, {words[0]: int(words[1]) for words in map(str.split, said.read_text().splitlines())}


def perf_events(pid):
    """How many perf events a process has open."""
    links = []
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(fd))
        except OSError:
            continue
    return sum("[perf_event]" in link for link in links)


def check_shares(checks, name, found, known):
    functions = {(holder(f["task"]), f["job"], f["function"].removeprefix("cpu::")): f for f in found["on_cpu"]["functions"]}
    for function, task in ALONE.items():
        f = functions.get((task, function in JOBS, function))
        if not checks.check(f, f"{name}: {function} is among the functions of {task}", f"{sorted(functions)}"):
            continue
        all_samples = sum(g["samples"] for g in functions.values() if g["task"] == f["task"])
        share = known[function] / f["task_running_ns"]
        error = f["running_ns"] - known[function]
        bound = 5 * math.sqrt(max(share * (1 - share), 0.001) / all_samples) * f["task_running_ns"] + 0.01 * known[function]
        print(f"     {name + ': ' + function:24} truth {known[function] / 1e6:8.1f} ms   dwell {f['running_ns'] / 1e6:8.1f} ms   "
              f"error {error / 1e6:+7.2f} ms   bound {bound / 1e6:6.2f} ms   {f['samples']} samples", flush=True)
        checks.timing(abs(error) <= bound, f"{name}: {function}: its share of the running time",
                      f"{f['running_ns']} ns, known {known[function]} ns, bound {bound:.0f} ns")
    heavy, light = (functions.get(("cpu::mixed", False, f)) for f in ("heavy", "light"))
    if heavy and light:
        nr = heavy["samples"] + light["samples"]
        p = known["heavy"] / (known["heavy"] + known["light"])
        checks.timing(abs(heavy["samples"] - nr * p) <= 5 * math.sqrt(nr * p * (1 - p)),
                      f"{name}: heavy and light share as they should", f"{heavy['samples']} of {nr}, {p:.4f} expected")
    written = functions.get(("cpu::written", False, "written"))
    if written:
        checks.check(written["kernel_samples"] > 0.9 * written["samples"], f"{name}: written works in the kernel", f"{written}")
    burner = found["on_cpu"]["threads_in_no_poll"].get("burner", 0)
    want = known["burner"] / 1e9 * found["on_cpu"]["hz"]
    checks.timing(abs(burner - want) <= 5 * math.sqrt(want) + 0.1 * want, f"{name}: a thread that polls nothing is sampled as often",
                  f"{burner} samples, {want:.0f} expected")


def check_sums(checks, name, data, found):
    """Samples divide time, and add none."""
    on_cpu = found["on_cpu"]
    checks.equal(on_cpu["in_tasks"] + on_cpu["in_jobs"] + on_cpu["in_no_poll"] + on_cpu["not_placed"], on_cpu["samples"],
                 f"{name}: each sample is somewhere")
    checks.equal(sum(f["samples"] for f in on_cpu["functions"]), on_cpu["in_tasks"] + on_cpu["in_jobs"],
                 f"{name}: each sample of a task is in a function")
    checks.equal(sum(on_cpu["threads_in_no_poll"].values()), on_cpu["in_no_poll"], f"{name}: each other one is a thread's")
    by_task, running = collections.Counter(), {}
    for f in on_cpu["functions"]:
        by_task[f["task"]] += f["running_ns"]
        running[f["task"]] = f["task_running_ns"]
    checks.equal(dict(by_task), running, f"{name}: the functions' times add up to the running time of their tasks")
    rows = fold(data)
    segments = collections.Counter()
    for row in rows:
        segments[row.segment] += row.weight
    checks.equal({s: segments[s] for s in segments}, {s: ns for s, ns in found["segments"].items() if ns},
                 f"{name}: the rows add up to the segments")
    checks.equal(sum(segments.values()), found["lifetime_ns"], f"{name}: and to the tasks' lives")
    rows_of = collections.Counter()
    for row in rows:
        if row.segment == "running" and row.parts[:1] != ["polling another task"]:
            rows_of[row.task] += row.weight
    checks.equal({task: rows_of[task] for task in running}, running, f"{name}: rows and functions tell the same time")
    return rows


def functions_of(row):
    return [part.split(" (")[0] for part in row.parts]


def check_stacks(checks, name, rows):
    running = [row for row in rows if row.segment == "running"]
    total = sum(row.weight for row in running)
    # Of some samples the kernel copies nothing of the stack.
    gaps = sum(row.weight for row in running if row.parts and row.parts[0].startswith("[gap"))
    checks.check(gaps <= 0.02 * total, f"{name}: stacks are known up to the poll", f"{gaps} of {total} ns are not")
    running = [row for row in running if row.parts and not row.parts[0].startswith("[gap")]
    bottom = [functions_of(row) for row in running if row.task == "cpu::deep" and "cpu::bottom" in functions_of(row)]
    checks.check(bottom, f"{name}: stacks of deep")
    checks.equal({stack.count("cpu::descend") for stack in bottom}, {DEPTH + 1}, f"{name}: each level of a recursion is there")
    checks.equal({stack[0] for stack in bottom}, {"cpu::deep"}, f"{name}: the task's own function is the outermost")
    light = [row for row in running if row.task == "cpu::mixed" and "cpu::light" in functions_of(row)]
    checks.check(light and all("(cpu.rs:" in part for row in light for part in row.parts if part.startswith("cpu::")),
                 f"{name}: an inlined function is told, with its line", f"{[row.parts for row in light]}")
    kernel = [row for row in running if row.task == "cpu::written" and row.parts[-1].endswith("_[k]")]
    for row in kernel:
        ends = [part.endswith("_[k]") for part in row.parts]
        if ends != sorted(ends):
            checks.check(False, f"{name}: the kernel's functions are below the program's", f"{row.parts}")
            return
    checks.check(kernel, f"{name}: the kernel's functions are below the program's")


def check_followed(checks, name, data, found, known):
    """Main waits for `mixed' all the time: what that does meanwhile is divided by its samples, as its own time is."""
    own = {f["function"]: f for f in found["on_cpu"]["functions"] if holder(f["task"]) == "cpu::mixed"}
    waits = [e for p in report(data, "--follow")["await_points"] for e in p["followed"]
             if holder(e["detail"]) == "joined task cpu::mixed"]
    running = [e for e in below(waits) if e.get("segment") == "running"]
    total = sum(e["ns"] for e in running)
    times = {e.get("function", ""): e["ns"] for e in running}
    checks.equal(set(times), set(own), f"{name}: followed: the same functions as of the task itself")
    checks.equal([e for e in running if e.get("line") != own[e["function"]]["line"]], [], f"{name}: followed: at the same lines")
    samples = sum(f["samples"] for f in own.values())
    off = {f: ns for f, ns in times.items() if abs(ns - total * own[f]["samples"] / samples) > 1000}
    checks.equal(off, {}, f"{name}: followed: shares are those of the samples")
    share = known["heavy"] / own["cpu::heavy"]["task_running_ns"]
    bound = 5 * math.sqrt(share * (1 - share) / samples) * total + 0.02 * known["heavy"]
    checks.timing(abs(times["cpu::heavy"] - known["heavy"]) <= bound, f"{name}: followed: heavy runs as long as it says",
                  f"{times['cpu::heavy']} ns, known {known['heavy']} ns, bound {bound:.0f} ns")
    rows = []
    for line in output(DWELL, "fold", "--weight", "ns", "--follow", "-i", data).splitlines():
        stack, _, ns = line.rpartition(" ")
        head, _, meanwhile = stack.partition(";[running]")
        if holder(head.rpartition(";")[2]) == "joined task cpu::mixed":
            rows.append((meanwhile.split(";")[1:], int(ns)))
    checks.equal(sum(ns for _, ns in rows), total, f"{name}: followed: stacks and trees tell the same time")
    checks.equal([ns for frames, ns in rows if not frames], [], f"{name}: followed: all of it is divided")
    # As below the task itself: the executor's functions are left out, where there are others.
    first = {frames[0].split(" (")[0] for frames, _ in rows if any(frame.startswith("cpu::") for frame in frames)}
    checks.equal({f for f in first if not f.startswith("[gap")}, {"cpu::mixed"},
                 f"{name}: followed: the task's own function is the outermost")


def check_jobs(checks, name, data):
    """What a job does on a CPU stands below the waits for it, too."""
    waits = []
    for line in output(DWELL, "fold", "--weight", "ns", "-i", data).splitlines():
        head, found, rest = line.rpartition(" ")[0].partition(";[await];job running;")
        if found:
            waits.append((rest.split(";"), int(line.rpartition(" ")[2])))
    total = sum(ns for _, ns in waits)
    hashed = sum(ns for frames, ns in waits if "blocking job" in frames[0] and any(f.startswith("cpu::hash (") for f in frames))
    checks.check(total and hashed > 0.8 * total, f"{name}: below waits for jobs stand their functions", f"{hashed} of {total} ns")


def divided(checks, directory, profile):
    data, known = record(directory, f"{profile}-{HZ}", profile, f"--cpu={HZ}")
    found = report(data)
    checks.equal(found["on_cpu"]["hz"], HZ, f"{profile}: the rate")
    check_shares(checks, profile, found, known)
    check_stacks(checks, profile, check_sums(checks, profile, data, found))
    check_followed(checks, profile, data, found, known)
    check_jobs(checks, profile, data)
    selected = output(DWELL, "report", "--task", "cpu::deep", "-i", data)
    checks.check("cpu::bottom" in selected and "cpu::heavy" not in selected, f"{profile}: a selected task's functions alone", selected)


def by_default(checks, directory):
    """The usual rate, and what is open meanwhile: one event for each CPU, or none."""
    for options, events, hz in (("--cpu",), os.cpu_count(), 99), ((), 0, None):
        with Process([workload("cpu"), "--rounds", 1000000], directory, "target") as target:
            data = directory / "default.data"
            argv = [DWELL, "record", "-q", "-p", target.pid, "-o", data, *options]
            with Process(argv, directory, "recorder") as dwell:
                wait_for(lambda: "dwell: attached" in dwell.err or not dwell.alive(), "'dwell: attached'")
                name = " ".join(options) or "without --cpu"
                checks.equal(perf_events(dwell.pid), events, f"{name}: perf events of dwell")
                checks.equal(perf_events(target.pid), 0, f"{name}: perf events of the program")
                dwell.signal(2)
                checks.equal(dwell.wait(), 0, f"{name}: status")
            found = report(data)
            checks.equal(found.get("on_cpu", {}).get("hz"), hz, f"{name}: the rate in the report")
            text = output(DWELL, "report", "-i", data)
            checks.equal("\nOn a CPU" in text, hz is not None, f"{name}: the report has a part about it, or none")


def inside(checks, directory):
    """In a pid namespace of its own, where the kernel tells samples by other ids than events."""
    data = directory / "inside.data"
    done = run("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", DWELL, "record", "-q", f"--cpu={HZ}", "-o", data,
               "--", workload("cpu"), "--rounds", 500)
    checks.equal(done.returncode, 0, "inside: status")
    found = report(data)["on_cpu"]
    names = {f["function"] for f in found["functions"]}
    checks.check(names >= {f"cpu::{f}" for f in ALONE}, "inside: functions of all tasks", f"{names}")
    checks.check("burner" in found["threads_in_no_poll"], "inside: other threads by their names", f"{found['threads_in_no_poll']}")


def wrong(checks):
    for hz in ("0", "10000", "-1", "many", ""):
        done = run(DWELL, "record", f"--cpu={hz}", "-p", os.getpid())
        checks.check(done.returncode == 2 and f"1 to 9999: {hz}" in done.stderr.splitlines()[0], f"--cpu={hz}", done.stderr)


def main():
    need_recording()
    profiles = [p for p in PROFILES if p in sys.argv[1:] or not sys.argv[1:]]
    need_files(DWELL, *(workload("cpu", profile) for profile in profiles))
    without = run(DWELL, "record", "--cpu", "-q", "-o", "/dev/null", "--", "/bin/true")
    if "built without libperf" in without.stderr:
        skip_all("dwell was built without libperf")
    checks = Checks()
    with scratch() as directory:
        wrong(checks)
        with checks.guarded("the usual rate"):
            by_default(checks, directory)
        with checks.guarded("inside"):
            inside(checks, directory)
        for profile in profiles:
            with checks.guarded(profile):
                attempts(checks, lambda trial, profile=profile: divided(trial, directory, profile))
    checks.done()


if __name__ == "__main__":
    main()
