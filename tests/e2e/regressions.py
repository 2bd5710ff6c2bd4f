#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Regressions seeded in a service, each as a second build in which all line numbers have moved.

    tests/e2e/regressions.py        builds what is not up to date; `make workloads` calls it

The service is tests/workloads/src/bin/regress.rs. A regression is an edit of its source, as a person would make
it, or another database. What is built is $DWELL_BUILD/workloads/regressions/NAME/regress: the program has the
same name everywhere, as the builds of one program have.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DWELL_BUILD", ROOT / "build")).resolve()
WORKLOADS = ROOT / "tests/workloads"
SOURCE = WORKLOADS / "src/bin/regress.rs"
FOLDER = BUILD / "workloads/regressions"
HERE = "// HERE"


@dataclasses.dataclass(frozen=True)
class Regression:
    """What changes, and what a comparison has to tell of it first. In edits HERE marks the changed line; without edits
    it is the one that contains `line`."""
    name: str
    about: str
    segment: str = ""
    function: str = ""
    what: tuple = ()        # one of these
    edits: tuple = ()       # (text, its replacement), each there once
    line: str = ""
    database_us: int = 0    # that the database takes longer


REGRESSIONS = (
    Regression("lock", "a lock held longer", "await", "regress::Service::handle", ("waits longer", "waits more often"),
               (("        drop(journal);\n", ""),
                ("        log(LOG_MS);", "        drop(journal);\n        log(LOG_MS);")), line="self.journal.lock().await"),
    Regression("pool", "a smaller pool", "await", "regress::Pool::query",
               ("waits longer", "waits more often", "is new"),
               (("const POOL: usize = 4;", "const POOL: usize = 1;"),), line="self.free.acquire().await"),
    Regression("blocking", "a blocking call in a handler", "blocked", "regress::render",
               ("is new", "blocks its thread longer"),
               (("    let mut answer = (row.len()",
                 f"    std::thread::sleep(std::time::Duration::from_millis(1)); {HERE}\n    let mut answer = (row.len()"),)),
    Regression("peer", "a slower peer", "await", "regress::Pool::ask", ("waits longer",),
               line="let length = stream.read_u32().await?;", database_us=1000),
    Regression("round_trip", "one more round trip", "await", "regress::Pool::check", ("is new",),
               (("        let row = self.ask(",
                 "        self.check(&mut stream).await?;\n        let row = self.ask("),
                ("    async fn ask(",
                 "    /// Is the connection alive?\n"
                 "    async fn check(&self, stream: &mut TcpStream) -> io::Result<()> {\n"
                 "        write_frame(stream, b\"\").await?;\n"
                 f"        stream.read_u32().await?; {HERE}\n"
                 "        Ok(())\n"
                 "    }\n\n"
                 "    async fn ask("))),
    Regression("workers", "fewer workers", "ready", "", ("is ready for longer before it is polled",),
               (("const WORKERS: usize = 4;", "const WORKERS: usize = 1;"),)),
)
# What they are compared with, and the same source once more.
BEFORE = Regression("before", "")
MOVED = Regression("moved", "nothing")
ALL = (BEFORE, MOVED, *REGRESSIONS)


def moved(text):
    """All lines somewhere else, by differing distances."""
    lines = ["// Moved.", "//", "// By some lines."]
    for number, line in enumerate(text.splitlines()):
        lines.append(line)
        if not line:
            lines += ["// Moved."] * (1 + number % 3)
    # A doc comment of a file comes before everything else.
    head = [line for line in lines if line.startswith("//!")]
    return "\n".join(head + [line for line in lines if not line.startswith("//!")]) + "\n"


def source(one):
    text = SOURCE.read_text(encoding="utf-8")
    for old, new in one.edits:
        assert text.count(old) == 1, f"{one.name}: {old!r} is not there once"
        text = text.replace(old, new)
    return text if one is BEFORE else moved(text)


def changed_line(one):
    """The number of the changed line in the build with the regression; None: no line tells it."""
    text = source(one).splitlines()
    mark = one.line or HERE
    found = [number for number, line in enumerate(text, 1) if mark in line]
    if one.function and one.line:
        # the first one in its function
        name = re.sub(r".*::", "", one.function)
        begin = next(number for number, line in enumerate(text, 1) if f"fn {name}(" in line)
        found = [number for number in found if number > begin][:1]
    return found[0] if found else None


def program(one):
    return FOLDER / one.name / "regress"


def build(one):
    """Cargo's own, in a copy of the workloads that has this program alone; it shares all that they are built of."""
    text = source(one)
    made = FOLDER / one.name / "crate"
    path = made / "src/bin/regress.rs"
    if program(one).exists() and path.exists() and path.read_text(encoding="utf-8") == text:
        return
    shutil.rmtree(FOLDER / one.name, ignore_errors=True)
    path.parent.mkdir(parents=True)
    # A version of its own: cargo tells packages apart by that, and takes nothing from another build of it.
    version = f"0.1.{1 + [each.name for each in ALL].index(one.name)}"
    for name in ("Cargo.toml", "Cargo.lock"):
        whole = (WORKLOADS / name).read_text(encoding="utf-8")
        (made / name).write_text(re.sub(r'(name = "workloads"\n(?:description.*\n)?version = )"0.1.0"',
                                        rf'\g<1>"{version}"', whole), encoding="utf-8")
    for library in (WORKLOADS / "src").glob("*.rs"):
        shutil.copy(library, made / "src")
    path.write_text(text, encoding="utf-8")
    cargo = os.environ.get("CARGO") or shutil.which("cargo") or pathlib.Path.home() / ".cargo/bin/cargo"
    target = BUILD / "workloads"
    subprocess.run([cargo, "build", "--locked", "--release", "--quiet", "--bin", "regress"], cwd=made, check=True,
                   env={**os.environ, "CARGO_TARGET_DIR": str(target)})
    shutil.copy(target / "release/regress", program(one))


def main():
    for one in ALL:
        build(one)


if __name__ == "__main__":
    main()
