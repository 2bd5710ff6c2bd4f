#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs tests, a line for each, and closes with `N passed, N failed, N skipped`.

    run.py [unit] [replay] [fuzz] [e2e] [-k PART]...

unit     cmocka programs that make has built: build/unit/*, and build/san/unit/* (sanitized)
replay   tests/replay/replay.py
fuzz     tests/fuzz/run.py, for each harness there
e2e      executables in tests/e2e

What does not end with 0 has failed, unless it is 2: skipped. A test that counts its parts says so itself:
cmocka's in TAP, the others by a last line like ours. What a failed test printed is shown.
"""

import argparse
import concurrent.futures
import itertools
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("DWELL_BUILD", ROOT / "build")).resolve()
LOGS = BUILD / "logs"
SHOWN = 120  # lines shown of a failed test
WIDTH = 600
SKIPPED = 2
SIDE_BY_SIDE = {"unit", "fuzz"}  # kinds of tests that measure no time
# The same of end-to-end tests: these read files, or look at programs that stand still. What why_threads.py records, for
# 0.6 s, it reads notes of, and no times.
STILL = {"image_model.py", "image_variants.py", "why.py", "why_stacks.py", "why_threads.py", "why_windows.py"}
TIMEOUT = {"unit": 300, "replay": 300, "fuzz": 300 + 2 * int(os.environ.get("FUZZ_SECONDS") or 60), "e2e": 1200}

SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


def executables(folder, pattern="*"):
    return sorted(path for path in folder.glob(pattern)
                  if path.is_file() and os.access(path, os.X_OK) and path.suffix not in (".d", ".o"))


def tests(kinds):
    """Kind, name and command line of each test."""
    if "unit" in kinds:
        for folder, tag in ((BUILD / "unit", "unit"), (BUILD / "san/unit", "unit/sanitized")):
            for path in executables(folder):
                if (ROOT / "tests/unit" / f"{path.name}.c").exists():
                    yield "unit", f"{tag}/{path.name}", [path]
    if "replay" in kinds:
        yield "replay", "replay", [sys.executable, ROOT / "tests/replay/replay.py"]
    if "fuzz" in kinds:
        for path in sorted((ROOT / "tests/fuzz").glob("*.c")):
            yield "fuzz", f"fuzz/{path.stem}", [sys.executable, ROOT / "tests/fuzz/run.py", path.stem]
    if "e2e" in kinds:
        for path in sorted(executables(ROOT / "tests/e2e", "*.[ps][yh]"), key=lambda path: path.name not in STILL):
            yield "e2e", f"e2e/{path.name}", [path]


def run(kind, argv, log):
    """Exit status (None: took too long); the output goes to a file. Nothing that it started stays."""
    env = {**os.environ, "DWELL_BUILD": str(BUILD), "CMOCKA_MESSAGE_OUTPUT": "TAP", "PYTHONUNBUFFERED": "1",
           "PYTHONDONTWRITEBYTECODE": "1"}
    with open(log, "wb") as out:
        child = subprocess.Popen([str(arg) for arg in argv], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return child.wait(TIMEOUT[kind])
        except subprocess.TimeoutExpired:
            return None
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()


def count(kind, status, text):
    """(passed, failed, skipped) of one test."""
    lines = text.splitlines()
    passed = failed = skipped = 0
    summary = SUMMARY.match(lines[-1]) if lines else None
    if kind == "unit":
        # Some versions of cmocka call what was skipped "not ok".
        skipped = len(re.findall(r"^(?:not )?ok \d+ # SKIP", text, re.M))
        passed = len(re.findall(r"^ok \d+(?! # SKIP)\b", text, re.M))
        failed = len(re.findall(r"^not ok \d+(?! # SKIP)\b", text, re.M))
    elif summary:
        passed, failed, skipped = (int(n) for n in summary.groups())
    elif kind == "replay":
        passed = len(re.findall(r"^ok ", text, re.M))
        failed = len(re.findall(r"^FAIL", text, re.M))
    if status == 0 and not passed + failed + skipped:
        passed = 1
    if status == SKIPPED and kind in ("fuzz", "e2e") and not passed + failed:
        skipped = max(skipped, 1)
    elif status != 0 and not failed:
        failed = 1
    return passed, failed, skipped


PASSED = re.compile(r"^(ok |skip |# skip )")


def excerpt(lines):
    """What matters of a failed test's output: not what passed, and the end of it if that is still long."""
    kept = [line for line in lines if not PASSED.match(line)]
    if len(kept) > SHOWN:
        kept = kept[:SHOWN // 2] + ["[…]"] + kept[-SHOWN // 2:]
    return kept or lines[-SHOWN:]


def skipped_parts(text):
    """A line for each part that was skipped: cmocka has a name, the others have a reason too."""
    for line in text.splitlines():
        part = re.match(r"(?:not )?ok \d+ # SKIP (.*)", line)
        if part:
            yield f"skip {part[1]}"
        elif line.startswith("skip "):
            yield line


def side_by_side(kind, name, _argv):
    return kind in SIDE_BY_SIDE or name.removeprefix("e2e/") in STILL


def describe(status):
    if status is None:
        return "took too long"
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def one(kind, name, argv):
    """Runs a test: its counts, and the lines that tell of it."""
    log = LOGS / (name.replace("/", ".") + ".log")
    begin = time.monotonic()
    status = run(kind, argv, log)
    text = log.read_text(errors="replace")
    counts = count(kind, status, text)
    word = "FAIL" if counts[1] else "skip" if not counts[0] else "ok"
    reason = ""
    if word == "skip" and kind != "unit":
        reason = ": " + " ".join(text.splitlines()[-1:]).removeprefix("skipped: ")
    elif kind == "fuzz" and word == "ok":
        reason = ": " + " ".join(text.splitlines()[-2:-1])
    elif counts[1] or counts[2]:
        reason = ": " + "{} passed, {} failed, {} skipped".format(*counts)
    lines = [f"{word:4}  {name} ({time.monotonic() - begin:.1f} s){reason}"]
    if word == "FAIL":
        lines.append(f"      {describe(status)}; all of it is in {log}")
        lines += [f"      | {line[:WIDTH]}" for line in excerpt(text.splitlines())]
    elif counts[2]:
        lines += [f"      {line}" for line in skipped_parts(text)]
    return counts, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=["unit", "replay", "fuzz", "e2e", []],
                        metavar="unit|replay|fuzz|e2e")
    parser.add_argument("-k", action="append", metavar="PART", help="only tests with PART in their names")
    options = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    total = [0, 0, 0]
    chosen = [(kind, name, argv) for kind, name, argv in tests(options.kinds or list(TIMEOUT))
              if not options.k or any(part in name for part in options.k)]
    for beside, alike in itertools.groupby(chosen, key=lambda test: side_by_side(*test)):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() if beside else 1) as pool:
            for counts, lines in pool.map(lambda test: one(*test), alike):
                print("\n".join(lines), flush=True)
                total = [a + b for a, b in zip(total, counts)]
    print("{} passed, {} failed, {} skipped".format(*total), flush=True)
    return 1 if total[1] or not sum(total) else 0


if __name__ == "__main__":
    sys.exit(main())
