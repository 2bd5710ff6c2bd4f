#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A program whose tasks run on a runtime that is not followed, with tokio in it too: that is said on top, by every
command, and nothing is said of it once a task of tokio is polled."""

from harness import DWELL, PROFILES, Checks, Recording, Target, fold, need_files, need_recording, report, run, scratch, workload

REASON = ("no task of tokio was seen. The program also has async-executor, which dwell does not follow: what it does may "
          "run there. For what runs on tokio, record while it has work")


def unpolled(checks, name, target, directory):
    with Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "0.5"]) as recording:
        target.go()
        checks.equal(recording.wait(), 0, f"{name}: recorded")
        checks.check("no task was polled meanwhile: the program also has async-executor" in recording.err,
                     f"{name}: record says it", recording.err)
        data = recording.data
    found = report(data)
    checks.equal((found["polls"], found["tasks"]["seen"], found["recording"]["runtime"], found["recording"]["other_runtimes"]),
                 (0, 0, "tokio", "async-executor"), f"{name}: which runtimes it has, and that none was seen to poll")
    checks.equal(found["notes"][:1], [REASON], f"{name}: the first note says why")
    top = " ".join(run(DWELL, "report", "-i", data).stdout.split("tasks:")[0].split())
    checks.check(f"NOTHING POLLED: {REASON}" in top, f"{name}: so does the report, on top", top)
    folded = run(DWELL, "fold", "-i", data)
    checks.equal((folded.returncode, folded.stdout), (0, ""), f"{name}: nothing is folded")
    checks.check(REASON in folded.stderr, f"{name}: fold says why", folded.stderr)
    svg = directory / f"{name}.svg"
    drawn = run(DWELL, "flamegraph", "-i", data, "-o", svg)
    checks.check(drawn.returncode == 0 and REASON in drawn.stderr, f"{name}: flamegraph says why", drawn.stderr)
    words = " ".join(svg.read_text().replace("<", " <").split())
    checks.check("no task of tokio was seen." in words and "async-executor" in words, f"{name}: the picture says why")


def polled(checks, name, target, directory):
    with Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "0.5"]) as recording:
        target.go()
        checks.equal(recording.wait(), 0, f"{name}: recorded")
        checks.check("no task was polled" not in recording.err, f"{name}: tokio was seen to poll", recording.err)
        data = recording.data
    found = report(data)
    checks.check(found["polls"] > 20, f"{name}: its polls are counted", found["polls"])
    checks.check(not any("no task of" in note for note in found["notes"]), f"{name}: no note says otherwise")
    checks.equal({row.task for row in fold(data)}, {"two_runtimes::tokio_task"}, f"{name}: its task is there")


def main():
    need_recording()
    need_files(DWELL, *(workload("two_runtimes", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for test, options in (unpolled, []), (polled, ["--tokio"]):
                name = f"{profile}-{test.__name__}"
                argv = [workload("two_runtimes", profile), *options, "--rounds", "100000"]
                with checks.guarded(name), Target(argv, directory, name) as target:
                    test(checks, name, target, directory)
    checks.done()


if __name__ == "__main__":
    main()
