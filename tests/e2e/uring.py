#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""io_uring where the recording comes late: what was submitted before it is said to be so, everything else has its name;
what is registered with a ring has names; and the programs for io_uring are only loaded for a program whose futures wait
for its operations.

That waits are split as they should is in ground_truth.py (uring, fat/uring) and in the replayed case uring.
"""

import contextlib
import json
import pathlib
import re
import shutil

from harness import (PROFILES, Checks, Process, Recording, Target, fold, need_files, need_io_uring, need_recording, output,
                     report, scratch, wait_for, workload, DWELL)

UNSEEN = "operation whose submission was not seen"
REQUESTS = 5
CONNECTIONS = 3
THINK_US = 5000


def programs(pid):
    """Names of the BPF programs that a process holds."""
    tool = shutil.which("bpftool") or "/usr/sbin/bpftool"
    names = set()
    text = ""
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            text = info.read_text()
        match = re.search(r"^prog_id:\s*(\d+)", text, re.M)
        if match:
            names.add(json.loads(output(tool, "--json", "prog", "show", "id", match[1]))["name"])
    return names


def late(checks, profile, directory):
    name = f"{profile}/late"
    # It serves until the end of its standard input, or until it is killed.
    with Process(["sh", "-c", f"sleep 60 | exec {workload('uring', profile)} serve"], directory, f"{profile}.server") as shell:
        port = wait_for(lambda: re.match(r"(\d+)\n", shell.out), "a port")[1]
        pid = wait_for(lambda: output("pgrep", "-P", shell.pid, "-x", "uring").split(), "the server")[0]
        with Recording(pid, directory, f"{profile}.late", options=["--no-looks"]) as recording:
            names = programs(recording.pid)
            checks.check("uring_submit" in names, f"{name}: the programs for io_uring are loaded", lambda: f"{sorted(names)}")
            load = Process([workload("peer"), "load", "--connections", CONNECTIONS, "--requests", REQUESTS, "--think-us",
                            THINK_US, f"127.0.0.1:{port}"], directory, f"{profile}.load")
            checks.equal(load.wait(30), 0, f"{name}: the load ends as it should")
            checks.equal(recording.stop(), 0, f"{name}: the recording ends as it should")
        found = report(recording.data)
        rows = fold(recording.data)
        output("kill", pid)
    checks.equal(sum(found["segments"].values()), found["lifetime_ns"], f"{name}: time is conserved")
    unknown = found["segments"]["unattributed"]
    checks.check(unknown < 0.01 * found["lifetime_ns"], f"{name}: the root is at rest when the recording begins",
                 lambda: "\n".join(f"{r.task} {r.parts} {r.weight}" for r in rows if r.segment == "unattributed"))
    operations = {(row.task.split(" ")[0], row.parts[-1]) for row in rows if row.segment == "await" and len(row.parts) > 1}
    told = {part for task, part in operations if task == "uring::listen" and " on " in part or UNSEEN in part}
    # The first connection is accepted by what was submitted before, each further one by what is seen.
    checks.equal(told, {UNSEEN, f"accept on tcp listen 127.0.0.1:{port}"}, f"{name}: accepts, of which the first is not known")
    told = {part for task, part in operations if task == "uring::echo" and " on " in part}
    peer = f"tcp 127.0.0.1 → 127.0.0.1:{port}"
    checks.equal(told, {f"read on {peer}", f"write on {peer}"}, f"{name}: each connection is named by its peer")
    reads = [p for p in found["await_points"] if p["task"] == "uring::echo" and p["leaf"] == "Op"]
    waits = sum(p["count"] for p in reads)
    checks.check(waits >= REQUESTS * CONNECTIONS, f"{name}: each request is waited for once", f"{waits}")
    idle = sum(p["split"].get("no data: request", 0) for p in reads)
    waited = sum(p["await_ns"] for p in reads)
    checks.timing(idle > 0.8 * waited, f"{name}: and has not come yet", f"{reads}")
    # Whose turn it is first is not known of the connection whose accept was not seen.
    first = sum(p["split"].get("no data", 0) for p in reads)
    checks.timing(0 < first < 2 * waited / waits, f"{name}: but for the first one", f"{first} of {waited}")


def punted(checks, profile, directory):
    """What a thread of io-wq does for an operation that may block."""
    name = f"{profile}/punted"
    with Target([workload("uring", profile), "--rounds", "20"], directory, f"{profile}.punted") as target:
        with Recording(target.pid, directory, f"{profile}.punted.dwell", options=["--no-looks"]) as recording:
            target.go()
            checks.equal((target.wait(60), target.err), (0, ""), f"{name}: the program ends as it should")
            checks.equal(recording.wait(60), 0, f"{name}: the recording ends with it")
            rows = [row for row in fold(recording.data) if row.task == "uring::opener" and row.segment == "await"]
    slept = [row for row in rows if row.parts[0] == "in io-wq" and row.parts[-1].endswith("_[k]")]
    told = {row.parts[1].split("-")[0] for row in slept}
    checks.equal(told, {"openat of /tmp/dwell"}, f"{name}: it is told what the thread slept for")
    checks.check(all("fifo_open_[k]" in row.parts for row in slept), f"{name}: and in what", f"{[row.parts for row in slept]}")
    most = sum(row.weight for row in slept)
    checks.timing(most > 0.8 * sum(row.weight for row in rows), f"{name}: nearly all the time",
                  "\n".join(f"{row.weight} {row.parts}" for row in rows))


def registered(checks, profile, directory):
    """Operations on registered files: each is told on what was at its index then, and what is accepted without a descriptor."""
    name = f"{profile}/registered"
    with Target([workload("registered", profile), "--rounds", "20"], directory, f"{profile}.registered") as target:
        with Recording(target.pid, directory, f"{profile}.registered.dwell", options=["--no-looks"]) as recording:
            target.go()
            checks.equal((target.wait(60), target.err), (0, ""), f"{name}: the program ends as it should")
            checks.equal(recording.wait(60), 0, f"{name}: the recording ends with it")
            rows = [row for row in fold(recording.data) if row.segment == "await"]
    told = {}
    for row in rows:
        for part in row.parts:
            if " on " in part and " by " not in part:
                told.setdefault(row.task.split("::")[1], {}).setdefault(re.sub(r":\d+", ":PORT", part), []).append(row)
    peer = "tcp 127.0.0.1:PORT (this process)"
    checks.equal(set(told["reader"]), {"read on pipe from this process", f"send on {peer}", f"recv on {peer}"},
                 f"{name}: what was at the index when the operation was submitted")
    for part in ("read on pipe from this process", f"recv on {peer}"):
        lines = {re.search(r":(\d+)\)", frame)[1] for row in told["reader"][part] for frame in row.chain if "reader" in frame}
        checks.equal(len(lines), 1, f"{name}: {part}: at its own line only")
    checks.equal(set(told["acceptor"]), {"accept on tcp listen 127.0.0.1:PORT", "recv on tcp 127.0.0.1 → 127.0.0.1:PORT"},
                 f"{name}: a connection without a descriptor is named by its peer")
    checks.equal(set(told["filer"]), {f"read on file dwell-registered-{target.pid}"},
                 f"{name}: a file without a descriptor by the last part of its path")


def without(checks, directory):
    with Process([workload("request"), "serve", "--echo"], directory, "request", stdin=-1) as server:
        with Recording(server.pid, directory, "without", options=["--no-looks"]) as recording:
            names = programs(recording.pid)
            checks.check("epoll_exit" in names and not any("uring" in name for name in names),
                         "a program without io_uring: none of its programs is loaded", lambda: f"{sorted(names)}")
            recording.stop()


def main():
    need_recording()
    need_io_uring()
    need_files(DWELL, *(workload(name, profile) for name in ("uring", "registered") for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            with checks.guarded(f"{profile}: a late recording"):
                late(checks, profile, directory)
            with checks.guarded(f"{profile}: an operation that blocks"):
                punted(checks, profile, directory)
            with checks.guarded(f"{profile}: registered files"):
                registered(checks, profile, directory)
        with checks.guarded("a program without io_uring"):
            without(checks, directory)
    checks.done()


if __name__ == "__main__":
    main()
