#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`record -- COMMAND`: a command is recorded from its first task on. Of a shell or a script, the program that it executes
is recorded. If a program does not end when it is asked to, dwell does not wait for it, and says so. Before the recording
begins, a signal ends dwell at any moment."""

import os
import pathlib
import signal
import socket
import stat
import time

from harness import (DWELL, Checks, Process, need_files, need_recording, report, run, scratch, wait_for, workload)

TIMERS = [workload("timers"), "--rounds", "150"]  # for some two seconds
TASKS = 8  # seven, and the one that main() blocks on


def followed(checks, what, command, directory):
    data = directory / "followed.data"
    with Process([DWELL, "record", "-o", data, "--", *command], directory, "followed") as dwell:
        if checks.equal(dwell.wait(), 0, f"{what}: status 0"):
            seen = report(data)
            checks.equal((seen["tasks"]["seen"], seen["recording"]["comm"], seen["recording"]["torn"]),
                         (TASKS, "timers", None), f"{what}: all tasks of the program behind it")
            checks.check("exited" in seen["recording"]["ended_by"], f"{what}: to its end", f"{seen['recording']}")
        else:
            print(dwell.err)


def script(directory):
    path = directory / "start.sh"
    path.write_text("#!/bin/sh\nexec " + " ".join(str(part) for part in TIMERS) + "\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def executed(checks, directory):
    line = " ".join(str(part) for part in TIMERS)
    with checks.guarded("directly"):
        followed(checks, "directly", TIMERS, directory)
    with checks.guarded("sh -c"):
        followed(checks, "sh -c 'exec …'", ["sh", "-c", f"sleep 0.2; exec {line}"], directory)
    with checks.guarded("script"):
        followed(checks, "a script", [script(directory)], directory)
    with checks.guarded("env"):
        followed(checks, "env and sh", ["env", "A=B", "sh", "-c", f"exec {line}"], directory)
    for what, command in (("true", ["true"]), ("a shell that starts others", ["sh", "-c", f"{line}; true"])):
        data = directory / "none.data"
        done = run(DWELL, "record", "-o", data, "--", *command)
        checks.check(done.returncode == 1 and "has ended" in done.stderr and not data.exists(),
                     f"{what}: is said not to have been recorded", f"{done}")


def unrecordable(checks, directory):
    """Behind a shell there is a program that cannot be recorded: the reason is told, and its cure."""
    stripped = directory / "bare"
    assert run("strip", "-o", stripped, workload("timers")).returncode == 0
    done = run(DWELL, "record", "-o", directory / "bare.data", "--", "sh", "-c", f"exec {stripped} --rounds 1")
    checks.check(done.returncode == 1 and f"{stripped}: " in done.stderr and "strip" in
                 next(line for line in done.stderr.splitlines() if f"{stripped}: " in line).split(": ", 2)[2],
                 "a stripped program behind a shell: why it cannot be recorded", f"{done}")


def paths(checks, directory):
    """Long ones, and PATH with what is no program in it."""
    deep = directory.joinpath(*["d" * 60] * 6)
    deep.mkdir(parents=True)
    program = deep / "timers"
    os.link(workload("timers"), program) if os.stat(workload("timers")).st_dev == os.stat(deep).st_dev else \
        program.write_bytes(workload("timers").read_bytes())
    program.chmod(0o755)
    (directory / "first" / "timers").mkdir(parents=True)
    for what, command, path in (("a long path", program, None), ("found by PATH, behind a directory of its name", "timers",
                                                                 f"{directory / 'first'}:{deep}")):
        env = dict(os.environ, PATH=f"{path}:{os.environ['PATH']}") if path else None
        done = run(DWELL, "record", "-q", "-o", directory / "path.data", "--", command, "--rounds", "20", env=env)
        checks.check(done.returncode == 0 and report(directory / "path.data")["tasks"]["seen"] == TASKS,
                     f"{what}: recorded", f"{done}")


def deaf(checks, directory):
    """It ignores SIGTERM."""
    pid = directory / "pid"
    command = ["sh", "-c", f"trap '' TERM; echo $$ >{pid}; exec {workload('timers')} --rounds 1000000"]
    with Process([DWELL, "record", "-o", directory / "deaf.data", "--duration", "0.5", "--", *command], directory,
                 "deaf") as dwell:
        begin = time.monotonic()
        status = dwell.wait(30)
        child = int(pid.read_text())
        checks.check(status == 0 and time.monotonic() - begin < 20, "ignores SIGTERM: dwell ends", lambda: dwell.err)
        checks.check(f"pid {child}" in dwell.err and "runs on" in dwell.err, "ignores SIGTERM: and says that it runs on",
                     lambda: dwell.err)
        checks.check(pathlib.Path(f"/proc/{child}").exists(), "ignores SIGTERM: which it does")
        os.kill(child, signal.SIGKILL)
    checks.check(report(directory / "deaf.data")["recording"]["torn"] is None, "ignores SIGTERM: a whole file")


def polite(checks, directory):
    with Process([DWELL, "record", "-o", directory / "polite.data", "--", workload("timers"), "--rounds", "1000000"],
                 directory, "polite") as dwell:
        wait_for(lambda: "attached" in dwell.err, "'attached'")
        checks.check("SIGTERM" in dwell.err, "ended with the recording: it is said at the beginning", lambda: dwell.err)
        child = int(dwell.err.split("attached to ")[1].split()[0])
        time.sleep(0.3)
        dwell.signal(signal.SIGINT)
        checks.equal(dwell.wait(), 0, "ended with the recording: status 0")
        checks.check(not pathlib.Path(f"/proc/{child}").exists(), "ended with the recording: it has ended")
        checks.check("dwell report" in dwell.err.splitlines()[-1], "what to do next is said at the end", lambda: dwell.err)


def silent_server(checks, directory):
    """A debuginfod that takes the request and never answers: SIGTERM ends it all the same."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stripped = directory / "no-debug"
        assert run("strip", "-o", stripped, workload("timers")).returncode == 0
        with Process([stripped, "--rounds", "1000000"], directory, "bare") as bare:
            env = {"DEBUGINFOD_URLS": f"http://127.0.0.1:{server.getsockname()[1]}", "DEBUGINFOD_TIMEOUT": "60",
                   "DEBUGINFOD_CACHE_PATH": str(directory / "debuginfod")}
            with Process([DWELL, "record", "-p", bare.pid, "-o", directory / "silent.data"], directory, "asks",
                         env=env) as dwell:
                connection, _ = server.accept()
                with connection:
                    begin = time.monotonic()
                    dwell.signal(signal.SIGTERM)
                    dwell.wait(30)
                    checks.check(time.monotonic() - begin < 10, "a debuginfod that does not answer: SIGTERM ends dwell")
            checks.check(bare.alive(), "a debuginfod that does not answer: the target runs on")


def roots_at_rest(checks, directory):
    """A root that waits while its thread sleeps in a page fault, as it often does at the program's start, is not woken by
    the end of that: without that rule one of some forty was."""
    data = directory / "rest.data"
    early = []
    for _ in range(60):
        done = run(DWELL, "record", "-q", "-o", data, "--", workload("timers"), "--rounds", "5")
        assert done.returncode == 0, f"{done}"
        waits = [point for point in report(data)["await_points"] if point["task"] == "timers::run"]
        early += [point for point in waits if point["ready_ns"] > point["await_ns"]]
    checks.check(waits and not early, "a root that waits for its tasks is not woken before they are done", f"{early}")


def wrong_ids(checks):
    thread = next(int(path.name) for process in pathlib.Path("/proc").glob("[0-9]*")
                  for path in (process / "task").glob("*") if path.name != process.name)
    done = run(DWELL, "record", "-p", thread)
    checks.check(done.returncode == 1 and "thread of process" in done.stderr and len(done.stderr.splitlines()) == 1,
                 "a thread's id: says of which process", done.stderr)
    for text in ("4294967298", "99999999999999999999", "12x", ""):
        done = run(DWELL, "record", "-p", text)
        checks.check(done.returncode == 2 and "not a process id" in done.stderr, f"-p '{text}': refused", f"{done}")
    closed = run("sh", "-c", f"{DWELL} info {workload('timers')} >&-")
    checks.check(closed.returncode == 1 and "standard output" in closed.stderr, "info >&-: says that it cannot be written",
                 f"{closed}")


def main():
    need_recording()
    need_files(DWELL, workload("timers"))
    checks = Checks()
    with scratch() as directory:
        for part in (executed, unrecordable, paths, deaf, polite, silent_server, roots_at_rest):
            with checks.guarded(f"{part.__name__}: all of it"):
                part(checks, directory)
        wrong_ids(checks)
    checks.done()


if __name__ == "__main__":
    main()
