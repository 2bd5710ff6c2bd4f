//! Blocking jobs whose time in the pool's queue, on a CPU, in a run queue and asleep is known.
//!
//! The pool has two threads. One task at a time has jobs done, a few in each round, so that nobody else is in
//! the queue. Each job notes when it ran and what the kernel accounts to its thread meanwhile; how long it has
//! to wait, to sleep or to compute is set.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::task::{spawn_blocking, JoinSet};
use truth::{place, Did, Options, Place};

include!("../job_steps.rs");

/// Threads of the pool.
const POOL: usize = 2;

fn main() {
    let mut options = Options::parse("jobs", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(20, STEP * 10);
    let runtime = options.builder().max_blocking_threads(POOL).build().expect("a runtime");
    runtime.block_on(root(rounds));
    drop(runtime);
    options.finish();
}

async fn root(rounds: u64) {
    const AT: Place = place!("jobs::root");
    AT.root();
    AT.partial();
    for _ in 0..rounds {
        let job = spawn_blocking(|| Did::run(|| thread::sleep(STEP)));
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    tokio::spawn(sleeper(rounds)).await.expect("no panic");
    tokio::spawn(burner(rounds)).await.expect("no panic");
    tokio::spawn(third(rounds)).await.expect("no panic");
    tokio::spawn(locked(rounds)).await.expect("no panic");
    tokio::spawn(piped(rounds)).await.expect("no panic");
    tokio::spawn(late(rounds)).await.expect("no panic");
    tokio::spawn(crowded(rounds)).await.expect("no panic");
    tokio::spawn(set(rounds)).await.expect("no panic");
    tokio::spawn(impatient(rounds)).await.expect("no panic");
    tokio::spawn(filed(rounds)).await.expect("no panic");
    tokio::spawn(resolver(rounds)).await.expect("no panic");
    tokio::spawn(several(rounds)).await.expect("no panic");
    AT.completed();
}

/// The job sleeps.
async fn sleeper(rounds: u64) {
    const AT: Place = place!("jobs::sleeper");
    AT.spawned();
    for _ in 0..rounds {
        let job = spawn_blocking(|| Did::run(|| thread::sleep(STEP)));
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    AT.completed();
}

/// The job computes.
async fn burner(rounds: u64) {
    const AT: Place = place!("jobs::burner");
    AT.spawned();
    for _ in 0..rounds {
        let job = spawn_blocking(|| Did::run(|| burn(STEP)));
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    AT.completed();
}

/// Two jobs are before it in the queue; as it begins, it computes and sleeps.
async fn third(rounds: u64) {
    const AT: Place = place!("jobs::third");
    AT.spawned();
    for _ in 0..rounds {
        let before = [(); POOL].map(|()| spawn_blocking(|| thread::sleep(STEP * 2)));
        let job = spawn_blocking(|| {
            Did::run(|| {
                burn(STEP / 4);
                thread::sleep(STEP / 2);
                burn(STEP / 4);
            })
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
        for job in before {
            job.await.expect("no panic");
        }
    }
    AT.completed();
    AT.partial();
}

/// The job waits for a file lock that another thread has.
async fn locked(rounds: u64) {
    const AT: Place = place!("jobs::locked");
    AT.spawned();
    let path = std::env::temp_dir().join(format!("jobs-{}.lock", std::process::id()));
    let theirs = File::create(&path).expect("a file");
    let ours = Arc::new(File::open(&path).expect("the same"));
    std::fs::remove_file(&path).expect("its name is not needed");
    let helper = Helper::new(move |order| {
        flock(&theirs, libc::LOCK_EX);
        order.begin();
        thread::sleep(STEP);
        flock(&theirs, libc::LOCK_UN);
    });
    for _ in 0..rounds {
        helper.begin();
        let file = ours.clone();
        let job = spawn_blocking(move || {
            Did::run(|| {
                flock(&file, libc::LOCK_EX);
                flock(&file, libc::LOCK_UN);
            })
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    AT.completed();
}

/// The job reads from a pipe that is empty for a step.
async fn piped(rounds: u64) {
    const AT: Place = place!("jobs::piped");
    AT.spawned();
    let (pipe, mut feed) = pipe();
    let pipe = Arc::new(pipe);
    let helper = Helper::new(move |order| {
        order.begin();
        thread::sleep(STEP);
        feed.write_all(b"!").expect("the job reads");
    });
    for _ in 0..rounds {
        helper.begin();
        let pipe = pipe.clone();
        let job = spawn_blocking(move || {
            Did::run(|| (&*pipe).read_exact(&mut [0]).expect("the helper writes"))
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    AT.completed();
}

/// The job has slept for half its time when the wait for it begins.
async fn late(rounds: u64) {
    const AT: Place = place!("jobs::late");
    AT.spawned();
    for _ in 0..rounds {
        let job = spawn_blocking(|| Did::run(|| thread::sleep(STEP * 2)));
        let t = truth::start();
        tokio::time::sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    AT.completed();
}

/// The job computes on a CPU that another thread computes on, too.
async fn crowded(rounds: u64) {
    const AT: Place = place!("jobs::crowded");
    AT.spawned();
    let done = Arc::new(AtomicBool::new(false));
    let rival = {
        let done = done.clone();
        thread::spawn(move || {
            on_one_cpu(true);
            while !done.load(Ordering::Relaxed) {}
        })
    };
    for _ in 0..rounds {
        let job = spawn_blocking(|| {
            Did::run(|| {
                on_one_cpu(true);
                burn(STEP * 2);
                on_one_cpu(false);
            })
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    done.store(true, Ordering::Relaxed);
    rival.join().expect("no panic");
    AT.completed();
}

/// A set of jobs, one at a time.
async fn set(rounds: u64) {
    const AT: Place = place!("jobs::set");
    AT.spawned();
    let mut set = JoinSet::new();
    for _ in 0..rounds {
        set.spawn_blocking(|| Did::run(|| thread::sleep(STEP)));
        let t = truth::start();
        let did = set.join_next().await.expect("one").expect("no panic");
        AT.wait(t, line!() - 1, "join_next").job(did).log();
    }
    AT.completed();
}

/// Waits for a step only, then for the rest of the job.
async fn impatient(rounds: u64) {
    const AT: Place = place!("jobs::impatient");
    AT.spawned();
    for _ in 0..rounds {
        let mut job = spawn_blocking(|| Did::run(|| thread::sleep(STEP * 2)));
        let t = truth::start();
        let in_time = tokio::time::timeout(STEP, &mut job).await;
        if in_time.is_ok() {
            continue; // this task was late itself
        }
        AT.wait(t, line!() - 4, "Sleep").part("until deadline", STEP).log();
        let t = truth::start();
        let did = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    AT.completed();
}

/// A read of `tokio::fs`; when there is something to read is noted as the end of the job.
async fn filed(rounds: u64) {
    const AT: Place = place!("jobs::filed");
    AT.spawned();
    let (pipe, mut feed) = pipe();
    let mut file = tokio::fs::File::from_std(pipe);
    let fed = Arc::new(AtomicU64::new(0));
    let at = fed.clone();
    let helper = Helper::new(move |order| {
        order.begin();
        thread::sleep(STEP * 3);
        at.store(truth::now(), Ordering::SeqCst);
        feed.write_all(b"!").expect("the task reads");
    });
    for _ in 0..rounds {
        helper.begin();
        let t = truth::start();
        file.read_exact(&mut [0]).await.expect("the helper writes");
        let wait = AT.wait(t, line!() - 1, "ReadExact");
        let end = fed.load(Ordering::SeqCst);
        let blocked = end.saturating_sub(t);
        wait.job(Did { begin: t, end, running: 0, run_queue: 0, blocked }).log();
    }
    AT.completed();
}

/// Asks for the address of a name, which is looked up in a job.
async fn resolver(rounds: u64) {
    const AT: Place = place!("jobs::resolver");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        let _ = tokio::net::lookup_host(("localhost", 80)).await;
        // The job may be quick enough to be done before anybody looks.
        AT.wait(t, line!() - 2, "MaybeReady").pendings(None).log();
    }
    AT.completed();
}

/// Waits for two jobs at once, the first of which is done a step before the other.
async fn several(rounds: u64) {
    const AT: Place = place!("jobs::several");
    AT.spawned();
    for _ in 0..rounds {
        let mut short = spawn_blocking(|| Did::run(|| thread::sleep(STEP)));
        let mut long = spawn_blocking(|| Did::run(|| thread::sleep(STEP * 2)));
        let t = truth::start();
        let did = tokio::select! {
            did = &mut short => did.expect("no panic"),
            did = &mut long => did.expect("no panic"),
        };
        AT.wait(t, line!() - 4, "JoinHandle").job(did).log();
        let t = truth::start();
        let did = long.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").job(did).log();
    }
    AT.completed();
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
    fn new(mut round: impl FnMut(Order) + Send + 'static) -> Self {
        let (orders, ordered) = channel();
        let (begins, begun) = channel();
        thread::spawn(move || {
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

fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both descriptors, which nobody else knows.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    }
}

fn flock(file: &File, operation: libc::c_int) {
    // SAFETY: the descriptor is open as long as `file` is.
    assert_eq!(unsafe { libc::flock(file.as_raw_fd(), operation) }, 0);
}

/// Keeps the calling thread on the first CPU that it may use, or no longer.
fn on_one_cpu(one: bool) {
    // SAFETY: the sets live in this frame, and have the size that is said.
    unsafe {
        let mut cpus: libc::cpu_set_t = std::mem::zeroed();
        let size = std::mem::size_of_val(&cpus);
        let process = std::process::id() as libc::pid_t;
        assert_eq!(libc::sched_getaffinity(process, size, &mut cpus), 0);
        let mut first: libc::cpu_set_t = std::mem::zeroed();
        let cpu = (0..libc::CPU_SETSIZE as usize).find(|cpu| libc::CPU_ISSET(*cpu, &cpus));
        libc::CPU_SET(cpu.expect("a CPU"), &mut first);
        assert_eq!(libc::sched_setaffinity(0, size, if one { &first } else { &cpus }), 0);
    }
}
