//! Ground truth for programs whose waiting time is known by construction.
//!
//! Every workload is one file in `src/bin`. It runs real async code on a stock tokio and notes, beside
//! each `.await` that goes Pending, what a profiler has to find there. The notes stay in memory
//! (a preallocated buffer per thread) and are written at the end, as one JSON object per line, to the file
//! named by `--truth`. Without `--truth` nothing is noted and no clock is read.
//!
//! All times are nanoseconds of `CLOCK_MONOTONIC`, the clock of `bpf_ktime_get_ns`.
//!
//! # Command line
//!
//! `PROGRAM [MODE] [--seconds S | --rounds N] [--truth FILE] [--wait] [--flavor multi|current] [--workers N]`
//!
//! `--wait` prints `ready` on standard output and reads one byte from standard input before the runtime
//! exists, so that a test can attach first. What a program adds to this is in its own usage.
//!
//! # Records
//!
//! Names are written as the source spells them: `crate::module::function`, `crate::Type::method`; an async
//! block or closure is named after the function that holds it. `task` is the name of the spawned future,
//! `function` the function that holds the `.await`, `line` the line of the `.await` token in `file`.
//!
//! `{"t":"run","program":…,"pid":N,"flavor":"multi"|"current","workers":N,"start":ns,"end":ns}`
//! : one per file, first.
//!
//! `{"t":"await","task":…,"id":N,"function":…,"file":…,"line":N,"leaf":…,"key":…,"resource":…,"pendings":N,"tid":N,"start":ns,"end":ns}`
//! : one finished await. `start` is just before it, `end` just after it resumed. `id` is tokio's task id, 0
//!   for the root future of `block_on`, which is no task. `leaf` is a part of the type path of the innermost
//!   future. `key` is `tcp ADDRESS` (of the remote end; of the listener itself for `accept`) or empty.
//!   `resource` names the lock or semaphore of `hold` records, or is empty. `pendings` is how often the task's
//!   poll ended Pending inside this await: 1 by construction in nearly all, `null` where it cannot be known:
//!   among others where the await had a designed length and took less than a quarter of it, so that its event
//!   was already there or came while the future was being polled for the first time. `tid` is the thread that resumed it.
//!   Awaits that are ready at once by construction are not written.
//!   A wait that was cut short (its future dropped) is not written either: see `task`.
//!   A wait for a blocking job that notes what it does has `"job":{"begin":ns,"end":ns,"running":ns,"run_queue":ns,"blocked":ns}`
//!   as well: when it ran, and what the kernel says of its thread in that time.
//!   A wait whose cause is controlled has `"known":[{"part":…,"ns":N,"about":…},…]`: how long each of its parts
//!   was, as measured by whoever caused it, in order of time. What is left of the await is that of the runtime.
//!   `about` is what dwell has to call the part's object; it is empty if nothing is said of that.
//!
//! `{"t":"poll","task":…,"line":N,"start":ns,"end":ns,"known":[…]}`
//! : a poll in which nothing was done but what is in that line; its parts are as those of an await.
//!
//! `{"t":"expect","task":…,"line":N,"part":…,"ns":N}`
//! : designed length of one part of *each* await at that line, as long as `pendings` is 1. Parts:
//!   `no data` (the peer's delay), `until deadline`, `until wake` (channel, lock, notify, join),
//!   `job` (a blocking job's own time). What the await takes beyond it is lateness of timers, scheduling
//!   and the runtime's queue.
//!
//! `{"t":"expect","task":…,"kind":"running"|"preempted"|"blocked"|"ready","ns":N}`
//! : total of a kind over all instances of the task, measured inside the program: of its `work`, the CPU
//!   time as `running`, the rest as `blocked` or `preempted` (with `blocked` work, the little time from the
//!   wake of the thread until it runs is in `blocked` too); `ready` from `wake` to the end of the await.
//!
//! `{"t":"work","task":…,"id":N,"kind":"blocked"|"running","what":…,"tid":N,"start":ns,"end":ns,"cpu":ns}`
//! : synchronous work inside one poll. `cpu` is thread CPU time spent in it.
//!
//! `{"t":"hold","resource":…,"task":…,"id":N,"start":ns,"end":ns}`
//! : a lock or permit was held; who waits for `resource` meanwhile waits for this task.
//!
//! `{"t":"wake","task":…,"id":N,"line":N,"by":…,"at":ns}`
//! : the await of that task (id 0: its only instance) at that line was woken at `at` by task or thread `by`.
//!
//! `{"t":"task","task":…,"root":false,"partial":false,"spawned":N,"completed":N}`
//! : `spawned - completed` instances were cancelled, by `abort` or by the end of the runtime.
//!   `root` marks the future given to `block_on`. A `partial` task has waits in code that is not the
//!   workload's own, which are not noted.
//!
//! `{"t":"polls","id":N,"polls":N}`
//! : only if built with `--cfg tokio_unstable`: how often tokio polled the task. `check.py` then holds the
//!   notes themselves against it: a task is polled once more than its awaits go Pending.
//!
//! `{"t":"chain","task":…,"shape":…,"frames":[…],"leaf":…,"branches":[[…],…],"fired":N}`
//! : the await chain at one wait, outermost first. A frame is `path::function (file.rs:LINE)` for an await in
//!   the program's own source, or `<path::Type>` for a future that is polled by hand in between: one written in
//!   the program (full path) or a combinator of a library (its bare name). Async functions of libraries
//!   and boxes are left out. Where several futures are waited for at once, `frames` ends at the common await,
//!   `leaf` is the future awaited there, and `branches` continues it: a list per future, its last entry the
//!   leaf. `fired` is the index of the branch that ended the await.

mod job;
mod moment;
mod options;
pub mod other_end;
mod peer;
mod record;
mod source;
mod stop;

pub use job::Did;
pub use moment::Moment;
pub use options::{Flavor, Options};
pub use peer::Peer;
pub use record::{chain, enable, now, start, thread_cpu, write, Branches, Place, Wait};
pub use source::Source;
pub use stop::stop_when_told;

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Lets a root future wait for its tasks with exactly one Pending, whatever order they finish in.
pub struct Countdown {
    left: AtomicUsize,
    pub zero: Notify,
}

impl Countdown {
    pub fn new(tasks: usize) -> Self {
        Self { left: AtomicUsize::new(tasks), zero: Notify::new() }
    }

    /// One task more, while there are others yet.
    pub fn more(&self) {
        self.left.fetch_add(1, Ordering::AcqRel);
    }

    pub fn done(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.zero.notify_one();
        }
    }
}
