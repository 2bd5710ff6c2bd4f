#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""However dwell dies, and whenever, nothing of it stays: the target's code is that of its file, the kernel has none of
dwell's objects, and the target runs on.

    deaths.py [KIND...]     only these kinds of death (see KINDS)

$DWELL_DEATHS     how many (60), spread over the kinds and over attach, recording and detach
$DWELL_SEED       of the moments (0)
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
LIMIT = 48 << 20  # of memory; dwell needs more than this with large buffers


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
    """Its cgroup has less memory than it asks for."""
    time.sleep(moment.uniform(0, 0.3))
    with contextlib.suppress(OSError):
        (CGROUPS / "dwell-test/memory.max").write_text(str(moment.randrange(4 << 20, LIMIT)))
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


@contextlib.contextmanager
def cgroup():
    """A cgroup with a limit of memory, or None."""
    folder = CGROUPS / "dwell-test"
    try:
        with contextlib.suppress(OSError):
            (CGROUPS / "cgroup.subtree_control").write_text("+memory")
        folder.mkdir()
        (folder / "memory.max").write_text(str(LIMIT))
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        yield None
        return
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def enter(folder):
    def move():
        (folder / "cgroup.procs").write_text(str(os.getpid()))
    return move


def one(target, program, kind, moment, directory, folder):
    """What is wrong after one death, or ''."""
    others = all_keepers()
    confined = enter(folder) if kind == "out of memory" else None
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
    with scratch() as directory, cgroup() as folder:
        if not folder and "out of memory" in kinds:
            checks.skip("out of memory", "no cgroup with a limit of memory can be made here")
            kinds.remove("out of memory")
        before = bpf_objects()
        with Target([program, "churn"], directory, "target") as target:
            target.go()
            wrong = {kind: [] for kind in kinds}
            for turn in range(DEATHS):
                kind = kinds[turn % len(kinds)]
                problem = one(target, program, kind, moment, directory, folder)
                if problem:
                    wrong[kind].append(f"death {turn}: {problem}")
                if not target.alive():
                    break
            for kind in kinds:
                checks.check(not wrong[kind], f"{kind}: nothing is left of dwell (of {DEATHS} deaths)",
                             "\n".join(wrong[kind]))
            checks.check(target.alive(), "the target runs on")
        try:
            wait_for(lambda: not bpf_objects() - before, "end of the BPF objects", 10)
            checks.check(True, "no BPF object is left in the kernel")
        except AssertionError:
            checks.equal(sorted(bpf_objects() - before), [], "no BPF object is left in the kernel")
    checks.done()


if __name__ == "__main__":
    main()
