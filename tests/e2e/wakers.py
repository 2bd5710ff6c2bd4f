#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Waits that threads end which poll nothing, a blocking job, and what a thread blocks on in order to send: each is told
with the thread and the line that woke it, for as long as the workload `wakers' counts, as release and as fat LTO. Where
more is known than a stack tells, none is taken: of wakes by tasks. All the while this test sends signals to the threads
whose roots wait, which ends none of their waits.

As in ground_truth.py, a run in which only times were wrong is made again, twice at most.
"""

import collections
import contextlib
import ctypes
import re
import signal
import threading
from pathlib import Path

from harness import (DWELL, PROFILES, Checks, Recording, Target, attempts, fold, need_files, need_recording, output, report,
                     scratch, workload)

SOURCE = Path(__file__).resolve().parent.parent / "workloads" / "src" / "bin" / "wakers.rs"
ROUNDS = 100
# Who wakes, in which function; {}: the line.
WAKERS = {
    "message": "by thread feeder in wakers::feed (wakers.rs:{})",
    "notify": "by thread ringer in wakers::ring (wakers.rs:{})",
    "answer": "by thread clerk in wakers::decide (wakers.rs:{})",
    "boxed": "by thread caller in wakers::boxed (wakers.rs:{})",
    "job": "by blocking job wakers::job {{closure wakers.rs:{job}}} in wakers::work (wakers.rs:{})",
    "root": "by thread waker in wakers::root (wakers.rs:{})",
    "local": "by thread helper in wakers::local (wakers.rs:{})",
    "task": "by task wakers::relay after wakers::relay (wakers.rs:{})",
    "sent": "by task tokio::sync::mpsc::bounded::Sender::send<()> in wakers::sent (wakers.rs:{})",
}


def marks(what):
    """Name → line, of the comments `// WHAT name`."""
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    return {line.split(f"// {what} ")[1]: number for number, line in enumerate(lines, 1) if f"// {what} " in line}


def waits(rows):
    """Line of the await → who ended waits there → ns."""
    found = collections.defaultdict(collections.Counter)
    for row in rows:
        at = [re.search(r" \(wakers\.rs:(\d+)\)$", frame) for frame in row.chain]
        line = next((int(m[1]) for m in reversed(at) if m), None)
        if row.segment == "await" and line:
            found[line][row.parts[1] if row.parts[0].startswith("until woken") and len(row.parts) > 1 else ""] += row.weight
    return found


@contextlib.contextmanager
def signalled(pid, names):
    """Meanwhile the threads of these names are interrupted every other millisecond. Yields how often they have been."""
    tgkill, over, times = 234, threading.Event(), [0]
    call = ctypes.CDLL(None).syscall

    def send():
        while not over.wait(0.002):
            with contextlib.suppress(OSError):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    if (thread / "comm").read_text().strip() in names:
                        times[0] += call(tgkill, pid, int(thread.name), signal.SIGUSR1) == 0

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield times
    finally:
        over.set()
        sender.join()


def attempt(checks, label, profile, directory):
    with Target([workload("wakers", profile), "--rounds", str(ROUNDS)], directory, label) as target:
        with Recording(target.pid, directory, f"{label}.dwell", options=["--no-looks"]) as recording:
            with signalled(target.pid, {"rooted", "alone"}) as times:
                target.go()
                checks.equal((target.wait(120), target.err), (0, ""), f"{label}: the program ends as it should")
            checks.check(times[0] >= ROUNDS, f"{label}: signals were sent", times[0])
            checks.equal(recording.wait(60), 0, f"{label}: recorded")
    rows = fold(recording.data)
    want = {name: (int(times), int(ns)) for name, times, ns in
            (line.split() for line in target.out.splitlines() if len(line.split()) == 3)}
    checks.equal(sorted(want), sorted(WAKERS), f"{label}: what the workload counts")
    found, at, woken = waits(rows), marks("WAITS"), marks("WAKES")
    closure = next(n for n, line in enumerate(SOURCE.read_text().splitlines(), 1) if "spawn_blocking(" in line)
    for name, words in WAKERS.items():
        times, ns = want[name]
        who = words.format(woken[name], job=closure)
        got = found[at[name]]
        total = sum(got.values())
        # Where code lies is not known before the first poll: of a few wakes before it no stack is taken.
        checks.check(got[who] >= (1 - 3 / ROUNDS) * total, f"{label}: {name}: who woke it, and where", f"{dict(got)}, {who} wanted")
        error = abs(total - ns) / times
        checks.timing(error <= max(0.01 * ns / times, 50_000), f"{label}: {name}: how long it waited", (total, ns))
    ended = found[at["end"]]
    checks.equal([who for who in ended if who], [], f"{label}: the end of a job is told by the job")
    by_tasks = [row.parts[1] for row in rows if row.segment == "await" and len(row.parts) > 1
                and row.parts[1].startswith("by task wakers::")]
    checks.equal([who for who in by_tasks if " in " in who], [], f"{label}: of a task no stack is taken")
    told = [p for p in report(recording.data)["await_points"] if p["line"] == at["notify"]]
    checks.check(told and WAKERS["notify"].format(woken["notify"]) in str(told), f"{label}: as JSON", told)
    history = output(DWELL, "why", "-i", recording.data, "--slowest", "200")
    checks.check(re.search(r"until woken [0-9.]+ ms \(by thread \w+ in wakers::\w+ \(wakers\.rs:\d+\)\)", history),
                 f"{label}: in a task's history", history)
    picture = output(DWELL, "flamegraph", "-o", "-", "-i", recording.data)
    checks.check("by thread clerk in wakers::decide" in picture, f"{label}: in the picture")
    followed = output(DWELL, "fold", "--weight", "ns", "--follow", "-i", recording.data).splitlines()
    checks.equal(sum(int(line.rpartition(" ")[2]) for line in followed), sum(row.weight for row in rows),
                 f"{label}: as much time if followed")


def main():
    need_recording()
    need_files(DWELL, *(workload("wakers", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(profile):
                attempts(checks, lambda trial: attempt(trial, profile, profile, directory))
    checks.done()


if __name__ == "__main__":
    main()
