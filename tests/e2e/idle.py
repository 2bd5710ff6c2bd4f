#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Idle waits of a kept-alive HTTP service (workload `web') are told from waits for a reply: how long its clients think, and
how long its backend takes, is known. --idle leaves out the ones or the others, and nothing is lost by that."""

import contextlib
import json
import subprocess
import time

from harness import (DWELL, PROFILES, Checks, Process, Recording, attempts, need_files, need_recording, output, run, scratch,
                     wait_for, workload)

THINK_NS, DELAY_NS = 20_000_000, 5_000_000


@contextlib.contextmanager
def service(profile, directory):
    with Process([workload("peer", profile), "backend", "--delay-us", str(DELAY_NS // 1000)], directory, f"{profile}-backend",
                 stdin=subprocess.PIPE) as backend:
        port = int(wait_for(lambda: backend.out.strip(), "the backend's port").splitlines()[0])
        with Process([workload("web", profile), "serve", "--backend", f"127.0.0.1:{port}"], directory, f"{profile}-web",
                     stdin=subprocess.PIPE) as target:
            port = int(wait_for(lambda: target.out.strip(), "the service's port").splitlines()[0])
            with Process([workload("peer", profile), "http", "--connections", "4", "--think-us", str(THINK_NS // 1000),
                          "--seconds", "60", "--paths", "/backend=1", f"127.0.0.1:{port}"], directory, f"{profile}-load",
                         stdin=subprocess.PIPE):
                time.sleep(0.3)  # all connections are there before the recording is
                yield target


def told(data, idle=None):
    """Stack → ns."""
    options = [f"--idle={idle}"] if idle else []
    lines = output(DWELL, "fold", "--weight", "ns", "-i", data, *options).splitlines()
    return {stack: int(ns) for stack, _, ns in (line.rpartition(" ") for line in lines)}


def report(data, idle):
    return json.loads(output(DWELL, "report", "--json", "-i", data, f"--idle={idle}"))


def of_part(stacks, part):
    return sum(ns for stack, ns in stacks.items() if f";{part}" in stack.partition(";[await]")[2])


def mean_wait(checks, label, seen, part, want):
    """The mean of waits with @part, which may be longer than @want by what a busy machine adds."""
    points = [point for point in seen["await_points"] if point["split"].get(part)]
    waits = sum(point["count"] for point in points)
    got = sum(point["split"][part] for point in points) / max(waits, 1)
    checks.check(waits > 50, f"{label}: there are waits with '{part}'", waits)
    checks.timing(0.95 * want < got < 1.25 * want, f"{label}: '{part}' is as long as it is made to be", f"{got:.0f} of {want}")


def look(checks, label, data):
    stacks, wall = told(data), report(data, "show")["wall_ns"]
    mean_wait(checks, label, report(data, "show"), "no data: request", THINK_NS)
    mean_wait(checks, label, report(data, "show"), "no data: reply", DELAY_NS)
    accepts = of_part(stacks, "no data: connection")
    checks.check(0.99 * wall < accepts <= 1.01 * wall, f"{label}: all the time it waits for a connection", f"{accepts} of {wall}")
    known = of_part(stacks, "no data: request") + of_part(stacks, "no data: reply")
    plain = of_part(stacks, "no data") - known - accepts
    checks.check(plain < 0.02 * known, f"{label}: of all data it is told who waits for them", f"{plain} of {known}")

    hidden, only = told(data, "hide"), told(data, "only")
    checks.equal({**hidden, **only}, stacks, f"{label}: each stack is in one of --idle=hide and --idle=only, with its time")
    checks.equal(set(hidden) & set(only), set(), f"{label}: and in one only")
    checks.equal(of_part(hidden, "no data: request") + of_part(hidden, "no data: connection"), 0, f"{label}: nothing idle is left")
    seen = report(data, "hide")
    checks.equal((seen["lifetime_ns"], seen["selection"]["left_out_ns"]), (sum(hidden.values()), sum(only.values())),
                 f"{label}: the report's sums are those of the stacks")
    checks.equal(sum(seen["segments"].values()), seen["lifetime_ns"], f"{label}: and add up")
    waits = [point for point in seen["await_points"] if point["split"].get("no data: reply")]
    checks.check(waits and all(point["p50_ns"] >= DELAY_NS for point in waits), f"{label}: waits for a reply keep their length",
                 waits)
    title = output(DWELL, "flamegraph", "-o", "-", "-i", data)
    checks.check("of idle waits" in title and "no data: request" not in title, f"{label}: the picture leaves them out, and says so")
    title = output(DWELL, "flamegraph", "--idle=show", "-o", "-", "-i", data)
    checks.check("of idle waits" not in title and "no data: request" in title, f"{label}: unless it is told to show them")


def attempt(checks, profile, directory):
    with service(profile, directory) as target:
        with Recording(target.pid, directory, f"{profile}.dwell", options=["--duration", "2", "--no-looks"]) as recording:
            checks.equal(recording.wait(60), 0, f"{profile}: recorded")
            look(checks, profile, recording.data)


def main():
    need_recording()
    need_files(DWELL, *(workload(name, profile) for profile in PROFILES for name in ("web", "peer")))
    checks = Checks()
    checks.equal(run(DWELL, "fold", "--idle=perhaps").returncode, 2, "another word than show, hide, only is wrong usage")
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(profile):
                attempts(checks, lambda trial: attempt(trial, profile, directory))
    checks.done()


if __name__ == "__main__":
    main()
