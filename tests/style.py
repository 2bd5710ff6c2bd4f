#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What can be said of the sources' style without judgement: `make format-check`.

Who may include whom is a table, INCLUDES: what is not in it may not.

All text: no space at a line's end, a newline at the file's end. Python: no name is defined twice in one place, as the
second definition would silently take the first one's. C: lines of at most 100 columns (but text for
the user is never broken), indented with tabs. Sources begin with their licence, then a comment that says what the file is for.
What the program says on standard error goes through src/base/say.c, which makes it printable.
"""

import ast
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


# Folder → the folders whose headers it may include, besides its own and the system's. Whoever
# comes first knows less. Of bpf/ only what both sides share: the rest is in BPF's own files.
INCLUDES = {
    # The ground floor knows nobody.
    "src/base": {},
    # What a walk goes by and what goes through the rings: bpf/walk*.h, bpf/abi.h.
    "bpf": {"kernel-events"},
    "src/trace": {"src/base", "bpf"},
    # An adapter says what a task is and where; how that is found in a program is the image's.
    "src/runtime": {"src/base", "bpf"},
    "src/image": {"src/base", "src/runtime", "bpf"},
    # Names of code. Those of Rust's functions are spelled as the image spells them; it knows no address.
    "src/symbol": {"src/base", "src/image", "bpf"},
    # A process from outside. Nothing of recording, of events or of results.
    "src/inspect": {"src/base", "src/runtime", "src/image", "src/symbol", "bpf"},
    # A source's decoder makes the file's events. It has its maps and programs from the skeleton,
    # which is made of bpf/ and kernel-events/ alone.
    "kernel-events": {"src/base", "src/symbol", "src/trace", "bpf", "skeleton"},
    "src/record": {"src/answer", "src/base", "src/runtime", "src/image", "src/inspect", "src/symbol", "src/trace",
                   "src/why", "kernel-events", "bpf", "skeleton"},
    # What is behind a file needs neither a kernel nor a program.
    "src/join": {"src/base", "src/trace"},
    # What is amiss in a recording, and what else it tells of waits.
    "src/lint": {"src/base", "src/join"},
    "src/past": {"src/base", "src/join", "src/lint"},
    "src/diff": {"src/base", "src/trace", "src/join"},
    "flamegraph": {"src/base", "src/join"},
    "src/output": {"src/base", "src/join", "src/trace", "src/diff", "flamegraph"},
    # What is told of a process, by itself: it is in a recording, too.
    "src/answer": {"src/base", "src/trace"},
    "src/why": {"src/answer", "src/base", "src/runtime", "src/image", "src/inspect", "src/symbol", "src/trace",
                "src/join"},
    # A subcommand puts the parts together. Not the kernel's side, which is the recorder's.
    "src/cli": {"src/answer", "src/base", "src/image", "src/inspect", "src/record", "src/trace", "src/join", "src/why",
                "src/lint", "src/past", "src/diff", "src/output", "flamegraph"},
    "bench": {"src/base", "src/image", "src/trace", "src/join", "src/diff"},
    # Tests look at everything; but for helpers they do not look at each other.
    "tests/unit": {"src/*", "flamegraph", "kernel-events", "bpf", "skeleton", "tests/replay"},
    "tests/replay": {"src/base", "src/trace"},
    "tests/fuzz": {"src/*", "flamegraph", "tests/unit"},
    "tests/walks": {"src/inspect", "bpf", "tests/unit", "skeleton"},
    "tests/kernels": {"bpf", "skeleton"},
}
# One adapter's header is for adapters: others go by runtime/runtime.h.
ADAPTERS_OWN = re.compile(r"runtime/(?!runtime\.h$)")
# File, and what it may include all the same; each with its reason. One that is not needed any more is an error.
EXCEPTIONS = {
    # A task at rest has one of the states that the file has words for: one enum, not two that must agree.
    ("src/inspect/alive.h", "trace/event.h"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
# Where the compiler looks (see the Makefile), besides the file's own folder.
SEARCHED = ("src", "bpf", "kernel-events", ".")


def files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True,
                            text=True, check=True)
    for name in sorted(set(listed.stdout.splitlines())):
        path = ROOT / name
        if path.is_file() and not name.startswith(EXEMPT):
            yield name, path


def folder(path):
    """The part that a file belongs to, by its path from the root."""
    return "/".join(path.parts[:2]) if path.parts[0] in ("src", "tests") else path.parts[0]


def included(name, header):
    """Path of what @name includes as @header; "skeleton" for BPF's, which is generated; None: nowhere."""
    if header.endswith(".skel.h"):
        return "skeleton"
    for place in (pathlib.Path(name).parent, *map(pathlib.Path, SEARCHED)):
        if (ROOT / place / header).is_file():
            return place / header
    return None


def forbidden(name, header):
    """Why @name may not include @header; None: it may."""
    own = folder(pathlib.Path(name))
    if own not in INCLUDES:
        return f"{own} is not in the table of who may include whom"
    path = included(name, header)
    if path is None:
        return f"{header} is not found"
    to = path if path == "skeleton" else folder(path)
    allowed = INCLUDES[own]
    if to != own and to not in allowed and not ("src/*" in allowed and to.startswith("src/")):
        return f"{own} may not include {to} ({header})"
    if to == "src/runtime" and own not in (to, "tests/unit") and ADAPTERS_OWN.match(header):
        return f"{header} is for adapters: {own} may include runtime/runtime.h"
    if (header.endswith(".bpf.h") or header.endswith("vmlinux.h")) and not re.search(r"\.bpf\.[ch]$", name):
        return f"{header} is for BPF programs"
    return None


def include_problems(name, lines, used):
    """Of a C file's includes; the exceptions that it needs go into @used."""
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        why = forbidden(name, match[1]) if match else None
        if not why:
            continue
        if (name, match[1]) in EXCEPTIONS:
            used.add((name, match[1]))
        else:
            yield number, why


def is_python(path, lines):
    return path.suffix == ".py" or bool(re.match(r"#!.*\bpython3?\b", lines[0]))


# Fields of a node of Python's syntax that are lists of statements: its alternatives, one of which is run.
BLOCKS = ("body", "orelse", "handlers", "finalbody")


def defined_twice(statements):
    """Line number and what is wrong, of functions and classes that a later one of the same block takes the name of."""
    first = {}
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            # @property has @NAME.setter, and others like it, which add to the first one.
            if statement.name in first and not any(isinstance(d, ast.Attribute) and getattr(d.value, "id", "") == statement.name
                                                   for d in statement.decorator_list):
                yield statement.lineno, f"{statement.name} is defined in line {first[statement.name]} already"
            first.setdefault(statement.name, statement.lineno)
        for block in BLOCKS:
            yield from defined_twice(getattr(statement, block, []))


def width(line):
    return len(line.expandtabs(8))


def problems(name, path, used):
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
    if lines and is_python(path, lines):
        try:
            yield from defined_twice(ast.parse(data).body)
        except SyntaxError as error:
            yield error.lineno or 1, f"no Python: {error.msg}"
    if path.suffix in C:
        yield from include_problems(name, lines, used)
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
    used = set()
    for name, path in files():
        for number, what in problems(name, path, used):
            print(f"{name}:{number}: {what}")
            found += 1
    for name, header in sorted(EXCEPTIONS - used):
        print(f"{name}: does not include {header} any more: its exception goes")
        found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
