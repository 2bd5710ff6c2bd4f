#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Chains through many layers, as middleware makes them, also several in one task, are followed to their leaves: by the
probes, and from outside for a task that was at rest at attach."""

import time

from harness import DWELL, PROFILES, Checks, Recording, Target, fold, need_files, need_recording, scratch, workload


def followed(checks, name, rows, task, leaf):
    waits = [row for row in rows if row.task == f"layers::{task}" and row.segment == "await"]
    checks.check(waits, f"{name}: {task} waits")
    gaps = {frame for row in waits for frame in row.chain if "gap" in frame}
    checks.equal(gaps, set(), f"{name}: {task} is followed to its end")
    for row in waits:
        calls = sum(frame == "layers::Call" for frame in row.chain)
        plain = sum(frame == "layers::Layer" for frame in row.chain)
        if not checks.check(calls >= 6 and plain >= 15, f"{name}: {task}: every layer is there", "\n".join(row.chain)):
            break
    ends = {row.chain[-1].split(" (")[0] for row in waits}
    checks.check(ends <= leaf, f"{name}: {task} ends where it waits", f"{ends}")


def main():
    need_recording()
    need_files(DWELL, *(workload("layers", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(profile), Target([workload("layers", profile), "--rounds", "100000"], directory, profile) as target:
                target.go()
                time.sleep(0.5)
                with Recording(target.pid, directory, f"{profile}.dwell", options=["--duration", "1"]) as recording:
                    checks.equal(recording.wait(), 0, f"{profile}: recorded")
                    rows = fold(recording.data)
                    followed(checks, profile, rows, "serve", {"Sleep", "{layers::ask"})
                    followed(checks, profile, rows, "rests", {"{layers::ask"})
    checks.done()


if __name__ == "__main__":
    main()
