# SPDX-License-Identifier: GPL-2.0
"""What the end-to-end tests share: programs under test, recordings, results.

A test is an executable in this folder. It exits with 0 (passed), 2 (skipped, the reason printed) or
anything else (failed); its last line may be `N passed, N failed, N skipped`. `Checks` does both.

    $DWELL_BUILD    where the build is (build/)
"""

import contextlib
import ctypes
import json
import os
import pathlib
import platform
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DWELL_BUILD", ROOT / "build")).resolve()
DWELL = BUILD / "dwell"
PROFILES = ("release", "fat")

SKIPPED = 2


def workload(name, profile="release"):
    """The path of a program of tests/workloads."""
    return BUILD / "workloads" / profile / name


def marked_faults(program, kinds="[a-z -]+"):
    """Name → (kind, {mark: lines}), from the comments of a workload's source: `// upgrade: deadlock' before a function,
    and `// upgrade: CULPRIT' at the end of lines."""
    found = {}
    lines = (ROOT / f"tests/workloads/src/bin/{program}.rs").read_text().splitlines()
    for line in lines:
        head = re.fullmatch(rf"// (\w+): ({kinds})", line)
        if head:
            found[head[1]] = (head[2], {})
    for number, line in enumerate(lines, 1):
        mark = re.search(r"// (\w+): ([A-Z]+)$", line)
        if mark:
            found[mark[1]][1].setdefault(mark[2], []).append(number)
    return found


class Checks:
    """Counts what was checked, says what failed, and ends the test."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    def check(self, ok, what, detail=""):
        """One check; `detail` (text, or a function that makes it) is shown if it fails."""
        if ok:
            self.passed += 1
            print(f"ok   {what}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL {what}", flush=True)
            detail = detail() if callable(detail) else detail
            for line in str(detail).splitlines()[:40]:
                print(f"     {line}", flush=True)
        return ok

    def equal(self, got, want, what):
        return self.check(got == want, what, lambda: f"got  {got!r}\nwant {want!r}")

    def timing(self, ok, what, detail=""):
        """A check of times, which a busy machine can spoil: see Attempt."""
        return self.check(ok, what, detail)

    def skip(self, what, why):
        self.skipped += 1
        print(f"skip {what}: {why}", flush=True)

    @contextlib.contextmanager
    def guarded(self, what):
        """A part of a test whose exceptions are failures, not the end of the test."""
        try:
            yield
        except (AssertionError, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            self.check(False, what, f"{type(error).__name__}: {error}")

    def done(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(1 if self.failed else SKIPPED if not self.passed else 0)


class Attempt(Checks):
    """Checks whose results are kept back: where only times were wrong, the test may be made again."""

    def __init__(self):
        super().__init__()
        self.results = []
        self.spoilt = []  # times that were wrong

    def check(self, ok, what, detail=""):
        self.results.append((ok, what, "" if ok else detail() if callable(detail) else detail))
        return ok

    def timing(self, ok, what, detail=""):
        if not ok:
            self.spoilt.append(what)
        return self.check(ok, what, detail)

    def only_times_failed(self):
        return self.spoilt and len(self.spoilt) == sum(not ok for ok, _, _ in self.results)

    def hand_on(self, checks):
        for result in self.results:
            checks.check(*result)


def attempts(checks, make, times=3):
    """Calls `make` with an Attempt, and again where only times were wrong, `times` at most. The last one counts."""
    for i in range(times):
        trial = Attempt()
        make(trial)
        if i == times - 1 or not trial.only_times_failed():
            break
        print(f"     again, since only times were wrong: {', '.join(trial.spoilt)}", flush=True)
    trial.hand_on(checks)


def skip_all(why):
    print(f"skipped: {why}", flush=True)
    sys.exit(SKIPPED)


def cannot_record():
    """Why nothing can be recorded here, or None."""
    if os.geteuid() != 0:
        return "recording needs root"
    release = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])
    if release < (6, 6):
        return f"Linux {platform.release()} has no uprobe_multi (6.6 or later is needed)"
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        return "this kernel was built without BTF"
    return None


def need_recording():
    why = cannot_record()
    if why:
        skip_all(why)


def no_io_uring():
    """Why a program cannot have a ring here, or None."""
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(425, 1, ctypes.create_string_buffer(120))  # io_uring_setup, struct io_uring_params
    if ring < 0:
        return f"no io_uring here: {os.strerror(ctypes.get_errno())}"
    os.close(ring)
    return None


def not_built(name, profile="release"):
    """Why there is no such workload, or None. Only some may be missing: they need a newer Rust (Makefile)."""
    if name == "comp" and not workload(name, profile).exists():
        return "compio needs Rust 1.95"
    return None


def need_io_uring():
    why = no_io_uring()
    if why:
        skip_all(why)


def need_files(*paths):
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        sys.exit(f"not built: {', '.join(missing)}")


@contextlib.contextmanager
def scratch():
    """A folder of its own, gone afterwards; $DWELL_KEEP names one that stays."""
    keep = os.environ.get("DWELL_KEEP")
    if keep:
        path = pathlib.Path(keep)
        path.mkdir(parents=True, exist_ok=True)
        yield path
        return
    path = pathlib.Path(tempfile.mkdtemp(prefix="dwell-e2e-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Process:
    """A child whose output goes to files, so that it never waits for us; killed at the end."""

    def __init__(self, argv, directory, name, *, stdin=None, env=None, preexec_fn=None, stdout=None):
        self.name = name
        self.out_path = directory / f"{name}.out"
        self.err_path = directory / f"{name}.err"
        with contextlib.ExitStack() as files:
            out = stdout if stdout is not None else files.enter_context(open(self.out_path, "wb"))
            err = files.enter_context(open(self.err_path, "wb"))
            self.child = subprocess.Popen(
                [str(arg) for arg in argv], stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, **(env or {})}, preexec_fn=preexec_fn, cwd=ROOT)
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def out(self):
        return self.out_path.read_text(errors="replace") if self.out_path.exists() else ""

    @property
    def err(self):
        return self.err_path.read_text(errors="replace")

    def alive(self):
        return self.child.poll() is None

    def signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def kill(self):
        if self.alive():
            self.child.kill()
        self.child.wait()
        if self.child.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.child.stdin.close()

    def wait(self, timeout=60):
        """Its exit status; an AssertionError if it takes too long."""
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout} s; it said: {self.err[-2000:]}") from None


def wait_for(condition, what, timeout=30):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"no {what} within {timeout} s")
        time.sleep(0.005)


class Target(Process):
    """A workload, stopped before its runtime exists: go() lets it run."""

    def __init__(self, argv, directory, name="target", **kwargs):
        self.truth_path = directory / f"{name}.truth"
        super().__init__([*argv, "--wait"], directory, name, stdin=subprocess.PIPE, **kwargs)
        wait_for(lambda: "ready\n" in self.out or not self.alive(), f"'ready' from {argv[0]}")
        assert self.alive(), f"{argv} ended with {self.child.returncode}: {self.err}"

    def go(self):
        self.child.stdin.write(b"\n")
        self.child.stdin.flush()

    def close_stdin(self):
        self.child.stdin.close()


class Recording(Process):
    """`dwell record` of a running process. Ready when it says that it is attached."""

    def __init__(self, pid, directory, name="dwell", *, data=None, options=(), attach=True, **kwargs):
        self.data = data or directory / f"{name}.data"
        argv = [DWELL, "record", "-p", pid, "-o", self.data, *options]
        super().__init__(argv, directory, name, **kwargs)
        if attach:
            self.attached()

    def attached(self, timeout=60):
        def said():
            return any(line.startswith("dwell: attached") for line in self.err.splitlines()) or not self.alive()
        wait_for(said, "'dwell: attached'", timeout)
        assert self.alive(), f"dwell record ended with {self.child.returncode}: {self.err}"

    def stop(self, timeout=60):
        """Ctrl-C; its exit status."""
        self.signal(signal.SIGINT)
        return self.wait(timeout)


def run(*argv, timeout=120, **kwargs):
    """A command to its end; texts of its output."""
    return subprocess.run([str(arg) for arg in argv], stdin=kwargs.pop("stdin", subprocess.DEVNULL),
                          capture_output=True, text=True, errors="replace", timeout=timeout, cwd=ROOT, **kwargs)


def output(*argv, **kwargs):
    """Standard output of a command that must succeed."""
    done = run(*argv, **kwargs)
    assert done.returncode == 0, f"{argv}: status {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


def report(data, *options):
    return json.loads(output(DWELL, "report", "--json", "-i", data, *options))


def holder(task):
    """The function that a task of a block or closure is in: `a::b {async block c.rs:1}` → `a::b`."""
    return re.sub(r" \{[a-z ]*(?:block|closure) [^}]*\}$", "", task)


class Row:
    """One folded line."""

    SEGMENTS = ("[running]", "[preempted]", "[blocked]", "[await]", "[ready]", "[unattributed]")

    def __init__(self, line):
        stack, _, weight = line.rpartition(" ")
        self.frames = stack.split(";")
        self.weight = int(weight)
        at = [i for i, frame in enumerate(self.frames) if frame in self.SEGMENTS]
        if len(at) != 1:
            raise ValueError(f"not one segment in: {line}")
        self.comm, self.task = self.frames[0], self.frames[1]
        self.chain = self.frames[2:at[0]]
        self.segment = self.frames[at[0]][1:-1]
        self.parts = self.frames[at[0] + 1:]


def fold(data, unit="ns"):
    return [Row(line) for line in output(DWELL, "fold", "--weight", unit, "-i", data).splitlines()]


def below(entries):
    """All entries of a tree of followed waits (`report --json --follow'), outermost first."""
    for entry in entries:
        yield entry
        yield from below(entry.get("followed", []))


def probed_text(pid, path):
    """Offsets at which the executable segments of `path` in the memory of `pid` differ from the file."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
        areas = [line.split(None, 5) for line in maps]
    real = os.path.realpath(path)
    differing = []
    with open(path, "rb") as file, open(f"/proc/{pid}/mem", "rb") as memory:
        for area in areas:
            if len(area) < 6 or area[5].rstrip("\n") != real or "x" not in area[1]:
                continue
            start, end = (int(part, 16) for part in area[0].split("-"))
            offset = int(area[2], 16)
            file.seek(offset)
            memory.seek(start)
            want = file.read(end - start)
            got = memory.read(end - start)[:len(want)]
            if want != got:
                differing += [offset + i for i, (a, b) in enumerate(zip(want, got)) if a != b]
    return differing


def bpf_links():
    """The uprobe_multi links that the kernel has, by id: other recordings on this machine come and go."""
    tool = shutil.which("bpftool") or "/usr/sbin/bpftool"
    links = json.loads(output(tool, "--json", "link", "list") or "[]")
    return {link["id"] for link in links if link.get("type") == "uprobe_multi"}


def readable(stream, seconds):
    return bool(select.select([stream], [], [], seconds)[0])
