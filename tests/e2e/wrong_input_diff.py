#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Comparisons of what cannot be compared, or only in part: a clear line for each, exit status 2 (1 means worse), and
no crash. Needs no root.

$DWELL_DAMAGED    recordings that are cut or have bits flipped (120); each is compared in four ways
"""

import json
import os
import random
import shutil
import subprocess

from harness import BUILD, DWELL, ROOT, Checks, need_files, run, scratch
from wrong_input import refused

CASES = ROOT / "tests/replay/cases"
IO = CASES / "io.data"
DAMAGED = int(os.environ.get("DWELL_DAMAGED", "120"))
SANITIZED = BUILD / "san/dwell"


def ways(before, after, picture):
    """Each way to compare two recordings, and its status if that cannot be."""
    return ((2, ["diff", before, after]), (2, ["diff", "--json", before, after]), (1, ["fold", "--diff", before, after]),
            (1, ["flamegraph", "-o", picture, "--diff", before, after]))


def without_tasks(directory):
    """A recording that ends before its first task."""
    path = directory / "no-tasks.data"
    data = (CASES / "follow.data").read_bytes()
    for size in range(len(data), 0, -1):
        path.write_bytes(data[:size])
        if "has no tasks" in run(DWELL, "diff", path, path).stderr:
            return path
    raise AssertionError("none can be made")


def others(checks, directory):
    """Recordings that show something else, and files that are none; on either side."""
    cut, empty, text = directory / "cut.data", directory / "empty.data", directory / "text.data"
    cut.write_bytes(IO.read_bytes()[:100])
    empty.touch()
    text.write_text("I am no recording\n")
    for what, other, words in (("another program", CASES / "names.data", ("'my:app #12'", "'my;app 12'")),
                               ("another program of the same name", CASES / "uring.data", "different programs"),
                               ("another tier", CASES / "symbols.data", "'symbols'"),
                               ("no tasks", without_tasks(directory), "no tasks"),
                               ("a missing file", directory / "none.data", "no such file"),
                               ("a file that ends in its head", cut, "cut.data"),
                               ("an empty file", empty, "empty"),
                               ("no recording", text, "magic"), ("a directory", directory, "directory")):
        for pair in ((IO, other), (other, IO)):
            for status, argv in ways(*pair, directory / "x.svg"):
                done = run(DWELL, *argv)
                name = f"{argv[0]} {argv[1] if argv[1] == '--json' else ''} {what}, {'after' if pair[0] == IO else 'before'}"
                refused(checks, name, done, *([words] if isinstance(words, str) else words), status=status,
                        lines=2 if what == "no tasks" else 1)
                checks.check(other.name in done.stderr and not done.stdout, f"{name}: which file", f"{done}")
    # in a set it is the same as alone
    done = run(DWELL, "diff", "-a", IO, "-a", IO, "-a", empty, "-b", IO)
    refused(checks, "diff: an empty file in a set", done, "empty.data", status=2)
    checks.check(not list(directory.glob("*.svg")), "flamegraph: no picture of what cannot be compared")


def wrong_options(checks):
    for what, argv, words in (
            ("-a without -b", ["-a", IO], "-b FILE is missing"), ("-b without -a", ["-b", IO], "-a FILE is missing"),
            ("one file", [IO], "two recordings"), ("three files", [IO, IO, IO], "two recordings"), ("no file", [], "two recordings"),
            ("both forms", ["-a", IO, "-b", IO, IO], "two recordings"),
            *((f"--least {least!r}", [f"--least={least}", IO, IO], "percentage")
              for least in ("", "x", "-1", "101", "1e1", "0x2", " 2", "nan", "inf", "2%", "1.2.3", "9" * 400)),
            ("--per that nothing matches", ["--per", "nope", IO, IO], "other::work"),
            ("an empty --per", ["--per", "", IO, IO], "names no task")):
        refused(checks, f"diff: {what}", run(DWELL, "diff", *argv), words, status=2)
    for least in ("0", "0.5", "2", "100", ".5", "2."):
        done = run(DWELL, "diff", f"--least={least}", IO, IO)
        checks.check(done.returncode == 0 and not done.stderr, f"diff: --least {least}", f"{done}")
    with open("/dev/full", "w", encoding="utf-8") as full:
        for argv in ([], ["--json"]):
            refused(checks, f"diff {argv}: a full disk is nothing worse", subprocess.run([str(DWELL), "diff", *argv, str(IO), str(IO)], stdout=full, stderr=subprocess.PIPE,
                                                                                             text=True, check=False), "no space", status=2)


def per(checks):
    """A pattern that one side alone has something for; one that matches several; each unit."""
    def compared(*argv):
        done = run(DWELL, "diff", "--json", *argv)
        return json.loads(done.stdout) if done.returncode == 0 else {"notes": [f"{done}"], "unit": None, "units": None}

    found = compared("--per", "server::r*", IO, IO)
    checks.equal(found["unit"], "task", "--per: tasks before awaits")
    found = compared("--per", "server::read", IO, IO)
    checks.equal(found["unit"], "await", "--per: an await in a function")
    found = compared("--per", "*", IO, IO)
    checks.check(any("several kinds, all of them: other::work, server::run." in note for note in found["notes"]),
                 "--per: several kinds are named", f"{found['notes']}")


def notes(checks, directory):
    """What is compared all the same, with a line that says what to think of it."""
    def text(*argv):
        return run(DWELL, "diff", *argv)

    torn = CASES / "torn.data"
    done = text(torn, torn)
    checks.check(done.returncode == 0 and "torn.data ends early, after" in done.stdout and "lost" in done.stdout
                 and len(done.stderr.splitlines()) == 2 and all("torn.data: file ends early at byte" in line
                                                               for line in done.stderr.splitlines()),
                 "diff: a torn file is told, on both outputs", f"{done}")
    done = text(IO, IO)
    checks.check(done.returncode == 0 and "No change." in done.stdout and "the same recording" in done.stdout,
                 "diff: a recording and itself", f"{done}")
    copy = directory / "copy.data"
    shutil.copy(IO, copy)
    done = text("-a", IO, "-a", copy, "-b", IO, "-b", IO)
    checks.check(done.returncode == 0 and "copy.data are one recording, given twice before" in done.stdout
                 and "given twice after" in done.stdout, "diff: a recording twice in a set", f"{done}")
    done = text("-a", IO, "-b", IO)
    checks.check(done.returncode == 0 and done.stdout.count("its own windows of time stand for repeats") == 2,
                 "diff: sets of one", f"{done}")
    awaitless = CASES / "offcpu.data"
    done = text(awaitless, awaitless)
    checks.check(done.returncode == 0 and f"In {awaitless} no task waits for anything." in done.stdout,
                 "diff: no awaits", f"{done}")
    hostile = directory / os.fsdecode(b"\x1b[31mred\xff\n.data")  # no UTF-8
    shutil.copy(torn, hostile)
    for argv in ([], ["--json"]):
        done = text(*argv, hostile, hostile)
        checks.check(done.returncode == 0 and "\x1b" not in done.stdout + done.stderr and "[31mred" in done.stdout,
                     f"diff {argv}: a hostile name of a file", f"{done}")


def weights(checks, directory):
    """A torn recording in a set counts for as long as it is, not for a whole one."""
    whole = CASES / "follow.data"
    half = directory / "half.data"
    data = whole.read_bytes()
    found = None
    for size in range(len(data) - 100, 200, -10):
        half.write_bytes(data[:size])
        done = run(DWELL, "diff", "--json", "-a", whole, "-a", half, "-b", whole, "-b", whole)
        if done.returncode in (0, 1):
            found = json.loads(done.stdout)
            if found["before"][1]["wall_ns"] < found["before"][0]["wall_ns"]:
                break
    if not checks.check(found and found["before"][1]["torn"] and not found["before"][0]["torn"], "torn: one is made"):
        return
    ns = sum(each["task_ns"] - each["idle_ns"] for each in found["before"])
    wall = sum(each["wall_ns"] for each in found["before"])
    got = found["total"]["before"]
    checks.check(abs(got - ns / wall * 1e9) <= 1e-6 * got, "torn: its time is divided by its length",
                 f"{got} {ns} {wall} {found['before']}")
    checks.check(any("half.data ends early, after" in note for note in found["notes"]), "torn: is told", found["notes"])


def damaged(checks, directory):
    """Cut anywhere, and with bits flipped: no crash, and a line if it cannot be compared."""
    program = SANITIZED if SANITIZED.exists() else DWELL
    cases = sorted(CASES.glob("*.data"))
    rng = random.Random(12)
    bad, compared = [], 0
    for number in range(DAMAGED):
        whole = rng.choice(cases)
        data = bytearray(whole.read_bytes())
        if number % 3 == 0:
            del data[rng.randrange(len(data)):]
        else:
            for _ in range(rng.choice((1, 1, 4, 32))):
                data[rng.randrange(16, len(data))] ^= 1 << rng.randrange(8)
        broken = directory / f"{whole.stem}.broken"
        broken.write_bytes(data)
        pair = (whole, broken) if number % 2 else (broken, whole)
        for _, argv in ways(*pair, directory / "broken.svg"):
            done = run(program, *argv, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1:exitcode=99"})
            said = done.stderr.splitlines()
            allowed = (0, 1, 2)
            compared += done.returncode == 0
            if (done.returncode not in allowed or any(not line.startswith("dwell") for line in said)
                    or (argv[0] == "diff" and done.returncode == 2 and (not said or done.stdout))
                    or (argv[1] == "--json" and done.returncode < 2 and not json.loads(done.stdout)["places"])):
                kept = directory / f"bad-{number}.data"
                kept.write_bytes(data)
                bad.append(f"{number} {whole.name}: {argv[:2]} status {done.returncode}: {done.stderr[-600:]}")
    checks.check(not bad, f"{DAMAGED} damaged recordings, {'sanitized' if program == SANITIZED else 'not sanitized'}: no crash, and a line",
                 "\n".join(bad[:10]))
    checks.check(compared > DAMAGED / 10, "damaged: some are compared", compared)


def main():
    need_files(DWELL)
    checks = Checks()
    with scratch() as directory:
        wrong_options(checks)
        for part in (others, notes, weights, damaged):
            with checks.guarded(part.__name__):
                part(checks, directory)
        with checks.guarded("per"):
            per(checks)
    checks.done()


if __name__ == "__main__":
    main()
