#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`dwell info` of one program, however it was linked and wherever its debug information was put: it says the same."""

import os
import re
import shutil
import subprocess

from harness import DWELL, ROOT, Checks, need_files, output, run, scratch, workload
from image_model import PATH, RUST_SOURCE, Info, addresses_of, run_parts, tool


def model(info):
    """All but addresses, paths and what depends on the code."""
    keep = [line for line in info.text.splitlines()
            if not line.startswith(("build-id", "compiler", "debug ", "probes"))]
    text = re.sub(r"poll 0x[0-9a-f]+(, single-stepped)?", "poll", "\n".join(keep))
    return re.sub(r", (begin|park|gone) 0x[0-9a-f]+( single-stepped)?", "", text)


def sorted_model(info):
    """The order of task types is that of their functions in the program."""
    head, _, rest = model(info).partition("\ntask types\n")
    tasks, _, futures = rest.partition("\n\nfutures\n")
    blocks = re.split(r"\n(?=  \S)", "\n" + futures)
    return head, sorted(tasks.splitlines()), sorted(block.strip("\n") for block in blocks)


def difference(a, b):
    lines = set(a[1] + a[2]) ^ set(b[1] + b[2])
    return f"{a[0]}\n---\n{b[0]}\n---\n" + "\n".join(sorted(lines))


def same_model(checks, want, path, what, *options, exact=False):
    info = Info(path, *options)
    got = model(info) if exact else sorted_model(info)
    wanted = model(want) if exact else sorted_model(want)
    checks.check(got == wanted and info.head["tier"].startswith("full"), what,
                 lambda: difference(sorted_model(want), sorted_model(info)) if got != wanted else info.text[:500])
    if tool("nm"):
        polls = addresses_of(path, r"tokio::runtime::task::raw::poll(::<.*>|<.*>)?$")
        ours = {task.poll for task in info.tasks}
        # stripped, there is nothing to compare with; the workers' poll functions are nobody's tasks
        checks.check(not polls or ours <= polls and len(polls - ours) <= 1,
                     f"{what}: poll functions are where nm has them", f"{ours} {polls}")
    return info


def put_elsewhere(checks, want, path, directory, what):
    """Debug information compressed, in another file, or nowhere but where the user says."""
    if not tool("objcopy") or not tool("strip"):
        checks.skip(f"{what}: debug information elsewhere", "there is no objcopy, or no strip")
        return
    for kind in ("zlib", "zlib-gnu", "zstd"):
        packed = directory / f"{path.name}-{kind}"
        done = run(tool("objcopy"), f"--compress-debug-sections={kind}", path, packed)
        if done.returncode or packed.stat().st_size >= path.stat().st_size:
            checks.skip(f"{what}: sections compressed by {kind}", "objcopy does not know how")
            continue
        info = Info(packed)
        if kind == "zstd" and not info.head["tier"].startswith("full"):
            checks.check(any("compressed" in note for note in info.notes),
                         f"{what}: compressed by zstd, which this libelf does not know, and said so", info.text[:500])
            continue
        same_model(checks, want, packed, f"{what}: sections compressed by {kind}", exact=True)
    apart = directory / "apart"
    apart.mkdir(exist_ok=True)
    bare, debug = apart / path.name, apart / f"{path.name}.debug"
    output(tool("objcopy"), "--only-keep-debug", path, debug)
    output(tool("objcopy"), "--strip-debug", f"--add-gnu-debuglink={debug}", path, bare)
    info = same_model(checks, want, bare, f"{what}: a file beside it, by .gnu_debuglink", exact=True)
    checks.equal(info.head.get("debug"), str(debug), f"{what}: that file is named")
    debug.rename(directory / "moved.debug")
    info = Info(bare)
    checks.check(info.head["tier"].startswith("symbols") and "debug" in info.head["tier"],
                 f"{what}: without that file the tier is lower, and says so", info.text[:500])
    same_model(checks, want, bare, f"{what}: a file named by the user", "--debug-file", directory / "moved.debug",
               exact=True)
    output(tool("strip"), "--strip-all", bare)
    same_model(checks, want, bare, f"{what}: stripped of all, a file named by the user", "--debug-file",
               directory / "moved.debug", exact=True)


def variants(checks, directory):
    """The small program, which is compiled in no time, in all ways."""
    rustc = tool("rustc")
    if not rustc:
        checks.skip("one program linked in many ways", "there is no rustc")
        return
    def build(name, *flags):
        path = directory / name / "program"
        path.parent.mkdir()
        done = run(rustc, "--edition", "2021", "-O", "-g", "-C", "panic=abort", "-C", "link-arg=-lc", *flags,
                   RUST_SOURCE, "-o", path)
        return path if done.returncode == 0 else None
    first = build("usual")
    if not checks.check(first, "small program: compiled"):
        return
    want = Info(first)
    checks.check(want.head["tier"].startswith("full") and len(want.tasks) == 4, "small program: tier full", want.text)
    for name, flags in (
            ("again", ()),
            ("linked-by-bfd", ("-C", "link-arg=-fuse-ld=bfd")),
            ("not-position-independent", ("-C", "relocation-model=static")),
            ("both", ("-C", "relocation-model=static", "-C", "link-arg=-fuse-ld=bfd")),
            ("dwarf-5", ("-C", "dwarf-version=5")),
            ("dwarf-5-bfd", ("-C", "dwarf-version=5", "-C", "link-arg=-fuse-ld=bfd")),
            ("packed", ("-C", "split-debuginfo=packed")),
            ("packed-5", ("-C", "split-debuginfo=packed", "-C", "dwarf-version=5")),
            ("unpacked", ("-C", "split-debuginfo=unpacked")),
            ("unpacked-5", ("-C", "split-debuginfo=unpacked", "-C", "dwarf-version=5")),
            ("one-unit", ("-C", "codegen-units=1")),
            # before 1.92, panic=abort alone leaves units without tables
            ("many-units", ("-C", "codegen-units=64", "-C", "force-unwind-tables=yes")),
            ("fat-lto", ("-C", "lto=fat")),
            ("frame-pointers", ("-C", "force-frame-pointers=yes")),
            ("mangled-v0", ("-C", "symbol-mangling-version=v0"))):
        path = build(name, *flags)
        if not path:
            checks.skip(f"small program: {name}", "this rustc or linker cannot do that")
            continue
        same_model(checks, want, path, f"small program: {name}")
        data = path.read_bytes()
        ok = {"link-arg=-fuse-ld=bfd": b"Linker: LLD" not in data, "relocation-model=static": data[16] == 2,
              "split-debuginfo=packed": path.with_suffix(".dwp").exists(),
              "split-debuginfo=unpacked": list(path.parent.glob("*.dwo"))}
        checks.check(all(ok.get(flag, True) for flag in flags), f"small program: {name}: is what it is called",
                     f"{flags} {ok}")
    path = build("no-tables", "-C", "codegen-units=64", "-C", "force-unwind-tables=no")
    if checks.check(path, "small program: no-tables: compiled"):
        info = Info(path)
        checks.check(any("not probed" in note and "force-unwind-tables=yes" in note for note in info.notes),
                     "small program: functions that no table has are not probed, and how to cure it is said", info.text[:800])
    put_elsewhere(checks, want, first, directory / "usual", "small program")


def real_variants(checks, directory):
    """A real program: put elsewhere, and compiled once more, as different as can be."""
    path = workload("timers")
    if not path.exists():
        checks.skip("release/timers put together otherwise", "it is not built")
        return
    want = Info(path)
    copy = directory / "timers"
    shutil.copy(path, copy)
    put_elsewhere(checks, want, copy, directory, "release/timers")
    cargo = tool("cargo")
    if not cargo:
        checks.skip("release/timers, compiled otherwise", "there is no cargo")
        return
    target = directory / "target"
    flags = "-C relocation-model=static -C link-arg=-fuse-ld=bfd -C split-debuginfo=packed"
    machine = "x86_64-unknown-linux-gnu"        # named, the flags are not for what runs in the compiler
    env = {**os.environ, "PATH": PATH, "CARGO_TARGET_DIR": str(target), "RUSTFLAGS": flags}
    done = subprocess.run([cargo, "build", "--quiet", "--locked", "--offline", "--release", "--bin", "timers",
                           "--target", machine], cwd=ROOT / "tests/workloads", env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=400, check=False)
    if done.returncode:
        checks.skip("release/timers, compiled otherwise", f"it cannot be: {done.stderr.strip()[-300:]}")
        return
    same_model(checks, want, target / machine / "release/timers",
               "release/timers: not position-independent, by GNU ld, debug information in a package")


def main():
    need_files(DWELL)
    checks = Checks()
    with scratch() as directory:
        run_parts(checks, directory, variants, real_variants)
    checks.done()


if __name__ == "__main__":
    main()
