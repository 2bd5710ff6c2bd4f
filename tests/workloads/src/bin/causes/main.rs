//! A task for each cause of a wait, which is controlled: whoever causes it notes when he did.
//!
//! One task at a time, so that nobody else is in its way; where another is to be in its way, that is its cause. All of them
//! run on one worker (`--flavor current`: on the main thread).
//!
//! What this system does not allow is told as `skipped WHAT: WHY`.
//!
//! `causes` runs all but the last. `causes quota --cgroup FOLDER` runs that one: it computes, in a cgroup that is not
//! allowed to for all of the time, and reads from FOLDER how long it was not.

mod files;
mod peers;
mod storage;
mod tasks;
mod workers;

use std::future::Future;
use std::path::PathBuf;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread;
use std::time::Duration;
use truth::{place, Options, Place};

/// What a wait takes.
const STEP: Duration = Duration::from_millis(4);
/// For how long the worker is kept from something.
const BUSY: Duration = Duration::from_millis(3);

fn main() {
    let mut options = Options::parse("causes", "[quota --cgroup FOLDER]", &["--cgroup"], &[]);
    options.workers = 1;
    let quota = match options.words.first().map(String::as_str) {
        None => None,
        Some("quota") => match options.get::<PathBuf>("--cgroup") {
            Some(folder) => Some(folder),
            None => options.fail("quota needs --cgroup"),
        },
        Some(_) => options.fail("the only mode is quota"),
    };
    let slow = if quota.is_none() { storage::Slow::mount() } else { None };
    options.ready();
    let rounds = options.rounds(40, STEP);
    options.runtime().block_on(async {
        const AT: Place = place!("causes::main");
        AT.root();
        AT.partial();
        match quota {
            Some(folder) => workers::quota(rounds / 2, folder).await,
            None => all(rounds, slow.as_ref()).await,
        }
        AT.completed();
    });
    drop(slow);
    options.finish();
}

async fn all(rounds: u64, slow: Option<&storage::Slow>) {
    alone(peers::tcp(rounds)).await;
    alone(peers::unix(rounds)).await;
    alone(peers::udp(rounds)).await;
    alone(peers::pipe(rounds)).await;
    workers::busy(rounds).await;
    workers::due(rounds).await;
    workers::second(rounds).await;
    match workers::may_be_above_all() {
        true => alone(workers::starved(rounds)).await,
        false => println!("skipped starved: no right to real-time priority, or one CPU only"),
    }
    alone(workers::computes(rounds)).await;
    alone(tasks::sleeps(rounds)).await;
    tasks::locked(rounds).await;
    tasks::sends(rounds).await;
    alone(tasks::set(rounds)).await;
    alone(tasks::selects_data(rounds)).await;
    alone(tasks::selects_timer(rounds)).await;
    alone(tasks::selects_stop(rounds)).await;
    alone(tasks::blocks(rounds)).await;
    match slow {
        Some(slow) => from_storage(rounds, slow).await,
        None => println!("skipped files of slow storage: no FUSE"),
    }
    alone(files::job_asks(rounds)).await;
    alone(files::job_fills(rounds)).await;
    alone(files::job_locks(rounds)).await;
    alone(files::job_syncs(rounds)).await;
}

async fn from_storage(rounds: u64, slow: &storage::Slow) {
    alone(files::reads(rounds, slow.direct(), slow.times.clone())).await;
    alone(files::job_reads(rounds, slow.direct())).await;
    alone(files::faults(rounds, slow.cached())).await;
}

async fn alone(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task).await.expect("no panic");
}

/// Keeps a CPU busy for so long, whether others want it or not.
fn spin(until: u64) {
    while truth::now() < until {
        std::hint::spin_loop();
    }
}

/// Keeps a CPU busy until the thread has used so much of it.
fn burn(time: Duration) {
    let end = truth::thread_cpu() + time.as_nanos() as u64;
    while truth::thread_cpu() < end {}
}

/// A thread that does something beside each round.
struct Helper {
    orders: Sender<()>,
    begun: Receiver<()>,
}

/// The helper's side of a round.
struct Order<'a>(&'a Sender<()>);

impl Order<'_> {
    fn begin(&self) {
        self.0.send(()).expect("the task is there");
    }
}

impl Helper {
    fn new(name: &str, mut round: impl FnMut(Order) + Send + 'static) -> Self {
        let (orders, ordered) = channel();
        let (begins, begun) = channel();
        spawn(name, move || {
            while ordered.recv().is_ok() {
                round(Order(&begins));
            }
        });
        Self { orders, begun }
    }

    /// Returns when the helper's round has begun.
    fn begin(&self) {
        self.orders.send(()).expect("the helper is there");
        self.begun.recv().expect("the helper is there");
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name(name.into()).spawn(run).expect("a thread");
}
