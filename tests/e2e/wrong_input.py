#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Wrong input and a broken environment: one clear line, a nonzero status, no crash, and what was recorded can still be
read. Parts that need no recording are also tested without root."""

import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time

from harness import (DWELL, ROOT, Checks, Process, Recording, Target, cannot_record, need_files, output, report, run,
                     scratch, workload)

NOBODY = 65534


def refused(checks, what, done, *words, status=1, lines=1):
    """`done` failed as it should: status, lines on standard error, and words in them."""
    said = done.stderr.strip()
    ok = (done.returncode == status and 0 < len(said.splitlines()) <= lines and said.startswith("dwell")
          and any(word.lower() in said.lower() for word in words or [""]))
    checks.check(ok, what, lambda: f"status {done.returncode} (wanted {status}), wanted one of {words} in:\n{done.stderr}")


def usage(checks):
    for argv in ([], ["nonsense"], ["record"], ["record", "-p"], ["record", "-p", "x"], ["record", "-p", "-1"],
                 ["record", "-p", "1", "--", "true"], ["record", "--duration"], ["help", "nonsense"],
                 ["report", "--nonsense"], ["fold", "--weight", "years"], ["info"], ["info", "a", "b"],
                 ["fold", "--diff", "a"], ["flamegraph", "--diff", "a"], ["flamegraph", "--diff", "a", "b", "c"],
                 ["flamegraph", "--diff", "--folded", "a", "b"], *([command, *files] for command in ("report", "fold", "flamegraph")
                   for files in (["a", "b"], ["-i", "a", "b"], ["-i", "a", "-i", "b"]))):
        done = run(DWELL, *argv)
        checks.check(done.returncode == 2 and not done.stdout and done.stderr,
                     f"usage: dwell {' '.join(argv)}", f"{done}")
    for argv in (["nonsense"], ["help", "nonsense"], ["report", "a", "b"], ["fold", "-i", "a", "b"], ["info", "a", "b"],
                 ["record", "1234"], *(["record", "-p", "1", "--duration", d] for d in ("never", "0", "-1", "1sx", "1e3", "9" * 30))):
        done = run(DWELL, *argv)
        checks.check(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and argv[-1] in done.stderr,
                     f"usage: dwell {' '.join(argv)}: one line that says it", f"{done}")
    commands = ("record", "report", "fold", "flamegraph", "info")
    for argv in (["--help"], ["--version"], *([command, "--help"] for command in commands)):
        done = run(DWELL, *argv)
        size = len(done.stdout.splitlines())
        wide = [line for line in done.stdout.splitlines() if len(line) > 79]
        checks.check(done.returncode == 0 and not done.stderr and 0 < size <= 24 and not wide,
                     f"usage: dwell {' '.join(argv)} fits a screen", f"{size} lines, too wide: {wide}\n{done}")
    for same in ([["--help"], ["-h"], ["help"]], [["--version"], ["-V"], ["version"]],
                 *([[c, "--help"], [c, "-h"], [c, "-?"], ["help", c]] for c in commands)):
        said = {run(DWELL, *argv).stdout for argv in same}
        checks.check(len(said) == 1 and said != {""}, f"usage: dwell {' '.join(same[-1])} is the same", f"{said}")
    # After -- nothing is dwell's.
    done = run(DWELL, "record", "--", "/nonsense", "-h")
    checks.check(done.returncode == 1 and "/nonsense" in done.stderr, "usage: record -- COMMAND -h", f"{done}")


def named_file(checks, directory):
    """A recording by its name alone, as with perf, is the same as with -i."""
    data = ROOT / "tests/replay/cases/io.data"
    for argv in (["report"], ["report", "--json"], ["fold"], ["flamegraph", "-o", "-"]):
        want = output(DWELL, *argv, "-i", data)
        for other in ([*argv, data], [argv[0], data, *argv[1:]]):
            checks.check(want and output(DWELL, *other) == want, f"named file: dwell {other[0]} {len(other)}")
        with open(data, "rb") as stdin:
            done = run(DWELL, *argv, "-", stdin=stdin)
        checks.check(done.returncode == 0 and done.stdout == want, f"named file: dwell {argv[0]} -", f"{done}")
    refused(checks, "named file: one that is not there", run(DWELL, "report", directory / "missing"), "no such file")


def files(checks, directory):
    """Files that are no recordings, or no executables."""
    text = directory / "text"
    text.write_text("#!/bin/sh\necho I am no trace\n")
    cut = directory / "cut.elf"
    cut.write_bytes(DWELL.read_bytes()[:1000])
    empty = directory / "empty"
    empty.touch()
    for command in ("report", "fold", "flamegraph"):
        options = ["-o", directory / "none.svg"] if command == "flamegraph" else []
        for path in (text, cut, empty, directory, directory / "missing"):
            refused(checks, f"{command}: {path.name}", run(DWELL, command, "-i", path, *options))
    fifo = directory / "fifo"
    os.mkfifo(fifo)
    for path in (text, cut, empty, directory, directory / "missing", fifo):
        refused(checks, f"info: {path.name}", run(DWELL, "info", path, timeout=20))
    done = run(DWELL, "info", "/bin/sleep")
    checks.check(done.returncode in (0, 1) and len(done.stdout + done.stderr) > 10
                 and "runtime" in (done.stdout + done.stderr).lower(),
                 "info: a program that is not Rust is called so", f"{done}")


def crc32c(data):
    """The checksum of chunks (src/trace/chunk.c)."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def chunk(kind, payload):
    """A chunk whose head is right; readers step over kinds that they do not know."""
    head = struct.pack("<IBBHIIQQI", 0x6b636c64, kind, 0, 0, len(payload), 0, 0, 0, crc32c(payload))
    return head + struct.pack("<I", crc32c(head)) + payload


def piped(argv, data, endless, **kwargs):
    """A command that reads `data`, then `endless` again and again, from a pipe."""
    with subprocess.Popen([str(arg) for arg in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **kwargs) as child:
        try:
            child.stdin.write(data)
            while endless:
                child.stdin.write(endless)
        except BrokenPipeError:
            pass
        finally:
            try:
                child.stdin.close()
            except BrokenPipeError:
                pass
            child.stdin = None
        out, err = child.communicate(timeout=60)
        return subprocess.CompletedProcess(argv, child.returncode, out.decode(), err.decode())


def endless_input(checks, directory):
    """What never ends is looked at before it is copied, and no file system is filled with it."""
    def few_bytes():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    good = (ROOT / "tests/replay/cases/io.data").read_bytes()
    want = output(DWELL, "report", "-i", ROOT / "tests/replay/cases/io.data")
    for path in ("/dev/zero", "/dev/urandom"):
        refused(checks, f"endless: {path}", run(DWELL, "report", "-i", path, preexec_fn=few_bytes, timeout=20),
                "no magic number")
    done = piped([DWELL, "report", "-i", "-"], good, bytes(4096), preexec_fn=few_bytes)
    checks.check(done.returncode == 0 and done.stdout == want, "endless: a recording, then zeros", f"{done}")
    done = piped([DWELL, "report", "-i", "-"], good[:len(good) // 2], bytes(4096), preexec_fn=few_bytes)
    refused(checks, "endless: half a recording, then zeros", done, "ends early", "nothing was recorded")
    def little_memory():
        resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))

    for data, endless in ((b"", bytes(4096)), (b"a;b 1\n", b"a" * 4096)):
        done = piped([DWELL, "flamegraph", "--folded", "-i", "-", "-o", directory / "endless.svg"], data, endless,
                     preexec_fn=little_memory)
        refused(checks, f"endless: {endless[:1]!r} as folded stacks", done, "not a folded stack")
    disk = directory / "small"
    disk.mkdir()
    mounted = run("mount", "-t", "tmpfs", "-o", "size=16m", "dwell-test", disk)
    if mounted.returncode:
        checks.skip("endless: chunks without end", f"no tmpfs can be mounted: {mounted.stderr.strip()}")
        return
    try:
        done = piped([DWELL, "report", "-i", "-"], good[:16], chunk(99, bytes(65536)),
                     env={**os.environ, "TMPDIR": str(disk)})
        refused(checks, "endless: chunks without end", done, "TMPDIR")
        checks.check("free" in done.stderr, "endless: the file system is not filled", done.stderr)
    finally:
        run("umount", disk)


def cut_meanwhile(checks, directory):
    """A program, or its debug file, that is truncated while its model is made."""
    program, debug = directory / "changing", directory / "changing.debug"
    whole = DWELL.read_bytes()
    subprocess.run(["objcopy", "--only-keep-debug", DWELL, debug], check=True)
    whole_debug = debug.read_bytes()
    bad = []
    lines = 0
    for number in range(40):
        program.write_bytes(whole)
        debug.write_bytes(whole_debug)
        argv = [DWELL, "info", "--no-cache", *(["--debug-file", debug] if number % 2 else []), program]
        with subprocess.Popen([str(arg) for arg in argv], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True) as child:
            time.sleep(number / 40 * 0.05)
            os.truncate(debug if number % 2 else program, number * 1000)
            err = child.communicate(timeout=60)[1]
        lines = max(lines, len(err.splitlines()))
        if child.returncode not in (0, 1) or (child.returncode == 1) != bool(err):
            bad.append(f"{child.returncode} {err}")
    checks.check(not bad, "cut meanwhile: no signal, and a line if it failed", "\n".join(bad))
    checks.check(lines <= 1, "cut meanwhile: one line")


def out_of_memory(checks, directory):
    """With any limit on memory: it works, or says why not."""
    wrong = []
    program = workload("web") if workload("web").exists() else DWELL
    for kib in range(4000, 200000, 9000):
        def limit(kib=kib):
            resource.setrlimit(resource.RLIMIT_AS, (kib << 10, kib << 10))
        for argv in (["info", "--no-cache", program], ["report", "-i", ROOT / "tests/replay/cases/io.data"]):
            done = run(DWELL, *argv, preexec_fn=limit)
            if "loading shared libraries" in done.stderr:
                continue
            if done.returncode and "memory" not in done.stderr:
                wrong.append(f"{kib} KiB: {argv[0]}: {done.returncode} {done.stderr}")
    checks.check(not wrong, "out of memory: said to be that", "\n".join(wrong))


def hostile_names(checks, directory):
    """Names with a terminal's escapes in them: nothing that is said hands them on."""
    name = directory / "\x1b[31mred\x1b]0;title\x07\n\u009b2J\u202e"
    name.write_bytes(b"no program")
    for argv in (["info", name], ["info", str(name) + ".missing"], ["report", "-i", name], ["fold", "-i", name],
                 ["flamegraph", "-i", name], ["flamegraph", "--folded", "-i", name], ["\x1b[31m"],
                 ["record", "-o", directory / "none.data", "--", name]):
        done = run(DWELL, *argv)
        bad = [c for c in done.stderr.rstrip("\n") if ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or c == "\u202e"]
        checks.check(done.returncode and done.stderr and not bad, f"hostile name: {argv[0]!r}", f"{bad} {done}")


def full_output(checks, directory, data):
    with open("/dev/full", "w", encoding="utf-8") as full:
        for argv in (["fold", "-i", data], ["report", "-i", data], ["report", "--json", "-i", data], ["--help"],
                     ["flamegraph", "-i", data, "-o", "-"]):
            done = subprocess.run([str(DWELL), *map(str, argv)], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=60)
            refused(checks, f"full output: dwell {argv[0]}", done, "space")
    lines = directory / "one-weight.folded"
    lines.write_text("app;task;[running] 12\n")
    refused(checks, "flamegraph --diff --folded: one weight",
            run(DWELL, "flamegraph", "--diff", "--folded", lines, "-o", directory / "x.svg"), "BEFORE AFTER")
    other = ROOT / "tests/replay/cases/symbols.data"
    refused(checks, "flamegraph --diff: other tiers",
            run(DWELL, "flamegraph", "--diff", ROOT / "tests/replay/cases/io.data", other, "-o", directory / "x.svg"), "tier")
    refused(checks, "flamegraph: no such folder", run(DWELL, "flamegraph", "-i", data, "-o", directory / "no/x.svg"))


def targets(checks, directory):
    """Processes that cannot be recorded."""
    data = directory / "none.data"
    gone = subprocess.Popen(["true"])
    gone.wait()
    refused(checks, "record: no such pid", run(DWELL, "record", "-p", gone.pid, "-o", data), "no such process", "process")
    for argv in (["/bin/sleep", "100"], [sys.executable, "-c", "import time; time.sleep(100)"]):
        with Process(argv, directory, "other"):
            time.sleep(0.2)
            # Said of whatever stands on the command line: the pid is the one that was started.
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as other:
            time.sleep(0.2)
            refused(checks, f"record: {os.path.basename(argv[0])}, not Rust",
                    run(DWELL, "record", "-p", other.pid, "-o", data), "runtime", "tokio", "Rust")
            other.kill()
    kernel_thread = next((pid for pid in os.listdir("/proc") if pid.isdigit() and pid != "1"
                          and not os.path.exists(f"/proc/{pid}/exe") and os.path.exists(f"/proc/{pid}")), None)
    if kernel_thread:
        refused(checks, "record: a kernel thread", run(DWELL, "record", "-p", kernel_thread, "-o", data))
    refused(checks, "record: no such command", run(DWELL, "record", "-o", data, "--", directory / "missing"))
    refused(checks, "record: a command that is no program", run(DWELL, "record", "-o", data, "--", directory / "text"))
    with Target([workload("timers"), "--rounds", "1000"], directory, "output") as target:
        refused(checks, "record: an output that cannot be written",
                run(DWELL, "record", "-p", target.pid, "-o", directory / "no/such/file"))


def stripped(checks, directory):
    """Without DWARF there are no await points, and without symbols nothing at all: both say what to do."""
    env = {"XDG_CACHE_HOME": str(directory / "cache")}
    for option, tiers in (("--strip-debug", ("symbols",)), ("--strip-all", ("stripped",))):
        program = directory / f"timers{option}"
        subprocess.run(["strip", option, "-o", str(program), str(workload("timers"))], check=True)
        with Target([program, "--rounds", "1000"], directory, program.name) as target:
            target.go()
            done = run(DWELL, "record", "-p", target.pid, "--duration", "0.5", "-o", directory / "stripped.data",
                       env={**os.environ, **env})
        if done.returncode == 0:
            seen = report(directory / "stripped.data")
            checks.check(seen["recording"]["tier"] in tiers and "debug" in seen["recording"]["tier_hint"],
                         f"record: {option}: the report says what is missing and how to get it",
                         f"{seen['recording']}")
            checks.check(seen["tasks"]["seen"] > 0 and sum(seen["segments"].values()) == seen["lifetime_ns"],
                         f"record: {option}: the tasks' time adds up", f"{seen['tasks']} {seen['segments']}")
        else:
            refused(checks, f"record: {option}", done, "debug", "symbols", "strip")


def rights(checks, directory):
    """As nobody, on a process of nobody's."""
    dwell = directory / "dwell"
    program = directory / "timers"
    shutil.copy(DWELL, dwell)
    shutil.copy(workload("timers"), program)
    directory.chmod(0o777)
    def become():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    env = {**os.environ, "HOME": str(directory), "XDG_CACHE_HOME": str(directory / "cache-nobody")}
    with Target([program, "--rounds", "1000"], directory, "nobodys", preexec_fn=become) as own, \
         Target([program, "--rounds", "1000"], directory, "roots") as other:
        for what, pid in (("one's own process", own.pid), ("somebody else's process", other.pid)):
            done = subprocess.run([str(dwell), "record", "-p", str(pid), "-o", str(directory / "nobody.data")],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                                  preexec_fn=become, env=env, cwd=directory)
            refused(checks, f"rights: {what}", done, "root", "CAP_BPF")
    if os.path.exists("/usr/bin/setpriv"):
        with Target([program, "--rounds", "1000"], directory, "uncapped") as other:
            done = run("setpriv", "--bounding-set=-all", "--inh-caps=-all", dwell, "record", "-p", other.pid,
                       "-o", directory / "uncapped.data")
            refused(checks, "rights: root without capabilities", done, "CAP_BPF", "root", "capabilit")


def torn(checks, directory, data):
    """A recording that is truncated in its middle."""
    whole = data.read_bytes()
    path = directory / "torn.data"
    for part in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[:int(len(whole) * part)])
        for command in (["report"], ["fold"], ["flamegraph", "-o", directory / "torn.svg"]):
            done = run(DWELL, *command, "-i", path)
            # That there is nothing to draw or to fold is one thing more to say.
            refused(checks, f"torn: {command[0]} of {part * 100:g} %", done, "ends early", "nothing was recorded",
                    lines=1 if command[0] == "report" else 2)
        refused(checks, f"torn: a difference to {part * 100:g} %",
                run(DWELL, "flamegraph", "-o", directory / "torn.svg", "--diff", data, path), "ends early", lines=2)
    checks.check("lifetime_ns" in run(DWELL, "report", "--json", "-i", path).stdout, "torn: what is there is shown")


def full_disk(checks, directory):
    disk = directory / "disk"
    disk.mkdir()
    mounted = run("mount", "-t", "tmpfs", "-o", "size=1m", "dwell-test", disk)
    if mounted.returncode:
        checks.skip("full disk", f"no tmpfs can be mounted: {mounted.stderr.strip()}")
        return
    try:
        with Target([workload("panics"), "churn"], directory, "disk-target") as target:
            target.go()
            with Recording(target.pid, directory, "disk-dwell", data=disk / "full.data") as recording:
                status = recording.wait(60)
                last = recording.err.splitlines()[-1]
                checks.check(status == 1 and "space" in last, "full disk: ends with a line that says so",
                             lambda: f"status {status}: {recording.err}")
            checks.check(target.alive(), "full disk: the target runs on")
            done = run(DWELL, "report", "--json", "-i", recording.data)
            checks.check(done.returncode == 0 and not done.stderr, "full disk: what was recorded can be read",
                         f"{done.returncode} {done.stderr} {done.stdout[:300]}")
            seen = json.loads(done.stdout)
            checks.check(seen["recording"]["torn"] is None and "space" in seen["recording"]["ended_by"],
                         "full disk: the file is whole, and says why it ended", f"{seen['recording']} {seen['lost']}")
    finally:
        run("umount", disk)


def main():
    need_files(DWELL)
    checks = Checks()
    with scratch() as directory:
        usage(checks)
        files(checks, directory)
        for part in (named_file, endless_input, hostile_names, cut_meanwhile, out_of_memory):
            with checks.guarded(part.__name__):
                part(checks, directory)
        why = cannot_record()
        if why:
            checks.skip("what needs a recording", why)
            checks.done()
        need_files(workload("timers"), workload("panics"))
        with Target([workload("timers"), "--seconds", "1"], directory, "timers") as target:
            with Recording(target.pid, directory, "good") as recording:
                target.go()
                target.wait()
                checks.equal(recording.wait(), 0, "a recording to cut and to draw")
        for part in (full_output, torn):
            with checks.guarded(part.__name__):
                part(checks, directory, recording.data)
        for part in (targets, stripped, rights, full_disk):
            with checks.guarded(part.__name__):
                part(checks, directory)
        checks.skip("a kernel without uprobe_multi", "this one has it")
    checks.done()


if __name__ == "__main__":
    main()
