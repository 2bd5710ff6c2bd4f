#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""bench/compare by itself, with recordings of tests/replay: its picture, what it tells of facts that differ, and facts
that are not what bench/record writes. Needs no root."""

import copy
import json
import shutil
import xml.etree.ElementTree as xml

from harness import DWELL, ROOT, Checks, need_files, run, scratch

CASE = ROOT / "tests/replay/cases/follow.data"
OTHER = ROOT / "tests/replay/cases/io.data"
FACTS = {
    "version": 1, "name": "x", "command": ["./app"], "while": "load {port}", "commit": "0123456789ab", "changed": False,
    "host": {"cpu": "Some CPU", "machine": "x86_64", "cores": 4, "virtual": False, "memory_gb": 8.0, "kernel": "6.8.0"},
    "dwell": "dwell 1.0", "build_id": "aa",
    "runs": [{"file": "1.data", "load_average": 0.2}, {"file": "2.data", "load_average": 0.3}],
}
# Where it is in the facts, what it becomes, and the line that tells it.
DIFFERING = (
    (("host", "kernel"), "6.9.0", "kernel: 6.8.0, 6.9.0."), (("host", "cpu"), "Other CPU", "CPU: Some CPU, Other CPU."),
    (("host", "cores"), 8, "cores: 4, 8."), (("host", "memory_gb"), 16.0, "memory, GB: 8.0, 16.0."),
    (("host", "virtual"), True, "virtual machine: False, True."), (("dwell",), "dwell 2.0", "dwell: dwell 1.0, dwell 2.0."),
    (("while",), None, "load command: load {port}, unknown."), (("commit",), "ba9876543210", "commit: 0123456789ab, ba9876543210."),
    (("changed",), True, "commit: 0123456789ab, 0123456789ab with changes."), (("build_id",), "bb", "build-id: aa, bb."),
    (("build_id",), None, "build-id: aa, unknown."),
    (("runs",), [{"file": "1.data", "load_average": 3.0}, {"file": "2.data", "load_average": 4.0}],
     "load average before runs: 0.25, 3.50."),
)


def kept(directory, name, facts, case=CASE):
    folder = directory / name
    folder.mkdir(exist_ok=True)
    for number in (1, 2):
        shutil.copy(case, folder / f"{number}.data")
    (folder / "facts.json").write_text(json.dumps(facts) if not isinstance(facts, str) else facts)
    return folder


def compare(directory, *argv):
    return run(ROOT / "bench/compare", "base", "new", "--dir", directory, *argv)


def differing(checks, directory):
    kept(directory, "base", FACTS)
    kept(directory, "new", FACTS)
    done = compare(directory)
    checks.check(done.returncode == 0 and "Differs" not in done.stdout, "the same facts: nothing differs", f"{done}")
    for keys, value, line in DIFFERING:
        facts = copy.deepcopy(FACTS)
        at = facts
        for key in keys[:-1]:
            at = at[key]
        at[keys[-1]] = value
        kept(directory, "new", facts)
        done = compare(directory)
        told = [text for text in done.stdout.splitlines() if text.startswith("- Differs: ")]
        checks.equal((done.returncode, told), (0, [f"- Differs: {line}"]), f"a fact that differs: {'.'.join(keys)}")
        found = json.loads(compare(directory, "--json").stdout)
        checks.equal([each["what"] for each in found["differs"]], [line.partition(":")[0]], f"… {'.'.join(keys)} in JSON")
    short = {key: value for key, value in FACTS.items() if key in ("version", "runs")}
    kept(directory, "new", short)
    done = compare(directory)
    checks.check(done.returncode == 0 and not done.stderr and "kernel: 6.8.0, unknown." in done.stdout,
                 "facts that lack what they are compared by", f"{done}")


def picture(checks, directory):
    kept(directory, "base", FACTS)
    kept(directory, "new", FACTS)
    done = compare(directory)
    path = directory / "base-new.svg"
    checks.check(done.stdout.endswith(f"\nPicture: {path}\n") and path.exists(), "the picture stands beside the runs", f"{done}")
    text = " ".join(xml.parse(path).getroot().itertext())
    checks.check("what changed" in text and str(directory / "base/1.data") in text and str(directory / "new/1.data") in text,
                 "the picture is the difference of two runs")
    other = directory / "elsewhere.svg"
    found = json.loads(compare(directory, "--json", "--picture", other).stdout)
    checks.check(found["picture"] == str(other) and other.read_text() == path.read_text(), "--picture: elsewhere", found["picture"])
    for argv in ([], ["--json"]):
        done = compare(directory, *argv, "--picture", directory / "no/x.svg")
        checks.check(done.returncode == 0 and len(done.stderr.splitlines()) == 1 and "no picture: " in done.stderr
                     and "No such file" in done.stderr and "Picture:" not in done.stdout,
                     f"a picture that cannot be written {argv}: the comparison stands", f"{done}")


def wrong(checks, directory):
    for what, facts, words in (
            ("no JSON", "nonsense", "is not what bench/record writes"), ("a list", [], "is not what bench/record writes"),
            ("runs of another form", {"runs": [1]}, "is not what bench/record writes"),
            ("no runs", {**FACTS, "runs": []}, "no run was recorded"),
            ("no load", {"runs": [{"file": "1.data"}]}, "is not what bench/record writes"),
            ("a run that is gone", {**FACTS, "runs": [{"file": "9.data", "load_average": 0}]}, "9.data")):
        kept(directory, "base", FACTS)
        kept(directory, "new", facts)
        done = compare(directory)
        checks.check(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and words in done.stderr and not done.stdout,
                     f"wrong: {what}", f"{done}")
    kept(directory, "new", FACTS, OTHER)
    done = compare(directory)
    checks.check(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "different programs" in done.stderr
                 and not done.stdout, "wrong: another program", f"{done}")
    for argv in (["--least", "x"], ["--per", "nope"]):
        kept(directory, "new", FACTS)
        done = compare(directory, *argv)
        checks.check(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and argv[1] in done.stderr and not done.stdout,
                     f"wrong: {' '.join(argv)}", f"{done}")


def main():
    need_files(DWELL)
    checks = Checks()
    for part in (differing, picture, wrong):
        with scratch() as directory, checks.guarded(part.__name__):
            part(checks, directory)
    checks.done()


if __name__ == "__main__":
    main()
