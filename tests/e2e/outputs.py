#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Where a recording is written: a file can be read by its owner only, an existing file is kept, and two recorders never
write to one file. Whatever reads the output, or does not read it, a recording ends when it should, its probes are
removed, and it says how it ended."""

import contextlib
import fcntl
import json
import os
import resource
import signal
import stat
import subprocess
import time

from harness import (DWELL, Checks, Process, Recording, Target, need_files, need_recording, output, probed_text, report,
                     run, scratch, wait_for, workload)

SOON = 15  # seconds within which a recording of half a second must have ended


def record(target, data, *options, seconds="0.3", **kwargs):
    return run(DWELL, "record", "-p", target.pid, "--duration", seconds, "-o", data, *options, timeout=60, **kwargs)


def refused(checks, what, done, word):
    checks.check(done.returncode == 1 and len(done.stderr.splitlines()) == 1 and word in done.stderr, what,
                 f"status {done.returncode}: {done.stderr}")


def files(checks, target, directory):
    data = directory / "file.data"
    old = directory / "file.data.old"
    checks.equal(record(target, data).returncode, 0, "file: recorded")
    checks.equal(stat.S_IMODE(data.stat().st_mode), 0o600, "file: for its owner only")
    first = data.read_bytes()
    checks.equal(record(target, data).returncode, 0, "file: recorded again")
    checks.equal(old.read_bytes(), first, "file: the one before is kept")
    second = data.read_bytes()
    # A recording that does not begin leaves both where they are.
    run(DWELL, "record", "-o", data, "--", directory / "no-such-command")
    run(DWELL, "record", "-p", os.getpid(), "-o", data)
    checks.check(data.read_bytes() == second and old.read_bytes() == first, "file: kept by what cannot be recorded")
    with Recording(target.pid, directory, "first", data=data) as recording:
        refused(checks, "file: another recorder is refused", record(target, data), "another recorder")
        checks.equal(recording.stop(), 0, "file: the first one goes on")
    checks.check(report(data)["recording"]["torn"] is None, "file: and its file is whole")
    checks.equal(old.read_bytes(), second, "file: what the second one would have kept is as it was")
    link = directory / "link.data"
    link.symlink_to(data)
    before = data.read_bytes()
    refused(checks, "file: a symbolic link is refused", record(target, link), "symbolic link")
    checks.check(data.read_bytes() == before, "file: what it leads to is as it was")
    refused(checks, "file: a directory is refused", record(target, directory), "directory")
    checks.equal(record(target, "/dev/null").returncode, 0, "file: /dev/null is not moved away")
    checks.check(stat.S_ISCHR(os.stat("/dev/null").st_mode), "file: and is a device still")


def two(checks, target, directory):
    """Two recorders of one target: the one that ends first does not take the other's probes for its own."""
    with Recording(target.pid, directory, "one") as one, Recording(target.pid, directory, "other") as other:
        time.sleep(0.3)
        checks.equal(one.stop(), 0, "two recorders: the first one ends")
        checks.check("another recorder" in one.err, "two recorders: it says whose probes are left", lambda: one.err)
        time.sleep(0.3)
        checks.equal(other.stop(), 0, "two recorders: the other one goes on")
        checks.check("there are probes" not in other.err, "two recorders: and leaves none", lambda: other.err)
    checks.equal(report(other.data)["lost"], {}, "two recorders: nothing is lost")


def pipes(checks, target, directory):
    """Somebody reads."""
    command = f"{DWELL} record -q -p {target.pid} --duration 0.3 -o %s | {DWELL} report --json -i -"
    for name in ("-", "/dev/stdout"):
        done = subprocess.run(command % name, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        checks.check(done.returncode == 0 and json.loads(done.stdout)["recording"]["torn"] is None,
                     f"pipe: -o {name}", f"{done}")
    fifo = directory / "fifo"
    os.mkfifo(fifo)
    with Recording(target.pid, directory, "late", data=fifo, options=["--duration", "0.3"], attach=False) as recording:
        wait_for(lambda: "waiting" in recording.err, "'waiting'")
        checks.equal(probed_text(target.pid, workload("timers")), [], "pipe: nothing is probed before somebody reads it")
        with open(fifo, "rb") as reader:
            whole = reader.read()
        checks.equal(recording.wait(), 0, "pipe: a reader who comes late gets all of it")
        (directory / "late.data").write_bytes(whole)
        checks.check(report(directory / "late.data")["recording"]["torn"] is None, "pipe: which is whole")
    with Recording(target.pid, directory, "alone", data=fifo, attach=False) as recording:
        wait_for(lambda: "waiting" in recording.err, "'waiting'")
        recording.signal(signal.SIGTERM)
        checks.equal(recording.wait(SOON), 1, "pipe: waiting for a reader ends with a signal")


def fill(writer):
    """How many bytes a pipe took."""
    taken = 0
    fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            taken += os.write(writer, b"x" * 4096)
    fcntl.fcntl(writer, fcntl.F_SETFL, 0)
    return taken


@contextlib.contextmanager
def full_pipe():
    """A pipe that nobody empties; its writing end."""
    reader, writer = os.pipe()
    fill(writer)
    try:
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


def ends(checks, what, dwell, target, word):
    begin = time.monotonic()
    status = dwell.wait(60)
    checks.check(time.monotonic() - begin < SOON, f"{what}: it ends when it should")
    if word:
        checks.check(status == 1 and word in dwell.err, f"{what}: and says that nobody reads it",
                     lambda: f"status {status}: {dwell.err}")
    wait_for(lambda: not probed_text(target.pid, workload("timers")), "end of the probes", 10)


def stalled(checks, target, directory):
    """Nobody reads."""
    argv = [DWELL, "record", "-q", "-p", target.pid]
    with full_pipe() as writer, \
         Process([*argv, "--duration", "0.5", "-o", "-"], directory, "duration", stdout=writer) as dwell:
        ends(checks, "stalled, --duration", dwell, target, "nobody reads it")
    with full_pipe() as writer, Process([*argv, "-o", "-"], directory, "signal", stdout=writer) as dwell:
        time.sleep(1.5)
        dwell.signal(signal.SIGINT)
        ends(checks, "stalled, SIGINT", dwell, target, "nobody reads it")
    # The pipe is full in the middle of it.
    reader, writer = os.pipe()
    with Process([*argv, "--duration", "2.5", "-o", "-"], directory, "middle", stdout=writer) as dwell:
        os.close(writer)
        time.sleep(1)
        checks.check(dwell.alive(), "stalled, in the middle: a full pipe is no end")
        ends(checks, "stalled, in the middle", dwell, target, "")
        os.close(reader)
    with full_pipe() as writer:
        with open(directory / "err", "wb"):
            child = subprocess.Popen([str(a) for a in [*argv, "--duration", "0.5", "-o", directory / "err.data"]],
                                     stdin=subprocess.DEVNULL, stderr=writer)
        try:
            checks.equal(child.wait(SOON), 0, "stalled standard error: it is not waited for")
        finally:
            child.kill()
            child.wait()
        checks.check(report(directory / "err.data")["recording"]["torn"] is None, "stalled standard error: a whole file")


def late(checks, target, directory):
    """Somebody reads once it is over, which it was before its first event could be written."""
    reader, writer = os.pipe()
    taken = fill(writer)
    with Process([DWELL, "record", "-q", "-p", target.pid, "--duration", "0.5", "-o", "-"], directory, "late-reader",
                 stdout=writer) as dwell, open(reader, "rb") as pipe:
        os.close(writer)
        wait_for(lambda: probed_text(target.pid, workload("timers")), "probes", 20)
        wait_for(lambda: not probed_text(target.pid, workload("timers")), "end of the probes", 20)
        data = directory / "late-reader.data"
        data.write_bytes(pipe.read()[taken:])
        checks.equal(dwell.wait(), 0, "a reader who comes when it is over: status 0")
        seen = report(data)["recording"]
        checks.equal((seen["torn"], seen["ended_by"]), (None, "duration"), "a reader who comes when it is over: a whole file")


def limits(checks, target, directory):
    """A hangup, and a limit of the file's size."""
    with Recording(target.pid, directory, "hangup") as recording:
        time.sleep(0.3)
        recording.signal(signal.SIGHUP)
        checks.equal(recording.wait(), 0, "SIGHUP: status 0")
        seen = report(recording.data)["recording"]
        checks.check(seen["torn"] is None and seen["ended_by"] == "hangup", "SIGHUP: a whole file that says so", f"{seen}")
    with Recording(target.pid, directory, "nohup", options=["--duration", "1"],
                   preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as recording:
        recording.signal(signal.SIGHUP)
        checks.equal(recording.wait(), 0, "nohup: status 0")
        seen = report(recording.data)["recording"]
        checks.equal(seen["ended_by"], "duration", "nohup: a hangup that is ignored is ignored")
    # As a script has it that starts `dwell record … &' and sends SIGINT later.
    with Recording(target.pid, directory, "background",
                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as recording:
        time.sleep(0.3)
        recording.signal(signal.SIGINT)
        checks.equal(recording.wait(), 0, "in the background of a script: status 0")
        checks.equal(report(recording.data)["recording"]["ended_by"], "interrupt",
                     "in the background of a script: SIGINT ends it")

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (260 << 10, 260 << 10))

    with Target([workload("panics"), "churn"], directory, "churn") as churn:
        churn.go()
        with Recording(churn.pid, directory, "limit", preexec_fn=small_files) as recording:
            checks.equal(recording.wait(60), 1, "SIGXFSZ: status 1")
            checks.check("space" in recording.err, "SIGXFSZ: says so", lambda: recording.err)
            done = run(DWELL, "report", "--json", "-i", recording.data)
            seen = json.loads(done.stdout)["recording"] if done.stdout else {}
            checks.check(done.returncode == 0 and seen["torn"] is None and "large" in seen["ended_by"],
                         "SIGXFSZ: a whole file that says so", f"{done.stderr} {seen}")
        checks.check(churn.alive(), "SIGXFSZ: the target runs on")


def main():
    need_recording()
    need_files(DWELL, workload("timers"), workload("panics"))
    checks = Checks()
    with scratch() as directory, Target([workload("timers"), "--rounds", "1000000"], directory) as target:
        target.go()
        for part in (files, two, pipes, stalled, late, limits):
            with checks.guarded(f"{part.__name__}: all of it"):
                part(checks, target, directory)
        checks.check(target.alive(), "the target runs on")
    checks.done()


if __name__ == "__main__":
    main()
