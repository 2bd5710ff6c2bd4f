#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A ring buffer that is far too small for a busy program. Lost events are counted, with cause and cure; the time that they
hide is [unattributed], and all other time is still accounted for; with a larger buffer nothing is lost."""

from harness import DWELL, Checks, Recording, Target, fold, need_files, need_recording, output, report, scratch, workload

CAUSE = "ring buffer full"


def record(checks, name, target, directory, *options):
    with Recording(target.pid, directory, name, options=["--duration", "1", *options]) as recording:
        checks.equal(recording.wait(), 0, f"{name}: status 0")
        return recording.data, report(recording.data)


def main():
    need_recording()
    need_files(DWELL, workload("pipeline"))
    checks = Checks()
    with scratch() as directory, Target([workload("pipeline"), "--rounds", "1000000"], directory) as target:
        target.go()
        with checks.guarded("small"):
            data, seen = record(checks, "small", target, directory, "--buffer", "4")
            rows = fold(data)
            checks.check(seen["lost"].get(CAUSE, 0) > 0, "small: the cause is named and counted", f"{seen['lost']}")
            checks.check(any(note.startswith(CAUSE) and "--buffer" in note for note in seen["notes"]),
                         "small: with its cure", f"{seen['notes']}")
            text = output(DWELL, "report", "-i", data)
            checks.check("LOST:" in text and CAUSE in text, "small: the text says so too", text[:2000])
            checks.equal(sum(seen["segments"].values()), seen["lifetime_ns"], "small: time is conserved")
            tasks = dict(seen["tasks"])
            checks.check(tasks.pop("seen") == sum(tasks.values()), "small: each task is counted once", f"{seen['tasks']}")
            checks.equal(tasks["cancelled"], 0, "small: no task counts as dropped whose end is among the lost")
            hidden = sum(row.weight for row in rows if row.segment == "unattributed" and "lost events" in row.parts)
            checks.check(0 < hidden <= seen["segments"]["unattributed"], "small: what it hides is [unattributed]",
                         f"{hidden} of {seen['segments']}")
        with checks.guarded("large"):
            _, seen = record(checks, "large", target, directory, "--buffer", "8192")
            checks.equal(seen["lost"], {}, "large: the cure helps")
            checks.check(not any(CAUSE in note for note in seen["notes"]), "large: and says nothing", f"{seen['notes']}")
    checks.done()


if __name__ == "__main__":
    main()
