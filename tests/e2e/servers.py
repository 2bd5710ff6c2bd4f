#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Servers under load: a file server through tokio::fs, echo servers on tokio-uring, monoio, glommio and compio. Many clients ask
for seconds; what dwell tells is held against what the clients have counted, and against what a server like this can wait
for: the next request of a named peer, an answer's room, a file's job.

    servers.py [NAME...]      only these servers
"""

import json
import re
import sys

from harness import (PROFILES, Checks, Process, Recording, attempts, fold, need_files, need_recording, no_io_uring, not_built, output,
                     report, scratch, wait_for, workload, DWELL)

CONNECTIONS = 100
REQUESTS = 400  # of each
THINK_US = 5000
# Notes that a recording of a server may have.
USUAL = re.compile(r"tasks? whose time is counted from the first poll, since no probe sees their spawn"
                   r"|tracepoints did not report it: taken from the scheduler's counters"
                   r"|waits? whose event has no tracepoint"
                   r"|waits? of no duration without an await point"
                   r"|tasks that were idle before the recording and stay so are not in it")
HIDDEN = "switch of a thread not seen"


class Wait:
    """An await of a server's task: its leaf, how many there are (a request each, and what the end of a connection adds),
    whether each of them must go Pending, and what it is on."""

    def __init__(self, leaf, ends, always, on=None, idle=False):
        self.leaf, self.ends, self.always, self.on, self.idle = leaf, ends, always, on, idle


SERVERS = {
    "files": ("files::serve", [Wait("Read", 1, False, "{peer}", idle=True), Wait("JoinHandle", 0, False)]),
    "uring": ("uring::echo", [Wait("Op", 1, True, "read on {peer}", idle=True),
                              Wait("InFlightOneshot", 0, True, "write on {peer}")]),
    "mono": ("mono::echo", [Wait("Op", 1, True, "recv on {peer}", idle=True), Wait("Op", 0, True, "send on {peer}")]),
    "comp": ("comp::echo", [Wait("Submit", 1, True, "recv on {peer}", idle=True), Wait("Submit", 0, True, "send on {peer}")]),
    "glom": ("glom::echo", [Wait("Read", 1, False, "poll_add on {peer}", idle=True)]),
}
FILES_JOBS = 2  # of a request: to open it, and to read


def record(checks, name, program, profile, directory):
    """A recording of the server while its clients ask. None if it failed."""
    tag = f"{profile}.{program}"
    with Process(["sh", "-c", f"sleep 120 | exec {workload(program, profile)} serve"], directory, tag) as shell:
        port = wait_for(lambda: re.match(r"(\d+)\n", shell.out), "a port")[1]
        pid = wait_for(lambda: output("pgrep", "-P", shell.pid, "-x", program).split(), "the server")[0]
        with Recording(pid, directory, f"{tag}.dwell", options=["--no-looks"]) as recording:
            load = Process([workload("peer"), "load", "--connections", CONNECTIONS, "--requests", REQUESTS, "--think-us",
                            THINK_US, f"127.0.0.1:{port}"], directory, f"{tag}.load")
            checks.equal(load.wait(60), 0, f"{name}: the clients end as they should")
            checks.equal(recording.stop(), 0, f"{name}: the recording ends as it should")
            said = [line for line in recording.err.splitlines() if not re.match(r"dwell: (attached|interrupt)", line)]
            checks.equal(said, [], f"{name}: no warnings")
        output("kill", pid)
    asked = json.loads(load.out)["requests"]
    checks.equal(asked, CONNECTIONS * REQUESTS, f"{name}: the clients have asked")
    return recording.data, f"tcp 127.0.0.1 → 127.0.0.1:{port}"


def whole(checks, name, found):
    checks.equal(sum(found["segments"].values()), found["lifetime_ns"], f"{name}: time is conserved")
    # The kernel itself hides a switch once in a while, which the report says.
    hidden = found["lost"].pop(HIDDEN, 0)
    checks.check(hidden < 100, f"{name}: nearly all switches are seen", f"{hidden} are not")
    checks.equal(found["lost"], {}, f"{name}: nothing is lost")
    unknown = found["segments"]["unattributed"] / found["lifetime_ns"]
    checks.timing(unknown <= 0.005, f"{name}: at most 0.5 % is not known", f"{100 * unknown:.2f} %")
    odd = [note for note in found["notes"] if not USUAL.search(note) and not note.startswith(HIDDEN)]
    checks.equal(odd, [], f"{name}: no unusual notes")
    checks.equal(found["tasks"]["completed"] >= CONNECTIONS, True, f"{name}: the tasks of all connections have ended")


def counted(checks, name, wait, point, asked):
    """A wait for each request; where what is waited for may be there already, a few may be missing."""
    most = asked + wait.ends * CONNECTIONS
    least = most if wait.always else 0.7 * most
    checks.check(least <= point["count"] <= most, f"{name}: a wait for each of {asked} requests",
                 f"{point['count']} waits, {point['leaf']} at line {point['line']}")


def named(checks, name, wait, point, peer):
    want = wait.on.format(peer=peer)
    on = {detail: ns for detail, ns in point["details"].items() if " on " in detail or detail.startswith(("tcp", "fd"))}
    checks.equal(set(on), {want}, f"{name}: each wait is on its peer")
    if wait.idle:
        idle = point["split"].get("no data: request", 0)
        plain = point["split"].get("no data", 0)
        checks.timing(idle > 0.5 * point["await_ns"], f"{name}: it waits for requests", f"{point['split']}")
        checks.timing(plain < 0.02 * point["await_ns"], f"{name}: and for nothing else", f"{point['split']}")


def server(checks, name, program, profile, directory):
    task, waits = SERVERS[program]
    data, peer = record(checks, name, program, profile, directory)
    found = report(data)
    rows = fold(data)
    whole(checks, name, found)
    checks.equal(sum(row.weight for row in rows), found["lifetime_ns"], f"{name}: stacks add up")
    asked = CONNECTIONS * REQUESTS
    points = sorted((p for p in found["await_points"] if p["task"] == task), key=lambda p: p["line"])
    # What the kernel takes at once is not waited for; it may wait once in a while.
    points = [p for p in points if p["count"] > 0.01 * asked]
    if program == "files":
        checks.equal([job["count"] for job in found["jobs"]], [asked] * FILES_JOBS,
                     f"{name}: {FILES_JOBS} jobs for each request")
        points = points[:1] + [p for p in points[1:] if "JoinHandle" in p["leaf"]][:1]
    checks.equal(len(points), len(waits), f"{name}: it waits where it should")
    for wait, point in zip(waits, points):
        where = f"{name}: line {point['line']}"
        checks.check(wait.leaf in point["leaf"], f"{where}: {wait.leaf}", point["leaf"])
        counted(checks, where, wait, point, asked)
        if wait.on:
            named(checks, where, wait, point, peer)


def main():
    need_recording()
    need_files(DWELL, *(workload(program, profile) for program in SERVERS for profile in PROFILES if not not_built(program, profile)))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for program in SERVERS:
                if sys.argv[1:] and program not in sys.argv[1:]:
                    continue
                name = f"{profile}/{program}"
                why = no_io_uring() if program != "files" else None
                why = why or not_built(program, profile)
                if why:
                    checks.skip(name, why)
                    continue
                with checks.guarded(f"{name}: a server under load"):
                    attempts(checks, lambda trial: server(trial, name, program, profile, directory))  # pylint: disable=cell-var-from-loop
    checks.done()


if __name__ == "__main__":
    main()
