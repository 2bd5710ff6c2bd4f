#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What dwell costs the program that it records, and how fast it is: `make bench`.

    run.py [overhead] [sources] [join] [diff] [info]
                                         measures (all of them), prints the result and keeps it in bench/results/
    run.py --table FILE                  a kept result as Markdown
    run.py --compare OLD NEW             two kept results: 1 if a figure is worse, 0 if none is, 2 after an error

overhead  servers under load, bare, with empty probes and recorded, in interleaved rounds; needs root
sources   of that, what the BPF programs of each kernel source take; needs root
join      $DWELL_BUILD/bench/join_speed
diff      `dwell diff` of 2 × 10 recordings of 5 M events that join_speed makes up
info      `dwell info`, cold and cached

A figure that misses its target is printed and is no failure: the exit status is 1 only if something could
not be measured. All load is on 127.0.0.1, bounded in time, and gone when this ends.
"""

import argparse
import contextlib
import ctypes
import dataclasses
import datetime
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import facts  # noqa: E402
import programs  # noqa: E402
import results  # noqa: E402
from harness import (BUILD, DWELL, PROFILES, Process, Recording, cannot_record, report, run,  # noqa: E402
                     wait_for, workload)

PARTS = ("overhead", "sources", "join", "diff", "info")
PROBLEMS = (AssertionError, OSError, subprocess.SubprocessError, ValueError, KeyError)


@dataclasses.dataclass(frozen=True)
class Workload:
    """A server and its load; the names are keys of kept results."""
    name: str
    about: str
    server: tuple           # command line, a port is printed
    load: tuple             # of `peer`, without time and address
    backend: tuple = ()     # of `peer`; its address is given to the server
    saturated: bool = True


WORKLOADS = (
    Workload("request", "TCP echo server, 64 connections, saturated",
             ("request", "serve", "--echo", "--workers", "1"), ("load", "--connections", "64")),
    # Without /lock, which would be all that anybody waits for.
    Workload("web", "HTTP service (axum), 64 connections, saturated",
             ("web", "serve", "--workers", "1"),
             ("http", "--connections", "64", "--paths", "/hello=8,/backend=2,/file=1,/sleep=1"),
             ("backend", "--delay-us", "1000")),
    # The load of `make demo`: the server is mostly idle.
    Workload("web-paced", "HTTP service (axum), 16 connections that think for 1 ms",
             ("web", "serve", "--workers", "1"),
             ("http", "--connections", "16", "--think-us", "1000",
              "--paths", "/hello=2,/backend=4,/lock=1,/file=2,/sleep=2"),
             ("backend", "--delay-us", "5000"), saturated=False),
)


@dataclasses.dataclass(frozen=True)
class Effort:
    """How long and how often."""
    rounds: int
    seconds: float
    warm: float
    repeats: int
    join_events: int
    diff_events: int


FULL = Effort(rounds=6, seconds=5, warm=0.5, repeats=5, join_events=20_000_000, diff_events=5_000_000)
QUICK = Effort(rounds=1, seconds=1, warm=0.1, repeats=1, join_events=2_000_000, diff_events=100_000)


def say(text):
    print(text, flush=True)


# ---- processes ----------------------------------------------------------------------------------------------

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """In a child, before exec: whatever ends us ends it."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def yield_to_server():
    """Also in a child: it does not get in between the server's answer and its next read. A client elsewhere
    could not either; on the server's CPU it would send its next request into the same poll, now and then or
    always, as the scheduler likes: variants would be compared that do not do the same."""
    die_with_parent()
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(10)


def stop_cleanly(*_):
    """On SIGTERM and SIGHUP: out through all the `with`s that kill children."""
    sys.exit(1)


@contextlib.contextmanager
def pinned(cpus):
    """We, and what we start meanwhile, run on these CPUs only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Cpus:
    """Who runs where: the target with its clients on one CPU, the recorder on the others."""

    def __init__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.load = {self.all[-1]}
        self.rest = set(self.all[:-1]) or self.load
        self.two = set(self.all[:2])

    def __str__(self):
        where = ("everything on the only CPU, the recorder too" if self.rest == self.load else
                 "server, clients and backend on one CPU, the recorder on the others")
        return f"In all variants: {where}; clients and backend are SCHED_BATCH with nice 10."


def cpu_ns(pid):
    """CPU time of a process, threads that have ended included: its clock, as clock_getcpuclockid(3) names it."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def switches(pid):
    """Context switches of a process's threads so far."""
    count = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            status = path.read_text(encoding="utf-8", errors="replace")
            count += sum(map(int, re.findall(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)", status, re.M)))
    return count


def peak_mb(pid):
    """The most memory that a process had so far, or None if it has none any more."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    match = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
    return int(match[1]) / 1024 if match else None


def peak_until_end(process, timeout=60):
    """Looks at its memory until it has ended."""
    peak = 0
    end = time.monotonic() + timeout
    while process.alive():
        peak = max(peak, peak_mb(process.pid) or 0)
        assert time.monotonic() < end, f"{process.name} did not end within {timeout} s"
        time.sleep(0.005)
    return peak


def start(stack, argv, directory, name, *, prepare=die_with_parent, **kwargs):
    """A child that is gone at the end of `stack`."""
    return stack.enter_context(Process(argv, directory, name, preexec_fn=prepare, **kwargs))


def start_server(stack, argv, directory, name, **kwargs):
    """A server, its standard input left open, and its port."""
    server = start(stack, argv, directory, name, stdin=subprocess.PIPE, **kwargs)
    wait_for(lambda: server.out.endswith("\n") or not server.alive(), f"port of {name}")
    assert server.alive(), f"{name} ended with {server.child.returncode}: {server.err}"
    return server, int(server.out.split()[0])


def timed(argv, environment):
    """Milliseconds that a command takes, its start included."""
    begin = time.perf_counter()
    done = subprocess.run([str(arg) for arg in argv], cwd=ROOT, env={**os.environ, **environment}, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=600)
    took = (time.perf_counter() - begin) * 1e3
    assert done.returncode == 0, f"{argv[1]}: status {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}"
    return took


# ---- overhead -----------------------------------------------------------------------------------------------

def put_load(one, port, cpus, directory, seconds):
    """Requests for so long; what the clients say of them."""
    argv = [workload("peer"), *one.load, "--seconds", f"{seconds:g}", f"127.0.0.1:{port}"]
    with contextlib.ExitStack() as stack:
        with pinned(cpus.load):
            client = start(stack, argv, directory, "load", prepare=yield_to_server)
        status = client.wait(seconds * 3 + 60)
        assert status == 0, f"{one.name}: the clients ended with {status}: {client.err[-2000:]}"
        return json.loads(client.out)


def sample(one, variant, cpus, effort, directory, environment):
    """A fresh server, loaded once: from before the first connection to after the last has closed."""
    data = directory / f"{one.name}.{variant}.data"
    with contextlib.ExitStack() as stack:
        stack.enter_context(pinned(cpus.rest))
        with pinned(cpus.load):
            argv = [workload(one.server[0]), *one.server[1:]]
            if one.backend:
                _, port = start_server(stack, [workload("peer"), *one.backend], directory, "backend",
                                       prepare=yield_to_server)
                argv += ["--backend", f"127.0.0.1:{port}"]
            server, port = start_server(stack, argv, directory, one.name)
        put_load(one, port, cpus, directory, effort.warm)
        recording = None
        if variant != "bare":
            options = {"empty": ["--empty-probes"], "cpu": ["--cpu"]}.get(variant, [])
            begin = time.monotonic()
            recording = stack.enter_context(Recording(server.pid, directory, data=data, options=options, attach=False,
                                                      env=environment, preexec_fn=die_with_parent))
            recording.attached()
            attach, recorder_before = time.monotonic() - begin, cpu_ns(recording.pid)
        if variant == "sources":
            stack.enter_context(programs.counted())
            ran = programs.seen()
        switched = switches(server.pid)
        begin, before = time.monotonic(), cpu_ns(server.pid)
        loaded = put_load(one, port, cpus, directory, effort.seconds)
        took, used = time.monotonic() - begin, cpu_ns(server.pid) - before
        seen = {key: loaded[key] for key in ("requests", "rate", "p50_us", "p99_us")}
        seen.update(cpu_us=used / 1e3 / loaded["requests"], server_share=used / 1e9 / took,
                    switches_per_request=(switches(server.pid) - switched) / loaded["requests"])
        if variant == "sources":
            seen.update(sources=programs.between(ran, programs.seen(), loaded["requests"]))
        if recording:
            recorder = cpu_ns(recording.pid) - recorder_before
            recording.signal(signal.SIGINT)
            peak = max(peak_mb(recording.pid) or 0, peak_until_end(recording))
            assert recording.wait() == 0, f"dwell record ended with {recording.child.returncode}: {recording.err}"
            seen.update(recorder_share=recorder / 1e9 / took, recorder_peak_mb=peak, attach_ms=attach * 1e3,
                        attach_cpu_ms=recorder_before / 1e6)
    if variant == "record":
        seen.update(recorded(data, took, recorder, loaded["requests"]))
    return seen


def recorded(data, took, recorder_ns, requests):
    """What a recording holds."""
    said = report(data)
    cost, points = said["cost"], said["await_points"]
    # Every poll ends Pending, which begins a wait, or is its task's last.
    polls = sum(point["count"] + point["open"] for point in points) + said["tasks"]["completed"]
    events = cost["events"]
    assert events, "nothing was recorded"
    return {"events": events, "bytes": data.stat().st_size, "lost": said["lost"], "polls": polls,
            "probe_hits": cost["probe_hits"], "events_per_s": events / took,
            "recorder_ns_per_event": recorder_ns / events, "polls_per_request": polls / requests,
            "hits_per_request": cost["probe_hits"] / requests, "events_per_request": events / requests,
            "target_share": cost["target_share"]}


def add_overhead(figures, name, rounds):
    """Figures of one workload; differences are taken within a round, so that what drifts falls out."""
    def of(variant, key):
        return [each[variant][key] if variant in each and key in each[variant] else None for each in rounds]

    def each(function, *lists):
        return [None if None in values else function(*values) for values in zip(*lists)]

    for variant in results.VARIANTS:
        figures.add(f"{name}.{variant}.rate", "requests/s", of(variant, "rate"), "more")
        figures.add(f"{name}.{variant}.cpu_us", "µs/request", of(variant, "cpu_us"), "less")
        figures.add(f"{name}.{variant}.switches_per_request", "", of(variant, "switches_per_request"))
    added = {}
    for variant in ("empty", "record", "cpu"):
        figures.add(f"{name}.{variant}.kept", "of bare requests/s",
                    each(lambda a, b: a / b, of(variant, "rate"), of("bare", "rate")), "more")
        added[variant] = each(lambda a, b: a - b, of(variant, "cpu_us"), of("bare", "cpu_us"))
        figures.add(f"{name}.{variant}.added_us", "µs/request", added[variant], "less")
        figures.add(f"{name}.{variant}.added_ns_per_poll", "ns/poll",
                    each(lambda us, polls: us * 1e3 / polls, added[variant], of("record", "polls_per_request")), "less")
    # Where noise makes empty probes cost nothing, there is no ratio.
    figures.add(f"{name}.added_ratio", "× empty probes",
                each(lambda a, b: a / b if b > 0 else None, added["record"], added["empty"]), "less")
    for key, unit, better in (("polls_per_request", "", ""), ("hits_per_request", "", ""),
                              ("events_per_request", "", ""), ("events_per_s", "events/s", ""),
                              ("recorder_share", "of a core", "less"), ("recorder_ns_per_event", "ns", "less"),
                              ("recorder_peak_mb", "MB", "less"), ("attach_ms", "ms", "less"),
                              ("attach_cpu_ms", "ms", "less")):
        figures.add(f"{name}.{key}", unit, of("record", key), better)
    figures.add(f"{name}.bytes_per_event", "bytes",
                each(lambda size, events: size / events, of("record", "bytes"), of("record", "events")), "less")
    figures.add(f"{name}.lost", "events and pairs",
                each(lambda lost: sum(lost.values()), of("record", "lost")), "less")


def alike(result, figures, name):
    """A note if a variant does not do what the bare server does: batches of another size, sleeps between."""
    bare = figures.median(f"{name}.bare.switches_per_request")
    for variant in ("empty", "record", "cpu"):
        with_probes = figures.median(f"{name}.{variant}.switches_per_request")
        if with_probes is not None and abs(with_probes - bare) > 0.25:
            result["notes"].append(
                f"{name}: {with_probes:.2f} context switches a request ({results.VARIANTS[variant]}) and {bare:.2f} "
                "(bare): the scheduler let the two work differently, the difference of their CPU time is not only "
                "what the probes cost.")


def samples_cpus():
    """Whether dwell was built with what --cpu needs."""
    return "built without" not in run(DWELL, "record", "--cpu", "-q", "-o", "/dev/null", "--", "/bin/true").stderr


def measure_overhead(result, figures, effort, only, directory):
    cpus = Cpus()
    variants = [variant for variant in results.VARIANTS if variant != "cpu" or samples_cpus()]
    why = cannot_record() or (None if DWELL.exists() else "dwell is not built")
    if why:
        variants = ["bare"]
        result["problems"].append(f"overhead: {why}")
    orders = list(itertools.permutations(variants))
    environment = {"XDG_CACHE_HOME": str(directory / "models"), "DEBUGINFOD_URLS": ""}
    for one in WORKLOADS:
        if only and one.name not in only:
            continue
        rounds = []
        try:
            if len(variants) > 1:
                # The recorder's memory and time are those of a binary that it knows.
                timed([DWELL, "info", workload(one.server[0])], environment)
            for number in range(effort.rounds):
                seen = {}
                # The second order is the first one backwards.
                for variant in orders[-number % len(orders)]:
                    seen[variant] = sample(one, variant, cpus, effort, directory, environment)
                    say(f"{one.name:10} round {number + 1}/{effort.rounds} {variant:7} "
                        f"{seen[variant]['rate']:9.0f} requests/s {seen[variant]['cpu_us']:8.2f} µs/request")
                rounds.append(seen)
            if one.saturated and len(variants) > 1:
                argv = [DWELL, "report", "-i", directory / f"{one.name}.record.data"]
                speeds = [seen["record"]["events"] / timed(argv, {}) * 1e3 for _ in range(effort.repeats)]
                figures.add(f"{one.name}.report_events_per_s", "events/s", speeds, "more")
        except PROBLEMS as error:
            problem(result, one.name, error)
        result["workloads"][one.name] = {"about": one.about, "server": " ".join(one.server),
                                         "load": " ".join(one.load), "rounds": rounds}
        add_overhead(figures, one.name, rounds)
        alike(result, figures, one.name)


# ---- sources ------------------------------------------------------------------------------------------------

def measure_sources(result, figures, effort, only, directory):
    """Each workload recorded, while the kernel counts what programs take; that itself costs some ns a run."""
    why = cannot_record()
    assert not why, why
    cpus = Cpus()
    environment = {"XDG_CACHE_HOME": str(directory / "models"), "DEBUGINFOD_URLS": ""}
    for one in WORKLOADS:
        if only and one.name not in only:
            continue
        runs = []
        for number in range(min(effort.rounds, 3)):
            runs.append(sample(one, "sources", cpus, effort, directory, environment)["sources"])
            say(f"{one.name:10} sources {number + 1} "
                + ", ".join(f"{source} {each['ns']:.0f} ns" for source, each in sorted(runs[-1].items())))
        result.setdefault("sources", {})[one.name] = runs
        for source in sorted({source for run in runs for source in run}):
            for key, unit in (("runs", "a request"), ("ns", "ns/request")):
                figures.add(f"{one.name}.source.{source}.{key}", unit,
                            [run[source][key] if source in run else None for run in runs], "less")


# ---- join ---------------------------------------------------------------------------------------------------

def measure_join(_result, figures, effort, directory):
    program = BUILD / "bench/join_speed"
    assert program.exists(), "join_speed is not built"
    runs = []
    for _ in range(min(effort.repeats, 3)):
        done = run(program, effort.join_events, 1000, directory / "join_speed.data", timeout=600)
        assert done.returncode == 0, f"join_speed: status {done.returncode}: {done.stderr}"
        runs.append(json.loads(done.stdout))
        say(f"join       {runs[-1]['report_events_per_s'] / 1e6:.2f} M events/s")
    for key, unit, better in (("report_events_per_s", "events/s", "more"), ("read_events_per_s", "events/s", "more"),
                              ("encode_ns_per_event", "ns", "less"), ("max_rss_mb", "MB", "less")):
        figures.add(f"join.{key}", unit, [each[key] for each in runs], better)


# ---- diff ---------------------------------------------------------------------------------------------------

def compared(*argv):
    """Seconds that it took, and the most memory that it had, MB."""
    began = time.monotonic()
    with subprocess.Popen([str(arg) for arg in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          preexec_fn=die_with_parent) as child:
        # What wait4() tells is also that of ours, from before it executed dwell.
        peak = 0
        while child.poll() is None:
            with contextlib.suppress(OSError):
                found = re.search(r"^VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{child.pid}/status").read_text("ascii", "replace"),
                                  re.M)
                if found and os.readlink(f"/proc/{child.pid}/exe") == str(DWELL):
                    peak = int(found[1])
            time.sleep(0.005)
    assert child.returncode in (0, 1) and peak, f"dwell {argv[1]}: status {child.returncode}"
    return time.monotonic() - began, peak / 1024


def measure_diff(_result, figures, effort, directory):
    """One, ten of each side: is it fast enough, and does its memory depend on how many there are?"""
    made = []
    for number in range(20):
        made.append(directory / f"{number}.data")
        done = run(BUILD / "bench/join_speed", effort.diff_events, 1000, made[-1], 1000 + number, timeout=600)
        assert done.returncode == 0, f"join_speed: status {done.returncode}: {done.stderr}"
    def sides(each):
        return [word for number in range(each) for word in ("-a", made[number], "-b", made[-1 - number])]
    seen = {}
    for key, argv in (("alone", sides(1)), ("sets", sides(10)), ("per", ["--per", "*", *sides(10)])):
        seen[key] = [compared(DWELL, "diff", *argv) for _ in range(min(effort.repeats, 3))]
        figures.add(f"diff.{key}.s", "s", [each[0] for each in seen[key]], "less")
        figures.add(f"diff.{key}.max_rss_mb", "MB", [each[1] for each in seen[key]], "less")
        say(f"diff       {key}: {seen[key][-1][0]:.1f} s, {seen[key][-1][1]:.1f} MB")
    figures.add("diff.events_per_s", "events/s", [20 * effort.diff_events / each[0] for each in seen["sets"]], "more")
    figures.add("diff.memory_ratio", "", [ten[1] / one[1] for one, ten in zip(seen["alone"], seen["sets"])], "less")
    for path in made:
        path.unlink()


# ---- info ---------------------------------------------------------------------------------------------------

SHF_COMPRESSED = 0x800


def debug_info_bytes(path):
    """Size of .debug_info, uncompressed, of a 64-bit little-endian ELF file; 0 if it has none or is none."""
    with open(path, "rb") as file:
        def unpack(offset, form):
            file.seek(offset)
            data = file.read(struct.calcsize(form))
            return struct.unpack(form, data) if len(data) == struct.calcsize(form) else (0,) * len(form.strip("<"))

        if file.read(6) != b"\x7fELF\x02\x01":
            return 0
        (table,) = unpack(0x28, "<Q")
        entry, count, names = unpack(0x3A, "<HHH")
        sections = [unpack(table + i * entry, "<IIQQQQ") for i in range(count)]
        for name, _, flags, _, offset, size in sections:
            file.seek(sections[names][4] + name)
            if file.read(12) == b".debug_info\0":
                return unpack(offset + 8, "<Q")[0] if flags & SHF_COMPRESSED else size
    return 0


def binaries(result, given):
    """What to read, and under which name: the largest workload, and what the user names; the largest first."""
    ours = [path for profile in PROFILES for path in (BUILD / "workloads" / profile).glob("*")
            if path.is_file() and not path.suffix and os.access(path, os.X_OK)]
    assert ours or given, "no binary to read"
    chosen = {}
    for path in map(pathlib.Path, given):
        chosen[path.name if path.name not in chosen else f"{path.name}-{len(chosen) + 1}"] = path
    if ours:
        largest = max(ours, key=debug_info_bytes)
        chosen[f"{largest.parent.name}/{largest.name}"] = largest
    sizes = []
    for name, path in chosen.items():
        try:
            sizes.append((debug_info_bytes(path), name, path))
            assert sizes[-1][0], "no .debug_info"
        except PROBLEMS as error:
            problem(result, f"info {name}", error)
    return sorted((each for each in sizes if each[0]), reverse=True)


def measure_info(result, figures, effort, given, directory):
    """The file itself is in the page cache in all runs: what is measured is reading, not the disk."""
    assert DWELL.exists(), "dwell is not built"
    for number, (size, name, path) in enumerate(binaries(result, given)):
        path = path.resolve()
        path.read_bytes()
        cold, cached, peaks = [], [], []
        with pinned(Cpus().two):
            for i in range(effort.repeats):
                cache = directory / f"info-{number}-{i}"
                environment = {"XDG_CACHE_HOME": str(cache), "DEBUGINFOD_URLS": ""}
                cold.append(timed([DWELL, "info", path], environment))
                assert any(each.is_file() for each in cache.rglob("*")), "dwell info left no model in the cache"
                cached.append(timed([DWELL, "info", path], environment))
                say(f"info       {name}: {size / 1e3 / cold[-1]:.1f} MB/s, cached {cached[-1]:.1f} ms")
            # Once more for its memory: to look at it takes time.
            with contextlib.ExitStack() as stack:
                environment["XDG_CACHE_HOME"] = str(directory / f"info-{number}-peak")
                process = start(stack, [DWELL, "info", path], directory, "info", env=environment)
                peaks.append(peak_until_end(process, 600))
        stem = f"info.{name.replace('.', '_')}" + (".largest" if number == 0 else "")
        figures.add(f"{stem}.debug_info_mb", "MB", [size / 1e6])
        figures.add(f"{stem}.cold_ms", "ms", cold, "less")
        figures.add(f"{stem}.cold_mb_per_s", "MB/s", [size / 1e3 / ms for ms in cold], "more")
        figures.add(f"{stem}.cached_ms", "ms", cached, "less")
        figures.add(f"{stem}.cold_peak_mb", "MB", peaks, "less")


# ---- the run ------------------------------------------------------------------------------------------------

def machine():
    """What the figures depend on, and nothing that tells whose machine it is."""
    locked = (ROOT / "tests/workloads/Cargo.lock").read_text(encoding="utf-8")
    tokio = re.search(r'^name = "tokio"\nversion = "([^"]+)"', locked, re.M)
    rustc = shutil.which("rustc") or pathlib.Path.home() / ".cargo/bin/rustc"
    sources = ("Makefile", "bpf", "flamegraph", "kernel-events", "src", "tests/workloads")
    commit, changed = facts.commit(ROOT, *sources)
    return {
        **facts.host(),
        "load_average": facts.load_average(),
        "dwell": commit,
        "changed": changed,
        "rustc": " ".join(facts.first_line(rustc, "--version").split()[:2]),
        "tokio": tokio[1] if tokio else "unknown",
        "compiler": facts.first_line("cc", "--version"),
        "clang": facts.first_line("clang", "--version"),
    }


def problem(result, part, error):
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    for path in (BUILD, ROOT, pathlib.Path(tempfile.gettempdir())):
        text = text.replace(f"{path}/", "")
    result["problems"].append(f"{part}: {text}")
    say(f"PROBLEM    {part}: {text}")


def measure(arguments):
    effort = QUICK if arguments.quick else FULL
    effort = dataclasses.replace(effort, **{key: value for key, value in
                                            (("rounds", arguments.rounds), ("seconds", arguments.seconds)) if value})
    begun = datetime.datetime.now(datetime.timezone.utc)
    figures = results.Figures()
    result = {"version": results.VERSION, "date": begun.strftime("%Y-%m-%dT%H:%M:%SZ"), "quick": arguments.quick,
              "rounds": effort.rounds, "seconds": effort.seconds, "pinning": str(Cpus()), "machine": machine(),
              "workloads": {}, "figures": figures.all, "targets": [], "notes": [], "problems": []}
    if result["machine"]["load_average"] > 0.3:
        result["notes"].append(f"The load average was {result['machine']['load_average']:.2f} before the run: the "
                               "machine may have done other things, too.")
        say(f"warning: {result['notes'][0]}")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="dwell-bench-"))
    try:
        for part, function, more in (("overhead", measure_overhead, [arguments.workload]),
                                     ("sources", measure_sources, [arguments.workload]),
                                     ("join", measure_join, []), ("diff", measure_diff, []), ("info", measure_info, [arguments.binary])):
            if arguments.parts and part not in arguments.parts:
                continue
            try:
                function(result, figures, effort, *more, directory)
            except PROBLEMS as error:
                problem(result, part, error)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    result["targets"] = results.targets(figures)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0], epilog="See bench/README.md.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="a smoke test: one short round, kept in the build folder")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--seconds", type=float, metavar="S", help="of load in each sample")
    parser.add_argument("--workload", action="append", choices=[one.name for one in WORKLOADS],
                        help="only this one (may be repeated)")
    parser.add_argument("--binary", action="append", default=[], metavar="PATH",
                        help="read this binary too (may be repeated)")
    parser.add_argument("--output", type=pathlib.Path, metavar="FILE", help="keep the result there")
    parser.add_argument("--table", metavar="FILE", help="show a kept result as Markdown")
    parser.add_argument("--compare", nargs=2, metavar=("OLD", "NEW"), help="is any figure worse?")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    try:
        if arguments.table:
            print(results.markdown(results.load(arguments.table)))
            return 0
        if arguments.compare:
            text, worse = results.compare(*map(results.load, arguments.compare), BUILD / "bench/repeats")
            print(text)
            return 1 if worse else 0
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2

    signal.signal(signal.SIGTERM, stop_cleanly)
    signal.signal(signal.SIGHUP, stop_cleanly)
    result = measure(arguments)
    stamp = re.sub(r"[-:Z]", "", result["date"]).replace("T", "-")
    name = re.sub(r"[^\w.+-]", "_", f"{stamp}-linux-{result['machine']['kernel']}.json")
    path = arguments.output or (BUILD / "bench/quick" if arguments.quick else ROOT / "bench/results") / name
    results.save(result, path)
    print(f"\n{results.markdown(result)}\n\nkept in {os.path.relpath(path)}")
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
