#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Containers: dwell and its target in nested pid namespaces with root directories of their own; dwell inside and outside.
The report is always the same. If the process cannot be found, dwell says so and records nothing."""

import contextlib
import os
import pathlib
import shutil
import time

from harness import (DWELL, Checks, Process, fold, need_files, need_recording, report, run, scratch, skip_all,
                     wait_for, workload)

PROGRAM = workload("stuck")
INSIDE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def seen(data):
    """What is the same in each recording of this program: its tasks, and where each stands."""
    tasks = report(data)["tasks"]
    return (tasks["seen"], tasks["alive_at_end"],
            sorted({(*row.frames[1:3], row.segment, *row.parts) for row in fold(data)}))


def innermost(pid):
    """The process below this one that has no child: the program behind its wrappers."""
    while True:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            return pid
        pid = int(children[-1])


@contextlib.contextmanager
def stuck(directory, name, wrapper=(), program=PROGRAM, stdin=None):
    """The program in its deadlock; yields it and its pid here."""
    ours, theirs = os.pipe()
    with Process([*wrapper, program], directory, name, stdin=ours) as target:
        os.close(ours)
        wait_for(lambda: "stuck" in target.out, "'stuck'")
        time.sleep(0.2)
        try:
            yield target, innermost(target.pid)
        finally:
            os.close(theirs)


def enter(pid, *argv):
    """A command in the namespaces of that process, and in its root."""
    return run("nsenter", "-t", pid, "--pid", "--mount", "--root", "--wd", "--", *argv)


def inner_pid(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("NSpid")).split()[-1])


def recorded(checks, what, done, data, want):
    if checks.check(done.returncode == 0, f"{what}: recorded", f"{done.returncode} {done.stderr}"):
        checks.equal(seen(data), want, f"{what}: the same report")


def by_pid(checks, name, wrapper, directory, want, dwell=DWELL, path=lambda data: data, program=PROGRAM):
    with stuck(directory, name, wrapper, program) as (_, pid):
        data = directory / f"{name}-out.data"
        recorded(checks, f"{name}, from outside",
                 run(DWELL, "record", "-p", pid, "--duration", "0.3", "-o", data), data, want)
        data = directory / f"{name}-in.data"
        recorded(checks, f"{name}, from inside",
                 enter(pid, dwell, "record", "-p", inner_pid(pid), "--duration", "0.3", "-o", path(data)), data, want)


def launched(checks, name, wrapper, directory, want):
    """Its deadlock begins at once; from its first moment it is seen to come to it."""
    data = directory / f"{name}.data"
    with open("/dev/zero", "rb") as endless:
        done = run(*wrapper, DWELL, "record", "--duration", "1", "-o", data, "--", PROGRAM, stdin=endless)
    if checks.check(done.returncode == 0, f"{name}, launched: recorded", f"{done.stderr}"):
        tasks = report(data)["tasks"]
        checks.equal((tasks["seen"], tasks["alive_at_end"]), want[:2], f"{name}, launched: all tasks")


def wrong_proc(checks, directory):
    """In the namespace, but with the /proc of another one: the numbers there are other processes."""
    data = directory / "wrong.data"
    done = run("unshare", "--pid", "--fork", "--kill-child", DWELL, "record", "-p", "1", "-o", data)
    checks.check(done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "/proc" in done.stderr,
                 "another namespace's /proc: refused", f"{done.returncode} {done.stderr}")
    checks.check(not data.exists(), "another namespace's /proc: and nothing written")


@contextlib.contextmanager
def root(directory):
    """A root of its own: the system's folders, a /proc to come, and the program at a place that is not there outside."""
    place = directory / "root"
    mounted = []
    try:
        for name in ("usr", "lib", "lib64", "bin", "sbin", "etc", "sys", "dev"):
            source = pathlib.Path("/", name)
            if source.is_symlink():
                place.mkdir(exist_ok=True)
                (place / name).symlink_to(os.readlink(source))
            elif source.is_dir():
                (place / name).mkdir(parents=True)
                done = run("mount", "--rbind", source, place / name)
                if done.returncode:
                    raise AssertionError(f"mount: {done.stderr}")
                mounted.append(place / name)
        for name in ("proc", "srv", "tmp"):
            (place / name).mkdir()
        shutil.copy(PROGRAM, place / "srv/app")
        shutil.copy(DWELL, place / "srv/dwell")
        yield place
    finally:
        for mount in reversed(mounted):
            run("umount", "-l", "-R", mount)


def container(checks, directory, want):
    with root(directory) as place:
        wrapper = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--root", place, "--wd", "/", "--",
                   "sh", "-c", 'mount -t proc proc /proc && exec "$@"', "sh"]
        inside = place / "tmp"

        def path(data):
            return pathlib.Path("/tmp", data.name)

        with stuck(directory, "root", wrapper, "/srv/app") as (_, pid):
            data = directory / "root-out.data"
            recorded(checks, "a root of its own, from outside",
                     run(DWELL, "record", "-p", pid, "--duration", "0.3", "-o", data), data, want)
            data = inside / "in.data"
            recorded(checks, "a root of its own, from inside",
                     enter(pid, "/srv/dwell", "record", "-p", inner_pid(pid), "--duration", "0.3", "-o", path(data)),
                     data, want)


def main():
    need_recording()
    need_files(DWELL, PROGRAM)
    if run(*INSIDE, "true").returncode:
        skip_all("no pid namespace can be made here (unshare)")
    checks = Checks()
    with scratch() as directory:
        with stuck(directory, "plain") as (_, pid):
            data = directory / "plain.data"
            done = run(DWELL, "record", "-p", pid, "--duration", "0.3", "-o", data)
            assert done.returncode == 0, done.stderr
            want = seen(data)
        checks.equal(want[:2], (13, 13), "outside of all namespaces: all tasks, and the root")
        for name, wrapper in (("a namespace", INSIDE), ("a namespace in another", INSIDE * 2)):
            with checks.guarded(name):
                by_pid(checks, name, wrapper, directory, want)
                launched(checks, name, wrapper, directory, want)
        with checks.guarded("wrong /proc"):
            wrong_proc(checks, directory)
        with checks.guarded("container"):
            container(checks, directory, want)
    checks.done()


if __name__ == "__main__":
    main()
