#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The names of peers. A client is named by its address and by the listener, not by its port, which means nothing: hundreds
of short connections are one row, and of hundreds of addresses those with the most time are named. A server that the
program connects to is named with its port. For listeners that existed at attach, and for later ones."""

import contextlib
import socket
import time

from harness import (DWELL, Checks, Process, Recording, fold, need_files, need_recording, report, run, scratch, wait_for,
                     workload)

CONNECTIONS = 400
ADDRESSES = 200
LAUNCHES = 6  # whether the listener or its connections are read of first is a matter of luck
SHOWN = 32  # src/join/others.h


def open_pipe(stack):
    """Standard input that does not end before the test does."""
    ours, theirs = socket.socketpair()
    stack.callback(ours.close)
    stack.callback(theirs.close)
    return theirs


def ask(port, source="127.0.0.1"):
    """A connection of its own for one request, 64 bytes and as many back; half of it is a wait of the server."""
    with socket.create_connection(("127.0.0.1", port), source_address=(source, 0), timeout=20) as s:
        time.sleep(0.001)
        s.sendall(bytes(64))
        got = b""
        while len(got) < 64:
            piece = s.recv(64)
            assert piece, "the server has closed the connection"
            got += piece


def tcp_details(checks, name, data):
    """Names of sockets in the folded stacks and in the report, which must be the same and lose no time."""
    seen = report(data)
    rows = fold(data)
    checks.equal(sum(row.weight for row in rows), seen["lifetime_ns"], f"{name}: the stacks add up")
    folded = {part for row in rows for part in row.parts if part.startswith("tcp ") or part.endswith("others")}
    points = {d for p in seen["await_points"] for d in p["details"] if d.startswith("tcp ") or d.endswith("others")}
    # of many, stacks name the longest of each part of a wait, the report those of the whole
    if not any(detail.endswith("others") for detail in folded | points):
        checks.equal(folded, points, f"{name}: stacks and report name the same")
    return folded, rows, seen


def server(stack, directory, name, *options):
    process = stack.enter_context(Process([workload("request"), "serve", *options, "--flavor", "multi"], directory, name,
                                          stdin=open_pipe(stack)))
    return process, int(wait_for(lambda: process.out.strip(), "a port"))


def short_connections(checks, directory):
    with contextlib.ExitStack() as stack:
        process, port = server(stack, directory, "short", "--echo")
        with Recording(process.pid, directory, "short.dwell") as recording:
            for _ in range(CONNECTIONS):
                ask(port)
            checks.equal(recording.stop(), 0, "short: recorded")
        names, rows, seen = tcp_details(checks, "short", recording.data)
        checks.check(seen["tasks"]["seen"] >= CONNECTIONS, "short: all connections are seen", f"{seen['tasks']}")
        checks.equal(names, {f"tcp 127.0.0.1 → 127.0.0.1:{port}", f"tcp listen 127.0.0.1:{port}"},
                     "short: one name for all of them, and one for the listener")
        checks.check(len(rows) < 60, "short: as many stacks as there are places", f"{len(rows)}")


def many_addresses(checks, directory):
    with contextlib.ExitStack() as stack:
        process, port = server(stack, directory, "many", "--echo")
        with Recording(process.pid, directory, "many.dwell") as recording:
            for i in range(ADDRESSES):
                ask(port, f"127.0.{1 + i // 100}.{1 + i % 100}")
            checks.equal(recording.stop(), 0, "many: recorded")
        names, rows, seen = tcp_details(checks, "many", recording.data)
        by_place = {}
        for row in rows:
            if row.parts and (row.parts[-1].startswith("tcp ") or row.parts[-1].endswith("others")):
                by_place.setdefault((row.task, *row.chain, *row.parts[:-1]), []).append(row.parts[-1])
        most = max(len(place) for place in by_place.values())
        checks.equal(most, SHOWN, "many: so many rows at one place, and no more")
        checks.check(any(name.endswith(" others") for name in names), "many: the rest is one", f"{names}")
        checks.check(any(len(p["details"]) == SHOWN for p in seen["await_points"]), "many: in the report too")


def late_listener(checks, directory):
    """A launched program: nothing of it is there when the recording begins. Its own backend keeps its port."""
    data = directory / "late.data"
    done = run(DWELL, "record", "-o", data, "--", workload("request"), "--connections", "4", "--seconds", "0.7")
    checks.equal(done.returncode, 0, "late: recorded")
    names, _, _ = tcp_details(checks, "late", data)
    listen = [name.removeprefix("tcp listen ") for name in names if name.startswith("tcp listen ")]
    checks.equal(len(listen), 1, "late: a listener")
    backend = {name for name in names if name.startswith("tcp 127.0.0.1:")}
    checks.check(len(backend) == 1 and next(iter(backend)).endswith(" (peer)"),
                 "late: the backend, by its port, and who listens there", f"{backend}")
    checks.equal(names - backend - {f"tcp listen {listen[0]}"}, {f"tcp 127.0.0.1 → {listen[0]}"},
                 "late: the clients, without theirs")


def main():
    need_recording()
    need_files(DWELL, workload("request"), workload("peer"))
    checks = Checks()
    with scratch() as directory:
        for part in (short_connections, many_addresses, *[late_listener] * LAUNCHES):
            with checks.guarded(f"{part.__name__}: all of it"):
                part(checks, directory)
    checks.done()


if __name__ == "__main__":
    main()
