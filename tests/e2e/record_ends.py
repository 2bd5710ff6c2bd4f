#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A recording ends by Ctrl-C, SIGTERM, --duration and the target's end: each time with status 0, a whole file,
and the reason in it. And it begins with a command as well as with a pid, and goes to a pipe as well as to a file."""

import json
import signal
import subprocess
import time

from harness import (DWELL, Checks, Process, Recording, Target, fold, need_files, need_recording, output, report, run,
                     scratch, workload)


def whole(checks, name, data, *reason):
    seen = report(data)
    recording = seen["recording"]
    checks.check(recording["torn"] is None and any(word in str(recording["ended_by"]).lower() for word in reason),
                 f"{name}: a whole file that says why it ended", f"{recording}")
    checks.check(seen["tasks"]["seen"] > 0 and seen["cost"]["probe_hits"] > 0, f"{name}: with tasks",
                 f"{seen['tasks']} {seen['cost']}")
    return seen


def main():
    need_recording()
    need_files(DWELL, workload("timers"), workload("panics"))
    checks = Checks()
    with scratch() as directory:
        with Target([workload("timers"), "--rounds", "100000"], directory) as target:
            target.go()
            for name, number in (("interrupt", signal.SIGINT), ("sigterm", signal.SIGTERM)):
                with checks.guarded(name), Recording(target.pid, directory, name) as recording:
                    time.sleep(0.5)
                    recording.signal(number)
                    checks.equal(recording.wait(), 0, f"{name}: status 0")
                    whole(checks, name, recording.data, name)
            with checks.guarded("duration"), \
                 Recording(target.pid, directory, "duration", options=["--duration", "0.5"]) as recording:
                checks.equal(recording.wait(), 0, "duration: status 0")
                seen = whole(checks, "duration", recording.data, "duration")
                checks.check(0.4e9 < seen["wall_ns"] < 0.9e9, "duration: as long as it was told", f"{seen['wall_ns']}")
                checks.check(seen["tasks"]["seen"] >= 7, "duration: tasks that were alive at attach are seen",
                             f"{seen['tasks']}")
            with checks.guarded("pipe"):
                pipe = subprocess.run(f"{DWELL} record -p {target.pid} --duration 0.5 -o - | {DWELL} report --json -i -",
                                      shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
                checks.check(pipe.returncode == 0 and json.loads(pipe.stdout)["tasks"]["seen"] > 0,
                             "pipe: a recording through a pipe", f"{pipe}")
            checks.check(target.alive(), "the target runs on")
        with checks.guarded("exec"), Target([workload("panics"), "again", "--after-ms", "300"], directory, "again") as target:
            with Recording(target.pid, directory, "again") as recording:
                target.go()
                checks.equal(recording.wait(), 0, "exec: status 0")
                whole(checks, "exec", recording.data, "exec")
                others = {row.task for row in fold(recording.data)} & {"panics::napper", "panics::yielder", "panics::pair"}
                checks.equal(others, set(), "exec: nothing of the program that it becomes, though it is the same file")
        with checks.guarded("command"):
            data = directory / "command.data"
            with Process([DWELL, "record", "-o", data, "--", workload("timers"), "--rounds", "20"], directory,
                         "command") as dwell:
                checks.equal(dwell.wait(), 0, "command: status 0")
                seen = whole(checks, "command", data, "exit")
                checks.check(seen["tasks"]["seen"] >= 7, "command: from its first task on", f"{seen['tasks']}")
    checks.done()


if __name__ == "__main__":
    main()
