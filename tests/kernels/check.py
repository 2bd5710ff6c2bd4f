#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares what the guests reported (`init` wrote it) with what is expected of their kernels.

    check.py FOLDER SERIES...

FOLDER/SERIES is the report of a guest, FOLDER/SERIES.console its console, FOLDER/SERIES.skip why it is missing.
Tasks, lines, leaves, counts, peers and chains are compared with what the workloads log themselves, by the same
code as in tests/e2e. Durations are not: an emulated machine is slow.
"""

import json
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import truth  # noqa: E402
from harness import Checks, Row  # noqa: E402

UPROBE_MULTI = (6, 6)
RDONLY_CAST = (6, 2)
VERIFIER_LIMIT = 1_000_000  # instructions looked at
UNATTRIBUTED = 0.02  # of the lifetime; lots of tasks with short lives, slowly emulated


class Guest:
    """The parts of a guest's answer."""

    def __init__(self, path):
        self.console = path.with_name(path.name + ".console")
        self.status = {}
        self.text = {}
        name, lines = None, []
        for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
            head = re.fullmatch(r"@@ (\S+) (\d+)", line)
            if head:
                name, lines = head[1], []
                self.status[name] = int(head[2])
            elif line == "@@ end" and name:
                self.text[name] = "\n".join(lines)
                name = None
            elif name:
                lines.append(line)

    def tail(self, lines=15):
        text = self.console.read_text(errors="replace") if self.console.exists() else "no console"
        return "\n".join(line[:200] for line in text.splitlines()[-lines:])

    def __call__(self, name):
        return self.text.get(name, "nothing")


def refused(checks, guest, what, part, *words):
    """One line that has the words, and a status that is not 0."""
    lines = guest(part).splitlines()
    checks.check(guest.status.get(part) == 1 and len(lines) == 1 and lines[0].startswith("dwell: ")
                 and all(re.search(word, lines[0]) for word in words), what,
                 f"status {guest.status.get(part)}\n{guest(part)}")


def recorded(checks, guest, name):
    """A recording that holds what any must; (report, stacks) or None."""
    attached = re.search(r"attached to \d+ \(\w+\), (\d+) probe sites, tier full", guest(name))
    if not checks.check(guest.status.get(name) == 0 and attached and int(attached[1]) > 10, f"{name}: recorded",
                        f"status {guest.status.get(name)}\n{guest(name)}\n{guest.tail()}"):
        return None
    report = json.loads(guest(f"{name}.report"))
    rows = [Row(line) for line in guest(f"{name}.fold").splitlines()]
    segments = report["segments"]
    lifetime = report["lifetime_ns"]
    checks.equal(sum(segments.values()), lifetime, f"{name}: segments add up to the lifetime")
    checks.equal(sum(row.weight for row in rows), lifetime, f"{name}: stacks add up to the lifetime")
    checks.check(lifetime > 0 and segments["await"] > 0 and segments["running"] > 0, f"{name}: tasks ran and waited",
                 f"{segments}")
    checks.check(segments["unattributed"] < UNATTRIBUTED * lifetime, f"{name}: nearly nothing unattributed",
                 f"{segments}")
    checks.equal(report["lost"], {}, f"{name}: nothing lost")
    return report, rows


def like_truth(checks, guest, name, report, rows):
    with tempfile.NamedTemporaryFile("w", suffix=".truth") as file:
        file.write(guest(f"{name}.truth"))
        file.flush()
        notes = truth.Truth(file.name)
    found = truth.Found(report, notes)
    # An emulated CPU takes so long to run code for the first time that what the first await of a connection
    # waits for may be there when it is polled: the program takes the time for that of a wait.
    found.unplaced += 2
    wrong = {"site": [], "count": [], "leaf": [], "peer": []}
    checked = waits = 0
    for site, logged in sorted(notes.waits.items()):
        if notes.root(site.task):
            continue
        checked += 1
        waits += sum(wait["pendings"] or 0 for wait in logged)
        for kind, text in truth.check_site(site, logged, found, notes):
            if kind in wrong:
                wrong[kind].append(f"{site.task}: {truth.frame(*site[1:])}: {text}")
    checks.check(checked > 0 and waits > 0, f"{name}: the program logged awaits", f"{checked} places, {waits} waits")
    for kind, lines in wrong.items():
        checks.check(not lines, f"{name}: {kind} of {checked} awaits", "\n".join(lines))
    truth.check_chains(checks, name, notes, rows)


def limited(checks, guest, rows):
    """How long the cgroup did not allow a thread to run, by its own counters, in polls and in jobs."""
    polls, jobs = 0, 0
    for record in map(json.loads, guest("limited.truth").splitlines()):
        known = {part["part"]: part["ns"] for part in record.get("known", [])}
        polls += known.get("throttled", 0)
        jobs += known.get("job throttled", 0)
    for what, want, got in (
            ("polls", polls, sum(row.weight for row in rows if row.task == "causes::workers::computes_less"
                                 and row.segment == "preempted" and row.parts == ["throttled"])),
            ("jobs", jobs, sum(row.weight for row in rows if row.task == "causes::workers::job_computes_less"
                               and row.segment == "await" and row.parts[0] == "job throttled"))):
        # An emulated CPU takes long from the end of the throttling until the thread runs; known_answers.py is exact.
        checks.check(want > 50_000_000 and truth.close(got, want, 0.3, 0), f"limited: in {what} the time is throttled",
                     f"{got}, {want} by the cgroup")


def sockets(report):
    """Names of sockets in the details of awaits."""
    return {detail for point in report["await_points"] for detail in point["details"] if detail.startswith("tcp ")}


def loads(checks, guest, version):
    """Each BPF program is accepted, far from the verifier's limit."""
    programs = {}
    for line in guest("load").splitlines():
        name, error, looked = line.split()
        programs[name] = (int(error), int(looked))
    # Those of io_uring call bpf_rdonly_cast(), which came with 6.2: nothing is recorded on kernels before 6.6.
    refused = {name: error for name, (error, _) in programs.items()
               if error and not (version < RDONLY_CAST and name.startswith("uring_"))}
    checks.check(len(programs) > 10 and not refused, f"verifier: accepts all {len(programs)} programs",
                 f"errno {refused}\n{guest.tail()}")
    hardest = max(programs, key=lambda name: programs[name][1], default=None)
    checks.check(hardest and programs[hardest][1] < VERIFIER_LIMIT / 2, "verifier: far from its limit",
                 f"{hardest}: {programs.get(hardest)}")


def works(checks, guest):
    for name in ("timers", "request", "integrity"):
        with checks.guarded(f"{name}: what was recorded"):
            seen = recorded(checks, guest, name)
            if seen:
                like_truth(checks, guest, name, *seen)
    with checks.guarded("request: sockets"):
        names = sockets(json.loads(guest("request.report")))
        checks.check(len(names) >= 2, "request: client and backend are named", f"{names}")
    with checks.guarded("running: what was recorded"):
        seen = recorded(checks, guest, "running")
        if seen:
            checks.check(len(sockets(seen[0])) >= 2, "running: sockets from before the attach are named",
                         f"{sockets(seen[0])}")
            split = {part for point in seen[0]["await_points"] for part in point["split"]}
            checks.check({"no data", "epoll", "dispatch"} <= split, "running: waits for sockets are split", f"{split}")
    with checks.guarded("limited: what was recorded"):
        seen = recorded(checks, guest, "limited")
        if seen:
            limited(checks, guest, seen[1])
    with checks.guarded("command: what was recorded"):
        seen = recorded(checks, guest, "command")
        if seen:
            checks.check(seen[0]["tasks"]["seen"] == 8, "command: the root and all tasks, from the first on", f"{seen[0]['tasks']}")
    refused(checks, guest, "nobody: not root's process", "others", "CAP_SYS_PTRACE.* rights", "root")
    refused(checks, guest, "nobody: not even a process of its own", "own", "CAP_BPF.* rights", "root")
    if "[confidentiality]" in guest("lockdown.confidentiality"):
        refused(checks, guest, "locked down: says so", "confidentiality", "locked down", "confidentiality")
    else:
        checks.skip("locked down: says so", "this kernel cannot be locked down")


def works_not(checks, guest):
    for name, what in (("timers", "a program about to start"), ("running", "a running program"),
                       ("command", "a command"), ("integrity", "locked down"), ("own", "nobody")):
        refused(checks, guest, f"{what}: says what is missing", name, "uprobe_multi", r"Linux 6\.6")
    refused(checks, guest, "nobody: not root's process", "others", "CAP_SYS_PTRACE.* rights", "root")


def main():
    folder = pathlib.Path(sys.argv[1])
    checks = Checks()
    for series in sys.argv[2:]:
        skip = folder / f"{series}.skip"
        if skip.exists():
            checks.skip(series, skip.read_text().strip())
            continue
        guest = Guest(folder / series)
        release = guest("kernel")
        print(f"---- {release}", flush=True)
        if not checks.check(release.startswith(series), f"{series} has booted", f"it said: {release}\n{guest.tail()}"):
            continue
        version = tuple(int(number) for number in re.findall(r"\d+", release)[:2])
        with checks.guarded("verifier"):
            loads(checks, guest, version)
        (works if version >= UPROBE_MULTI else works_not)(checks, guest)
    checks.done()


if __name__ == "__main__":
    main()
