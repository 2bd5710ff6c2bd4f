//! A task that blocks its worker, the only one there is, and tasks that suffer from it.
//!
//! Known by construction: every round `handler` sleeps as it should for 20 ms, then blocks for 10 ms in its poll:
//! in turn in a read from a pipe, in `thread::sleep`, on a `std::sync::Mutex`. 2 ms into each block the thread
//! `feeder` wakes `waiter`, which so stays ready for 8 ms, behind `handler`. `timer`'s deadlines come all 5 ms;
//! those that fall into a block are late by what remains of it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::FromRawFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use truth::{place, Countdown, Options, Place};

const REST: Duration = Duration::from_millis(20);
const BLOCK: Duration = Duration::from_millis(10);
/// When in a block `waiter` is woken.
const WAKE: Duration = Duration::from_millis(2);

fn main() -> io::Result<()> {
    let mut options = Options::parse("blocker", "", &[], &[]);
    options.workers = 1;
    options.ready();
    let rounds = options.rounds(15, REST + BLOCK);

    let (order, orders) = channel();
    let (pipe, feed) = pipe()?;
    let shared = Arc::new(Shared::default());
    let feeder = {
        let shared = shared.clone();
        thread::Builder::new().name("feeder".into()).spawn(move || feeder(orders, feed, &shared))?
    };
    options.runtime().block_on(run(rounds, order, pipe, shared));
    feeder.join().expect("the feeder does not panic");
    options.finish();
    Ok(())
}

/// What the feeder has in common with the tasks.
#[derive(Default)]
struct Shared {
    wake: Notify,
    /// When and at which line `waiter` was woken.
    woken: AtomicU64,
    line: AtomicU32,
    lock: Mutex<()>,
}

#[derive(Clone, Copy)]
enum Block {
    Pipe,
    Sleep,
    Lock,
}

enum Order {
    /// Get ready to end such a block.
    Prepare(Block),
    /// It begins.
    Begin,
}

fn pipe() -> io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both descriptors, which nobody else knows.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])))
    }
}

/// Ends each block after its time.
fn feeder(orders: Receiver<Order>, mut feed: File, shared: &Shared) {
    while let Ok(Order::Prepare(block)) = orders.recv() {
        let guard = matches!(block, Block::Lock).then(|| shared.lock.lock().unwrap());
        let Ok(Order::Begin) = orders.recv() else { return };
        thread::sleep(WAKE);
        shared.woken.store(truth::now(), Ordering::SeqCst);
        place!("blocker::waiter").woken(0, shared.line.load(Ordering::SeqCst), "feeder");
        shared.wake.notify_one();
        thread::sleep(BLOCK - WAKE);
        drop(guard);
        if let Block::Pipe = block {
            feed.write_all(b"!").expect("the handler reads");
        }
    }
}

async fn run(rounds: u64, order: Sender<Order>, pipe: File, shared: Arc<Shared>) {
    const AT: Place = place!("blocker::run");
    AT.root();
    let countdown = Arc::new(Countdown::new(3));
    tokio::spawn(waiter(rounds, shared.clone(), countdown.clone()));
    tokio::spawn(timer(rounds, countdown.clone()));
    tokio::spawn(handler(rounds, order, pipe, shared, countdown.clone()));
    let t = truth::start();
    countdown.zero.notified().await;
    AT.wait(t, line!() - 1, "Notified").log();
    AT.completed();
}

/// Does what no task should.
async fn handler(
    rounds: u64,
    order: Sender<Order>,
    mut pipe: File,
    shared: Arc<Shared>,
    countdown: Arc<Countdown>,
) {
    const AT: Place = place!("blocker::handler");
    AT.spawned();
    for round in 0..rounds {
        let block = [Block::Pipe, Block::Sleep, Block::Lock][round as usize % 3];
        order.send(Order::Prepare(block)).expect("the feeder is there");
        let t = truth::start();
        sleep(REST).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", REST).log();

        let (start, cpu) = (truth::now(), truth::thread_cpu());
        order.send(Order::Begin).expect("the feeder is there");
        let what = match block {
            Block::Pipe => {
                pipe.read_exact(&mut [0]).expect("the feeder writes");
                "pipe read"
            }
            Block::Sleep => {
                thread::sleep(BLOCK);
                "thread sleep"
            }
            Block::Lock => {
                drop(shared.lock.lock());
                "mutex"
            }
        };
        AT.blocked(what, start, cpu);
    }
    AT.completed();
    countdown.done();
}

/// Is ready 2 ms into each block, and polled after it.
async fn waiter(rounds: u64, shared: Arc<Shared>, countdown: Arc<Countdown>) {
    const AT: Place = place!("blocker::waiter");
    AT.spawned();
    for _ in 0..rounds {
        shared.line.store(line!() + 2, Ordering::SeqCst);
        let t = truth::start();
        shared.wake.notified().await;
        AT.wait(t, line!() - 1, "Notified").log();
        AT.total("ready", truth::now() - shared.woken.load(Ordering::SeqCst));
    }
    AT.completed();
    countdown.done();
}

/// Wants to run every 5 ms.
async fn timer(rounds: u64, countdown: Arc<Countdown>) {
    const AT: Place = place!("blocker::timer");
    const TIME: Duration = Duration::from_millis(5);
    AT.spawned();
    for _ in 0..rounds * 4 {
        let t = truth::start();
        sleep(TIME).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", TIME).log();
    }
    AT.completed();
    countdown.done();
}
