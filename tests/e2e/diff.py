#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`dwell diff`, bench/record and bench/compare: regressions seeded in a service are found, at the changed line and of
the right kind, in builds all whose lines have moved; and where nothing has changed, nothing is said to have.

    diff.py                          as CI does: five short runs of each build
    diff.py --repeat 20 [--runs 5]   each comparison so often, with fresh recordings
    diff.py --only lock,moved        some of them
    diff.py --known --repeat 100     a peer that is slower by 1 ms: does the interval hold that, 100 times?
    diff.py … --keep DIR             recordings stay in DIR/NUMBER; what is there is not recorded again
"""

import argparse
import contextlib
import json
import pathlib
import signal

import regressions
from harness import (DWELL, ROOT, Checks, Process, need_files, need_recording, output, run, scratch, wait_for, workload)

BASE_US = 2000      # that the database takes
SHOWN = 6
KNOWN_US = 1000


class Others:
    """The service's database, as it was and slower, and its journal."""

    def __init__(self, stack, directory):
        def peer(name, delay):
            child = stack.enter_context(Process([workload("peer"), "backend", "--delay-us", delay], directory, name))
            return f"127.0.0.1:{int(wait_for(lambda: child.out.endswith(chr(10)) and child.out, name))}"

        self.journal = peer("journal", 0)
        self.database = {more: peer(f"database-{more}", BASE_US + more)
                         for more in {0, *(each.database_us for each in regressions.REGRESSIONS)}}

    def command(self, one):
        return f"{regressions.program(one)} --database {self.database[one.database_us]} --journal {self.journal}"


def recorded(others, ones, directory, runs, seconds):
    """The folder of the sets of runs of all `ones`, and of that before, recorded by turns."""
    load = (f"{workload('peer')} load --connections 8 --think-us 20000 --random --seconds {seconds} "
            "127.0.0.1:{port}")
    done = run(ROOT / "bench/record", "--pair", f"before={others.command(regressions.BEFORE)}",
               *(f"{one.name}={others.command(one)}" for one in ones), "--while", load, "-n", runs, "--warm-up", 0,
               "--settle", 0.1, "--dir", directory, "--replace", timeout=60 + 10 * runs * (1 + len(ones)))
    assert done.returncode == 0, f"bench/record: status {done.returncode}: {done.stderr}"
    return directory


def told(place):
    """A place in one line."""
    at = place["after"] or place["before"]
    change = place["cost"]["change"]
    return (f"{place['segment']} {at['function']} {at['path'].rpartition('/')[2]}:{at['line']} {at['what']} {place['what']} "
            f"{change / 1e3:+.0f} µs, explains {place['explains'] / 1e3:+.0f}, p {place['p_of_all']:.2g}")


def compared(one, directory):
    done = run(ROOT / "bench/compare", "before", one.name, "--json", "--dir", directory)
    found = json.loads(done.stdout) if done.stdout.startswith("{") else None
    return done, found


def expected(checks, one, directory):
    """The first place is the changed line, and the kind of change is right."""
    done, found = compared(one, directory)
    if not checks.check(found, f"{one.name}: compared", f"{done}"):
        return
    changed = [place for place in found["places"] if place["verdict"] != "no change"]
    def shown():
        return "\n".join([f"{found['verdict']}: {found['total']}", *map(told, changed[:SHOWN]), *found["notes"]])
    if one is regressions.MOVED:
        checks.check(found["verdict"] == "no change" and done.returncode == 0, "the same source, moved: no change", shown)
        return
    if not checks.check(found["verdict"] == "worse" and done.returncode == 1, f"{one.about}: it is worse", shown):
        return
    first = changed[0] if changed else None
    at = first and first["after"]
    line = regressions.changed_line(one)
    checks.check(at and first["segment"] == one.segment and at["function"] == one.function and at["line"] == (line or 0)
                 and first["what"] in one.what, f"{one.about}: the changed line is told first ({one.function}:{line})",
                 shown)
    if one.name == "workers":
        checks.check(any("Fewer threads poll tasks: 4 before, 1 after." in note for note in found["notes"]),
                     f"{one.about}: is noted", shown)


def complete(directory, names, runs):
    """Has bench/record kept all runs of these sets?"""
    files = [directory / name / "facts.json" for name in names]
    return all(file.exists() and len(json.loads(file.read_text())["runs"]) == runs for file in files)


def sets(others, ones, options, directory):
    """A folder of recordings for each comparison."""
    names = ["before", *(one.name for one in ones)]
    for number in range(options.first, options.first + options.repeat):
        folder = (options.keep or directory) / str(number)
        if not complete(folder, names, options.runs):
            recorded(others, ones, folder, options.runs, options.seconds)
        yield folder


def known(checks, peer, folders):
    """How many intervals hold the truth? Each comparison has recordings of its own."""
    held = off_held = number = 0
    for folder in folders:
        found = compared(peer, folder)[1]
        place = next(each for each in found["places"] if each["segment"] == "await" and each["after"]
                     and each["after"]["function"] == peer.function and "u32" in each["after"]["what"].lower())
        each = place["each"]
        number += 1
        held += each["low"] <= KNOWN_US * 1e3 <= each["high"]
        off_held += any(each["low"] <= us * 1e3 <= each["high"] for us in (0.9 * KNOWN_US, 1.1 * KNOWN_US))
        print(f"     {each['change'] / 1e6:+.3f} ms, {each['low'] / 1e6:+.3f} to {each['high'] / 1e6:+.3f} ms")
    checks.check(held >= 0.9 * number, f"a peer slower by 1 ms: the interval holds the truth {held} of {number} times")
    print(f"     … and holds 0.9 or 1.1 ms {off_held} of {number} times")


def kept(checks, directory):
    """bench/record and bench/compare by themselves: what is kept, what is named, how they end."""
    timers = [workload("timers"), "--rounds", "20"]
    options = ("--dir", directory)
    done = run(ROOT / "bench/record", "timers", "-n", 2, *options, "--", *timers)
    facts = json.loads((directory / "timers/facts.json").read_text()) if done.returncode == 0 else {}
    runs = facts.get("runs", [])
    checks.check(done.returncode == 0 and len(runs) == 2 and all(each["events"] and each["exit_status"] == 0
                 and (directory / "timers" / each["file"]).exists() for each in runs) and facts["build_id"]
                 and facts["host"]["kernel"], "bench/record: two runs and their facts", f"{done}\n{facts}")
    left = {path.name for path in (directory / "timers").iterdir()}
    checks.equal(left, {"1.data", "2.data", "facts.json"}, "bench/record: nothing else is left")
    done = run(ROOT / "bench/record", "timers", *options, "--", *timers)
    checks.check(done.returncode == 2 and "--replace" in done.stderr, "bench/record: runs are not replaced unasked", f"{done}")
    done = run(ROOT / "bench/compare", "timers", "timers", *options)
    checks.check(done.returncode == 0 and "No change" in done.stdout, "bench/compare: a set with itself", f"{done}")
    for what, argv, words in (("a program that fails", ["sh", "-c", f"exec {workload('timers')} --nonsense"], "status 2"),
                              ("a program that is not there", ["/nonsense"], "no such")):
        done = run(ROOT / "bench/record", "bad", "-n", 1, "--warm-up", 0, *options, "--replace", "--", *argv)
        checks.check(done.returncode == 2 and "run 1 is not kept" in done.stderr and words in done.stderr.lower()
                     and not list((directory / "bad").glob("*.data")), f"bench/record: {what} is named, not kept", f"{done}")
    done = run(ROOT / "bench/compare", "timers", "none", *options)
    checks.check(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "none" in done.stderr,
                 "bench/compare: a set that is not there", f"{done}")
    with Process([ROOT / "bench/record", "many", "-n", "1000", "--warm-up", "0", *options, "--", *timers], directory,
                 "many") as many:
        path = directory / "many/facts.json"
        wait_for(lambda: path.exists() or not many.alive(), "first run")
        many.signal(signal.SIGINT)
        status = many.wait()
    files = [each["file"] for each in json.loads(path.read_text())["runs"]]
    checks.check(status == 1 and files and sorted(files) == sorted(p.name for p in path.parent.glob("*.data")),
                 "bench/record: a Ctrl-C keeps what was recorded", f"{status} {files} {many.err}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, metavar="NUMBER")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--only")
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR")
    options = parser.parse_args()
    need_recording()
    checks = Checks()
    with scratch() as directory, contextlib.ExitStack() as stack:
        need_files(DWELL, workload("peer"))
        regressions.main()
        others = Others(stack, directory)
        if options.known:
            peer = next(each for each in regressions.REGRESSIONS if each.name == "peer")
            with checks.guarded("known"):
                known(checks, peer, sets(others, [peer], options, directory))
            checks.done()
        if not options.only and not options.keep:
            with checks.guarded("bench/record"):
                kept(checks, directory / "kept")
        ones = [one for one in (*regressions.REGRESSIONS, regressions.MOVED)
                if not options.only or one.name in options.only.split(",")]
        for folder in sets(others, ones, options, directory):
            for one in ones:
                with checks.guarded(f"{folder.name}: {one.name}"):
                    expected(checks, one, folder)
    checks.done()


if __name__ == "__main__":
    main()
