# SPDX-License-Identifier: GPL-2.0
"""A recording compared with what the program itself noted (formats: tests/workloads/src/lib.rs).

A *site* here is a place in the program's own notes: task, function, file, line. An await point of dwell's report belongs
to the innermost site on its stack. Names are compared without generics.
"""

import collections
import json
import re

from harness import holder

# What dwell calls the parts that the truth names as one.
PARTS = {"no data": ["no data", "no data: reply", "no data: request", "no data: connection", "no data: nothing asked"],
         "until deadline": ["until deadline", "until deadline: next tick"],
         "until wake": ["until woken", "until woken: no work", "until woken: tasks go on"],
         "job": ["job running", "job run queue", "job blocked", "until woken"],  # the last: of a task that has one done
         "in io-wq": ["in io-wq"], "worker busy": ["worker busy"]}

# Shapes of tests/workloads/src/bin/shapes whose chain ends in a named gap, each with the gap's text.
KNOWN_GAPS = {}

# Roots that link-time optimization may take apart, so that there is no future in memory to be followed.
KEPT_IN_REGISTERS = {"roots::small", "roots::simple", "roots::foreign"}

Site = collections.namedtuple("Site", "task function file line")


def plain(name):
    """A name without generics, by which the truth calls it: `a::b<T>::c {async block d.rs:1}` → `a::b::c`."""
    name = holder(name)
    depth = 0
    kept = []
    for i, char in enumerate(name):
        if char == "<":
            depth += 1
        elif char == ">" and name[i - 1] != "-":
            depth -= 1
        elif not depth:
            kept.append(char)
    return "".join(kept).replace("::::", "::") or name


def frame(function, file, line):
    return f"{function} ({file}:{line})"


def split_frame(text):
    """(function, file, line) of an await frame, or None."""
    match = re.fullmatch(r"(.*) \((\S+):(\d+)\)", text)
    return (plain(match[1]), match[2], int(match[3])) if match else None


def plain_frame(text):
    parts = split_frame(text)
    return frame(*parts) if parts else plain(text)


def close(got, want, relative, absolute):
    return abs(got - want) <= max(relative * want, absolute)


class Truth:
    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        by_type = collections.defaultdict(list)
        for record in records:
            by_type[record["t"]].append(record)
        self.run = by_type["run"][0]
        self.tasks = {task["task"]: task for task in by_type["task"]}
        self.chains = by_type["chain"]
        self.wakes = by_type["wake"]
        # Several futures at once: the leaf of the one that fired will do as well.
        self.branches = collections.defaultdict(set)
        for chain in by_type["chain"]:
            for branch in chain.get("branches", []):
                self.branches[chain["task"], chain["frames"][-1]].add(branch[-1])
        self.waits = collections.defaultdict(list)
        for wait in by_type["await"]:
            self.waits[Site(wait["task"], wait["function"], wait["file"], wait["line"])].append(wait)
        self.polls = collections.defaultdict(list)
        for poll in by_type["poll"]:
            self.polls[poll["task"], poll["line"]].append(poll)
        self.parts = [e for e in by_type["expect"] if "part" in e]
        self.totals = [e for e in by_type["expect"] if "kind" in e]

    def root(self, task):
        return self.tasks.get(task, {}).get("root", False)

    def partial(self, task):
        return self.tasks.get(task, {}).get("partial", False)


class Found:
    """The await points of a report, by the sites of the truth."""

    def __init__(self, report, truth):
        self.points = collections.defaultdict(list)
        self.extra = []
        # Waits of no time whose await point another worker's poll has overtaken, before it was read or
        # meanwhile: any line may have that many less.
        placeless = (re.match(r"([\d,]+) waits? of no duration without an await point", note) for note in report["notes"])
        self.unplaced = sum(int(match[1].replace(",", "")) for match in placeless if match)
        for point in report["await_points"]:
            if "polled elsewhere meanwhile" in " ".join([*point["stack"], point["leaf"]]):
                self.unplaced += point["count"]
            task = plain(point["task"])
            frames = [split_frame(text) for text in point["stack"]]
            sites = [Site(task, *parts) for parts in reversed(frames) if parts and Site(task, *parts) in truth.waits]
            if sites:
                self.points[sites[0]].append(point)
            else:
                self.extra.append(point)

    def sum(self, site, key):
        return sum(point[key] for point in self.points[site])


def describe(point):
    return (f"{point['task']}: {point['function']} ({point['file']}:{point['line']}) on {point['leaf']}, "
            f"{point['count']} waits, {point['open']} open, await {point['await_ns'] / 1e6:.3f} ms "
            f"p50 {point['p50_ns'] / 1e3:.0f} µs, ready p50 {point['ready_p50_ns'] / 1e3:.0f} µs, {point['split']}, "
            f"{point['details']}, stack {point['stack']}")


def check_totals(checks, name, report, rows, losses=()):
    """What holds of any recording; `losses` are those that may be."""
    segments = report["segments"]
    checks.equal(sum(segments.values()), report["lifetime_ns"], f"{name}: segments add up to the lifetime")
    checks.equal(sum(row.weight for row in rows), report["lifetime_ns"], f"{name}: stacks add up to the lifetime")
    lost = {cause: count for cause, count in report["lost"].items() if cause not in losses}
    # A host may hide a switch, whatever dwell does: another attempt has to be without one.
    hidden = lost.pop("switch of a thread not seen", 0)
    checks.timing(not hidden, f"{name}: no switch is hidden", hidden)
    checks.equal(lost, {}, f"{name}: nothing lost")
    checks.check(segments["unattributed"] < 0.01 * report["lifetime_ns"], f"{name}: unattributed below 1 %",
                 lambda: f"{segments['unattributed']} of {report['lifetime_ns']}\n" + "\n".join(
                     f"{row.weight} {row.task} {row.parts}" for row in rows if row.segment == "unattributed"))


def check_waits(checks, name, truth, report):
    """Each await at the right task, line and leaf, as often and as long."""
    found = Found(report, truth)
    wrong = collections.defaultdict(list)
    checked = 0
    roots = set()
    for site, waits in sorted(truth.waits.items()):
        if truth.root(site.task) and not any(plain(p["task"]) == site.task for p in report["await_points"]):
            roots.add(site.task)
            continue
        checked += 1
        for kind, text in check_site(site, waits, found, truth):
            wrong[kind].append(f"{site.task}: {frame(*site[1:])}: {text}")
    for kind in ("site", "count", "leaf", "duration", "peer"):
        check = checks.timing if kind == "duration" else checks.check
        check(not wrong[kind], f"{name}: {kind} of {checked} awaits", "\n".join(wrong[kind]))
    # Where nothing is inlined, what polls a root lies below what sleeps for it.
    may_lack = roots if name.startswith("debug/") else roots & KEPT_IN_REGISTERS
    checks.equal(sorted(roots - may_lack), [], f"{name}: the roots of block_on are there")
    untold = [root for root in sorted(may_lack) if not any("block_on of" in note and root in note for note in report["notes"])]
    checks.equal(untold, [], f"{name}: the report says which roots of block_on are not covered")
    # Awaits that find what they wait for go unnoted, and now and then one has to wait after all.
    total = sum(p["count"] for p in report["await_points"])
    extra = [p for p in found.extra if plain(p["task"]) in truth.tasks and not truth.partial(plain(p["task"]))
             and not truth.root(plain(p["task"]))]
    checks.check(sum(p["count"] for p in extra) <= max(2, 0.01 * total), f"{name}: no other awaits in these tasks",
                 "\n".join(describe(p) for p in extra))
    return found


def check_site(site, waits, found, truth):
    points = found.points[site]
    pendings = [wait["pendings"] for wait in waits]
    known = sum(p for p in pendings if p)
    unknown = pendings.count(None)
    if not points:
        if known:
            yield "site", f"not found, {known} waits expected"
        return
    shown = "\n".join("  " + describe(p) for p in points)
    count = sum(p["count"] for p in points)
    # The root of a LocalSet is polled with each of its tasks.
    most = 64 if truth.root(site.task) else 8
    if not known - found.unplaced <= count <= known + most * unknown:
        yield "count", f"{count}, {known} expected (+ {unknown} unknown)\n{shown}"
    leaves = {wait["leaf"] for wait in waits} | truth.branches[site.task, frame(*site[1:])]
    for point in points:
        below = [plain_frame(text) for text in point["stack"]]
        # A short name of a type, a module's, or a function's.
        where = " ".join(below[below.index(frame(*site[1:])) + 1:] + [point["leaf"]])
        if not any(leaf.split("::")[-1] in where for leaf in leaves):
            yield "leaf", f"{sorted(leaves)} not in {where}"
        if leaves == {"yield_now"} and set(point["split"]) != {"yielded"}:
            yield "leaf", f"yielded, and nothing else, but {point['split']}"
    took = [wait["end"] - wait["start"] for wait in waits]
    if all(p == 1 for p in pendings):
        # A point that holds all of the waits has their median. One that is reached in one of several ways
        # holds some of them: its median lies in the middle half.
        few, many = middle(took) if len(points) == 1 else middle_half(took)
        for point in points:
            got = point["total_p50_ns"]
            if (point["count"] >= max(5, 0.3 * count) and not few <= got <= many
                    and not close(got, few, 0.02, 100_000) and not close(got, many, 0.02, 100_000)):
                yield "duration", (f"median {got / 1e3:.0f} µs, {few / 1e3:.0f} to "
                                   f"{many / 1e3:.0f} expected\n{shown}")
    # Of all points of the line together, however they are told apart. A single wait says too
    # little: the workload may lose its CPU between its look at the clock and the await.
    told_by_median = len(points) == 1 and all(p == 1 for p in pendings)
    if not told_by_median and not unknown and not any(p["open"] for p in points):
        got = sum(p["await_ns"] + p["ready_ns"] for p in points)
        if not close(got, sum(took), 0.02, 100_000 * len(took)):
            yield "duration", f"total {got / 1e3:.0f} µs, {sum(took) / 1e3:.0f} expected\n{shown}"
    peers = {wait["key"] for wait in waits if wait["key"] and wait["pendings"]}
    details = " ".join(detail for p in points for detail in p["details"]) + " "
    # One who has connected to the program is told by his address and by where it listens: it waits there, too.
    keys = {wait["key"].removeprefix("tcp ") for waits in truth.waits.values() for wait in waits if wait["key"]}
    for peer in sorted(peers):
        accepted = {f"{peer.rpartition(':')[0]} → {address} " for address in keys}
        accepted.add(peer.replace("tcp ", "tcp listen ") + " ")
        if not re.search(re.escape(peer) + r"\b", details) and not any(name in details for name in accepted):
            yield "peer", f"{peer} not in {details}"


def middle(values):
    """The median; of an even number of values both of those that are in the middle."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]


def middle_half(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 4], ordered[min(len(ordered) * 3 // 4, len(ordered) - 1)]


def check_parts(checks, name, truth, found):
    """The designed length of one part of each await at a line."""
    wrong = []
    checked = 0
    for expect in truth.parts:
        for site, waits in truth.waits.items():
            if (site.task, site.line) != (expect["task"], expect["line"]) or not found.points[site]:
                continue
            times = sum(wait["pendings"] or 0 for wait in waits)
            if any(wait["pendings"] is None or wait["pendings"] > 1 for wait in waits) or not times:
                continue
            checked += 1
            parts = PARTS[expect["part"]]
            got = sum(p["split"].get(part, 0) for p in found.points[site] for part in parts) / times
            # Whoever wakes it may be late himself: then the part is longer, but never than the await.
            took = sum(wait["end"] - wait["start"] for wait in waits) / times
            late = expect["part"] in ("until wake", "job") and expect["ns"] < got < took
            # A single wait may lose as much again to a busy machine between its start and its Pending.
            if not late and not close(got, expect["ns"], 0.10, 600_000 if times >= 5 else 1_200_000):
                wrong.append(f"{site.task}:{site.line}: {' + '.join(parts)}: mean {got / 1e3:.0f} µs, {expect['ns'] / 1e3:.0f} "
                             f"designed\n" + "\n".join("  " + describe(p) for p in found.points[site]))
    if checked:
        checks.timing(not wrong, f"{name}: parts of {checked} awaits as designed", "\n".join(wrong))


def check_kinds(checks, name, truth, rows):
    """Totals of running, preempted, blocked, ready per task."""
    sums = collections.Counter()
    for row in rows:
        sums[plain(row.task), row.segment] += row.weight
    for expect in truth.totals:
        task, kind, want = expect["task"], expect["kind"], expect["ns"]
        if task not in {plain(row.task) for row in rows}:
            continue
        got = sums[task, kind]
        # A little CPU time is spent beside the work that was measured, and around a block.
        slack = 5_000_000 if kind == "running" else 2_000_000
        # The program cannot tell the time from its thread's wake until it runs from the block before it.
        late = sums[task, "preempted"] if kind == "blocked" else 0
        ok = close(got, want, 0.05, slack) or want - late - slack < got < want
        checks.check(ok, f"{name}: {task} {kind}", f"{got / 1e3:.0f} µs, {want / 1e3:.0f} expected, "
                     f"{late / 1e3:.0f} preempted")


def check_wakers(checks, name, truth, found):
    """Threads outside of the runtime that woke a task are named."""
    wanted = {(wake["task"], wake["line"], wake["by"]) for wake in truth.wakes if "::" not in wake["by"]}
    for task, line, by in sorted(wanted):
        details = [d for site, points in found.points.items() if (site.task, site.line) == (task, line)
                   for p in points for d in p["details"]]
        checks.check(any(by in detail for detail in details), f"{name}: {task} woken by {by}", f"{details}")


def matches(wanted, got):
    """An entry of the truth's chain, and a frame of dwell's."""
    if wanted.startswith("<"):
        return split_frame(got) is None and wanted[1:-1].split("::")[-1] in plain(got)
    if split_frame(wanted):
        return plain_frame(got) == wanted
    return wanted.split("::")[-1] in got


def own(text, crates):
    """An await in the program's own source."""
    parts = split_frame(text)
    return parts is not None and parts[0].lstrip("<&").split("::")[0] in crates


def follows(wanted, chain, crates):
    """Why a chain is not the one that is wanted; "" if it is."""
    at = 0
    for text in chain:
        if at < len(wanted) and matches(wanted[at], text):
            at += 1
        elif own(text, crates):
            return f"{text} instead of {wanted[at] if at < len(wanted) else 'the end'}"
    # The leaf of the truth may be a part of the path of an async function of a library.
    return "" if at == len(wanted) else f"no {wanted[at]}"


def check_chains(checks, name, truth, rows):
    """The whole chain at each wait."""
    crates = {task.split("::")[0] for task in truth.tasks}
    chains = collections.defaultdict(set)
    for row in rows:
        if row.segment == "await":
            chains[plain(row.task)].add(tuple(row.chain))
    wrong = []
    gaps = []
    blind = []
    checked = 0
    for chain in truth.chains:
        task, shape = chain["task"], chain["shape"]
        found = chains[task]
        checked += 1
        if "branches" in chain:
            wanted = [chain["frames"] + branch for branch in chain["branches"]]
            fired = wanted[chain["fired"]]
            names = [plain_frame(branch[0]).split(" (")[0].split("::")[-1] for branch in chain["branches"]]
            if any(not follows(fired, got, crates) for got in found):
                continue
            common = [got for got in found if got and got[-1].startswith("{")
                      and not follows(chain["frames"], got[:-1], crates)]
            if common and all(n in got[-1] for got in common[:1] for n in names[:4]):
                blind.append(f"{task}: {shape}: {common[0][-1]}")
                continue
        else:
            fired = chain["frames"] + [chain["leaf"]]
            if any(not follows(fired, got, crates) for got in found):
                continue
        gap = [got for got in found if any("[gap" in text for text in got)]
        if shape in KNOWN_GAPS and any(KNOWN_GAPS[shape] in " ".join(got) for got in gap):
            gaps.append(shape)
            continue
        wrong.append(f"{task}: {shape}: wanted {fired}" + "".join(
            f"\n  got {list(got)}\n    {follows(fired, got, crates)}" for got in sorted(found)[:4]))
    if checked:
        checks.check(not wrong, f"{name}: {checked} chains", "\n".join(wrong))
        for line in blind:
            print(f"     not known which fired: {line}")
        for shape in gaps:
            print(f"     known gap: {shape}: {KNOWN_GAPS[shape]}")


def compare(checks, name, truth, report, rows, losses=()):
    check_totals(checks, name, report, rows, losses)
    found = check_waits(checks, name, truth, report)
    check_parts(checks, name, truth, found)
    check_kinds(checks, name, truth, rows)
    check_wakers(checks, name, truth, found)
    check_chains(checks, name, truth, rows)
    seen = {plain(row.task) for row in rows}
    missing = [task for task, t in truth.tasks.items() if not t["root"] and t["spawned"] and task not in seen]
    checks.check(not missing, f"{name}: all {len(truth.tasks)} tasks seen", f"missing {missing}\nseen {sorted(seen)}")
    spawned = sum(t["spawned"] for t in truth.tasks.values() if not t["root"])
    checks.check(report["tasks"]["seen"] >= spawned, f"{name}: {spawned} instances", f"{report['tasks']}")
