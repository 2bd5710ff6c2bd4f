#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""User stacks of threads that block for some ms, in polls and in blocking jobs, captured when they go to sleep: each
line that blocks is told, as often and for as long as the program itself counts; stacks reach the thread's start, and
are those of a debugger for the same wait. Ten thousand different ones are not too many."""

import shutil
from pathlib import Path

from harness import (DWELL, PROFILES, Checks, Recording, Target, attempts, fold, need_files, need_recording, report, run,
                     scratch, wait_for, workload)

SOURCE = Path(__file__).resolve().parent.parent / "workloads" / "src" / "bin" / "blocks.rs"
ROUNDS = 25
MANY = 10_000
COMPLETE = 0.99
FUTEXES = {
    "std_mutex": "std::sync::Mutex", "std_rwlock": "std::sync::RwLock", "condvar": "std::sync::Condvar",
    "park": "thread::park", "channel": "a channel of std", "join": "a thread's end", "pl_mutex": "parking_lot::Mutex",
    "pl_rwlock": "parking_lot::RwLock", "map": "a shard of a DashMap",
}
WAY_OF, WAKES = (next(n for n, line in enumerate(SOURCE.read_text().splitlines(), 1) if text in line)
                 for text in ("WAYS[way].1()", "// WAKES"))
HELD = ("std_mutex", "std_rwlock", "pl_mutex", "pl_rwlock", "map")  # by another thread, which wakes the one that waits
CALLERS = ("inlined", "deep", "boxed")  # whose caller has a line of its own

# What the debugger is told: thread id, then file:line of its frames, innermost first, inlined functions too.
SCRIPT = """
import gdb, os
for thread in gdb.selected_inferior().threads():
    thread.switch()
    frame, lines = gdb.newest_frame(), []
    while frame is not None and frame.is_valid():
        sal = frame.find_sal()
        if sal.symtab is not None:
            lines.append("%s:%d" % (os.path.basename(sal.symtab.filename), sal.line))
        try:
            frame = frame.older()
        except gdb.error:
            break
    print("STACK", thread.ptid[1], *lines)
"""


def marks(what):
    """Name → line, of the comments `// WHAT name`."""
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    return {line.split(f"// {what} ")[1]: number for number, line in enumerate(lines, 1) if f"// {what} " in line}


def places(seen):
    """(name of the way, job or not) → the block there."""
    names = {line: name for name, line in marks("BLOCK").items()}
    return {(names[b["line"]], b["job"]): b for b in seen["blocked_places"] if b["file"] == SOURCE.name and b["line"] in names}


def lines(block):
    """file:line of a block's stack, innermost first, as the debugger tells them."""
    return [f"{f['file']}:{f['line']}" for f in block["stack"] if f["file"]]


def same(told, shown):
    """The debugger has a line for code that has none: that of the code before."""
    return len(told) == len(shown) and all(a == b or (a.endswith(":0") and a[:-1] == b.rpartition(":")[0] + ":")
                                           for a, b in zip(told, shown))


def truth(target):
    """(name of the way, job or not) → how often and for how long it has blocked."""
    told = [line.split() for line in target.out.splitlines() if len(line.split()) == 4]
    return {(name, what == "job"): (int(times), int(ns)) for name, what, times, ns in told}


def compare(checks, label, seen, want):
    """Each way against what the workload counts."""
    got = places(seen)
    checks.equal(sorted(got), sorted(want), f"{label}: each way to block is a place")
    for key in sorted(want):
        block, (times, ns) = got.get(key), want[key]
        what = f"{label}: {key[0]} in a {'job' if key[1] else 'poll'}"
        if not block:
            continue
        # What has ended by the time that a thread is about to wait for it is not waited for.
        checks.timing(times - 3 <= block["count"] <= times + 1, f"{what}: how often", (block["count"], times))
        error = abs(block["blocked_ns"] - ns) / times
        checks.timing(error <= max(0.01 * ns / times, 50_000), f"{what}: how long", (block["blocked_ns"], ns))
        if key[0] in FUTEXES:
            checks.equal(block["what"], f"a futex: {FUTEXES[key[0]]}", f"{what}: at what")
        if key[0] in HELD:
            by = block.get("woken_by", {})
            checks.equal([by.get(k) for k in ("thread", "function", "file", "line")],
                         ["holder", "blocks::hold", SOURCE.name, WAKES], f"{what}: and who woke it")
    calls = marks("CALLS")
    for name in CALLERS:
        for job in (False, True):
            stack = lines(got[name, job])
            checks.check(f"{SOURCE.name}:{calls[name]}" in stack, f"{label}: {name}: and who called", stack)


def words(checks, label, seen, target):
    """Two places at one lock have its word; other locks have others. What a thread parks at is its own, and no lock's."""
    got = places(seen)
    locks = [line.split() for line in target.out.splitlines() if line.startswith("lock ")]
    checks.equal([line[1] for line in locks], ["std_mutex", "std_rwlock"], f"{label}: the locks whose words are known")
    for line in locks:
        name, begin, end = line[1], int(line[2]), int(line[4])
        told = [[int(f["address"], 16) for f in got[name, job].get("futexes", [])] for job in (False, True)]
        checks.check(len(told[0]) == 1 and begin <= told[0][0] < end and told[0] == told[1],
                     f"{label}: {name}: its word, in a poll and in a job", (told, hex(begin), hex(end)))
        futexes = [f for job in (False, True) for f in got[name, job]["futexes"]]
        checks.equal([sum(f[key] for f in futexes) for key in ("count", "blocked_ns")],
                     [sum(got[name, job][key] for job in (False, True)) for key in ("count", "blocked_ns")],
                     f"{label}: {name}: all of the time is at it")
    checks.equal([name for (name, _), block in got.items() if "futexes" in block and name in ("pl_mutex", "pl_rwlock", "map",
                                                                                            "park", "channel", "sleep")],
                 [], f"{label}: no word of a thread's own is told")
    checks.check(0 < len(got["condvar", False].get("futexes", [])) <= 8, f"{label}: not too many in one poll")


def complete(checks, label, seen, least):
    stacks = seen["user_stacks"]
    sleeps = {key: sum(s[key] for s in stacks.values()) for key in ("count", "blocked_ns")}
    checks.check(sleeps["count"] >= least, f"{label}: there were sleeps", stacks)
    for key, value in sleeps.items():
        checks.check(stacks["complete"][key] >= COMPLETE * value, f"{label}: they reach the thread's start ({key})", stacks)


def folded(checks, label, data):
    """Await stack, [blocked], functions of the program with their lines, functions of the kernel."""
    line = marks("BLOCK")["inlined"]
    caller = f"blocks::middle ({SOURCE.name}:{marks('CALLS')['inlined']})"
    rows = [row for row in fold(data) if row.segment == "blocked" and f"blocks::inner ({SOURCE.name}:{line})" in row.parts]
    checks.check(rows, f"{label}: the inlined function is in the folded stacks")
    for row in rows:
        at = row.parts.index(f"blocks::inner ({SOURCE.name}:{line})")
        checks.equal(row.parts[at - 1], caller, f"{label}: {row.task}: below the function that it is inlined into")
        checks.check(row.parts[0].startswith("blocks::"), f"{label}: {row.task}: the program's own come first", row.parts)
        kernel = [frame.endswith("_[k]") for frame in row.parts]
        checks.check(kernel[-1] and kernel == sorted(kernel), f"{label}: {row.task}: and the kernel's last", row.parts)


def short(checks, label, profile, directory):
    """Blocks for 2 ms each. The stacks that were told."""
    told = {}

    def once(trial):
        with Target([workload("blocks", profile), "--rounds", str(ROUNDS)], directory, f"{label}-short") as target:
            with Recording(target.pid, directory, f"{label}-short.dwell") as recording:
                target.go()
                trial.equal(recording.wait(), 0, f"{label}: recorded")
            target.wait()
            seen = report(recording.data)
            compare(trial, label, seen, truth(target))
            words(trial, label, seen, target)
            complete(trial, label, seen, 28 * (ROUNDS - 3))
            folded(trial, label, recording.data)
            trial.check("user stack" not in " ".join(seen["lost"]), f"{label}: none was lost", seen["lost"])
            told.update({key: lines(block) for key, block in places(seen).items()})
    attempts(checks, once)
    return told


def debugger(pid, directory):
    """Thread → file:line of its frames."""
    script = directory / "lines.py"
    script.write_text(SCRIPT)
    seen = run("gdb", "-batch", "-nx", "-p", str(pid), "-ex", "set debuginfod enabled off", "-ex", f"source {script}")
    # Libraries have no debug information here, or have it elsewhere.
    return {int(line.split()[1]): [f for f in line.split()[2:] if ".rs:" in f]
            for line in seen.stdout.splitlines() if line.startswith("STACK ")}


def held(checks, label, profile, directory, told):
    """The same blocks, for so long that a debugger can look at them."""
    if not shutil.which("gdb"):
        checks.skip(f"{label}: as in the debugger", "gdb is not installed")
        return
    with Target([workload("blocks", profile), "--hold"], directory, f"{label}-hold") as target:
        with Recording(target.pid, directory, f"{label}-hold.dwell") as recording:
            target.go()
            wait_for(lambda: "holding" in target.out, "the program to stand")
            checks.equal(recording.stop(), 0, f"{label}: recorded")
        shown = list(debugger(target.pid, directory).values())
    got = {key: lines(block) for key, block in places(report(recording.data)).items()}
    checks.equal(sorted(got), sorted(told), f"{label}: all of them hold")
    for key, stack in sorted(got.items()):
        what = f"{label}: {key[0]} in a {'job' if key[1] else 'poll'}"
        mark = f"{SOURCE.name}:{marks('BLOCK')[key[0]]}"
        checks.check(any(same(stack, s) for s in shown), f"{what}: as in the debugger",
                     lambda: "\n".join([f"got {stack}", *(f"gdb {s}" for s in shown if mark in s)]))
        if not key[1] or key[0] == "sleep":
            continue
        # Of short ones the job's closure is another one: what is called by way_of() is the same.
        inner = [s[: next((i for i, f in enumerate(s) if f == f"{SOURCE.name}:{WAY_OF}"), 0)] for s in (stack, told[key])]
        checks.equal(inner[0], inner[1], f"{what}: and as for a short time")


def many(checks, label, profile, directory):
    """One line by so many ways: none is missing, and no event is lost for it."""
    with Target([workload("blocks", profile), "--many", str(MANY)], directory, f"{label}-many") as target:
        with Recording(target.pid, directory, f"{label}-many.dwell") as recording:
            target.go()
            checks.equal(recording.wait(), 0, f"{label}: recorded")
    seen = report(recording.data)
    checks.equal({name: nr for name, nr in seen["lost"].items() if "ring buffer" in name}, {}, f"{label}: no event is lost")
    complete(checks, f"{label}: {MANY} ways", seen, MANY * 0.99)
    found = [b for b in seen["blocked_places"] if b["line"] == marks("BLOCK")["many"]]
    checks.check(len(found) == 1 and found[0]["count"] >= MANY * 0.99, f"{label}: all at one line", found and found[0]["count"])


def main():
    need_recording()
    need_files(DWELL, *(workload("blocks", profile) for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(profile):
                told = short(checks, profile, profile, directory)
                held(checks, profile, profile, directory, told)
                many(checks, profile, profile, directory)
    checks.done()


if __name__ == "__main__":
    main()
