//! Tasks that are woken by threads which poll nothing, each from a line of its own; by a blocking job; by a task; and
//! roots.
//!
//! Known by construction: `rounds` times, the waiter of each way asks a thread to wake it, which takes a nap and does so.
//! At the end a line for each way says how often, and how many ns it has waited until the call that woke it. With
//! `--echo N` a thread wakes a task N times as soon as it waits again, and a line says how many ns that call has taken,
//! at the median, less what it takes to look at the clock. SIGUSR1 does nothing but interrupt a sleep.

use futures::executor;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{mpsc as std_mpsc, Arc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, Notify};
use truth::Options;

const NAP: Duration = Duration::from_millis(2);
const WAYS: [&str; 9] =
    ["message", "notify", "answer", "boxed", "job", "root", "local", "sent", "task"];

/// When the thread of each way was about to wake, how often it has waited, and for how long in all.
static WOKEN: [AtomicU64; WAYS.len()] = [const { AtomicU64::new(0) }; WAYS.len()];
static TIMES: [AtomicU64; WAYS.len()] = [const { AtomicU64::new(0) }; WAYS.len()];
static NS: [AtomicU64; WAYS.len()] = [const { AtomicU64::new(0) }; WAYS.len()];

extern "C" fn interrupted(_signal: libc::c_int) {}

fn main() {
    let mut options = Options::parse("wakers", "[--echo N]", &["--echo"], &[]);
    let handler = interrupted as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: the handler does nothing.
    unsafe { libc::signal(libc::SIGUSR1, handler) };
    options.ready();
    let runtime = options.runtime();
    if let Some(times) = options.get::<usize>("--echo") {
        println!("echo {times} {}", runtime.block_on(runtime.spawn(echo(times))).expect("no panic"));
        return options.finish();
    }
    let rounds = options.rounds(20, NAP);
    let tasks = [
        runtime.spawn(message(rounds)),
        runtime.spawn(notify(rounds)),
        runtime.spawn(answer(rounds)),
        runtime.spawn(boxed(rounds)),
        runtime.spawn(job(rounds)),
        runtime.spawn(sent(rounds)),
        runtime.spawn(task(rounds)),
    ];
    let handle = runtime.handle().clone();
    let roots = [
        named("rooted", move || handle.block_on(root(rounds))),
        named("alone", move || executor::block_on(local(rounds))),
    ];
    for task in tasks {
        runtime.block_on(task).expect("no panic");
    }
    for thread in roots {
        thread.join().expect("no panic");
    }
    for (way, name) in WAYS.iter().enumerate() {
        println!(
            "{name} {} {}",
            TIMES[way].load(Ordering::SeqCst),
            NS[way].load(Ordering::SeqCst)
        );
    }
    options.finish();
}

fn named<T: Send + 'static>(name: &str, f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new().name(name.into()).spawn(f).expect("a thread")
}

/// A nap; then the thread of `way` is about to wake.
fn nap(way: usize) {
    thread::sleep(NAP);
    WOKEN[way].store(truth::now(), Ordering::SeqCst);
}

/// The wait of `way` that began at `start` is over.
fn note(way: usize, start: u64) {
    TIMES[way].fetch_add(1, Ordering::SeqCst);
    NS[way].fetch_add(WOKEN[way].load(Ordering::SeqCst) - start, Ordering::SeqCst);
}

async fn message(rounds: u64) {
    let (ask, asked) = std_mpsc::channel();
    let (tell, mut told) = mpsc::unbounded_channel();
    let feeder = named("feeder", move || feed(asked, tell));
    for _ in 0..rounds {
        ask.send(()).expect("the thread is there");
        let start = truth::now();
        told.recv().await; // WAITS message
        note(0, start);
    }
    drop(ask);
    feeder.join().expect("no panic");
}

fn feed(asked: std_mpsc::Receiver<()>, tell: mpsc::UnboundedSender<()>) {
    for () in asked {
        nap(0);
        tell.send(()).expect("the task waits"); // WAKES message
    }
}

async fn notify(rounds: u64) {
    let (ask, asked) = std_mpsc::channel();
    let bell = Arc::new(Notify::new());
    let theirs = Arc::clone(&bell);
    let ringer = named("ringer", move || {
        for () in asked {
            ring(&theirs);
        }
    });
    for _ in 0..rounds {
        ask.send(()).expect("the thread is there");
        let start = truth::now();
        bell.notified().await; // WAITS notify
        note(1, start);
    }
    drop(ask);
    ringer.join().expect("no panic");
}

#[inline(always)]
fn ring(bell: &Notify) {
    nap(1);
    bell.notify_one(); // WAKES notify
}

async fn answer(rounds: u64) {
    let (ask, asked) = std_mpsc::channel::<oneshot::Sender<u64>>();
    let clerk = named("clerk", move || {
        for reply in asked {
            decide(reply, 30);
        }
    });
    for _ in 0..rounds {
        let (reply, replied) = oneshot::channel();
        ask.send(reply).expect("the thread is there");
        let start = truth::now();
        replied.await.expect("an answer"); // WAITS answer
        note(2, start);
    }
    drop(ask);
    clerk.join().expect("no panic");
}

/// The way to the wake is deep: what is looked at of a stack has less than all of it.
#[inline(never)]
fn decide(reply: oneshot::Sender<u64>, depth: u64) {
    let room = std::hint::black_box([depth; 32]);
    if depth > 0 {
        return decide(reply, room[3] - 1);
    }
    nap(2);
    reply.send(room[5]).expect("the task waits"); // WAKES answer
}

type Reply = Box<dyn FnOnce() + Send>;

async fn boxed(rounds: u64) {
    let (ask, asked) = std_mpsc::channel::<Reply>();
    let caller = named("caller", move || {
        for reply in asked {
            nap(3);
            reply();
        }
    });
    for _ in 0..rounds {
        let (reply, replied) = oneshot::channel();
        let reply = Box::new(move || {
            reply.send(()).expect("the task waits"); // WAKES boxed
        });
        ask.send(reply).expect("the thread is there");
        let start = truth::now();
        replied.await.expect("an answer"); // WAITS boxed
        note(3, start);
    }
    drop(ask);
    caller.join().expect("no panic");
}

async fn job(rounds: u64) {
    let (ask, asked) = std_mpsc::channel();
    let (tell, mut told) = mpsc::unbounded_channel();
    let job = tokio::task::spawn_blocking(move || work(asked, tell));
    for _ in 0..rounds {
        ask.send(()).expect("the job goes on");
        let start = truth::now();
        told.recv().await; // WAITS job
        note(4, start);
    }
    drop(ask);
    job.await.expect("no panic"); // WAITS end
}

fn work(asked: std_mpsc::Receiver<()>, tell: mpsc::UnboundedSender<()>) {
    for () in asked {
        nap(4);
        tell.send(()).expect("the task waits"); // WAKES job
    }
    thread::sleep(10 * NAP);
}

async fn root(rounds: u64) {
    let (ask, asked) = std_mpsc::channel::<oneshot::Sender<()>>();
    let waker = named("waker", move || {
        for reply in asked {
            nap(5);
            reply.send(()).expect("the root waits"); // WAKES root
        }
    });
    for _ in 0..rounds {
        let (reply, replied) = oneshot::channel();
        ask.send(reply).expect("the thread is there");
        let start = truth::now();
        replied.await.expect("an answer"); // WAITS root
        note(5, start);
    }
    drop(ask);
    waker.join().expect("no panic");
}

async fn local(rounds: u64) {
    let (ask, asked) = std_mpsc::channel::<oneshot::Sender<()>>();
    let helper = named("helper", move || {
        for reply in asked {
            nap(6);
            reply.send(()).expect("the root waits"); // WAKES local
        }
    });
    for _ in 0..rounds {
        let (reply, replied) = oneshot::channel();
        ask.send(reply).expect("the thread is there");
        let start = truth::now();
        replied.await.expect("an answer"); // WAITS local
        note(6, start);
    }
    drop(ask);
    helper.join().expect("no panic");
}

/// What the thread blocks on in order to send is a root.
async fn sent(rounds: u64) {
    let (ask, asked) = std_mpsc::channel();
    let (tell, mut told) = mpsc::channel(1);
    let sender = named("sender", move || {
        for () in asked {
            nap(7);
            tell.blocking_send(()).expect("the task waits"); // WAKES sent
        }
    });
    for _ in 0..rounds {
        ask.send(()).expect("the thread is there");
        let start = truth::now();
        told.recv().await; // WAITS sent
        note(7, start);
    }
    drop(ask);
    sender.join().expect("no panic");
}

async fn task(rounds: u64) {
    let (asked, bell) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let relay = tokio::spawn(relay(rounds, Arc::clone(&asked), Arc::clone(&bell)));
    for _ in 0..rounds {
        asked.notify_one();
        let start = truth::now();
        bell.notified().await; // WAITS task
        note(8, start);
    }
    relay.await.expect("no panic");
}

async fn relay(rounds: u64, asked: Arc<Notify>, bell: Arc<Notify>) {
    for _ in 0..rounds {
        asked.notified().await;
        tokio::time::sleep(NAP).await; // WAKES task
        WOKEN[8].store(truth::now(), Ordering::SeqCst);
        bell.notify_one();
    }
}

async fn echo(times: usize) -> u64 {
    let bell = Arc::new(Notify::new());
    let waits = Arc::new(AtomicUsize::new(0));
    let (theirs, seen) = (Arc::clone(&bell), Arc::clone(&waits));
    let ringer = named("ringer", move || {
        let mut took = Vec::with_capacity(times);
        for round in 1..=times {
            while seen.load(Ordering::SeqCst) < round {
                std::hint::spin_loop();
            }
            let before = Instant::now();
            theirs.notify_one();
            took.push(before.elapsed().as_nanos() as u64);
        }
        took.sort_unstable();
        took[times / 2]
    });
    for round in 1..=times {
        let notified = bell.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        tokio::select! {
            biased;
            () = &mut notified => {}
            () = announce(&waits, round) => unreachable!(),
        }
    }
    ringer.join().expect("no panic")
}

/// Says, in the poll that becomes Pending, that the task waits for the `round`th time.
async fn announce(waits: &AtomicUsize, round: usize) {
    waits.store(round, Ordering::SeqCst);
    std::future::pending().await
}
