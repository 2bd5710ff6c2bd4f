# SPDX-License-Identifier: GPL-2.0
"""What figures and recordings depend on: the machine, the system, the source; and nothing that tells whose machine it
is."""

import os
import pathlib
import platform
import re
import subprocess


def first_line(*argv, cwd=None):
    """Of what a command prints, or "unknown"."""
    try:
        done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout else "unknown"


def host():
    cpu = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    model = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", cpu, re.M)
    memory = re.search(r"^MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(encoding="utf-8"), re.M)
    return {
        "cpu": model[1] if model else platform.processor() or "unknown",
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "virtual": bool(re.search(r"^flags\s*:.*\bhypervisor\b", cpu, re.M)),
        "memory_gb": round(int(memory[1]) / 1e6, 1) if memory else None,
        "kernel": platform.release(),
    }


def load_average():
    return os.getloadavg()[0]


def commit(directory, *paths):
    """Of a folder's repository, and whether it has changes (in these paths, or any); "unknown" and False outside."""
    name = first_line("git", "rev-parse", "--short=12", "HEAD", cwd=directory)
    changed = first_line("git", "status", "--porcelain", "--untracked-files=no", "--", *paths, cwd=directory)
    return name, name != "unknown" and changed != "unknown"
