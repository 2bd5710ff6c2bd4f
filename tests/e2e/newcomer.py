#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What a first-time user sees: the words of the report are true and readable for programs that spin, that do nothing, and
whose await points are in dependencies."""

import contextlib
import json
import re
import socket
import time

from harness import (DWELL, Checks, Process, Recording, Target, fold, need_files, need_recording, output, report, run,
                     scratch, wait_for, workload)

SPIN = 1000  # JOIN_SPIN in src/join/join.h


def open_pipe(stack):
    """Standard input that does not end before the test does."""
    ours, theirs = socket.socketpair()
    stack.callback(ours.close)
    stack.callback(theirs.close)
    return theirs


def flat(text):
    return " ".join(text.split())


def spins(checks, directory, flavor):
    """Tasks that spin are named at the top, and no others."""
    with Target([workload("spin"), "--flavor", flavor], directory, f"spin-{flavor}") as target:
        target.go()
        time.sleep(0.3)
        with Recording(target.pid, directory, f"spin-{flavor}.dwell", options=["--duration", "700ms"]) as recording:
            checks.equal(recording.wait(), 0, f"spin {flavor}: recorded")
    text = output(DWELL, "report", recording.data)
    head = text[:text.index("The tasks' time")]
    named = set(re.findall(r"SPIN: task (\S+),", head))
    checks.equal(named, {"spin::yielder", "spin::waker"}, f"spin {flavor}: those that spin are named at the top")
    checks.check("spin.rs:" in head, f"spin {flavor}: with their lines", head)
    most = {}
    for point in report(recording.data)["await_points"]:
        most[point["task"]] = max(most.get(point["task"], 0), point["spin"])
    checks.check(most["spin::yielder"] >= SPIN and most["spin::waker"] >= SPIN, f"spin {flavor}: in JSON too", f"{most}")
    checks.check(100 <= most["spin::fair"] < SPIN, f"spin {flavor}: who waits in between does not", f"{most}")
    checks.check(most.get("spin::reader", 0) < SPIN, f"spin {flavor}: nor who has much to do", f"{most}")
    first = report_sorted(recording.data, "count")[0]["task"]
    checks.check(first in named, f"spin {flavor}: and is first by --sort count", first)


def report_sorted(data, key):
    return json.loads(output(DWELL, "report", "--json", "--sort", key, data))["await_points"]


def idle(checks, directory):
    """A program that does nothing: a small recording, and a cost that is no percentage of nothing."""
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(Process([workload("stuck")], directory, "idle", stdin=open_pipe(stack)))
        wait_for(lambda: "stuck" in target.out, "'stuck'")
        recording = stack.enter_context(Recording(target.pid, directory, "idle.dwell", options=["--duration", "1"]))
        checks.equal(recording.wait(), 0, "idle: recorded")
        checks.check(re.search(r"\d events?, [1-9][\d.]* (bytes|kB) in ", recording.err), "idle: its recording has a size",
                     lambda: recording.err)
    text = flat(output(DWELL, "report", recording.data))
    cost = text[text.index("Cost:"):text.index("The tasks' time")]
    checks.check("%" not in cost and ("in each second" in cost or "none that was measured" in cost),
                 "idle: the cost is told by the second", cost)
    checks.check("0 waits" not in text and "then ready 0 ns" not in text and "open wait" in text,
                 "idle: waits without an end are open ones", text)


def ended(checks, directory):
    """What is seen of a program that comes to its end: no word of the kernel, one word for one thing."""
    data = directory / "shapes.data"
    checks.equal(run(DWELL, "record", "-o", data, "--duration", "0.5s", "--", workload("shapes"), "--rounds", "3000",
                     timeout=60).returncode, 0, "shapes: recorded")
    seen = report(data)
    text = flat(output(DWELL, "report", data))
    note = [note for note in seen["notes"] if "no probe sees their spawn" in note]
    checks.check(len(note) == 1 and "shapes::local::napper (scheduler " in note[0], "shapes: whose spawn is not seen",
                 f"{seen['notes']}")
    checks.check(f"{seen['tasks']['cancelled']:,} cancelled," in text, "shapes: cancelled in both reports", text[:600])
    others = [task for task in {row.task for row in fold(data)} if not task.startswith("shapes::local")]
    part = flat(output(DWELL, "report", "--task", "shapes::local::*", "--top", "1", data))
    checks.check(f" of {seen['tasks']['seen']:,}:" in part and not any(f"task {task} " in part for task in others),
                 "shapes: some of its tasks", part)


def paths(checks, directory):
    """An HTTP server, whose waits are in its dependencies: each file can be found."""
    data = directory / "web.data"
    done = run(DWELL, "record", "-o", data, "--", workload("web"), "--seconds", "0.7", timeout=60)
    checks.equal(done.returncode, 0, "web: recorded")
    points = report(data)["await_points"]
    wrong = [p["path"] for p in points if p["file"] and not (p["path"].endswith("/" + p["file"])
                                                             and not p["path"].startswith("/"))]
    checks.check(not wrong, "web: all files have a path in their crates", f"{wrong}")
    own = {p["path"] for p in points if p["function"].startswith("web::")}
    checks.equal(own, {"workloads/src/bin/web.rs"}, "web: its own file")
    foreign = {p["path"] for p in points if p["function"].startswith(("hyper", "axum"))}
    checks.check(foreign and all(re.match(r"[a-z_-]+-\d+\.\d+\.\d+/src/", path) for path in foreign),
                 "web: its dependencies' files, with their versions", f"{foreign}")
    text = output(DWELL, "report", "--top", "1000", data)
    bare = re.findall(r"\((?:mod|lib)\.rs:\d+\)", text + output(DWELL, "fold", data))
    checks.check(not bare, "web: no mod.rs without its crate", f"{bare}")
    checks.check(all(f"({path}:" in text.replace("\n", "") for path in foreign), "web: in the text, too", text)
    checks.check("(web.rs:" in text, "web: its own file is told by its name", text[:2000])


def main():
    need_recording()
    need_files(DWELL, *(workload(name) for name in ("spin", "stuck", "shapes", "web")))
    checks = Checks()
    with scratch() as directory:
        for flavor in ("multi", "current"):
            with checks.guarded(f"spin {flavor}: all of it"):
                spins(checks, directory, flavor)
        for part in (idle, ended, paths):
            with checks.guarded(f"{part.__name__}: all of it"):
                part(checks, directory)
    checks.done()


if __name__ == "__main__":
    main()
