#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What can be said of the sources' style without judgement: `make format-check`.

All text: no space at a line's end, a newline at the file's end. C: lines of at most 100 columns (but text for
the user is never broken), indented with tabs. Sources begin with their licence, then a comment that says what the file is for.
What the program says on standard error goes through src/base/say.c, which makes it printable.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COLUMNS = 100
C = {".c", ".h"}
SOURCES = C | {".py", ".sh", ".js", ".css"}
# Data, and text that others wrote.
EXEMPT = ("tests/replay/cases/", "tests/fuzz/corpus/", "LICENSE", "bench/results/")
PROGRAM = ("src/", "flamegraph/", "kernel-events/")
SAYS = re.compile(r"\bv?fprintf\(stderr|\bperror\(|\bfputs\(.*, stderr\)")


def files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True,
                            text=True, check=True)
    for name in sorted(set(listed.stdout.splitlines())):
        path = ROOT / name
        if path.is_file() and not name.startswith(EXEMPT):
            yield name, path


def width(line):
    return len(line.expandtabs(8))


def problems(name, path):
    """Line number and what is wrong."""
    data = path.read_bytes()
    if b"\0" in data or not data:
        return
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        yield 1, "not UTF-8"
        return
    if lines.pop():
        yield len(lines) + 1, "no newline at the end"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "space at the end of the line"
    if path.suffix in SOURCES and not name.startswith("tests/workloads/"):
        if not any("SPDX-License-Identifier" in line for line in lines[:3]):
            yield 1, "no SPDX-License-Identifier"
    if path.suffix in C:
        for number, line in enumerate(lines, 1):
            if width(line) > COLUMNS and '"' not in line:
                yield number, f"{width(line)} columns"
            if line.startswith("        "):
                yield number, "indented with spaces"
            if name.startswith(PROGRAM) and name != "src/base/say.c" and SAYS.search(line):
                yield number, "standard error is written to by base/say.h alone"
        if not any(line.startswith(("/*", "//")) and "SPDX" not in line for line in lines[:6]):
            yield 2, "no comment that says what the file is for"


def main():
    found = 0
    for name, path in files():
        for number, what in problems(name, path):
            print(f"{name}:{number}: {what}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
