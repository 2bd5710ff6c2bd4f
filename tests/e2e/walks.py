#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The await-chain walk in the kernel against the one from outside: build/walks/walks, on random tables and memory."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DWELL_BUILD", ROOT / "build")).resolve()
TABLES = os.environ.get("DWELL_TABLES", "3000")
SEED = os.environ.get("DWELL_SEED", "1")


def main():
    if os.geteuid():
        print("skipped: needs root")
        return 2
    return subprocess.run([BUILD / "walks/walks", TABLES, SEED], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
