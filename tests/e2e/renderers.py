#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The real flamegraph.pl and inferno draw what `dwell fold` prints: without a warning, with the same total, every
frame as it is spelled; and so with the two weights of `dwell fold --diff`. The recordings are the golden ones of tests/replay, and a fresh one where that can be."""

import html
import re
import shutil
import pathlib
import subprocess

from harness import (BUILD, DWELL, ROOT, Checks, Recording, Target, cannot_record, need_files, run, scratch, workload)

PERL_PATHS = ("/usr/share/perl5/Devel/NYTProf/flamegraph.pl", "/usr/share/FlameGraph/flamegraph.pl")
INFERNO = BUILD / "tools/bin/inferno-flamegraph"


def renderers():
    """Name and command of each that is here."""
    perl = shutil.which("flamegraph.pl") or next((p for p in PERL_PATHS if pathlib.Path(p).exists()), None)
    if perl:
        yield "flamegraph.pl", ["perl", perl, "--countname=us", "--minwidth=0"]
    if INFERNO.exists():
        yield "inferno", [INFERNO, "--countname=us", "--minwidth=0"]


def draw(command, folded):
    return subprocess.run([str(part) for part in command], input=folded, capture_output=True, text=True, timeout=120)


def check(checks, name, renderer, command, folded):
    done = draw(command, folded)
    checks.check(done.returncode == 0 and not done.stderr, f"{name}: {renderer} has nothing to say",
                 f"status {done.returncode}: {done.stderr}")
    titles = [html.unescape(text) for text in re.findall(r"<title>(.*?)</title>", done.stdout)]
    root = [re.sub(r"\D", "", title.split("(")[1].split(" us")[0]) for title in titles if title.startswith("all (")]
    checks.equal(root, [str(total(folded))], f"{name}: {renderer} has the same total")
    frames = {frame for line in folded.splitlines() for frame in line.rpartition(" ")[0].split(";")}
    if renderer == "flamegraph.pl":
        # It draws the brackets of generics as parentheses.
        frames = {frame.translate(str.maketrans("<>", "()")) for frame in frames}
    # flamegraph.pl cuts the annotation _[k] off, as it should.
    drawn = {title.rpartition(" (")[0] for title in titles}
    missing = {frame for frame in frames if frame not in drawn and frame.removesuffix("_[k]") not in drawn}
    checks.equal(sorted(missing), [], f"{name}: {renderer} draws all of {len(frames)} frames")


def columns(folded):
    """The sums of the weights before and after."""
    weights = [line.rsplit(" ", 2)[1:] for line in folded.splitlines()]
    return sum(int(before) for before, _ in weights), sum(int(after) for _, after in weights)


def total(folded):
    return sum(int(line.rpartition(" ")[2]) for line in folded.splitlines())


def check_difference(checks, name, found, before, after):
    """The two-column form, and the picture of it."""
    folded = run(DWELL, "fold", "--diff", before, after).stdout
    checks.equal(columns(folded), tuple(total(run(DWELL, "fold", data).stdout) for data in (before, after)),
                 f"{name}: both columns have their recording's total")
    for renderer, command in found:
        done = draw(command, folded)
        checks.check(done.returncode == 0 and not done.stderr, f"{name}: {renderer} has nothing to say",
                     f"status {done.returncode}: {done.stderr}")
        titles = [html.unescape(text) for text in re.findall(r"<title>(.*?)</title>", done.stdout)]
        root = [re.sub(r"\D", "", title.split("(")[1].split(" us")[0]) for title in titles if title.startswith("all (")]
        checks.equal(root, [str(columns(folded)[1])], f"{name}: {renderer} is as wide as after")
    picture = run(DWELL, "flamegraph", "--diff", "--idle=show", "-o", "-", before, after).stdout
    widths = {name: int(ns) for ns, name in re.findall(r'data-x="\d+,(\d+),[01]"><title>(all|\[gone\])\n', picture)}
    # The weights are rounded.
    ns = total(run(DWELL, "fold", "--weight", "ns", after).stdout)
    checks.equal(widths.get("all", 0) - widths.get("[gone]", 0), ns, f"{name}: the picture is as wide as after")


def main():
    need_files(DWELL)
    checks = Checks()
    found = list(renderers())
    for name in {"flamegraph.pl", "inferno"} - {name for name, _ in found}:
        checks.skip(name, "not installed")
    with scratch() as directory:
        recordings = sorted((ROOT / "tests/replay/cases").glob("*.data"))
        if not cannot_record() and workload("web").exists():
            with checks.guarded("a fresh recording"), Target([workload("web")], directory, "web") as target:
                with Recording(target.pid, directory, "fresh") as recording:
                    target.go()
                    target.wait()
                    checks.equal(recording.wait(), 0, "a fresh recording")
                    recordings.append(recording.data)
        for data in recordings:
            folded = run(DWELL, "fold", "-i", data).stdout
            if not folded:
                continue  # a recording without tasks
            for renderer, command in found:
                check(checks, data.stem, renderer, command, folded)
            check_difference(checks, f"{data.stem}, the same twice", found, data, data)
        # Little is in both (a task must be): most stacks are new or gone.
        cases = ROOT / "tests/replay/cases"
        check_difference(checks, "two recordings", found, cases / "block_on.data", cases / "lints.data")
    checks.done()


if __name__ == "__main__":
    main()
