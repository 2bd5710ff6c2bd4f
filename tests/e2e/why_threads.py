#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""dwell why on programs that threads, the kernel or other processes have brought to a stand (workload `stalls'): the first
finding has the kind and the lines that marks in the source say. The same programs, well, have no findings."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from harness import (DWELL, PROFILES, ROOT, Checks, Process, Recording, marked_faults, need_files, need_recording, report,
                     run, scratch, wait_for, workload)

SOURCE = ROOT / "tests/workloads/src/bin/stalls.rs"
KINDS = ("deadlock|blocked worker|pool exhausted|small packets|silent peer|nobody accepts|"
         "chain into another process|slow job")
HEALTHY = {"contended": 10, "children": 10, "moments": 10}  # and how often one looks
# What else the finding must say: in its sentence, its resource or of somebody who has a part in it.
SAYS = {
    "guard": r"std's Mutex::lock of the lock at 0x.*main .* holds it in count, a MutexGuard",
    "local": r"std's Mutex::lock of the lock at 0x.*local .* holds it in count, a MutexGuard",
    "reading": r"std's RwLock::write of the lock at 0x.*holds it in read, a RwLockReadGuard",
    "parking": r"2 threads wait for it.*parking_lot's Mutex::lock of the lock at 0x.*holds it in count",
    "across": r"lock at 0x(\w+): 1 thread waits for it, held by code that is running.*lock at 0x(?!\1)\w+: 1 thread waits",
    "fault": r"a page fault",
    "pool": r"5 jobs in its queue",
    "small": r"are held back.* looks.*a read of fd \d+, tcp 127\.0\.0\.1:\d+ → 127\.0\.0\.1:\d+, established, nothing to read",
    "full": r"window is closed.*a write of fd \d+, tcp .*, established, [1-9]\d* bytes in the send queue",
    "backlog": r"3 connections to 127\.0\.0\.1:\d+ .*has the listener in listener",
    "stopped": r"for process \d+ \(sh\), which is stopped",
    "dns": r"for a blocking job that sleeps: an answer to getaddrinfo \(DNS\)",
    "unread": r"for process \d+ \(sleep\), which has the other end of a pipe that is full, and does not read: it sleeps: a sleep",
    "echo": r"for process \d+ \(cat\), which sleeps in a read of a pipe whose other end that task has itself in stdin",
    "input": r"for process \d+ \(cat\), which sleeps in a read of a pipe",
}


def look(checks, name, pid):
    seen = run(DWELL, "why", "-p", str(pid), "--json")
    checks.equal((seen.returncode, seen.stderr), (0, ""), f"{name}: it is looked at")
    return json.loads(seen.stdout) if not seen.returncode else {"findings": [], "tasks": [], "threads": []}


def everything(finding):
    return " ".join([finding["text"], finding.get("resource") or "", *(place["text"] for place in finding["where"])])


@contextlib.contextmanager
def standing(program, name, directory, label):
    with Process([program, name], directory, label.replace(": ", "-"), stdin=subprocess.PIPE) as target:
        wait_for(lambda: "there" in target.out, "the program to stand")
        yield target


@contextlib.contextmanager
def silent_resolver(program, directory, label):
    """The program in a mount namespace of its own, whose resolver never answers."""
    conf = directory / "resolv.conf"
    conf.write_text("nameserver 127.9.9.9\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.bind(("127.9.9.9", 53))
        script = f"mount --bind {conf} /etc/resolv.conf && exec {program} dns"
        with Process(["unshare", "-m", "sh", "-c", script], directory, label.replace(": ", "-"), stdin=subprocess.PIPE) as target:
            wait_for(lambda: "there" in target.out, "the program to stand")
            yield target


def one_fault(checks, label, program, name, kind, marks, directory):
    if name == "dns" and not (shutil.which("unshare") and os.path.exists("/etc/resolv.conf")):
        checks.skip(label, "no unshare, or no resolv.conf to be put another one over")
        return
    run_it = silent_resolver(program, directory, label) if name == "dns" else standing(program, name, directory, label)
    with run_it as target:
        seen = look(checks, label, target.pid)
    if not checks.check(seen["findings"], f"{label}: there is a finding", json.dumps(seen["tasks"], indent=1)):
        return
    first = seen["findings"][0]
    shown = json.dumps(first, indent=1, ensure_ascii=False)
    checks.equal(first["kind"], kind, f"{label}: its kind")
    told = {place["line"] for place in first["where"] if place["file"] == SOURCE.name}
    for mark, lines in marks.items():
        checks.check(set(lines) <= told, f"{label}: {mark} is told", f"{lines} in {sorted(told)}: {shown}")
    checks.check(not marks or any(f"{SOURCE.name}:{line} " in first["text"] + " " or f"{SOURCE.name}:{line}," in first["text"] or
                                  f"{SOURCE.name}:{line}:" in first["text"] for line in marks.get("CULPRIT", [])) or
                 "CULPRIT" not in marks, f"{label}: the sentence names a culprit's line", first["text"])
    if name in SAYS:
        checks.check(re.search(SAYS[name], everything(first)), f"{label}: what it says", f"{SAYS[name]}\n{shown}")
    checks.equal([finding["kind"] for finding in seen["findings"]], [kind], f"{label}: one finding for one fault")


def healthy(checks, label, program, name, looks, directory):
    with standing(program, name, directory, label) as target:
        for _ in range(looks):
            seen = look(checks, label, target.pid)
            checks.equal([finding["text"] for finding in seen["findings"]], [], f"{label}: no finding")
        checks.check(target.alive(), f"{label}: it runs on")


def kinds(checks, label, target):
    """The findings' kinds and sentences."""
    seen = look(checks, label, target.pid)
    return [finding["kind"] for finding in seen["findings"]], " ".join(everything(finding) for finding in seen["findings"])


def stopped(checks, program, directory):
    """Every thread stands: that is the finding, and not what they happen to be in."""
    with standing(program, "contended", directory, "signal") as target:
        target.signal(signal.SIGSTOP)
        wait_for(lambda: f"{target.pid} (stalls) T" in pathlib.Path(f"/proc/{target.pid}/stat").read_text(), "it to stop")
        found, text = kinds(checks, "signal", target)
        target.signal(signal.SIGCONT)
        checks.equal(found, ["stopped"], "signal: a stopped process")
        checks.check("SIGSTOP" in text, "signal: by what", text)
        checks.equal(kinds(checks, "signal", target)[0], [], "signal: it goes on, and is well")


@contextlib.contextmanager
def cgroup(controller, name):
    """A cgroup of version 1 with that controller; None: there is none to be had."""
    path = pathlib.Path("/sys/fs/cgroup") / controller / name
    try:
        path.mkdir()
    except OSError:
        yield None
        return
    try:
        yield path
    finally:
        for pid in (path / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (path.parent / "cgroup.procs").write_text(pid)
        path.rmdir()


def frozen(checks, program, directory):
    with standing(program, "contended", directory, "frozen") as target, cgroup("freezer", f"dwell-{os.getpid()}") as path:
        if not path or not (path / "freezer.state").exists():
            checks.skip("frozen", "no freezer of cgroups, version 1")
            return
        (path / "cgroup.procs").write_text(str(target.pid))
        (path / "freezer.state").write_text("FROZEN")
        try:
            wait_for(lambda: (path / "freezer.state").read_text() == "FROZEN\n", "it to freeze")
            found, text = kinds(checks, "frozen", target)
        finally:
            (path / "freezer.state").write_text("THAWED")
        checks.equal(found, ["stopped"], "frozen: a frozen process")
        checks.check("cgroup of the process is frozen" in text, "frozen: by what", text)


def throttle_notes(checks, name, target, directory):
    with Recording(target.pid, directory, name.replace(" ", "-"), options=["--duration", "0.6", "--no-looks"]) as recording:
        checks.equal(recording.wait(), 0, f"{name}: recorded")
        return [note for note in report(recording.data)["notes"] if "was throttled" in note]


def throttled(checks, program, directory):
    with standing(program, "spin", directory, "throttled") as target, cgroup("cpu", f"dwell-{os.getpid()}") as path:
        checks.equal(kinds(checks, "throttled", target)[0], [], "throttled: before, it only computes")
        if not path or not (path / "cpu.cfs_quota_us").exists():
            checks.skip("throttled", "no CPU controller of cgroups, version 1")
            return
        (path / "cpu.cfs_quota_us").write_text("20000")
        (path / "cgroup.procs").write_text(str(target.pid))
        time.sleep(1)
        found, text = kinds(checks, "throttled", target)
        checks.equal(found, ["throttled"], "throttled: a finding")
        checks.check(str(path) in text and re.search(r"in [1-9]\d* of \d+ periods", text), "throttled: by what", text)
        notes = throttle_notes(checks, "throttled", target, directory)
        checks.check(len(notes) == 1 and str(path) in notes[0] and "20.0 ms in each 100 ms" in notes[0],
                     "throttled: a recording has a note with the limit", f"{notes}")
        (path / "cpu.cfs_quota_us").write_text("-1")
        time.sleep(0.2)
        checks.equal(throttle_notes(checks, "throttled before", target, directory), [],
                     "throttled before: not if it was so before the recording only")


def chain_ends(checks, program, directory):
    with standing(program, "chain", directory, "chain") as target:
        text = kinds(checks, "chain", target)[1]
    checks.check(re.search(r"a read of fd \d+, tcp 127\.0\.0\.1:\d+ → 127\.0\.0\.1:\d+, established, nothing to read", text),
                 "chain: its end as the kernel sees it", text)


def main():
    need_recording()
    need_files(DWELL, *(workload(name, profile) for profile in PROFILES for name in ("stalls", "faults")))
    checks = Checks()
    known = marked_faults("stalls", KINDS)
    checks.equal(len(known), 16, "faults with marks")
    with scratch() as directory:
        for profile in PROFILES:
            program = workload("stalls", profile)
            for name, (kind, marks) in known.items():
                with checks.guarded(f"{profile}: {name}"):
                    one_fault(checks, f"{profile}: {name}", program, name, kind, marks, directory)
            for name, looks in HEALTHY.items():
                with checks.guarded(f"{profile}: {name}"):
                    healthy(checks, f"{profile}: {name}", program, name, looks, directory)
        for what in (stopped, frozen, throttled):
            with checks.guarded(what.__name__):
                what(checks, workload("stalls"), directory)
        with checks.guarded("chain"):
            chain_ends(checks, workload("faults"), directory)
    checks.done()


if __name__ == "__main__":
    main()
