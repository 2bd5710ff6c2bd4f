#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""However and whenever dwell is killed, nothing of it remains: the target's code equals that of its file, the kernel has no
object of dwell, and the target keeps running.

    deaths.py [KIND...]     only these kinds of death (see KINDS)

$DWELL_DEATHS     number of deaths (60), spread over the kinds and over attach, recording and detach
$DWELL_SEED       seed for the moments (0)
"""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import time

from harness import (DWELL, Checks, Process, Target, need_files, need_recording, output, probed_text, scratch, wait_for,
                     workload)

DEATHS = int(os.environ.get("DWELL_DEATHS", "60"))
SEED = int(os.environ.get("DWELL_SEED", "0"))
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def bpf_objects():
    """Ids of the BPF links, programs and maps in the kernel."""
    tool = shutil.which("bpftool") or "/usr/sbin/bpftool"
    return {(kind, entry["id"]) for kind in ("link", "prog", "map")
            for entry in json.loads(output(tool, "--json", kind, "list") or "[]")}


def keepers(dwell):
    """Processes that hold the probes of this dwell."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")
            if "dwell-keeper" in fields[0] and int(fields[2].split()[1]) == dwell.pid:
                found.append(int(folder.name))
    return found


def send(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def after_interrupt(second):
    """SIGINT, and while it detaches another one."""
    def die(dwell, moment):
        time.sleep(moment.uniform(0, 0.8))
        send(dwell.pid, signal.SIGINT)
        time.sleep(moment.uniform(0, 0.15))
        send(dwell.pid, second)
    return die


def by(number):
    def die(dwell, moment):
        time.sleep(moment.uniform(0, 1.0))
        send(dwell.pid, number)
    return die


def keeper_too(dwell, moment):
    """All that there is of dwell at once, as when a container ends; not while it attaches."""
    wait_for(lambda: "attached" in dwell.err or not dwell.alive(), "'attached'")
    time.sleep(moment.uniform(0, 0.5))
    victims = [*keepers(dwell), dwell.pid]
    for pid in victims if moment.random() < 0.5 else victims[::-1]:
        send(pid, signal.SIGKILL)


def out_of_memory(dwell, moment):
    """Its cgroup has less memory than it asks for: from the start, or from some moment on."""
    time.sleep(moment.uniform(0, 0.8))
    Confinement.here.limit(Confinement.here.usage() + moment.randrange(1 << 20))
    time.sleep(0.7)
    send(dwell.pid, signal.SIGKILL)


KINDS = {
    "kill": by(signal.SIGKILL),
    "hangup": by(signal.SIGHUP),
    "interrupt, then kill": after_interrupt(signal.SIGKILL),
    "interrupt, then hangup": after_interrupt(signal.SIGHUP),
    "keeper": keeper_too,
    "out of memory": out_of_memory,
}


class Confinement:
    """A cgroup for dwell with a limit of memory, of either version; `here` is it, or None."""
    here = None
    MOST = 48 << 20  # dwell needs more than this with large buffers
    VERSIONS = (  # where, the files of the limit and of what is used, and the one that counts kills
        (CGROUPS, "memory.max", "memory.current", "memory.events"),
        (CGROUPS / "unified", "memory.max", "memory.current", "memory.events"),
        (CGROUPS / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control"),
    )

    def __init__(self, root, limit, usage, kills):
        with contextlib.suppress(OSError):
            (root / "cgroup.subtree_control").write_text("+memory")
        self.folder = root / f"dwell-test-{os.getpid()}"
        self.folder.mkdir()
        self.files = [self.folder / name for name in (limit, usage, kills)]

    @classmethod
    @contextlib.contextmanager
    def made(cls):
        for root, *names in cls.VERSIONS:
            if not (root / "cgroup.procs").exists():
                continue
            with contextlib.suppress(OSError):
                group = cls(root, *names)
                if all(path.exists() for path in group.files):
                    cls.here = group
                    break
                group.folder.rmdir()
        try:
            yield cls.here
        finally:
            if cls.here:
                cls.here.folder.rmdir()
                cls.here = None

    def limit(self, size):
        with contextlib.suppress(OSError):  # version 1 refuses what is less than is used
            self.files[0].write_text(str(size))

    def usage(self):
        return int(self.files[1].read_text())

    def kills(self):
        fields = dict(line.split() for line in self.files[2].read_text().splitlines())
        return int(fields["oom_kill"])

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))


def one(target, program, kind, moment, directory):
    """What is wrong after one death, or ''."""
    others = all_keepers()
    confined = None
    if kind == "out of memory":
        confined = Confinement.here.enter
        Confinement.here.limit(moment.randrange(4 << 20, Confinement.MOST))
    with Process([DWELL, "record", "-p", target.pid, "-o", directory / "dead.data", "--buffer", "16384" if confined else
                  "256"], directory, "dead", preexec_fn=confined) as dwell:
        KINDS[kind](dwell, moment)
        with contextlib.suppress(AssertionError):
            dwell.wait(20)
        try:
            wait_for(lambda: not all_keepers() - others and not probed_text(target.pid, program), "end of the probes", 10)
        except AssertionError:
            left = probed_text(target.pid, program)
            return f"{len(left)} bytes of code altered, keepers {all_keepers() - others}; dwell: {dwell.err}"
    return "" if target.alive() else f"the target died: {target.err}"


def all_keepers():
    return {folder.name for folder in pathlib.Path("/proc").glob("[0-9]*") if comm(folder) == "dwell-keeper"}


def comm(folder):
    with contextlib.suppress(OSError):
        return (folder / "comm").read_text().strip()
    return ""


def main():
    need_recording()
    program = workload("panics")
    need_files(DWELL, program)
    checks = Checks()
    kinds = sys.argv[1:] or list(KINDS)
    moment = random.Random(SEED)
    with scratch() as directory, Confinement.made() as group:
        if not group and "out of memory" in kinds:
            checks.skip("out of memory", "no cgroup with a limit of memory can be made here")
            kinds.remove("out of memory")
        before = bpf_objects()
        with Target([program, "churn"], directory, "target") as target:
            target.go()
            wrong = {kind: [] for kind in kinds}
            for turn in range(DEATHS):
                kind = kinds[turn % len(kinds)]
                problem = one(target, program, kind, moment, directory)
                if problem:
                    wrong[kind].append(f"death {turn}: {problem}")
                if not target.alive():
                    break
            for kind in kinds:
                checks.check(not wrong[kind], f"{kind}: nothing is left of dwell (of {DEATHS} deaths)",
                             "\n".join(wrong[kind]))
            checks.check(target.alive(), "the target runs on")
            if "out of memory" in kinds:
                checks.check(group.kills(), "memory did run out")
        try:
            wait_for(lambda: not bpf_objects() - before, "end of the BPF objects", 10)
            checks.check(True, "no BPF object is left in the kernel")
        except AssertionError:
            checks.equal(sorted(bpf_objects() - before), [], "no BPF object is left in the kernel")
    checks.done()


if __name__ == "__main__":
    main()
