#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What epoll serves besides TCP has names that tell its other end: sockets of UDP and unix, pipes, eventfd, timerfd,
signalfd, inotify, pidfd (workload `descriptors'). The same for what was registered before attach, and for what is
registered while it is recorded. A connection to accept is an idle wait, over a unix socket as well; and whose turn it is, is
told of unix sockets and of UDP."""

import collections
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from harness import DWELL, Checks, Recording, Target, fold, need_files, need_recording, report, scratch, wait_for, workload

READY = "child pidfd_silent"
COMM = Path("/proc/self/comm").read_text(encoding="utf-8").strip()


def told(out, word):
    return dict(line.split()[1:3] for line in out.splitlines() if line.startswith(word))


def socket_of(target):
    return Path(next(line.split()[1] for line in target.out.splitlines() if line.startswith("directory "))) / "x.sock"


def handles_open(path):
    """A file system of this machine whose files have handles. An overlay, say, has none."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", path], check=True, capture_output=True, text=True).stdout.strip()
    return kind in ("ext2/ext3", "xfs", "btrfs", "f2fs", "zfs", "tmpfs")


def wanted(target):
    """Task → part of its wait, and the name of its descriptor (a pattern)."""
    out = target.out
    child, port = told(out, "child "), told(out, "port ")
    path = socket_of(target).parent
    return {
        "udp_silent": ("no data", f"udp bound 127.0.0.1:{port['udp_silent']}"),
        "udp_answers": ("no data", f"udp bound 127.0.0.1:{port['udp_asks']}"),
        "udp_asks": ("no data: reply", f"udp 127.0.0.1:{port['udp_asks']}"),
        "unix_client_silent": ("no data: request", rf"unix {re.escape(COMM)} \(pid {os.getpid()}\) → {path}/x.sock"),
        "unix_accepts": ("no data: connection", f"unix listen {path}/x.sock"),
        "unix_accepted": ("no data: request", f"unix this process → {path}/x.sock"),
        "unix_connected": ("no data: reply", f"unix {path}/x.sock"),
        "pair_silent": ("no data", "unix socketpair, other end: this process"),
        "pair_child": ("no data", rf"unix socketpair, other end: sleep \(pid {child['pair_child']}\)"),
        # the shell's own children have it for a moment
        "pipe_from": ("no data", rf"pipe from sh \(pid {child['pipe_from']}\)( and \d+ more)?"),
        "pipe_to": ("no room", rf"pipe to sleep \(pid {child['pipe_to']}\)"),
        "pidfd_silent": ("no data", rf"pidfd of sleep \(pid {child['pidfd_silent']}\)"),
        "eventfd": ("no data", "eventfd"),
        "timerfd": ("no data", "timerfd"),
        "signalfd_silent": ("no data", "signalfd of SIGHUP, SIGUSR1"),
        "inotify_silent": ("no data", rf"inotify of {re.escape(str(path))}" if handles_open(path) else "inotify, 1 watch"),
    }


def look(checks, label, data, target, before):
    rows = [row for row in fold(data) if row.segment == "await" and row.parts[0].split(":")[0] in ("no data", "no room")]
    for task, (part, name) in wanted(target).items():
        mine = collections.Counter()
        for row in rows:
            if row.task == f"descriptors::{task}":
                mine[tuple(row.parts)] += row.weight
        # Whose turn it is, is not known before data have come once, on what was registered before sends were counted.
        early = {part, "no data"} if ": re" in part else {part}
        good = mine and all(parts[0] in early and len(parts) == 2 and re.fullmatch(name, parts[1]) for parts in mine)
        told = sum(ns for parts, ns in mine.items() if parts[0] == part)
        checks.check(good and (told > 0.8 * mine.total() or (before and task == "unix_client_silent")),
                     f"{label}: {task}: {part}: {name}", f"{mine}")
    checks.equal(sum(row.weight for row in fold(data)), report(data)["lifetime_ns"], f"{label}: nothing is lost")


def told_by_wake(checks, label, data):
    """What comes over a socket has a tracepoint, others have none: a note says which it were."""
    notes = [note for note in report(data)["notes"] if "whose event has no tracepoint" in note]
    kinds = set(re.search(r"\((.*?)\)", notes[0])[1].split(", ")) if len(notes) == 1 else set()
    checks.equal(kinds, {"eventfd", "timerfd", "pipe"}, f"{label}: of what it is the wake that tells when it was ready")


def main():
    need_recording()
    need_files(DWELL, workload("descriptors"))
    checks = Checks()
    with (scratch() as directory, Target([workload("descriptors")], directory, "descriptors", env={"TMPDIR": str(directory)}) as target,
          socket.socket(socket.AF_UNIX) as client):
        with checks.guarded("late"), Recording(target.pid, directory, "late", options=["--no-looks"]) as recording:
            target.go()
            wait_for(lambda: READY in target.out, "its descriptors")
            client.connect(str(socket_of(target)))
            time.sleep(1)
            checks.equal(recording.stop(), 0, "late: recorded")
            look(checks, "registered while it is recorded", recording.data, target, False)
        with checks.guarded("attached"), Recording(target.pid, directory, "attached",
                                                   options=["--no-looks", "--duration", "1"]) as recording:
            checks.equal(recording.wait(), 0, "attached: recorded")
            look(checks, "registered before attach", recording.data, target, True)
            told_by_wake(checks, "registered before attach", recording.data)
    checks.done()


if __name__ == "__main__":
    main()
