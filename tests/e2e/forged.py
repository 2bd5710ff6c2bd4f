#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Programs and debug files that could be confused: two programs with the same build-id and size share the cache, and debug
files of other builds, with forged build-ids or none, are named with --debug-file. Each recording is either refused in
one line or correct, and no target is harmed.

$DWELL_PAIRS     pairs of programs (12), half in the cache, half by --debug-file
"""

import itertools
import os
import shutil
import time

from harness import (DWELL, PROFILES, Checks, Process, Recording, Target, need_files, need_recording, report, run,
                     scratch, wait_for, workload)

PAIRS = int(os.environ.get("DWELL_PAIRS", "12"))
PROGRAMS = {  # what to run, and with what
    "timers": ["--rounds", "1000000"],
    "blocker": ["--rounds", "1000000"],
    "pipeline": ["--rounds", "1000000"],
    "shapes": ["--rounds", "1000000"],
    "panics": ["churn"],
    "burn": ["--rounds", "1000000"],
}
NOTE = ".note.gnu.build-id"


def objcopy(*argv):
    done = run("objcopy", *argv)
    assert done.returncode == 0, f"objcopy {argv}: {done.stderr}"


def note_of(program, directory):
    path = directory / "note"
    objcopy("-O", "binary", f"--only-section={NOTE}", program, path)
    return path


def recorded(checks, name, program, argv, directory, cache, options=()):
    """Run it, record it; the kinds of tasks that were seen, or None if it was refused. The target must live."""
    with Target([program, *argv], directory, "target") as target:
        target.go()
        time.sleep(0.2)
        with Recording(target.pid, directory, "dwell", options=["--duration", "0.4", *options], attach=False,
                       env={"XDG_CACHE_HOME": str(cache)}) as recording:
            status = recording.wait()
            time.sleep(0.1)
            checks.check(target.alive(), f"{name}: the target lives", lambda: f"{target.child.returncode} {target.err}")
            if status:
                lines = recording.err.splitlines()
                checks.check(status == 1 and len(lines) == 1, f"{name}: refused in one line", recording.err)
                return None
            seen = report(recording.data)
            return sorted({point["task"] for point in seen["await_points"]})


def in_cache(checks, one, other, directory):
    """The model of the first is in the cache; the second has its build-id and its size."""
    (name, path, argv), (name2, path2, argv2) = one, other
    title = f"{name} then {name2}, in the cache"
    first, second = directory / "first", directory / "second"
    shutil.copy(path, first)
    objcopy(f"--update-section={NOTE}={note_of(path, directory)}", path2, second)
    size = max(first.stat().st_size, second.stat().st_size)
    for copy in (first, second):
        os.truncate(copy, size)
    cache = directory / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    recorded(checks, f"{title}: the first", first, argv, directory, cache)
    want = recorded(checks, f"{title}: the second as it is", path2, argv2, directory, directory / "cache2")
    got = recorded(checks, f"{title}: the second", second, argv2, directory, cache)
    if got is not None:
        checks.equal(got, want, f"{title}: what is recorded is the second's")


def by_debug_file(checks, one, other, directory, forged):
    """The first runs, stripped; the second's debug file is named."""
    (name, path, argv), (name2, path2, _) = one, other
    title = f"{name} with the debug file of {name2}, {'forged' if forged else 'without'} build-id"
    stripped, debug = directory / "stripped", directory / "other.debug"
    objcopy("--only-keep-debug", path2, debug)
    run("strip", "-o", stripped, path)
    if forged:
        objcopy(f"--update-section={NOTE}={note_of(path, directory)}", debug)
    else:
        objcopy(f"--remove-section={NOTE}", debug)
    got = recorded(checks, title, stripped, argv, directory, directory / "cache3", ["--debug-file", debug])
    checks.equal(got, None, f"{title}: refused")


def own_debug_file(checks, one, directory):
    """The same without a build-id on either side: it is not refused."""
    name, path, argv = one
    stripped, debug = directory / "stripped", directory / "own.debug"
    objcopy("--only-keep-debug", path, debug)
    objcopy(f"--remove-section={NOTE}", debug)
    run("strip", f"--remove-section={NOTE}", "-o", stripped, path)
    want = recorded(checks, f"{name} as it is", path, argv, directory, directory / "cache4")
    got = recorded(checks, f"{name} with its own debug file, no build-id", stripped, argv, directory,
                   directory / "cache5", ["--debug-file", debug])
    checks.equal(got, want, f"{name} with its own debug file, no build-id: the same tasks")


def main():
    need_recording()
    programs = [(f"{profile} {name}", workload(name, profile), argv)
                for profile in PROFILES for name, argv in PROGRAMS.items()]
    need_files(DWELL, *(path for _, path, _ in programs))
    checks = Checks()
    with scratch() as directory:
        pairs = [(a, b) for a, b in itertools.permutations(programs, 2)]
        step = max(1, len(pairs) * 2 // PAIRS)
        for turn, (one, other) in enumerate(pairs[::step][:PAIRS // 2]):
            with checks.guarded(f"{one[0]}, {other[0]}"):
                in_cache(checks, one, other, directory)
                by_debug_file(checks, one, other, directory, forged=turn % 2 == 0)
        with checks.guarded("own debug file"):
            own_debug_file(checks, programs[0], directory)
    checks.done()


if __name__ == "__main__":
    main()
