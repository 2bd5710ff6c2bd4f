#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The target is not changed: panics, fork, exec and abort behave the same while dwell is attached, dwell can attach and
detach repeatedly, and when it has ended, in whatever way, nothing of it is left.

    target_sacred.py [NAME...]     only parts whose name begins so (panics, cycles, killed, gone)

$DWELL_CYCLES     attach/detach cycles (200)
"""

import os
import re
import signal
import sys
import time

from harness import (DWELL, PROFILES, Checks, Process, Recording, Target, bpf_links, need_files, need_recording,
                     output, probed_text, report, scratch, wait_for, workload)

CYCLES = int(os.environ.get("DWELL_CYCLES", "200"))


def same(text):
    """Standard error without what differs from run to run: thread ids, addresses."""
    return re.sub(r"0x[0-9a-f]+", "ADDRESS", re.sub(r"\(\d+\) panicked", "(TID) panicked", text))


def outcome(profile, mode, directory, name, recorded):
    """What a run of `panics` shows to the world, and the recording's exit status and file."""
    program = [workload("panics", profile), *mode]
    with Target(program, directory, name, env={"RUST_BACKTRACE": "1"}) as target:
        recording = Recording(target.pid, directory, f"{name}.dwell") if recorded else None
        target.go()
        status = target.wait()
        if not recorded:
            return (status, target.out, same(target.err)), None
        with recording:
            ended = recording.wait()
            return (status, target.out, same(target.err)), (ended, recording)


def panics(checks, directory):
    modes = [["spawned"], ["unwind"], ["inside"], ["fork"], ["exec", "--after-ms", "200"], ["abort", "--after-ms", "200"],
             ["churn", "--seconds", "2"]]
    for profile in PROFILES:
        for mode in modes:
            if profile == "fat" and mode[0] in ("unwind", "inside"):
                continue  # panic = "abort": there is no unwinding
            name = f"{profile} {mode[0]}"
            with checks.guarded(name):
                tag = f"{profile}-{mode[0]}"
                bare, _ = outcome(profile, mode, directory, f"{tag}-bare", False)
                watched, (ended, recording) = outcome(profile, mode, directory, tag, True)
                checks.equal(watched, bare, f"{name}: the same with and without dwell")
                checks.equal(ended, 0, f"{name}: the recording ends with status 0")
                seen = report(recording.data)
                checks.check(seen["tasks"]["seen"] > 0 and sum(seen["segments"].values()) == seen["lifetime_ns"],
                             f"{name}: the recording can be read", f"{seen['tasks']}")


def cycles(checks, directory):
    program = workload("panics")
    links = bpf_links()
    with Target([program, "churn"], directory, "churn") as target:
        target.go()
        begin = time.monotonic()
        bad = []
        for cycle in range(CYCLES):
            with Process([DWELL, "record", "-p", target.pid, "--duration", "0.05", "-o", directory / "cycle.data"],
                         directory, "cycle") as dwell:
                status = dwell.wait()
            if status or not target.alive():
                bad.append(f"cycle {cycle}: dwell {status}, target alive {target.alive()}: {dwell.err}{target.err}")
                break
        took = (time.monotonic() - begin) / (cycle + 1)
        checks.check(not bad, f"{CYCLES} attach/detach cycles under load ({took:.2f} s each)", "\n".join(bad))
        checks.equal(probed_text(target.pid, program), [], "cycles: the target's code is that of the file")
        checks.equal(bpf_links() - links, set(), "cycles: no link is left")
        with Recording(target.pid, directory, "after") as recording:
            time.sleep(0.3)
            checks.equal(recording.stop(), 0, "cycles: it can be recorded once more")
            checks.check(report(recording.data)["cost"]["events"] > 100, "cycles: with events")


def killed(checks, directory):
    """SIGKILL of dwell: the kernel takes everything away that its file descriptors held."""
    program = workload("panics")
    links = bpf_links()
    with Target([program, "churn"], directory, "churn") as target:
        target.go()
        with Recording(target.pid, directory, "killed") as recording:
            time.sleep(1.5)  # a flush or more
            checks.check(probed_text(target.pid, program), "killed: probes are in the target's code while recorded")
            checks.check(bpf_links() - links, "killed: links exist while recorded")
            recording.signal(signal.SIGKILL)
            recording.wait()
        with checks.guarded("killed: no probe is left"):
            wait_for(lambda: not bpf_links() - links, "end of the links")
            wait_for(lambda: not probed_text(target.pid, program), "end of the probes")
            checks.check(True, "killed: no probe is left in the target's code, no link in the kernel")
        time.sleep(0.5)
        checks.check(target.alive(), "killed: the target runs on", lambda: target.err)
        torn = Process([DWELL, "report", "--json", "-i", recording.data], directory, "torn")
        checks.equal(torn.wait(), 1, "killed: the torn file is reported as such")
        checks.check(len(torn.err.splitlines()) == 1 and '"lifetime_ns"' in torn.out,
                     "killed: and read up to its end", lambda: torn.err + torn.out[:500])


def gone(checks, directory):
    """The target is killed, or stopped for a while, in the middle of it."""
    with Target([workload("panics"), "churn"], directory, "gone") as target:
        target.go()
        with Recording(target.pid, directory, "gone.dwell") as recording:
            time.sleep(0.3)
            target.kill()
            checks.equal(recording.wait(20), 0, "gone: SIGKILL of the target ends the recording with status 0")
            seen = report(recording.data)
            checks.check("exited" in str(seen["recording"]["ended_by"]), "gone: the report says why it ended",
                         f"{seen['recording']}")
    with Target([workload("panics"), "churn"], directory, "stopped") as target:
        target.go()
        with Recording(target.pid, directory, "stopped.dwell") as recording:
            target.signal(signal.SIGSTOP)
            time.sleep(0.5)
            target.signal(signal.SIGCONT)
            time.sleep(0.2)
            checks.check(target.alive(), "gone: a target that was stopped runs on")
            checks.equal(recording.stop(), 0, "gone: and its recording ends as it should")
            seen = report(recording.data)
            checks.equal(sum(seen["segments"].values()), seen["lifetime_ns"], "gone: with no time lost")


def main():
    need_recording()
    need_files(DWELL, *(workload("panics", profile) for profile in PROFILES))
    wanted = sys.argv[1:]
    checks = Checks()
    with scratch() as directory:
        for part in (panics, cycles, killed, gone):
            if not wanted or any(part.__name__.startswith(prefix) for prefix in wanted):
                with checks.guarded(f"{part.__name__}: all of it"):
                    part(checks, directory)
    checks.done()


if __name__ == "__main__":
    main()
