#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Which future waits for a socket, if no future of the runtime names it: never a combinator around an async function, never
a channel or a timer beside it. And the names of futures that are made by closures."""

from harness import DWELL, PROFILES, Checks, Recording, Target, fold, need_files, need_recording, report, scratch, workload

COPIES = "{tokio::io::util::copy::copy<ReadHalf, WriteHalf> | tokio::io::util::copy::copy<ReadHalf, WriteHalf>}"

# Each task's frames from its own function on, without lines, for the wait for its socket.
SOCKETS = {
    "session": ["session", "PollFn", "futures_util::stream::stream::next::Next", "waiters::Frames"],
    "mirror": ["mirror", "PollFn", COPIES],
    "resolve": ["resolve", "waiters::Exchange"],
    "guarded": ["guarded", "waiters::Guarded"],
    "serve": ["serve", "PollFn", "waiters::serve::{closure}"],
}

# A leaf that is a closure of the runtime's: called as the function above it.
NAMES = ("tcp 127.0.0.1:", "tcp 127.0.0.1 → ", "udp 127.0.0.1:", "udp bound 127.0.0.1:")

CLOSURES = {
    "listens": "tokio::sync::mpsc::bounded::Receiver::recv",
    "ticks": "tokio::time::interval::Interval::tick",
    "relays": "tokio::io::util::copy_bidirectional::copy_bidirectional_impl",
}


def bare(frame):
    """Without the line, and without generics: `path::Type<u8>::function`."""
    name, depth = "", 0
    for letter in frame.split(" (")[0]:
        depth += (letter == "<") - (letter == ">")
        name += letter if not depth and letter != ">" else ""
    return name


def sockets(checks, name, rows):
    for task, want in SOCKETS.items():
        waits = [row for row in rows if row.task == f"waiters::{task}" and row.parts[:1] and row.parts[0].split(":")[0] == "no data"]
        frames = [f"waiters::{want[0]}", *want[1:]]
        inside = {tuple(frame.split(" (")[0] for frame in row.chain[-len(frames):]) for row in waits}
        checks.equal(inside, {tuple(frames)}, f"{name}: {task} waits for its socket")
        checks.check(any(part.startswith(NAMES) for row in waits for part in row.parts),
                     f"{name}: {task}'s socket is named", "\n".join(f"{row.chain} {row.parts}" for row in waits))


def closures(checks, name, rows, seen):
    for task, want in CLOSURES.items():
        leaves = {bare(row.chain[-1]) for row in rows if row.task == f"waiters::{task}" and row.segment == "await"}
        checks.equal(leaves, {want}, f"{name}: {task}'s leaf is called as its function is")
        above = {bare(row.chain[-2]) for row in rows if row.task == f"waiters::{task}" and row.segment == "await"}
        checks.equal(above, {want}, f"{name}: {task}'s function is above it")
    checks.equal([p["leaf"] for p in seen["await_points"] if p["leaf"] == "PollFn"], [], f"{name}: no await point on a 'PollFn'")


def main():
    need_recording()
    need_files(DWELL, *(workload("waiters", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(profile), Target([workload("waiters", profile), "--rounds", "100000"], directory, profile) as target:
                with Recording(target.pid, directory, f"{profile}.dwell", options=["--duration", "1"]) as recording:
                    target.go()
                    checks.equal(recording.wait(), 0, f"{profile}: recorded")
                    rows = fold(recording.data)
                    sockets(checks, profile, rows)
                    closures(checks, profile, rows, report(recording.data))
    checks.done()


if __name__ == "__main__":
    main()
