# SPDX-License-Identifier: GPL-2.0
"""What each kernel source of dwell does while a server is loaded: how often its BPF programs run, and how long.

The kernel counts both for every program while somebody asks it to (BPF_ENABLE_STATS). Which source a program is
of follows from the file that defines it. Programs on tracepoints run for all processes: runs that end at once
since another process is meant are in the numbers. What a probe costs before its program runs is not in them;
the empty probes show that."""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]

# <linux/bpf.h>, enum bpf_cmd; <asm/unistd_64.h>
BPF_ENABLE_STATS = 32
NR_BPF = {"x86_64": 321}
BPF_STATS_RUN_TIME = 0
# The kernel keeps so much of a program's name; bpftool has the whole name if the program has BTF.
NAME_LEN = 15


def sources():
    """The source of each program, by its name."""
    of = {}
    for path in [*sorted((ROOT / "kernel-events").glob("*.bpf.c")), *sorted((ROOT / "bpf").glob("*.bpf.c"))]:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r'^SEC\("[^"]+"\)\nint (?:BPF_PROG\()?(\w+)', text, re.M):
            of[name] = "probes" if path.parent.name == "bpf" else path.name.removesuffix(".bpf.c")
    return of


@contextlib.contextmanager
def counted():
    """The kernel counts runs and time of programs meanwhile. Ends by itself with this process."""
    attr = ctypes.create_string_buffer(BPF_STATS_RUN_TIME.to_bytes(4, "little"), 128)
    fd = ctypes.CDLL(None, use_errno=True).syscall(NR_BPF[os.uname().machine], BPF_ENABLE_STATS, attr, len(attr))
    if fd < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"BPF_ENABLE_STATS: {os.strerror(error)}")
    try:
        yield
    finally:
        os.close(fd)


def seen():
    """{source: [runs, ns]} so far, of the recording that is under way; there is but one."""
    listed = subprocess.run(["bpftool", "--json", "prog", "show"], check=True, capture_output=True, timeout=60,
                            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}).stdout
    of = sources()
    short = {name[:NAME_LEN]: source for name, source in of.items()}
    total = {}
    for program in json.loads(listed):
        source = of.get(program.get("name")) or short.get(program.get("name"))
        if source:
            runs = total.setdefault(source, [0, 0])
            runs[0] += program.get("run_cnt", 0)
            runs[1] += program.get("run_time_ns", 0)
    assert total, "bpftool lists none of dwell's programs"
    return total


def between(before, after, requests):
    """{source: {runs, ns}} for a request."""
    return {source: {"runs": (runs - before.get(source, [0, 0])[0]) / requests,
                     "ns": (ns - before.get(source, [0, 0])[1]) / requests}
            for source, (runs, ns) in after.items()}
