#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tasks at rest in runtimes that have no list of them (tokio-uring's LocalSet, monoio, glommio, compio): a look lists each,
where it waits; a recording in which nothing happens has each of them; and what has ended is in neither."""

import json
import re

from harness import (DWELL, PROFILES, ROOT, Checks, Process, Recording, need_files, need_io_uring, need_recording, not_built, report,
                     run, scratch, wait_for, workload)

# Tasks of each kind in `rest`. That of this name is a root, but for glommio, which has no roots.
REST = {"read": 3, "receive": 2, "accept": 1, "join": 1, "nap": 1, "rest": 1}
CONNECTIONS = 20


def mark(program, function):
    """The line of the await in @function of @program's mode `rest`."""
    source = (ROOT / "tests/workloads/src/bin" / f"{program}.rs").read_text().splitlines()
    at = next(i for i, line in enumerate(source) if re.match(rf"(async )?fn {function}\(", line))
    if function == "rest":
        return next(i + 1 for i in range(at, len(source)) if "join()).await" in source[i])
    return next(i + 1 for i in range(at, len(source)) if ".await" in source[i])


def looked(pid):
    """The tasks of a process as a look lists them."""
    answer = run(DWELL, "why", "-p", str(pid), "--json")
    return json.loads(answer.stdout)["tasks"]


def kinds(tasks, program):
    """How many tasks of each kind of the program's own, by name of the function."""
    found = {}
    for task in tasks:
        match = re.match(rf"{program}::(\w+)", task["task"])
        if match:
            found[match[1]] = found.get(match[1], 0) + 1
    return found


def rest(checks, program, profile, directory):
    name = f"{profile}/{program}"
    with Process([workload(program, profile), "rest"], directory, f"{profile}.{program}", stdin=-1) as target:
        wait_for(lambda: target.out.strip(), "its port")
        wait_for(lambda: sum(kinds(looked(target.pid), program).values()) >= sum(REST.values()), "all tasks")
        tasks = looked(target.pid)
        checks.equal(kinds(tasks, program), REST, f"{name}: a look lists each task, and none that has ended")
        lines = {re.match(r"\w+::(\w+)", task["task"])[1]: task["chain"][0]["line"] for task in tasks
                 if task["task"].startswith(program) and not task["root"]}
        checks.equal(lines, {kind: mark(program, kind) for kind in REST if kind in lines or kind != "rest"},
                     f"{name}: each at the line where it waits")
        with Recording(target.pid, directory, f"{name}.dwell".replace("/", "."), options=["--duration", "0.7"]) as recording:
            checks.equal(recording.wait(), 0, f"{name}: recorded")
        seen = report(recording.data)
        # One of tokio-uring's own looks for completions.
        checks.equal(seen["tasks"]["seen"], sum(REST.values()) + (program == "uring"), f"{name}: all are in the recording")
        checks.equal((sum(seen["segments"].values()), seen["segments"]["unattributed"]), (seen["lifetime_ns"], 0),
                     f"{name}: their time adds up, and none of it is unknown")
        open_waits = {}
        for point in seen["await_points"]:
            kind = point["task"].removeprefix(f"{program}::").split(" ")[0]
            open_waits[kind] = open_waits.get(kind, 0) + point["open"]
        checks.equal({kind: open_waits.get(kind) for kind in REST if kind != "rest"},
                     {kind: nr for kind, nr in REST.items() if kind != "rest"}, f"{name}: each waits throughout")


def ended(checks, program, profile, directory):
    """Tasks of connections that were there, and are gone."""
    name = f"{profile}/{program} serve"
    with Process([workload(program, profile), "serve"], directory, f"{profile}.{program}.serve", stdin=-1) as server:
        port = int(wait_for(lambda: server.out.strip(), "a port"))
        ever = 0
        for i in range(3):
            load = Process([workload("peer"), "load", "--connections", CONNECTIONS, "--requests", 20, "--think-us", 20000,
                            f"127.0.0.1:{port}"], directory, f"{profile}.{program}.load{i}")
            most = 0
            while load.alive():
                most = max(most, kinds(looked(server.pid), program).get("echo", 0))
            checks.equal(load.wait(30), 0, f"{name}: the load ends as it should")
            checks.check(most <= CONNECTIONS, f"{name}: never more tasks than connections", f"{most}")
            ever = max(ever, most)
        checks.check(ever > 0, f"{name}: tasks of connections were seen")
        left = kinds(looked(server.pid), program)
        checks.equal(left.get("echo", 0), 0, f"{name}: none is left of the connections that have ended")


def main():
    need_recording()
    need_io_uring()
    programs = [program for program in ("uring", "mono", "glom", "comp") if not not_built(program)]
    need_files(DWELL, *(workload(program, profile) for program in programs for profile in PROFILES))
    checks = Checks()
    with scratch() as directory:
        for profile in PROFILES:
            for program in programs:
                with checks.guarded(f"{profile}/{program}: at rest"):
                    rest(checks, program, profile, directory)
                with checks.guarded(f"{profile}/{program}: that have ended"):
                    ended(checks, program, profile, directory)
    checks.done()


if __name__ == "__main__":
    main()
