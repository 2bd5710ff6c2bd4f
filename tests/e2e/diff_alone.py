#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`dwell diff` of one recording each: two runs of one program are no change, at least 19 times of 20, and the output says
that one run cannot tell a build from a run.

$DWELL_RUNS    so many recordings, each compared with each that follows (5)
"""

import itertools
import json
import os

from harness import DWELL, ROOT, Checks, need_files, need_recording, run, scratch, workload

RUNS = int(os.environ.get("DWELL_RUNS", "5"))


def main():
    need_recording()
    need_files(DWELL, workload("timers"))
    checks = Checks()
    with scratch() as directory:
        done = run(ROOT / "bench/record", "timers", "-n", RUNS, "--warm-up", 0, "--dir", directory, "--",
                   workload("timers"), "--rounds", "60", timeout=60 + 10 * RUNS)
        assert done.returncode == 0, f"bench/record: {done.stderr}"
        files = sorted((directory / "timers").glob("*.data"))
        changed, pairs, said = [], 0, 0
        for before, after in itertools.combinations(files, 2):
            done = run(DWELL, "diff", "--json", before, after)
            found = json.loads(done.stdout)
            pairs += 1
            said += sum("cannot be told from what the build does" in note for note in found["notes"]) == 2
            if done.returncode or found["verdict"] != "no change":
                changed.append(f"{before.stem} {after.stem}: {found['verdict']} {found['total']}")
        checks.check(len(changed) <= max(1, pairs // 20), f"one recording each: no change, {pairs - len(changed)} of {pairs}",
                     "\n".join(changed))
        checks.equal(said, pairs, "one recording each: what that cannot tell is said")
    checks.done()


if __name__ == "__main__":
    main()
