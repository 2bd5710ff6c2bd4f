#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs one harness of this folder under libFuzzer: a crash, 10 s for one input, or 1 GB, and it has failed.

    run.py trace|folded|image

$FUZZ_SECONDS  how long (60)
$FUZZ_RUNS     how many executions instead
$DWELL_BUILD   where the build is; what is found stays in fuzz/found there, what is new in fuzz/corpus

Inputs to begin with: corpus/HARNESS here (what has found something is kept there), the recordings and stacks of
tests/replay, and small programs that are built here. An input is tried again with `fuzz/bin/HARNESS FILE`.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("DWELL_BUILD", ROOT / "build")).resolve()
CASES = ROOT / "tests/replay/cases"
SKIPPED = 2

SECONDS_OF_ONE = 10
MEGABYTES = 1024
LONGEST = {"trace": 1 << 15, "folded": 1 << 14, "image": 1 << 18}

# What a file is used as: see image.c.
USE_BYTE = 15
PROGRAM, DEBUG_FILE, PACKAGE = range(3)

C_PROGRAM = """
struct link { struct link *next; union { long a; char b[3]; } u; enum { X, Y } e; };
static struct link ends[2] = { { &ends[1], { 1 }, X } };
static inline int deep(struct link *l) { return l ? 1 + deep(l->next) : 0; }
int main(int argc, char **argv) { { int inner = argc; (void)argv; return deep(ends) + inner != 3; } }
"""

# Beside what the program that looks like one on tokio has: a spawn that is inlined, and the runtime's context.
SPAWN = (("    pub mod task {\n", """    pub mod task {
        pub mod list {
            use super::core::Header;
            use core::{hint::black_box, ptr::NonNull};
            pub struct OwnedTasks<S> {
                pub id: u64,
                pub of: S,
            }
            impl<S> OwnedTasks<S> {
                #[inline(always)]
                pub unsafe fn bind_inner(&self, task: NonNull<Header>, other: NonNull<Header>) -> u64 {
                    (*task.as_ptr()).owner_id = black_box(self.id);
                    black_box(task.as_ptr());
                    black_box(other.as_ptr());
                    self.id
                }
            }
        }
"""), ("    NonNull::from(Box::leak(", "    let task: NonNull<Header> = NonNull::from(Box::leak("), ("    .cast()\n}", """    .cast();
    unsafe { runtime::task::list::OwnedTasks { id: 3, of: runtime::scheduler::Handle(2) }.bind_inner(task, task) };
    task
}"""))
CONTEXT = "__thread long _ZN5tokio7runtime7context7CONTEXT28_$u7b$$u7b$closure$u7d$$u7d$3VAL17h0E[9] = { 1 };"


def done(word, *lines):
    for line in lines:
        print(line, flush=True)
    if word == "skipped":
        sys.exit(SKIPPED)
    print("1 passed, 0 failed, 0 skipped" if word == "passed" else "0 passed, 1 failed, 0 skipped", flush=True)
    sys.exit(word != "passed")


class Programs:
    """Programs of some kilobytes, linked with nothing, so that there is no other DWARF than theirs."""

    def __init__(self, seeds, work):
        self.seeds = seeds
        self.work = work
        self.nr = 0

    def call(self, *argv):
        path = f"{os.environ['PATH']}:{pathlib.Path.home()}/.cargo/bin"
        try:
            return not subprocess.run([str(arg) for arg in argv], cwd=self.work, stdin=subprocess.DEVNULL,
                                      capture_output=True, env={**os.environ, "PATH": path}, check=False).returncode
        except FileNotFoundError:
            return False

    def seed(self, path, use=PROGRAM):
        data = bytearray((self.work / path).read_bytes())
        data[USE_BYTE] = use
        (self.seeds / f"{self.nr:02}-{path}").write_bytes(data)
        self.nr += 1

    def link(self, name, *objects, flags=()):
        return self.call("gcc", "-nostdlib", "-static", "-Wl,--unresolved-symbols=ignore-all,-e,main,--build-id",
                         "-Wl,-z,noseparate-code,--gc-sections", *flags, *objects, "-o", name)

    def c(self):
        (self.work / "prog.c").write_text(C_PROGRAM)
        for flags in ("-gdwarf-4", "-gdwarf-5", "-gdwarf-5 -gz", "-gdwarf-4 -gz=zlib-gnu", "-gdwarf-5 -gdwarf64",
                      "-gdwarf-3"):
            if self.link("prog", "prog.c", flags=["-O1", *flags.split()]):
                self.seed("prog")
        for version in (4, 5):
            if (self.call("gcc", "-O1", f"-gdwarf-{version}", "-gsplit-dwarf", "-c", "prog.c", "-o", "split.o")
                    and self.link("skeletons", "split.o")):
                self.seed("skeletons")
                self.seed("split.dwo", PACKAGE)

    def rust(self):
        """The program that looks like one on tokio."""
        source = (ROOT / "tests/unit/image_tokio.rs").read_text()
        for old, new in SPAWN:
            source = source.replace(old, new, 1)
        (self.work / "tokio.rs").write_text(source)
        (self.work / "context.c").write_text(CONTEXT)
        for flags in ("-O", "-O -C dwarf-version=5", "-C opt-level=s", "-C opt-level=1 -C symbol-mangling-version=v0"):
            ok = (self.call("rustc", "--edition", "2021", "-g", "-C", "panic=abort", "-C", "codegen-units=1",
                            *flags.split(), "--emit=obj", "tokio.rs", "-o", "rust.o")
                  and self.link("rust", "rust.o", "context.c")
                  and self.call("objcopy", "-R", ".debug_aranges", "-R", ".debug_names", "rust"))
            if not ok:
                return
            self.seed("rust")
            if (self.call("objcopy", "--only-keep-debug", "rust", "rust.debug")
                    and self.call("strip", "-S", "rust", "-o", "stripped")):
                self.seed("rust.debug", DEBUG_FILE)
                self.seed("stripped")


def make_seeds(harness, seeds, work):
    """What there is to begin with, and what the harness wants to know."""
    if harness == "trace":
        for path in CASES.glob("*.data"):
            shutil.copy(path, seeds)
    elif harness == "folded":
        for path in CASES.glob("*.folded"):
            for use in (0, 32, 63):
                (seeds / f"{path.stem}-{use}").write_bytes(bytes([use]) + path.read_bytes())
    else:
        programs = Programs(seeds, work)
        programs.c()
        programs.rust()
        return {"FUZZ_STRIPPED": str(work / "stripped"), "FUZZ_SKELETONS": str(work / "skeletons")}
    return {}


def number(name, said):
    """The last that libFuzzer said of it."""
    found = re.findall(rf"\b{name}: *(\d+)", said)
    return int(found[-1]) if found else 0


def main():
    harness = sys.argv[1]
    fuzzer = BUILD / "fuzz/bin" / harness
    if not fuzzer.exists():
        done("skipped", "skipped: clang has no libFuzzer here (`make deps' says what is missing)")
    work, seeds = BUILD / "fuzz/work" / harness, BUILD / "fuzz/seeds" / harness
    grown, found = BUILD / "fuzz/corpus" / harness, BUILD / "fuzz/found" / harness
    for folder in (work, seeds):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (work, seeds, grown, found):
        folder.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, **make_seeds(harness, seeds, work),
           "ASAN_OPTIONS": "quarantine_size_mb=32:" + os.environ.get("ASAN_OPTIONS", "")}
    env.pop("DEBUGINFOD_URLS", None)
    if os.environ.get("FUZZ_RUNS"):
        how_long = f"-runs={os.environ['FUZZ_RUNS']}"
    else:
        how_long = f"-max_total_time={os.environ.get('FUZZ_SECONDS') or 60}"
    kept = [path for path in [HERE / "corpus" / harness] if path.exists()]
    argv = [fuzzer, grown, seeds, *kept, how_long, f"-timeout={SECONDS_OF_ONE}",
            f"-rss_limit_mb={MEGABYTES}", f"-malloc_limit_mb={MEGABYTES}", f"-max_len={LONGEST[harness]}",
            "-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={found}/"]
    with subprocess.Popen(["nice", "-n", "10", *map(str, argv)], cwd=work, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as child:
        said = child.communicate()[0]
    runs = number("number_of_executed_units", said)
    summary = (f"{runs:,} executions, {number('average_exec_per_sec', said):,} a second; {number('cov', said):,} edges; "
               f"{number('peak_rss_mb', said)} MB at most")
    if child.returncode:
        done("failed", *said.splitlines()[-60:], f"found: {found}/", summary)
    if not runs:
        done("failed", *said.splitlines()[-20:], "nothing was executed")
    done("passed", summary)


if __name__ == "__main__":
    main()
