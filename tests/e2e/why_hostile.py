#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""dwell why on a process whose memory is nonsense: lists that lead back into themselves, pointers into nowhere, states
that do not exist. There is an answer, in bounded time. The process is stopped first, so that only dwell meets it."""

import json
import os
import random
import signal
import struct
import subprocess
import time

from harness import DWELL, Checks, Process, need_files, need_recording, run, scratch, wait_for, workload

LOOKS = 5               # for each program
SECONDS = 30            # a look takes a second or two; a machine may be slow
TARGETS = {"faults upgrade": "there", "faults queue": "there", "faults chain": "there", "stuck": "stuck"}


def heaps(pid):
    """Private memory that can be written, but stacks and libraries."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        for line in maps:
            fields = line.split()
            if fields[1].startswith("rw-p") and (len(fields) == 5 or fields[5] == "[heap]"):
                start, end = (int(text, 16) for text in fields[0].split("-"))
                if end - start <= 64 << 20:
                    yield start, end


class Memory:
    """The memory of a stopped process: words may be replaced, and are put back."""

    def __init__(self, pid):
        self.file = os.open(f"/proc/{pid}/mem", os.O_RDWR)
        self.saved = {}

    def word(self, at):
        try:
            return struct.unpack("<Q", os.pread(self.file, 8, at))[0]
        except (OSError, struct.error):
            return None

    def put(self, at, value):
        self.saved.setdefault(at, self.word(at))
        os.pwrite(self.file, struct.pack("<Q", value & (1 << 64) - 1), at)

    def restore(self):
        for at, value in self.saved.items():
            os.pwrite(self.file, struct.pack("<Q", value), at)
        self.saved = {}


def used(memory, pid):
    """Addresses of words that are not 0, near which tasks and what they wait for lie."""
    found = []
    for start, end in heaps(pid):
        try:
            data = os.pread(memory.file, min(end - start, 2 << 20), start)
        except OSError:
            continue
        found += [start + 8 * i for i, (word,) in enumerate(struct.iter_unpack("<Q", data[:len(data) // 8 * 8])) if word]
    return found


def spoil(memory, chance, words, tasks):
    """Replace a share of the words: all kinds of nonsense, and pointers that lead in circles."""
    for at in chance.sample(words, max(1, len(words) // chance.choice((4, 20, 200)))):
        memory.put(at, chance.choice((0, at, at - 8, at + 8, (1 << 64) - 1, 1 << 63, 0x1000, chance.getrandbits(64),
                                      chance.getrandbits(6), chance.choice(words), chance.choice(words) + 4)))
    # in the tasks themselves, whose first words the runtime's lists go through
    for task in tasks:
        for offset in range(0, 512, 8):
            if chance.random() < 0.1 and memory.word(task + offset) is not None:
                memory.put(task + offset, chance.choice((task, chance.choice(tasks), chance.choice(words), 0, 3,
                                                         chance.getrandbits(64))))


def look(checks, label, pid):
    begun = time.monotonic()
    try:
        seen = run(DWELL, "why", "-p", str(pid), "--json", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        checks.check(False, f"{label}: an answer in bounded time")
        return None
    took = time.monotonic() - begun
    if not checks.check(seen.returncode == 0, f"{label}: an answer", f"{seen.returncode} {seen.stderr} after {took:.1f} s"):
        return None
    return json.loads(seen.stdout)


def hostile(checks, program, sign, directory):
    name, *argv = program.split()
    with Process([workload(name), *argv], directory, program.replace(" ", "-"), stdin=subprocess.PIPE) as target:
        wait_for(lambda: sign in target.out, "the program to stand")
        os.kill(target.pid, signal.SIGSTOP)
        memory = Memory(target.pid)
        tasks = [int(task["id"], 16) for task in look(checks, f"{program}, stopped", target.pid)["tasks"]]
        words = used(memory, target.pid)
        checks.check(tasks and len(words) > 100, f"{program}: it has tasks and memory", f"{tasks} {len(words)}")
        before, other = sorted(tasks), 0
        for seed in range(LOOKS):
            spoil(memory, random.Random(f"{program} {seed}"), words, tasks)
            seen = look(checks, f"{program}, seed {seed}", target.pid)
            other += bool(seen) and sorted(int(task["id"], 16) for task in seen["tasks"]) != before
            memory.restore()
        checks.check(other, f"{program}: the nonsense is met", other)
        seen = look(checks, f"{program}, as before", target.pid)
        checks.equal(sorted(int(task["id"], 16) for task in seen["tasks"]), before,
                     f"{program}: its tasks are found again: nothing was written")
        os.kill(target.pid, signal.SIGCONT)
        time.sleep(0.1)
        checks.check(target.alive(), f"{program}: it runs on")


def main():
    need_recording()
    need_files(DWELL, *{workload(program.split()[0]) for program in TARGETS})
    checks = Checks()
    with scratch() as directory:
        for program, sign in TARGETS.items():
            with checks.guarded(program):
                hostile(checks, program, sign, directory)
    checks.done()


if __name__ == "__main__":
    main()
