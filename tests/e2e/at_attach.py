#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tasks that existed before dwell attached and do nothing while it records: no event is about them, and yet each is in the
report, with its await stack and the peer that it waits for. For all kinds of schedulers."""

import contextlib
import socket
import time

from harness import (DWELL, PROFILES, Checks, Process, Recording, Target, fold, holder, need_files, need_recording,
                     report, scratch, wait_for, workload)

CLIENTS = 20


def idle_server(checks, name, program, flavor, directory):
    """A server whose clients say nothing."""
    argv = [program, "serve", "--echo", "--flavor", flavor]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Process(argv, directory, name, stdin=open_pipe(stack)))
        port = int(wait_for(lambda: server.out.strip(), "a port"))
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        time.sleep(0.3)
        recording = stack.enter_context(Recording(server.pid, directory, f"{name}.dwell", options=["--duration", "0.7"]))
        checks.equal(recording.wait(), 0, f"{name}: recorded")
        seen = report(recording.data)
        checks.equal(seen["tasks"]["seen"], CLIENTS + 2, f"{name}: the root, the listener and all {CLIENTS} connections")
        checks.equal(sum(seen["segments"].values()), seen["lifetime_ns"], f"{name}: their time adds up")
        checks.equal(seen["segments"]["unattributed"], 0, f"{name}: nothing unattributed")
        points = {p["function"]: p for p in seen["await_points"]}
        read = points.get("request::Handler::read_request", {"open": 0, "details": {}})
        checks.equal(read["open"], CLIENTS, f"{name}: each waits for its next request")
        checks.equal(set(read["details"]), {f"tcp 127.0.0.1 → 127.0.0.1:{port}"},
                     f"{name}: clients are told by their address and by what they have connected to")
        checks.check("request::listen" in points and f"tcp listen 127.0.0.1:{port}" in points["request::listen"]["details"],
                     f"{name}: the listener waits for its socket", f"{points.keys()}")
        stacks = {tuple(frame.split(" (")[0] for frame in row.chain) for row in fold(recording.data)
                  if holder(row.task) == "request::serve"}
        checks.equal(stacks, {("request::serve", "request::Handler::run", "request::Handler::read_request", "ReadExact")},
                     f"{name}: with whole stacks")


def stuck(checks, name, program, flavor, directory):
    """A deadlock: no event at all, no descriptor, and yet every task is there, and says where it stands."""
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(Process([program, "--flavor", flavor], directory, name, stdin=open_pipe(stack)))
        wait_for(lambda: "stuck" in target.out, "'stuck'")
        time.sleep(0.2)
        recording = stack.enter_context(Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "0.3"]))
        checks.equal(recording.wait(), 0, f"{name}: recorded")
        seen = report(recording.data)
        checks.equal((seen["tasks"]["seen"], seen["tasks"]["alive_at_end"], seen["cost"]["probe_hits"], seen["lost"]),
                     (13, 13, 0, {}), f"{name}: the root and all tasks, without an event of theirs")
        stacks = {(row.task, row.chain[0].split(" (")[0], any("Acquire" in frame for frame in row.chain),
                   row.segment, " ".join(row.parts)) for row in fold(recording.data)}
        checks.equal(stacks, {
            ("stuck::run", "stuck::run", False, "await", "not woken yet"),
            ("stuck::forwards", "stuck::forwards", True, "await", "not woken yet"),
            ("stuck::backwards", "stuck::backwards", True, "await", "not woken yet"),
            ("stuck::waiter", "stuck::waiter", True, "await", "not woken yet"),
            ("stuck::listener", "stuck::listener", False, "await", "until woken: no work"),
            ("stuck::joiner", "stuck::joiner", False, "await", "not woken yet joined task stuck::forwards"),
        }, f"{name}: each where it stands")
        waiters = sum(p["open"] for p in seen["await_points"] if p["task"] == "stuck::waiter")
        checks.equal(waiters, 8, f"{name}: all who wait for the third lock")


def open_pipe(stack):
    """Standard input that does not end before the test does."""
    ours, theirs = socket.socketpair()
    stack.callback(ours.close)
    stack.callback(theirs.close)
    return theirs


def busy_shapes(checks, name, program, directory):
    """Among them tasks of a LocalSet: seen in the middle of their lives."""
    with Target([program, "--rounds", "3000"], directory, name) as target:
        target.go()
        time.sleep(0.5)
        with Recording(target.pid, directory, f"{name}.dwell", options=["--duration", "0.5"]) as recording:
            checks.equal(recording.wait(), 0, f"{name}: recorded")
            seen = report(recording.data)
            rows = fold(recording.data)
            tasks = {row.task for row in rows}
            for task in ("shapes::local::napper", "shapes::boxed::recursion", "shapes::several::join"):
                checks.check(task in tasks, f"{name}: {task} is seen", f"{sorted(tasks)}")
            checks.check("[unknown task]" not in tasks, f"{name}: all have names",
                         "\n".join(f"{row.weight} {row.parts}" for row in rows if row.task == "[unknown task]"))
            checks.check(seen["segments"]["unattributed"] < 0.02 * seen["lifetime_ns"],
                         f"{name}: hardly any time before their first events is unattributed",
                         f"{seen['segments']} of {seen['lifetime_ns']}")


def main():
    need_recording()
    need_files(DWELL, *(workload("request", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for flavor in ("multi", "current"):
                with checks.guarded(f"{profile} {flavor}: an idle server"):
                    idle_server(checks, f"{profile}-{flavor}", workload("request", profile), flavor, directory)
                with checks.guarded(f"{profile} {flavor}: a deadlock"):
                    stuck(checks, f"{profile}-{flavor}-stuck", workload("stuck", profile), flavor, directory)
            with checks.guarded(f"{profile}: shapes"):
                busy_shapes(checks, f"{profile}-shapes", workload("shapes", profile), directory)
    checks.done()


if __name__ == "__main__":
    main()
