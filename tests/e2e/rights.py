#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The least rights: a user with CAP_BPF and CAP_PERFMON records processes of the same user, with CAP_SYS_PTRACE also those
of others; the capabilities are given to the process or to the file. With one less, dwell says which one is missing.
Kernel functions have their names, and the kernel's location is not revealed."""

import contextlib
import os
import re
import shutil
import tempfile
import pathlib

from harness import (DWELL, Checks, Process, need_files, need_recording, report, run, skip_all, wait_for, workload)

NOBODY = 65534
OWN = ("bpf", "perfmon")
OTHERS = (*OWN, "sys_ptrace")


def as_nobody(caps):
    """The beginning of a command line: another user, with these rights."""
    sets = ",".join(["-all", *(f"+{cap}" for cap in caps)])
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps={sets}",
            f"--ambient-caps={sets}", "--bounding-set=" + ",".join(["-all", *(f"+{cap}" for cap in OTHERS)])]


@contextlib.contextmanager
def place():
    """A folder that the other user can reach and write to, with the programs."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dwell-rights-"))
    try:
        folder.chmod(0o777)
        for source, name in ((DWELL, "dwell"), (workload("blocker"), "blocker")):
            shutil.copy(source, folder / name)
            (folder / name).chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def record(folder, caps, pid, *options, program="dwell"):
    (folder / "out.data").unlink(missing_ok=True)
    return run(*as_nobody(caps), folder / program, "record", "-q", "-p", pid, "--duration", "0.5", "--no-cache",
               "-o", folder / "out.data", *options)


def succeeds(checks, what, done, folder):
    if checks.check(done.returncode == 0, f"{what}: recorded", f"{done.returncode} {done.stderr}"):
        seen = report(folder / "out.data")
        checks.check(seen["tasks"]["seen"] > 0 and seen["cost"]["probe_hits"] > 0, f"{what}: with tasks",
                     f"{seen['tasks']} {seen['cost']} {seen['lost']}")


def refused(checks, what, done, cap):
    checks.check(done.returncode == 1 and len(done.stderr.splitlines()) == 1 and cap in done.stderr,
                 f"{what}: refused, {cap} is missing", f"{done.returncode} {done.stderr}")


def kernel_frames(checks, folder):
    """Kernel stacks have names, without the right to read where the kernel lies (CAP_SYSLOG)."""
    done = run(DWELL, "fold", "-i", folder / "out.data")
    frames = set(re.findall(r";([^;]*)_\[k\]", done.stdout))
    addresses = {frame for frame in frames if re.search(r"0x[0-9a-f]{6,}|ffffffff", frame)}
    checks.check(frames and not addresses, "without CAP_SYSLOG: no address of the kernel", f"{frames}")
    checks.check("unknown function" not in frames, "without CAP_SYSLOG: all kernel functions have names", f"{frames}")


def file_rights(checks, folder, own, other):
    """Rights of the file of dwell, for a user who has none."""
    for name, caps, pid in (("dwell-own", OWN, own), ("dwell-others", OTHERS, other)):
        shutil.copy(DWELL, folder / name)
        (folder / name).chmod(0o755)
        done = run("setcap", ",".join(f"cap_{cap}" for cap in caps) + "+ep", folder / name)
        if done.returncode:
            checks.skip("rights of the file", f"setcap: {done.stderr.strip()}")
            return
        succeeds(checks, f"rights of the file: {', '.join(caps)}", record(folder, (), pid, program=name), folder)


def main():
    need_recording()
    need_files(DWELL, workload("blocker"))
    if not shutil.which("setpriv") or not shutil.which("setcap"):
        skip_all("setpriv (util-linux) or setcap (libcap2-bin) is missing")
    checks = Checks()
    with place() as folder, contextlib.ExitStack() as stack:
        argv = [folder / "blocker", "--rounds", "100000"]
        own = stack.enter_context(Process([*as_nobody(()), *argv], folder, "own")).pid
        other = stack.enter_context(Process(argv, folder, "other")).pid
        wait_for(lambda: os.stat(f"/proc/{own}").st_uid == NOBODY, "another user's process")
        succeeds(checks, "a process of one's own", record(folder, OWN, own), folder)
        kernel_frames(checks, folder)
        for cap in OWN:
            refused(checks, "a process of one's own", record(folder, [c for c in OWN if c != cap], own),
                    f"CAP_{cap.upper()}")
        succeeds(checks, "a process of another user", record(folder, OTHERS, other), folder)
        for cap in OTHERS:
            refused(checks, "a process of another user", record(folder, [c for c in OTHERS if c != cap], other),
                    f"CAP_{cap.upper()}")
        (folder / "out.data").unlink(missing_ok=True)
        done = run(*as_nobody(OWN), folder / "dwell", "record", "-q", "-o", folder / "out.data", "--", folder / "blocker",
                   "--rounds", "2")
        succeeds(checks, "a command", done, folder)
        file_rights(checks, folder, own, other)
        refused(checks, "none", record(folder, (), own), "CAP_BPF")
        done = run("unshare", "--user", "--map-root-user", DWELL, "record", "-p", own, "-o", folder / "out.data")
        if "unshare" not in done.stderr:
            refused(checks, "root of a user namespace", done, "user namespace")
    checks.done()


if __name__ == "__main__":
    main()
