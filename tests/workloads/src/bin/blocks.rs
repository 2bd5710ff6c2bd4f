//! Threads that block in many ways, each at a line of its own: in the poll of a task, and in a blocking job.
//!
//! Known by construction: `rounds` times, a task blocks in each way for some ms, one after the other; then it gives the
//! same to a blocking job and waits for it. At the end a line for each way says where (`task` or `job`), how often and
//! for how many ns it has blocked; before that, where the locks of std lie. With `--hold` each way is taken once by a task and once by a job, at the same time,
//! and for longer than anybody looks; `holding` is printed when all of them block. With `--many N` a task blocks once in
//! each of N ways to get to one line, which differ by their callers alone. With `--echo N` a task reads from a pipe N
//! times what a thread answers at once, and a line says how many µs of CPU time the process has taken for that.

use dashmap::DashMap;
use parking_lot as pl;
use std::fs::{self, File};
use std::hint::{black_box, spin_loop};
use std::io::{self, Read, Write};
use std::os::fd::FromRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};
use truth::Options;

/// How long, in µs.
static BLOCK: AtomicU64 = AtomicU64::new(2000);
/// Threads that have been about to block since the beginning.
static BEGUN: AtomicUsize = AtomicUsize::new(0);

/// How often and how long threads have blocked, in tasks and in jobs.
static TIMES: [[AtomicU64; 2]; WAYS.len()] =
    [const { [const { AtomicU64::new(0) }; 2] }; WAYS.len()];
static NS: [[AtomicU64; 2]; WAYS.len()] = [const { [const { AtomicU64::new(0) }; 2] }; WAYS.len()];

type Way = fn() -> Begun;

/// When a thread was about to block, and how long it had waited for a CPU until then.
struct Begun {
    at: Instant,
    queued: u64,
}

/// Each returns when it began to block.
const WAYS: [(&str, Way); 14] = [
    ("sleep", sleep),
    ("inlined", inlined),
    ("deep", deep),
    ("boxed", boxed),
    ("std_mutex", std_mutex),
    ("std_rwlock", std_rwlock),
    ("condvar", condvar),
    ("park", park),
    ("channel", channel_of_std),
    ("join", join),
    ("pl_mutex", pl_mutex),
    ("pl_rwlock", pl_rwlock),
    ("map", map),
    ("pipe", pipe),
];

fn main() {
    let mut options = Options::parse(
        "blocks",
        "[--hold | --many N | --echo N]",
        &["--many", "--echo"],
        &["--hold"],
    );
    options.workers = if options.has("--hold") { WAYS.len() + 1 } else { 1 };
    options.ready();
    let runtime = options.runtime();
    if options.has("--hold") {
        BLOCK.store(3_600_000_000, Ordering::SeqCst);
        for way in 0..WAYS.len() {
            runtime.spawn(holds(way));
            runtime.spawn_blocking(move || way_of(way, true));
        }
        while BEGUN.load(Ordering::SeqCst) < 2 * WAYS.len() {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(300));
        println!("holding");
        thread::sleep(Duration::from_secs(3600));
    }
    if let Some(many) = options.get::<u64>("--many") {
        runtime.block_on(runtime.spawn(many_ways(many))).expect("the task does not panic");
        return options.finish();
    }
    if let Some(times) = options.get::<u64>("--echo") {
        let before = cpu_time();
        runtime.block_on(runtime.spawn(echo(times))).expect("the task does not panic");
        println!("echo {times} {}", (cpu_time() - before).as_micros());
        return options.finish();
    }
    let rounds = options.rounds(20, Duration::from_millis(60));
    runtime.block_on(runtime.spawn(task(rounds))).expect("the task does not panic");
    tell_locks();
    for (way, (name, _)) in WAYS.iter().enumerate() {
        for (i, what) in ["task", "job"].into_iter().enumerate() {
            let (times, ns) =
                (TIMES[way][i].load(Ordering::SeqCst), NS[way][i].load(Ordering::SeqCst));
            println!("{name} {what} {times} {ns}");
        }
    }
    options.finish();
}

fn way_of(way: usize, job: bool) {
    let begun = WAYS[way].1();
    let ns = begun.at.elapsed().as_nanos() as u64 - (queued() - begun.queued);
    TIMES[way][job as usize].fetch_add(1, Ordering::SeqCst);
    NS[way][job as usize].fetch_add(ns, Ordering::SeqCst);
}

async fn task(rounds: u64) {
    for _ in 0..rounds {
        (0..WAYS.len()).for_each(|way| way_of(way, false));
        tokio::task::spawn_blocking(|| (0..WAYS.len()).for_each(|way| way_of(way, true)))
            .await
            .expect("no panic");
    }
}

async fn holds(way: usize) {
    way_of(way, false);
}

/// A thread is about to block.
fn begin() -> Begun {
    BEGUN.fetch_add(1, Ordering::SeqCst);
    let queued = queued();
    Begun { at: Instant::now(), queued }
}

/// For how many ns this thread has waited for a CPU. That comes behind a block, and is none.
fn queued() -> u64 {
    let seen = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    seen.split(' ').nth(1).and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

fn time() -> Duration {
    Duration::from_micros(BLOCK.load(Ordering::Relaxed))
}

/// Has a thread hold what `lock` locks, from now on, for the time that is to be blocked.
fn hold<G>(lock: impl FnOnce() -> G + Send + 'static) {
    let held = Arc::new(AtomicBool::new(false));
    let told = held.clone();
    let holder = move || {
        let guard = lock();
        told.store(true, Ordering::Release);
        thread::sleep(time());
        drop(guard); // WAKES
    };
    thread::Builder::new().name("holder".into()).spawn(holder).expect("a thread");
    while !held.load(Ordering::Acquire) {
        spin_loop();
    }
}

fn sleep() -> Begun {
    let t = begin();
    thread::sleep(time()); // BLOCK sleep
    t
}

#[inline(always)]
fn inner() -> Begun {
    black_box(1); // or this function is the same as `sleep`
    let t = begin();
    thread::sleep(time()); // BLOCK inlined
    t
}

#[inline(always)]
fn middle() -> Begun {
    inner() // CALLS inlined
}

fn inlined() -> Begun {
    middle()
}

/// Its frame is larger than what most stacks have.
#[inline(never)]
fn large(fill: u8) -> Begun {
    let room = black_box([fill; 12 << 10]);
    let t = begin();
    thread::sleep(time()); // BLOCK deep
    black_box(room);
    t
}

fn deep() -> Begun {
    let t = large(1); // CALLS deep
    black_box(1); // or the call is a jump
    t
}

trait Blocks {
    fn block(&self) -> Begun;
}

struct Boxed;

impl Blocks for Boxed {
    fn block(&self) -> Begun {
        let t = begin();
        thread::sleep(time()); // BLOCK boxed
        t
    }
}

fn boxed() -> Begun {
    let any: Box<dyn Blocks> = black_box(Box::new(Boxed));
    let t = any.block(); // CALLS boxed
    drop(any);
    t
}

/// Then all wait at the same time, each for a lock of its own.
fn holds_for_ever() -> bool {
    time() > Duration::from_secs(60)
}

static MUTEX: Mutex<()> = Mutex::new(());
static RWLOCK: RwLock<()> = RwLock::new(());

/// Where the locks are that all rounds share.
fn tell_locks() {
    let tell = |name, at: usize, size| println!("lock {name} {at} to {}", at + size);
    tell("std_mutex", &raw const MUTEX as usize, size_of_val(&MUTEX));
    tell("std_rwlock", &raw const RWLOCK as usize, size_of_val(&RWLOCK));
}

fn std_mutex() -> Begun {
    let lock = if holds_for_ever() { Box::leak(Box::default()) } else { &MUTEX };
    hold(|| lock.lock());
    let t = begin();
    drop(lock.lock()); // BLOCK std_mutex
    t
}

fn std_rwlock() -> Begun {
    let lock = if holds_for_ever() { Box::leak(Box::default()) } else { &RWLOCK };
    hold(|| lock.read());
    let t = begin();
    drop(lock.write()); // BLOCK std_rwlock
    t
}

fn condvar() -> Begun {
    let (lock, never) = (Mutex::new(()), Condvar::new());
    let t = begin();
    drop(never.wait_timeout(lock.lock().unwrap(), time())); // BLOCK condvar
    t
}

fn park() -> Begun {
    let t = begin();
    thread::park_timeout(time()); // BLOCK park
    t
}

fn channel_of_std() -> Begun {
    let (sender, receiver) = channel::<()>();
    let t = begin();
    let got = receiver.recv_timeout(time()); // BLOCK channel
    assert_eq!(got, Err(RecvTimeoutError::Timeout));
    drop(sender);
    t
}

fn join() -> Begun {
    let other = thread::spawn(|| thread::sleep(time()));
    let t = begin();
    other.join().expect("it does not panic"); // BLOCK join
    t
}

fn pl_mutex() -> Begun {
    let lock: &'static pl::Mutex<()> = Box::leak(Box::new(pl::Mutex::new(())));
    hold(|| lock.lock());
    let t = begin();
    drop(lock.lock()); // BLOCK pl_mutex
    t
}

fn pl_rwlock() -> Begun {
    let lock: &'static pl::RwLock<()> = Box::leak(Box::new(pl::RwLock::new(())));
    hold(|| lock.read());
    let t = begin();
    drop(lock.write()); // BLOCK pl_rwlock
    t
}

fn map() -> Begun {
    let map: &'static DashMap<u8, u8> = Box::leak(Box::new(DashMap::from_iter([(1, 1)])));
    hold(|| map.get_mut(&1));
    let t = begin();
    drop(map.get(&1)); // BLOCK map
    t
}

fn new_pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both descriptors, which nobody else knows.
    unsafe {
        assert_eq!(
            libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC),
            0,
            "{}",
            io::Error::last_os_error()
        );
        (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    }
}

fn pipe() -> Begun {
    let (mut read, mut write) = new_pipe();
    let held = Arc::new(AtomicBool::new(false));
    let told = held.clone();
    thread::spawn(move || {
        told.store(true, Ordering::Release);
        thread::sleep(time());
        write.write_all(b"!").expect("somebody reads");
    });
    while !held.load(Ordering::Acquire) {
        spin_loop();
    }
    let t = begin();
    read.read_exact(&mut [0]).expect("somebody writes"); // BLOCK pipe
    t
}

fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is there to be written.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

async fn echo(times: u64) {
    let ((mut answer, mut answers), (mut question, mut questions)) = (new_pipe(), new_pipe());
    let other = thread::spawn(move || {
        let mut byte = [0];
        while question.read_exact(&mut byte).is_ok() {
            answers.write_all(&byte).expect("somebody reads");
        }
    });
    for i in 0..times {
        questions.write_all(b"?").expect("somebody reads");
        answer.read_exact(&mut [0]).expect("somebody answers");
        if i % 16 == 0 {
            tokio::task::yield_now().await;
        }
    }
    drop(questions);
    other.join().expect("it does not panic");
}

async fn many_ways(many: u64) {
    for way in 0..many {
        black_box(turn(way, 14));
        tokio::task::yield_now().await;
    }
}

/// Each way has other return addresses: one for each bit.
fn turn(way: u64, depth: u32) -> u64 {
    if way & 1 == 0 {
        left(way >> 1, depth)
    } else {
        right(way >> 1, depth)
    }
}

#[inline(never)]
fn left(way: u64, depth: u32) -> u64 {
    if depth == 0 {
        return last();
    }
    black_box(turn(way, depth - 1)) + 1
}

#[inline(never)]
fn right(way: u64, depth: u32) -> u64 {
    if depth == 0 {
        return last();
    }
    black_box(turn(way, depth - 1)) ^ 2
}

#[inline(never)]
fn last() -> u64 {
    thread::sleep(Duration::from_micros(50)); // BLOCK many
    black_box(0)
}
