#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""dwell why on programs whose windows of HTTP/2 are used up (workload `windows'): the first finding names the lines that
marks in the source say. A transfer that only uses up its window again and again is no finding."""

import json
import re
import subprocess

from harness import (DWELL, PROFILES, Checks, Process, marked_faults, need_files, need_recording, run, scratch,
                     wait_for, workload)

SOURCE = "windows.rs"
HEALTHY = ["slow", "fast"]
LOOKS = 10
SAYS = {
    "unread": r"window of the connection is used up.*has first, stream 1, of which 65,535 bytes have come and not been taken",
    "other_task": r"window of the connection is used up.*has body, stream 1, of which 65,535 bytes have come and not been taken",
    "kept": r"of stream 1: 65,535, 0.*has body, stream 1, of which 65,535 bytes have come and not been given back",
    "silent": r"until its peer takes.*takes 0 more bytes.*likely the other end",
}


def findings(checks, label, target):
    seen = run(DWELL, "why", "-p", str(target.pid), "--json")
    checks.equal((seen.returncode, seen.stderr), (0, ""), f"{label}: it is looked at")
    return json.loads(seen.stdout)["findings"]


def fault(checks, label, target, name, kind, marks):
    found = findings(checks, label, target)
    checks.check(found, f"{label}: there is a finding")
    if not found:
        return
    first = found[0]
    shown = json.dumps(first, indent=1, ensure_ascii=False)
    checks.equal({finding["kind"] for finding in found}, {kind}, f"{label}: its kind")
    told = {place["line"] for place in first["where"] if place["file"] == SOURCE}
    for mark, lines in marks.items():
        checks.check(set(lines) <= told, f"{label}: {mark} is told", f"{lines} in {sorted(told)}: {shown}")
    for line in marks.get("CULPRIT", []):
        checks.check(f"{SOURCE}:{line} " in first["text"], f"{label}: the sentence names the culprit's line", first["text"])
    text = " ".join([first["text"], first["resource"], *(place["text"] for place in first["where"])])
    checks.check(re.search(SAYS[name], text), f"{label}: what it says", f"{SAYS[name]}\n{shown}")


def main():
    need_recording()
    need_files(DWELL, *(workload("windows", profile) for profile in PROFILES))
    checks = Checks()
    marked = marked_faults("windows")
    checks.equal(set(marked), set(SAYS), "each fault has marks")
    with scratch() as directory:
        for profile in PROFILES:
            for name in [*SAYS, *HEALTHY]:
                label = f"{profile}: {name}"
                with Process([workload("windows", profile), name], directory, f"{profile}-{name}",
                             stdin=subprocess.PIPE) as target, checks.guarded(label):
                    wait_for(lambda: "there" in target.out, "the program to stand")
                    if name in SAYS:
                        fault(checks, label, target, name, *marked[name])
                    else:
                        told = [finding["text"] for _ in range(LOOKS) for finding in findings(checks, label, target)]
                        checks.equal(told, [], f"{label}: no finding in {LOOKS} looks")
                    checks.check(target.alive(), f"{label}: it runs on")
    checks.done()


if __name__ == "__main__":
    main()
