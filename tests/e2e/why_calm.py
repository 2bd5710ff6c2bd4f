#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""dwell why on programs that are well, again and again: there is an answer each time, no finding, and nothing is
attached or changed. DWELL_LOOKS is how often each is looked at (4)."""

import contextlib
import json
import os
import subprocess
import time

from harness import DWELL, PROFILES, Checks, Process, bpf_links, need_files, need_recording, run, scratch, wait_for, workload

LOOKS = int(os.environ.get("DWELL_LOOKS", "4"))
# `churn' spawns and ends tens of thousands of tasks a second: who is there changes under the eyes
FAULTS = {"rest": 1, "busy": 1, "queue": 1, "churn": 5}


def calm(checks, label, target, looks):
    links, failed, findings, tasks = bpf_links(), [], [], 0
    for number in range(looks):
        seen = run(DWELL, "why", "-p", str(target.pid), "--json")
        if seen.returncode:
            failed.append(seen.stderr)
            continue
        answer = json.loads(seen.stdout)
        findings += [f"look {number}: {finding['kind']}: {finding['text']}" for finding in answer["findings"]]
        tasks = max(tasks, len(answer["tasks"]))
    checks.equal(failed, [], f"{label}: {looks} answers")
    checks.equal(findings, [], f"{label}: no finding in them")
    checks.check(tasks >= 1, f"{label}: tasks are seen", tasks)
    checks.equal(bpf_links(), links, f"{label}: nothing is attached")
    checks.check(target.alive(), f"{label}: it runs on")


@contextlib.contextmanager
def service(profile, directory):
    """The HTTP service of the demo, and the port that it listens at."""
    with Process([workload("peer", profile), "backend", "--delay-us", "5000"], directory, f"{profile}-backend",
                 stdin=subprocess.PIPE) as backend:
        port = int(wait_for(lambda: backend.out.strip(), "the backend's port").splitlines()[0])
        with Process([workload("web", profile), "serve", "--backend", f"127.0.0.1:{port}"], directory, f"{profile}-web",
                     stdin=subprocess.PIPE) as target:
            yield target, int(wait_for(lambda: target.out.strip(), "the service's port").splitlines()[0])


def demo(checks, profile, directory):
    """At rest; under load; at rest again, with what the load has left."""
    with service(profile, directory) as (target, port):
        calm(checks, f"{profile}: web at rest", target, LOOKS)
        with Process([workload("peer", profile), "http", "--connections", "16", "--think-us", "1000", "--seconds", "600",
                      "--paths", "/hello=2,/backend=4,/lock=1,/file=2,/sleep=2", f"127.0.0.1:{port}"], directory,
                     f"{profile}-load", stdin=subprocess.PIPE):
            time.sleep(0.5)
            calm(checks, f"{profile}: web under load", target, LOOKS)
        calm(checks, f"{profile}: web after the load", target, LOOKS)


def main():
    need_recording()
    need_files(DWELL, *(workload(name, profile) for profile in PROFILES for name in ("faults", "web", "peer")))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for name, times in FAULTS.items():
                label = f"{profile}: {name}"
                with Process([workload("faults", profile), name], directory, f"{profile}-{name}",
                             stdin=subprocess.PIPE) as target, checks.guarded(label):
                    wait_for(lambda: "there" in target.out, "the program to be there")
                    calm(checks, label, target, times * LOOKS)
            with checks.guarded(f"{profile}: web"):
                demo(checks, profile, directory)
    checks.done()


if __name__ == "__main__":
    main()
