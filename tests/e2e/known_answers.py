#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Waits and polls whose causes are controlled, against what those noted who caused them: each segment is right to 1 % or
50 µs at the median, and about the right object; all of it in one table. Workloads `causes`, `jobs` and `uring`, as release
and as fat LTO; and a worker whose cgroup has half a CPU.

    known_answers.py [--table] [NAME...]

NAME: only runs whose name begins so (causes, fat/uring, quota …). --table: the table, and of the checks only what is wrong.

As in ground_truth.py, a run in which only times were wrong is made again, twice at most: each segment has to be right once.
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import statistics
import sys
import time

import truth
from harness import (DWELL, PROFILES, Checks, Recording, Target, attempts, fold, need_files, need_recording, no_io_uring, output,
                     report, scratch, workload)
from jobs import PARTS as JOB, SLEEPS as JOB_SLEEPS, pairs_of, task_of, wanted_of

ATTEMPTS = 3
UNATTRIBUTED = 0.005
RUNS = [
    ("causes", ["causes"]),
    ("causes-current", ["causes", "--flavor", "current"]),
    ("quota", ["causes", "quota"]),
    ("jobs", ["jobs"]),
    ("uring", ["uring"]),
]
# What dwell calls the parts that the truth names as one.
KINDS = {**truth.PARTS, "until woken": truth.PARTS["until wake"], "job": [*JOB, "job done"]}
REST = "(the runtime's)"
SHOWN_NS = 20_000  # shorter parts are checked, but are no line of the table

Line = collections.namedtuple("Line", "run task segment count truth dwell error ok")


class Cgroup:
    """A cgroup with half a CPU, of version 1 or 2."""

    PERIOD_US, QUOTA_US = 20_000, 10_000

    def __init__(self):
        name = f"dwell-{os.getpid()}"
        first, second = pathlib.Path("/sys/fs/cgroup/cpu"), pathlib.Path("/sys/fs/cgroup")
        if (first / "cgroup.procs").exists():
            self.path = first / name
            self.path.mkdir()
            (self.path / "cpu.cfs_period_us").write_text(str(self.PERIOD_US))
            (self.path / "cpu.cfs_quota_us").write_text(str(self.QUOTA_US))
        else:
            (second / "cgroup.subtree_control").write_text("+cpu")
            self.path = second / name
            self.path.mkdir()
            (self.path / "cpu.max").write_text(f"{self.QUOTA_US} {self.PERIOD_US}")

    def limit(self, period_us, quota_us):
        if (self.path / "cpu.max").exists():
            (self.path / "cpu.max").write_text(f"{quota_us} {period_us}")
        else:
            (self.path / "cpu.cfs_period_us").write_text(str(period_us))
            (self.path / "cpu.cfs_quota_us").write_text(str(quota_us))

    def take(self, pid):
        (self.path / "cgroup.procs").write_text(str(pid))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):  # the target is there yet: it goes with the test's end
            self.path.rmdir()


def got_of(found):
    """Part → ns of a wait or poll; and part → what it is about → ns."""
    parts, about = collections.Counter(), collections.defaultdict(collections.Counter)
    for part in found["parts"]:
        name = part["segment"] if part["segment"] == "ready" else part["part"] or part["segment"]
        parts[name] += part["ns"]
        about[name][part["detail"]] += part["ns"]
    return parts, about


def known_of(record):
    """(part, ns, what it is about) of what the program noted, in order."""
    if "job" in record:
        sleep = JOB_SLEEPS.get(task_of(record["task"]), "")
        return [(part, max(ns, 0), sleep if part == "job blocked" else "") for part, ns in wanted_of(record).items()]
    return [(part["part"], part["ns"], part["about"]) for part in record["known"]]


def compare(checks, lines, run, site, pairs):
    """A line of the table for each part, to `lines`, where those that were right before stay; `pairs`: what was found,
    and what was noted."""
    where = f"{run}: {site}"
    wants = [known_of(noted) for _, noted in pairs]
    gots = [got_of(found) for found, _ in pairs]

    def line(segment, want, got):
        error = statistics.median(g - w for g, w in zip(got, want))
        middle, ours = statistics.median(want), statistics.median(got)
        ok = abs(error) <= max(0.01 * middle, 50_000)
        before = lines.get((site, segment))
        if not before or not before.ok:
            lines[site, segment] = Line(run, site, segment, len(pairs), middle, ours, error, ok)
        checks.timing(lines[site, segment].ok, f"{where}: {segment}",
                      f"median error {error / 1e3:.1f} µs of {middle / 1e3:.1f} µs")

    for number, (part, _, about) in enumerate(wants[0]):
        names = KINDS.get(part, [part])
        line(part, [want[number][1] for want in wants], [sum(parts[name] for name in names) for parts, _ in gots])
        if about and statistics.median(want[number][1] for want in wants) > SHOWN_NS:
            told = sum((abouts[name] for _, abouts in gots for name in names), collections.Counter())
            most = max(told, key=told.get, default="")
            pattern = ".*".join(re.escape(text) for text in about.split("…"))
            checks.check(re.match(pattern, most), f"{where}: {part}: what it is about", f"{dict(told)}, {about} wanted")
    of_known = {name for part, _, _ in wants[0] for name in KINDS.get(part, [part])}
    line(REST, [noted["end"] - noted["start"] - sum(ns for _, ns, _ in want) for (_, noted), want in zip(pairs, wants)],
         [sum(ns for name, ns in parts.items() if name not in of_known) for parts, _ in gots])


def pair(checks, run, site, noted, found, begin):
    pairs, missing = pairs_of(noted, found, begin)
    pairs = [(found, noted) for found, noted in pairs if all(ns >= 0 for _, ns, _ in known_of(noted))]
    if checks.check(not missing and len(pairs) >= 0.8 * len(noted), f"{run}: {site}: {len(noted)} of them",
                    f"{len(pairs)} found, {missing}"):
        return pairs
    return []


def around(noted, found, begin):
    """Each noted poll with that of the recording which it was in."""
    pairs = []
    for poll in noted:
        at = [f for f in found if begin + f["from_ns"] - 20_000 <= poll["start"] and poll["end"] <= begin + f["to_ns"] + 20_000]
        pairs += [(found, poll) for found in at[:1]]
    return pairs


def of_jobs(checks, run, found, known):
    """What the cgroup did not allow jobs to run is told of their kind, too."""
    want = sum(part["ns"] for noted in known.waits.values() for wait in noted for part in wait.get("known", [])
               if part["part"] == "job throttled")
    got = sum(job.get("throttled_ns", 0) for job in found["jobs"])
    if want:
        checks.timing(abs(got - want) <= 0.02 * want, f"{run}: throttled time of jobs", f"{got}, {want} wanted")
    else:
        checks.equal(got, 0, f"{run}: no job is throttled")


def cpu_of(pid):
    """ns that a process has been on CPUs."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


def at_end(checks, directory, cgroup):
    """A recording that ends while a poll is not allowed to run: that time is throttled, too."""
    cgroup.limit(1_000_000, 20_000)
    with Target([workload("causes"), "quota", "--cgroup", cgroup.path], directory, "at-end") as target:
        cgroup.take(target.pid)
        with Recording(target.pid, directory, "at-end.dwell", options=["--no-looks"]) as recording:
            target.go()
            end, used, since = time.monotonic() + 30, -1, time.monotonic()
            # Until it has used up its time, and has been kept for a third of a second.
            while time.monotonic() < end and (used < 15_000_000 or time.monotonic() - since < 0.35):
                now = cpu_of(target.pid)
                if now > used + 1_000_000:
                    used, since = now, time.monotonic()
                time.sleep(0.01)
            kept = (time.monotonic() - since) * 1e9
            checks.equal(recording.stop(), 0, "at the end: recorded")
    rows = [row for row in fold(recording.data) if row.task == "causes::workers::computes_less" and row.segment == "preempted"]
    got = sum(row.weight for row in rows if row.parts == ["throttled"])
    other = sum(row.weight for row in rows if row.parts != ["throttled"])
    checks.timing(got > 0.9 * kept and other < 0.2 * kept, "at the end: throttled until then", (got, other, kept))


def attempt(checks, lines, run, command, profile, directory, cgroup):
    program, *arguments = command
    if cgroup:
        arguments += ["--cgroup", cgroup.path]
    tag = run.replace("/", "-")
    with Target([workload(program, profile), *arguments, "--truth", directory / f"{tag}.truth"], directory, tag) as target:
        if cgroup:
            cgroup.take(target.pid)
        with Recording(target.pid, directory, f"{tag}.dwell", options=["--no-looks"]) as recording:
            target.go()
            ended = checks.equal((target.wait(120), target.err), (0, ""), f"{run}: the program ends as it should")
            checks.equal(recording.wait(60), 0, f"{run}: the recording ends with it")
            if not ended:
                return
            for line in target.out.splitlines():
                if line.startswith("skipped "):
                    checks.skip(f"{run}: {line.removeprefix('skipped ').split(': ')[0]}", line.split(": ")[1])
            data = recording.data
            known = truth.Truth(target.truth_path)
    found = report(data)
    begin = found["recording"]["start_realtime_ns"] - (time.time_ns() - time.monotonic_ns())
    truth.check_totals(checks, run, found, fold(data))
    of_jobs(checks, run, found, known)
    share = found["segments"]["unattributed"] / found["lifetime_ns"]
    checks.check(share <= UNATTRIBUTED, f"{run}: unattributed", f"{share:.2%}")
    slowest = json.loads(output(DWELL, "why", "-i", data, "--json", "--slowest", "100000"))["slowest"]
    waits = collections.defaultdict(list)
    for wait in slowest["waits"]:
        if wait["chain"]:
            waits[truth.plain(wait["task"]), wait["at"]["line"]].append(wait)
    polls = collections.defaultdict(list)
    for poll in slowest["polls"]:
        polls[truth.plain(poll["task"])].append(poll)
    for site, noted in sorted(known.waits.items()):
        if "known" in noted[0] or "job" in noted[0]:
            where = f"{task_of(site.task)}:{site.line}"
            pairs = pair(checks, run, where, noted, waits[site.task, site.line], begin)
            if pairs:
                compare(checks, lines, run, where, pairs)
    for (task, number), noted in sorted(known.polls.items()):
        where = f"{task_of(task)}:{number}"
        pairs = around(noted, polls[task], begin)
        if checks.check(len(pairs) >= 0.8 * len(noted), f"{run}: {where}: {len(noted)} polls", f"{len(pairs)} found"):
            compare(checks, lines, run, where, pairs)


def show(lines):
    form = "{:16} {:22} {:18} {:>5} {:>12} {:>12} {:>11}  {}"
    print(form.format("run", "workload", "segment", "of", "truth µs", "dwell µs", "error µs", ""))
    for line in lines:
        print(form.format(line.run, line.task, line.segment, line.count, f"{line.truth / 1e3:,.1f}", f"{line.dwell / 1e3:,.1f}",
                          f"{line.error / 1e3:+,.1f}", "ok" if line.ok else "WRONG"))


class Quiet(Checks):
    """Checks that are only shown if they fail."""

    def check(self, ok, what, detail=""):
        if not ok:
            return super().check(ok, what, detail)
        self.passed += 1
        return ok


def main():
    need_recording()
    names = [name for name in sys.argv[1:] if name != "--table"]
    checks = Checks() if "--table" not in sys.argv else Quiet()
    table = []
    with scratch() as directory:
        for profile in PROFILES:
            for name, command in RUNS:
                run = name if profile == "release" else f"{profile}/{name}"
                if names and not any(run.startswith(prefix) for prefix in names):
                    continue
                need_files(DWELL, workload(command[0], profile))
                if name == "uring" and no_io_uring():
                    checks.skip(run, no_io_uring())
                    continue
                with checks.guarded(f"{run}: a comparison"), contextlib.ExitStack() as stack:
                    cgroup = None
                    if name == "quota":
                        try:
                            cgroup = stack.enter_context(Cgroup())
                        except OSError as error:
                            checks.skip(run, f"no cgroup for it: {error}")
                            continue
                    lines = {}
                    attempts(checks, lambda trial: attempt(trial, lines, run, command, profile, directory, cgroup), ATTEMPTS)
                    if run == "quota":
                        attempts(checks, lambda trial: at_end(trial, directory, cgroup), ATTEMPTS)
                    table += [line for line in lines.values() if max(line.truth, line.dwell) >= SHOWN_NS]
    show(table)
    checks.done()


if __name__ == "__main__":
    main()
