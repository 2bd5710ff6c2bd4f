#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""`dwell info` against independent accounts of the same program: what llvm-dwarfdump and nm say of its types and
functions, and what the compiler itself says of its coroutines (-Zprint-type-sizes)."""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import time

from harness import DWELL, ROOT, Checks, need_files, output, run, scratch, workload

CARGO_BIN = pathlib.Path.home() / ".cargo/bin"
PATH = f"{os.environ.get('PATH', '')}:{CARGO_BIN}"
RUST_SOURCE = ROOT / "tests/unit/image_tokio.rs"


def tool(name):
    return shutil.which(name, path=PATH)


# ---- what dwell says --------------------------------------------------------

Future = collections.namedtuple("Future", "name kind size offset width states")
State = collections.namedtuple("State", "file line arcs")
Arc = collections.namedtuple("Arc", "name hops offset")
Task = collections.namedtuple("Task", "name scheduler size future_offset future_size poll blocking")

FUTURE = re.compile(r"(async|wrapper|leaf|opaque|holder), (\d+) bytes(?:, state at (\d+): u(\d+))?")
ARC = re.compile(r"(.*) at (\**)(\d+)(?: \(each\))?")
TASK = re.compile(r"(?:(blocking job|\w+(?:<.*>)?), )?(?:(\d+) bytes, future at (\d+): (\d+) bytes, )?"
                  r"poll 0x([0-9a-f]+)")


class Info:
    """The text of `dwell info`, taken apart."""

    def __init__(self, path, *options):
        self.text = output(DWELL, "info", "--no-cache", *options, path)
        self.head = {}
        self.notes = []
        self.tasks = []
        self.roots = []
        self.futures = []
        part = "head"
        for line in self.text.splitlines():
            if line in ("task types", "roots", "futures"):
                part = line
            elif not line:
                part = None
            elif part == "head":
                key, _, value = line.partition(" ")
                if key == "note":
                    self.notes.append(value.strip())
                else:
                    self.head[key] = value.strip()
            elif part == "task types":
                self.tasks.append(self.task(line))
            elif part == "roots":
                self.roots.append(line.strip().rpartition("  [")[0])
            elif part == "futures" and not line.startswith("    "):
                self.futures.append(self.future(line))
            elif part == "futures" and line.startswith("        "):
                pass        # what is live at the await point besides
            elif part == "futures":
                self.futures[-1].states.append(self.state(line))
            else:
                raise ValueError(f"not understood: {line!r}")

    @staticmethod
    def parts(pattern, line):
        name, _, rest = line.strip().rpartition("  [")
        found = pattern.match(rest)
        if not found:
            raise ValueError(f"not understood: {line!r}")
        return name, *found.groups()

    def task(self, line):
        name, scheduler, size, offset, future, poll = self.parts(TASK, line)
        return Task(name, scheduler, *(int(n) if n else None for n in (size, offset, future)), int(poll, 16),
                    scheduler == "blocking job")

    def future(self, line):
        name, kind, size, offset, width = self.parts(FUTURE, line)
        return Future(name, kind, int(size), int(offset) if width else None, int(width) // 8 if width else 0, [])

    @staticmethod
    def state(line):
        where, found, rest = line.strip().partition("  ")
        arcs = []
        for text in rest.split(" | ") if found else ():
            arc = ARC.fullmatch(text)
            if not arc:
                raise ValueError(f"not an arc: {text!r} of {line!r}")
            arcs.append(Arc(arc[1], len(arc[2]), int(arc[3])))
        file, _, number = where.rpartition(":")
        return State(file, int(number), arcs) if number.isdigit() and file else State("", 0, arcs)

    def coroutines(self):
        return [future for future in self.futures if future.kind == "async"]

    def sizes(self):
        """Sizes by name: one name may stand for several types."""
        sizes = collections.defaultdict(set)
        for future in self.futures:
            sizes[future.name].add(future.size)
        return sizes


# ---- what llvm-dwarfdump says -----------------------------------------------

class Entry:
    __slots__ = ("tag", "offset", "depth", "attributes", "children", "scope")

    def __init__(self, tag, offset, depth, scope):
        self.tag, self.offset, self.depth, self.scope = tag, offset, depth, scope
        self.attributes = {}
        self.children = []

    @property
    def name(self):
        return self.attributes.get("name", "")

    def number(self, attribute, default=0):
        text = self.attributes.get(attribute)
        return int(text, 0) if text is not None else default

    @property
    def type(self):
        """Offset and qualified name of its type."""
        text = self.attributes.get("type", "")
        offset, _, name = text.partition(" ")
        return (int(offset, 16) if offset else None), name.strip('"')

    def all(self, tag):
        return [child for child in self.children if child.tag == tag]

    def member(self, name):
        return next((child for child in self.all("member") if child.name == name), None)


class Dwarf:
    """Structures, poll functions and variables of awaits in a program, from llvm-dwarfdump's text."""

    WANTED = {"name", "byte_size", "data_member_location", "discr_value", "decl_line", "decl_file", "type", "low_pc",
              "linkage_name", "declaration"}
    ATTRIBUTE = re.compile(r"\s+DW_AT_(\w+)\t\((.*)\)$")

    def __init__(self, path):
        self.sizes = {}                                 # of types, by offset
        self.structures = {}                            # those that are looked into, by offset
        self.polls = {}                                 # generics of the poll functions, by address
        self.awaits = collections.defaultdict(set)      # (file, line) of variables, by the body's environment
        self.stack = []
        with subprocess.Popen([tool("llvm-dwarfdump"), "--debug-info", str(path)], stdout=subprocess.PIPE, text=True,
                              errors="replace") as dump:
            self.read(dump.stdout)
        if dump.returncode:
            raise ValueError(f"llvm-dwarfdump: status {dump.returncode}")

    def read(self, lines):
        entry = None
        for line in lines:
            if line.startswith("0x"):
                offset, _, rest = line.partition(":")
                tag = rest.strip()
                if not tag.startswith("DW_TAG_"):
                    continue
                depth = len(rest) - len(rest.lstrip())
                self.close(depth)
                scope = self.stack[-1].scope if self.stack else ()
                if self.stack and self.stack[-1].tag == "namespace":
                    scope = (*scope, self.stack[-1].name)
                entry = Entry(tag[7:], int(offset, 16), depth, scope)
                if self.stack:
                    self.stack[-1].children.append(entry)
                self.stack.append(entry)
            elif entry is not None:
                found = self.ATTRIBUTE.match(line)
                if found and found[1] in self.WANTED:
                    value = found[2]
                    entry.attributes[found[1]] = value[1:-1] if value.startswith('"') else value
        self.close(0)

    def close(self, depth):
        while self.stack and self.stack[-1].depth >= depth:
            entry = self.stack.pop()
            if entry.tag in ("structure_type", "base_type", "union_type", "enumeration_type"):
                self.sizes[entry.offset] = entry.number("byte_size")
            elif entry.tag == "pointer_type":
                self.sizes[entry.offset] = 8
            if entry.tag == "structure_type" and not entry.attributes.get("declaration"):
                self.structures[entry.offset] = entry
                continue
            if entry.tag == "subprogram":
                self.function(entry)
            if entry.tag == "variable" and entry.name.startswith("__awaitee"):
                self.awaitee(entry)
            if entry.tag not in ("member", "variant", "variant_part", "template_type_parameter"):
                entry.children = []
                if self.stack:
                    self.stack[-1].children.pop()

    def function(self, entry):
        low = entry.attributes.get("low_pc")
        if entry.scope == ("tokio", "runtime", "task", "raw") and entry.name.startswith("poll<") and low:
            self.polls[int(low, 16)] = entry.name[5:-1]

    def awaitee(self, entry):
        for outer in reversed(self.stack):
            if outer.tag == "inlined_subroutine":
                return
            if outer.tag == "subprogram":
                place = (os.path.basename(entry.attributes.get("decl_file", "").strip('"')), entry.number("decl_line"))
                self.awaits[outer.scope, environment_of(outer.name)].add(place)
                return

    def find(self, scope, prefix):
        return [entry for entry in self.structures.values() if entry.scope == scope and entry.name.startswith(prefix)]

    def coroutines(self):
        """One of each kind of copies."""
        seen = {}
        for entry in self.structures.values():
            if re.match(r"\{(async|gen|coroutine)\w*_env#", entry.name) and entry.all("variant_part"):
                seen.setdefault((entry.scope, entry.name, entry.number("byte_size")), entry)
        return list(seen.values())

    def states(self, entry):
        """The suspended states of a coroutine, by number: the member of the variant, its payload, what it awaits."""
        states = {}
        for variant in entry.all("variant_part")[0].all("variant"):
            member = variant.all("member")[0]
            payload = self.structures[member.type[0]]
            if payload.name.startswith("Suspend"):
                value = int(variant.attributes["discr_value"], 0)
                states[value] = (member, payload, payload.member("__awaitee"))
        return [states[value] for value in sorted(states)]

    def discriminant(self, entry):
        member = entry.all("variant_part")[0].all("member")[0]
        return member.number("data_member_location"), self.sizes[member.type[0]]

    def size(self, offset):
        return self.sizes.get(offset)


def environment_of(body):
    """{async_fn_env#0} of {async_fn#0}<u8>; all that were made of one function share it."""
    word, hash_sign, rest = body.partition("}")[0].partition("#")
    return f"{word}_env{hash_sign}{rest}}}"


def source_name(path):
    """As a pattern, what the source calls the type at `path`: bodies go by their functions' names, and {impl#N} by
    the name of whatever it implements."""
    generics = path[-1][path[-1].index("}") + 1:] if path[-1].startswith("{") else ""
    impls = [i for i, part in enumerate(path) if part.startswith("{impl#")]
    rest = path[impls[-1] + 1:] if impls else path
    words = [part for part in rest if not part.startswith("{")]
    if not path[-1].startswith("{"):
        generics = ""
    return re.compile(("[^ ]+::" if impls else "") + re.escape("::".join(words) + generics))


def task_name(generics):
    """The T of "poll<T, S>", as `dwell info` calls a task: T is parsed by its brackets."""
    depth = 0
    for i, char in enumerate(generics):
        if char in "<([{":
            depth += 1
        elif char in ">)]}" and generics[i - 1:i] != "-":
            depth -= 1
        elif char == "," and not depth:
            return generics[:i], generics[i + 2:]
    return generics, ""


# ---- (a) the entries themselves ---------------------------------------------

def compare_coroutine(dwarf, entry, future):
    """What is different, or None."""
    if future.size != entry.number("byte_size"):
        return f"size {entry.number('byte_size')}"
    offset, width = dwarf.discriminant(entry)
    if (future.offset, future.width) != (offset, width):
        return f"state at {offset}: {width} bytes"
    states = dwarf.states(entry)
    if len(states) != len(future.states):
        return f"{len(states)} await points"
    places = dwarf.awaits[entry.scope, entry.name.split("}")[0] + "}"]
    for (member, _, awaitee), state in zip(states, future.states):
        place = (os.path.basename(member.attributes.get("decl_file", "").strip('"')), member.number("decl_line"))
        # What a macro wrote is where the macro was used, which the variable of the await tells.
        if (state.file, state.line) != place and (state.file, state.line) not in places:
            return f"{member.name} at {place}, or one of {places}; not {state.file}:{state.line}"
        if not awaitee:
            if state.arcs:
                return f"{member.name} awaits nothing"
            continue
        at = awaitee.number("data_member_location")
        direct = [arc for arc in state.arcs if not arc.hops]
        if not state.arcs:
            return f"{member.name} awaits {awaitee.type[1]}"
        if not all(at <= arc.offset < at + (dwarf.size(awaitee.type[0]) or 1) for arc in state.arcs):
            return f"{member.name}: awaited at {at}, {dwarf.size(awaitee.type[0])} bytes; not {state.arcs}"
        if direct and direct[0].offset == at and len(state.arcs) == 1:
            continue
        if not re.match(r"core::pin::Pin<|&mut |alloc::boxed::Box<|core::panic::|\(|core::option::", awaitee.type[1]):
            return f"{member.name}: awaited at {at} is {awaitee.type[1]}; not {state.arcs}"
    return None


def awaited_sizes(dwarf, entry, future, sizes):
    """Sizes of what is awaited, where it lies there itself."""
    for (member, _, awaitee), state in zip(dwarf.states(entry), future.states):
        if not awaitee or len(state.arcs) != 1 or state.arcs[0].hops:
            continue
        if state.arcs[0].offset == awaitee.number("data_member_location"):
            want = dwarf.size(awaitee.type[0])
            if want is not None and want not in sizes[state.arcs[0].name]:
                yield f"{member.name}: {awaitee.type[1]} has {want} bytes, {state.arcs[0].name} " \
                      f"{sizes[state.arcs[0].name]}"


def reachable(dwarf, by_offset):
    """Coroutines on the way from tasks through what is awaited by value; copies count as one."""
    todo = []
    for cell in dwarf.find(("tokio", "runtime", "task", "core"), "Cell<"):
        for param in cell.all("template_type_parameter"):
            if param.name == "T":
                todo.append(param.type[0])
    seen = set()
    while todo:
        entry = by_offset.get(todo.pop())
        if entry is None or entry.offset in seen:
            continue
        seen.add(entry.offset)
        for _, _, awaitee in dwarf.states(entry):
            if awaitee:
                todo.append(awaitee.type[0])
    return [by_offset[offset] for offset in seen]


def addresses_of(path, pattern):
    """Addresses of functions by their demangled names."""
    found = set()
    for line in output(tool("nm"), "--demangle", "--defined-only", path).splitlines():
        parts = line.split(" ", 2)
        if len(parts) == 3 and parts[1] in "tTwW" and re.match(pattern, parts[2]):
            found.add(int(parts[0], 16))
    return found


def check_entries(checks, path, what):
    info = Info(path)
    dwarf = Dwarf(path)
    coroutines = dwarf.coroutines()
    named = [(source_name((*entry.scope, entry.name)), entry) for entry in coroutines]
    sizes = info.sizes()
    wrong = []
    matched = set()
    for future in info.coroutines():
        candidates = [entry for pattern, entry in named if pattern.fullmatch(future.name)]
        differences = [compare_coroutine(dwarf, entry, future) for entry in candidates]
        same = [entry for entry, difference in zip(candidates, differences) if difference is None]
        if not same:
            wrong.append(f"{future.name}: {differences or 'there is none of that name'}")
            continue
        matched.update((entry.scope, entry.name, entry.number("byte_size")) for entry in same)
        if not any(not list(awaited_sizes(dwarf, entry, future, sizes)) for entry in same):
            wrong += [f"{future.name}: {text}" for text in awaited_sizes(dwarf, same[0], future, sizes)]
    points = sum(len(future.states) for future in info.coroutines())
    macros = [f"{state.file}:{state.line} of {future.name}" for future in info.coroutines() for state in future.states
              if state.file in ("select.rs", "join.rs", "try_join.rs")]
    checks.check(not macros, f"{what}: awaits of select! and join! are where these stand", "\n".join(macros))
    checks.check(not wrong and len(info.coroutines()) > 5,
                 f"{what}: {len(info.coroutines())} coroutines with {points} await points are as llvm-dwarfdump has "
                 "them",
                 "\n".join(wrong))
    by_offset = {offset: entry for offset, entry in dwarf.structures.items()
                 if re.match(r"\{(async|gen|coroutine)\w*_env#", entry.name) and entry.all("variant_part")}
    # Of instances of one function whose code came out the same, one poll function is left in the program.
    merged = {(scope, name.split("<")[0], size) for scope, name, size in matched if "<" in name}
    missing = sorted({f"{'::'.join((*entry.scope, entry.name))}, {entry.number('byte_size')} bytes"
                      for entry in reachable(dwarf, by_offset)
                      if (entry.scope, entry.name, entry.number("byte_size")) not in matched
                      and (entry.scope, entry.name.split("<")[0], entry.number("byte_size")) not in merged})
    checks.check(not missing, f"{what}: whatever a task awaits by value is listed", "\n".join(missing))
    check_tasks(checks, path, info, dwarf, what)


def check_tasks(checks, path, info, dwarf, what):
    polls = addresses_of(path, r"tokio::runtime::task::raw::poll(::<.*>|<.*>)?$")
    workers = {address for address, generics in dwarf.polls.items()
               if re.search(r"worker::\{impl#\d+\}::launch::\{closure_env#0\}", generics)}
    checks.equal({task.poll for task in info.tasks}, polls - workers,
                 f"{what}: poll functions are those that nm lists, but for {len(workers)} of the runtime's own")
    wrong = []
    for task in info.tasks:
        generics = dwarf.polls.get(task.poll)
        if generics is None or task.blocking:
            continue
        root, scheduler = task_name(generics)
        path_of_root = re.split(r"::(?![^<{(]*[>})])", root)
        if root.endswith("}") and not source_name(tuple(path_of_root)).fullmatch(task.name):
            wrong.append(f"{task.name} at {task.poll:#x}: {root}")
        last_words = re.sub(r"\w+::", "", scheduler)
        if f"::{task.scheduler}::" not in scheduler and task.scheduler != last_words:
            wrong.append(f"{task.name}: scheduled by {task.scheduler}, not {scheduler}")
        cells = [cell for cell in dwarf.find(("tokio", "runtime", "task", "core"), "Cell<")
                 if cell.name == f"Cell<{generics}>"]
        layouts = {(cell.number("byte_size"), future_offset(dwarf, cell)) for cell in cells}
        if cells and (task.size, (task.future_offset, task.future_size)) not in layouts:
            wrong.append(f"{task.name}: {task}, not {layouts}")
    checks.check(not wrong, f"{what}: {len(info.tasks)} task types, their sizes and where their futures lie",
                 "\n".join(wrong))


def future_offset(dwarf, cell):
    """Of the future in a task's cell, and its size."""
    at, entry = 0, cell
    for name in ("core", "stage", "stage", "__0", "value"):
        member = entry.member(name)
        if member is None:
            continue
        at += member.number("data_member_location")
        entry = dwarf.structures[member.type[0]]
    for variant in entry.all("variant_part")[0].all("variant"):
        payload = variant.all("member")[0]
        if payload.name == "Running":
            inner = dwarf.structures[payload.type[0]].all("member")[0]
            return (at + payload.number("data_member_location") + inner.number("data_member_location"),
                    dwarf.size(inner.type[0]))
    return None


def entries(checks, directory):
    del directory
    if not tool("llvm-dwarfdump") or not tool("nm"):
        checks.skip("an account by llvm-dwarfdump", "there is no llvm-dwarfdump, or no nm")
        return
    for profile, program in (("release", "timers"), ("fat", "shapes"), ("fat", "web")):
        path = workload(program, profile)
        if path.exists():
            check_entries(checks, path, f"{profile}/{program}")
        else:
            checks.skip(f"{profile}/{program}", "it is not built")


# ---- (b) the compiler -------------------------------------------------------

GENERATED = """
pub mod generated {
    use super::*;

    pub async fn nothing() {}

    pub async fn one(n: u32) -> u32 {
        app::leaf(n).await
    }

    pub async fn across(n: u8) -> u64 {
        let kept = [n as u64; 9];
        let before = kept[n as usize % 9];
        app::leaf(n.into()).await;
        nothing().await;
        kept[(before as usize + 1) % 9]
    }

    pub async fn generic<const N: usize, T: Copy + Into<u32>>(x: [T; N]) -> u32 {
        let mut sum = 0;
        for i in 0..N {
            sum += one(x[i].into()).await;
        }
        sum
    }

    pub async fn branches(n: u32) -> u32 {
        match n % 4 {
            0 => one(n).await,
            1 => {
                let large = [n; 50];
                let a = one(large[n as usize % 50]).await;
                a + large[7]
            }
            2 => generic([n as u8; 3]).await + generic([n as u16]).await,
            _ => Box::pin(again(n - 1)).await,
        }
    }

    pub fn again(n: u32) -> Pin<Box<dyn Future<Output = u32>>> {
        Box::pin(async move { if n == 0 { 0 } else { branches(n - 1).await } })
    }

    pub struct Held<F>(F);

    impl<F: Future<Output = u32> + Unpin> Held<F> {
        pub async fn twice(&mut self, other: impl Future<Output = u32>) -> u32 {
            let other = pin!(other);
            other.await + Pin::new(&mut self.0).await
        }
    }

    pub async fn bytes(n: u32) -> [u8; 33] {
        let many = [n as u8; 33];
        one(n).await;
        many
    }

    pub async fn many(n: u32) -> u32 {
        let mut sum = n;
@MANY@
        sum
    }

    pub async fn all(n: u32) {
        let closure = async |x: u32| one(x + n).await;
        let mut sum = one(n).await + generic([1u8, 2]).await + branches(n).await + closure(n).await;
        sum += across(n as u8).await as u32 + bytes(n).await[3] as u32;
        sum += Held(Box::pin(one(n))).twice(async { one(n).await + 1 }).await;
        if n > 1000 {
            sum += many(n).await;
        }
        SINK.store(sum as usize, Ordering::Relaxed);
    }
}
"""
AWAITS = 260    # more than fit into a byte


def generated_source():
    text = RUST_SOURCE.read_text(encoding="utf-8")
    many = "\n".join(f"        sum += one({i}).await;" for i in range(AWAITS))
    text = text.replace("static SINK", GENERATED.replace("@MANY@", many) + "\nstatic SINK", 1)
    race = "        spawn(app::race(n)),"
    return text.replace(race, f"{race}\n        spawn(generated::all(n)),", 1)


class Compiled:
    """A coroutine as -Zprint-type-sizes has it: its size, its tag's, and of each state the awaited one's place."""

    def __init__(self, name, size):
        self.name, self.size, self.tag, self.states = name, size, None, []

    def __repr__(self):
        return f"{self.name}: {self.size} bytes, tag {self.tag}, {len(self.states)} await points"


def read_sizes(text):
    coroutines = []
    one = None
    at = 0
    for line in text.splitlines():
        found = re.match(r"print-type-size type: `(.*)`: (\d+) bytes", line)
        if found:
            body = re.fullmatch(r"\{async (?:(fn|closure) body of (.*)\(\)|block@.*|closure body@.*)\}", found[1])
            one = Compiled(body[2] or found[1], int(found[2])) if body else None
            if one:
                coroutines.append(one)
            continue
        found = re.match(r"print-type-size (    |        )(.*)", line)
        if not one or not found:
            continue
        text = found[2].strip()
        if text.startswith("discriminant: "):
            one.tag = int(text.split()[1])
        variant = re.match(r"variant `(\w+)`", text)
        if variant:
            at = 0
            suspended = variant[1].startswith("Suspend")
            if suspended:
                one.states.append(None)
        field = re.match(r"(?:(?:upvar|local) `\.(.*?)`|padding): (\d+) bytes(?:, offset: (\d+) bytes)?", text)
        if field:
            at = int(field[3]) if field[3] else at
            if field[1] == "__awaitee" and suspended:
                one.states[-1] = (at, int(field[2]))
            at += int(field[2])
    return coroutines


def without_generics(name):
    """Held::twice of Held<Pin<Box<F>>>::twice<G>."""
    kept, depth = "", 0
    for i, char in enumerate(name):
        if char == "<":
            depth += 1
        elif char == ">" and name[i - 1] != "-":
            depth -= 1
        elif not depth:
            kept += char
    return kept


def compiler(checks, directory):
    rustc = tool("rustc")
    # only rustup's takes +nightly for what it is
    if not rustc or "-nightly" not in run(rustc, "+nightly", "--version").stdout:
        checks.skip("an account by the compiler", "there is no nightly rustc")
        return
    source = directory / "generated.rs"
    source.write_text(generated_source(), encoding="utf-8")
    program = directory / "generated"
    done = run(rustc, "+nightly", "--edition", "2021", "-O", "-g", "-C", "panic=abort", "-C", "codegen-units=2",
               "-C", "link-arg=-lc", "-Zprint-type-sizes", source, "-o", program)
    if not checks.check(done.returncode == 0, "nightly: the generated program is compiled", done.stderr):
        return
    checks.equal(run(program).returncode, 0, "nightly: the generated program runs")
    info = Info(program)
    said = read_sizes(done.stdout)
    listed = collections.defaultdict(list)
    for future in info.coroutines():
        listed[future.name].append(future)
    wrong = []
    named = [one for one in said if not one.name.startswith("{")]
    for one in named:
        plain = f"tokio::{without_generics(one.name)}"
        candidates = [future for name, futures in listed.items() for future in futures
                      if name == plain or name.startswith(plain + "<")]
        if not any(same_layout(one, future) for future in candidates):
            wrong.append(f"{one} of {one.states}: {candidates}")
    # Blocks have no names there: as many of each size and shape.
    shapes = collections.Counter((future.size, future.width, len(future.states)) for future in info.coroutines())
    blocks = collections.Counter((one.size, one.tag, len(one.states)) for one in said)
    if shapes - blocks or blocks - shapes:
        wrong.append(f"only dwell has {shapes - blocks}, only the compiler {blocks - shapes}")
    checks.check(not wrong and len(named) > 12 and any(one.tag == 2 for one in named),
                 f"nightly: {len(said)} coroutines have the sizes, tags and await points that the compiler prints",
                 "\n".join(wrong))


def same_layout(one, future):
    if (one.size, one.tag, len(one.states)) != (future.size, future.width, len(future.states)):
        return False
    for want, state in zip(one.states, future.states):
        # Behind a pointer it is the pointer that is awaited.
        if want and not any(want[0] <= arc.offset < want[0] + max(want[1], 1) for arc in state.arcs):
            return False
    return True


def run_parts(checks, directory, *parts):
    for part in parts:
        begin = time.monotonic()
        with checks.guarded(part.__name__):
            folder = directory / part.__name__
            folder.mkdir()
            part(checks, folder)
        print(f"     ({part.__name__}: {time.monotonic() - begin:.1f} s)", flush=True)


def main():
    need_files(DWELL)
    checks = Checks()
    with scratch() as directory:
        run_parts(checks, directory, entries, compiler)
    checks.done()


if __name__ == "__main__":
    main()
