//! The notes themselves: kept per thread while the program runs, written at the end.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::Id;

use crate::Did;

static ENABLED: AtomicBool = AtomicBool::new(false);
static BUFFERS: Mutex<Vec<Buffer>> = Mutex::new(Vec::new());
static TASKS: Mutex<BTreeMap<&'static str, Count>> = Mutex::new(BTreeMap::new());

/// Filled by one thread, emptied by [`write`]: its lock is never waited for during the run.
type Buffer = Arc<Mutex<Vec<Record>>>;

thread_local! {
    static LOCAL: OnceCell<Buffer> = const { OnceCell::new() };
}

#[derive(Default)]
struct Count {
    root: bool,
    partial: bool,
    spawned: u64,
    completed: u64,
}

enum Record {
    Await(Wait),
    Poll {
        place: Place,
        line: u32,
        start: u64,
        end: u64,
        known: Vec<Known>,
    },
    Work {
        place: Place,
        kind: &'static str,
        what: &'static str,
        id: u64,
        tid: i32,
        start: u64,
        end: u64,
        cpu: u64,
    },
    Hold {
        place: Place,
        resource: &'static str,
        id: u64,
        start: u64,
        end: u64,
    },
    Wake {
        place: Place,
        id: u64,
        line: u32,
        by: &'static str,
        at: u64,
    },
    Total {
        task: &'static str,
        kind: &'static str,
        ns: u64,
    },
    /// Already in its final form.
    Line(String),
}

/// A function of the workload, run by a task: what the notes made in it have in common.
#[derive(Clone, Copy)]
pub struct Place {
    pub task: &'static str,
    pub function: &'static str,
    pub file: &'static str,
}

/// `place!("request::serve")` for an await in the task's own function,
/// `place!("request::serve", "request::Backend::call")` for one in a function called by it.
#[macro_export]
macro_rules! place {
    ($task:expr) => {
        $crate::place!($task, $task)
    };
    ($task:expr, $function:expr) => {
        $crate::Place { task: $task, function: $function, file: file!() }
    };
}

/// How long one part of a wait or poll was, and what it is about if that is known.
struct Known {
    part: &'static str,
    ns: u64,
    about: String,
}

/// An await that has just resumed.
#[must_use = "a wait is only noted by log()"]
pub struct Wait {
    place: Place,
    line: u32,
    leaf: &'static str,
    key: Option<SocketAddr>,
    resource: &'static str,
    part: Option<(&'static str, u64)>,
    pendings: Option<u32>,
    id: u64,
    tid: i32,
    start: u64,
    end: u64,
    job: Option<Did>,
    known: Vec<Known>,
}

fn clock(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` outlives the call, which writes nothing else.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// `CLOCK_MONOTONIC` in nanoseconds.
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// CPU time of the calling thread in nanoseconds.
pub fn thread_cpu() -> u64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The time just before an await; 0, unread, when nothing is noted.
pub fn start() -> u64 {
    if ENABLED.load(Ordering::Relaxed) {
        now()
    } else {
        0
    }
}

pub fn enable() {
    ENABLED.store(true, Ordering::Relaxed);
}

/// tokio's number of the current task, 0 outside of one.
pub fn task_id() -> u64 {
    tokio::task::try_id().map_or(0, number)
}

/// An `Id` shows its number only as text.
fn number(id: Id) -> u64 {
    id.to_string().parse().unwrap_or(0)
}

#[cfg(tokio_unstable)]
static POLLS: Mutex<BTreeMap<u64, u64>> = Mutex::new(BTreeMap::new());

/// The runtime is about to poll this task.
#[cfg(tokio_unstable)]
pub fn polled(id: Id) {
    if ENABLED.load(Ordering::Relaxed) {
        *lock(&POLLS).entry(number(id)).or_default() += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(record: Record) {
    if !ENABLED.load(Ordering::Relaxed) {
        return;
    }
    LOCAL.with(|local| {
        let buffer = local.get_or_init(|| {
            let buffer = Buffer::new(Mutex::new(Vec::with_capacity(1 << 14)));
            lock(&BUFFERS).push(buffer.clone());
            buffer
        });
        lock(buffer).push(record);
    });
}

impl Place {
    /// The same code, run by another task.
    pub const fn within(self, task: &'static str) -> Self {
        Self { task, ..self }
    }

    /// Call right after the await: `place.wait(t, line!() - 1, "Sleep").log()`.
    pub fn wait(self, start: u64, line: u32, leaf: &'static str) -> Wait {
        let end = self::start();
        let (id, tid) = if end == 0 { (0, 0) } else { (task_id(), thread()) };
        Wait {
            place: self,
            line,
            leaf,
            key: None,
            resource: "",
            part: None,
            pendings: Some(1),
            id,
            tid,
            start,
            end,
            job: None,
            known: Vec::new(),
        }
    }

    /// The current task held `resource` from `start` until now.
    pub fn held(self, resource: &'static str, start: u64) {
        note(Record::Hold { place: self, resource, id: task_id(), start, end: now() });
    }

    /// This poll was blocked in `what` from `start` until now.
    pub fn blocked(self, what: &'static str, start: u64, cpu: u64) {
        self.work("blocked", what, start, cpu);
    }

    /// This poll computed from `start` until now; `cpu` is `thread_cpu()` at its start.
    pub fn ran(self, what: &'static str, start: u64, cpu: u64) {
        self.work("running", what, start, cpu);
    }

    /// This poll did `did` and next to nothing else, in `line`. `what` it slept for; of the time in
    /// which it was not on a CPU, the cgroup did not allow it to be for `throttled` ns.
    pub fn polled(self, line: u32, did: Did, what: &str, throttled: u64) {
        let part = |part, ns, about: &str| Known { part, ns, about: about.into() };
        let known = vec![
            part("running", did.running, ""),
            part("preempted", did.run_queue.saturating_sub(throttled), ""),
            part("throttled", throttled, ""),
            part("blocked", did.blocked, what),
        ];
        note(Record::Poll { place: self, line, start: did.begin, end: did.end, known });
    }

    fn work(self, kind: &'static str, what: &'static str, start: u64, cpu: u64) {
        let end = now();
        let cpu = thread_cpu() - cpu;
        note(Record::Work {
            place: self,
            kind,
            what,
            id: task_id(),
            tid: thread(),
            start,
            end,
            cpu,
        });
    }

    /// The wait of this task at `line` is being ended by `by`. Call just before the waking call.
    pub fn woken(self, id: u64, line: u32, by: &'static str) {
        note(Record::Wake { place: self, id, line, by, at: now() });
    }

    /// In total this task's polls spent `ns` in `kind`.
    pub fn total(self, kind: &'static str, ns: u64) {
        note(Record::Total { task: self.task, kind, ns });
    }

    pub fn spawned(self) {
        self.count(|count| count.spawned += 1);
    }

    pub fn completed(self) {
        self.count(|count| count.completed += 1);
    }

    /// Marks the future that `block_on` runs.
    pub fn root(self) {
        self.count(|count| {
            count.root = true;
            count.spawned += 1;
        });
    }

    /// Marks a task that also waits in code that notes nothing.
    pub fn partial(self) {
        self.count(|count| count.partial = true);
    }

    fn count(self, change: impl FnOnce(&mut Count)) {
        if ENABLED.load(Ordering::Relaxed) {
            change(lock(&TASKS).entry(self.task).or_default());
        }
    }
}

impl Wait {
    /// The remote end of the socket that was waited for.
    pub fn tcp(mut self, address: SocketAddr) -> Self {
        self.key = Some(address);
        self
    }

    /// The lock or semaphore that was waited for.
    pub fn resource(mut self, name: &'static str) -> Self {
        self.resource = name;
        self
    }

    /// One part of this wait has a designed length. Where it was much shorter, its event was there
    /// already, or came while the future was polled for the first time.
    pub fn part(mut self, part: &'static str, designed: Duration) -> Self {
        let designed = designed.as_nanos() as u64;
        self.part = Some((part, designed));
        if self.end - self.start < designed / 4 {
            self.pendings = None;
        }
        self
    }

    /// What this waits for may have been there already; then it was shorter than `least`.
    pub fn unknown_below(mut self, least: Duration) -> Self {
        if self.end - self.start < least.as_nanos() as u64 {
            self.pendings = None;
        }
        self
    }

    /// What the job did that was waited for.
    pub fn job(mut self, did: Did) -> Self {
        self.job = Some(did);
        self
    }

    /// So long was this part of it; parts are told in the order of time. What is left is that of the runtime.
    pub fn known(mut self, part: &'static str, ns: u64) -> Self {
        self.known.push(Known { part, ns, about: String::new() });
        self
    }

    /// What the part is about that was told last, as dwell calls it.
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.known.last_mut().expect("a part").about = about.into();
        self
    }

    /// It went Pending `count` times instead of once; None if that cannot be known.
    pub fn pendings(mut self, count: Option<u32>) -> Self {
        self.pendings = count;
        self
    }

    pub fn log(self) {
        note(Record::Await(self));
    }
}

/// What several futures waited for at once look like: each its frames and then its leaf.
/// `fired` is the index of the one that ended the await.
pub struct Branches {
    pub branches: Vec<Vec<String>>,
    pub fired: usize,
}

/// Notes the chain of one wait: `frames` outermost first, each `path::function (file.rs:LINE)`.
pub fn chain(task: &str, shape: &str, frames: &[String], leaf: &str, several: Option<Branches>) {
    let mut line = format!(
        r#"{{"t":"chain","task":{},"shape":{},"frames":{},"leaf":{}"#,
        text(task),
        text(shape),
        list(frames.iter().map(|frame| text(frame))),
        text(leaf)
    );
    if let Some(Branches { branches, fired }) = several {
        let branches = branches.iter().map(|branch| list(branch.iter().map(|frame| text(frame))));
        line += &format!(r#","branches":{},"fired":{fired}"#, list(branches));
    }
    line.push('}');
    note(Record::Line(line));
}

fn thread() -> i32 {
    thread_local! {
        static TID: i32 = unsafe { libc::gettid() };
    }
    TID.with(|tid| *tid)
}

fn text(string: &str) -> String {
    format!("\"{}\"", string.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

impl Known {
    fn json(all: &[Self]) -> String {
        list(all.iter().map(|Self { part, ns, about }| {
            format!(r#"{{"part":"{part}","ns":{ns},"about":{}}}"#, text(about))
        }))
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Record {
    fn time(&self) -> u64 {
        match self {
            Self::Await(wait) => wait.start,
            Self::Work { start, .. } | Self::Hold { start, .. } | Self::Poll { start, .. } => {
                *start
            }
            Self::Wake { at, .. } => *at,
            Self::Total { .. } | Self::Line(_) => u64::MAX,
        }
    }

    fn json(&self) -> String {
        match self {
            Self::Await(wait) => {
                let Wait {
                    place,
                    line,
                    leaf,
                    key,
                    resource,
                    pendings,
                    id,
                    tid,
                    start,
                    end,
                    job,
                    known,
                    ..
                } = wait;
                let Place { task, function, file } = place;
                let file = base(file);
                let key = key.map_or(String::new(), |address| format!("tcp {address}"));
                let pendings = pendings.map_or("null".into(), |count| count.to_string());
                let job =
                    job.as_ref().map_or(String::new(), |did| format!(r#","job":{}"#, did.json()));
                let known = match known.as_slice() {
                    [] => String::new(),
                    known => format!(r#","known":{}"#, Known::json(known)),
                };
                format!(
                    r#"{{"t":"await","task":"{task}","id":{id},"function":"{function}","file":"{file}","line":{line},"leaf":"{leaf}","key":"{key}","resource":"{resource}","pendings":{pendings},"tid":{tid},"start":{start},"end":{end}{job}{known}}}"#
                )
            }
            Self::Poll { place, line, start, end, known } => format!(
                r#"{{"t":"poll","task":"{}","line":{line},"start":{start},"end":{end},"known":{}}}"#,
                place.task,
                Known::json(known)
            ),
            Self::Work { place, kind, what, id, tid, start, end, cpu } => format!(
                r#"{{"t":"work","task":"{}","id":{id},"kind":"{kind}","what":"{what}","tid":{tid},"start":{start},"end":{end},"cpu":{cpu}}}"#,
                place.task
            ),
            Self::Hold { place, resource, id, start, end } => format!(
                r#"{{"t":"hold","resource":"{resource}","task":"{}","id":{id},"start":{start},"end":{end}}}"#,
                place.task
            ),
            Self::Wake { place, id, line, by, at } => format!(
                r#"{{"t":"wake","task":"{}","id":{id},"line":{line},"by":"{by}","at":{at}}}"#,
                place.task
            ),
            Self::Total { task, kind, ns } => {
                format!(r#"{{"t":"expect","task":"{task}","kind":"{kind}","ns":{ns}}}"#)
            }
            Self::Line(line) => line.clone(),
        }
    }
}

/// Writes everything noted so far, `run` first, then in order of time.
pub fn write(path: &Path, run: &str) -> io::Result<()> {
    let mut records = Vec::new();
    for buffer in lock(&BUFFERS).iter() {
        records.append(&mut lock(buffer));
    }
    records.sort_by_key(Record::time);

    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "{run}")?;
    for (task, Count { root, partial, spawned, completed }) in lock(&TASKS).iter() {
        writeln!(
            out,
            r#"{{"t":"task","task":"{task}","root":{root},"partial":{partial},"spawned":{spawned},"completed":{completed}}}"#
        )?;
    }
    let mut totals = BTreeMap::new();
    let mut parts = BTreeSet::new();
    for record in &records {
        match record {
            Record::Work { place, kind, start, end, cpu, .. } => {
                let off = (end - start).saturating_sub(*cpu);
                *totals.entry((place.task, "running")).or_default() += cpu;
                let kind = if *kind == "running" { "preempted" } else { kind };
                *totals.entry((place.task, kind)).or_default() += off;
            }
            Record::Total { task, kind, ns } => *totals.entry((*task, *kind)).or_default() += *ns,
            Record::Await(Wait { place, line, part: Some((part, ns)), .. }) => {
                parts.insert((place.task, *line, *part, *ns));
            }
            _ => {}
        }
    }
    for (task, line, part, ns) in parts {
        writeln!(
            out,
            r#"{{"t":"expect","task":"{task}","line":{line},"part":"{part}","ns":{ns}}}"#
        )?;
    }
    for ((task, kind), ns) in totals {
        writeln!(out, "{}", Record::Total { task, kind, ns }.json())?;
    }
    let mut lines = BTreeSet::new();
    for record in &records {
        match record {
            Record::Total { .. } => {}
            // Instances of a task note the same.
            Record::Line(line) if !lines.insert(line) => {}
            _ => writeln!(out, "{}", record.json())?,
        }
    }
    #[cfg(tokio_unstable)]
    for (id, polls) in lock(&POLLS).iter() {
        writeln!(out, r#"{{"t":"polls","id":{id},"polls":{polls}}}"#)?;
    }
    out.flush()
}
