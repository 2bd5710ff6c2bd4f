//! Tasks that wait for one another: stages over bounded channels, replies, announcements, a contended
//! lock, a semaphore, a notification, a join, and a message from a thread outside of the runtime.
//!
//! Known by construction: one task of each group sleeps for a set time while the others wait for it, so each
//! wait goes Pending once, ends with the sleeper's wake, and has the sleep's length.
//! `hold` records say who had the lock or a permit at any time, `wake` records who woke `listener`.

use std::sync::{mpsc as thread_mpsc, Arc};
use std::thread;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch, Mutex, Notify, Semaphore};
use tokio::time::sleep;
use truth::{place, Countdown, Options, Place};

/// The time of each sleep on which others wait.
const STEP: Duration = Duration::from_millis(5);
/// The time in which waiters have come to wait at the start.
const SETTLE: Duration = Duration::from_millis(20);
const LEDGERS: usize = 3;
const LEASES: usize = 4;

fn main() {
    let mut options = Options::parse("pipeline", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(20, STEP * LEDGERS as u32);
    options.runtime().block_on(run(rounds));
    options.finish();
}

async fn run(rounds: u64) {
    const AT: Place = place!("pipeline::run");
    AT.root();
    let countdown = Arc::new(Countdown::new(12 + LEDGERS + LEASES));
    let started = |at: Place| {
        at.spawned();
        Done { at, countdown: countdown.clone() }
    };

    let (sender, receiver) = mpsc::channel(2);
    let (results, sink_input) = mpsc::channel(2);
    tokio::spawn(source(rounds, sender, started(place!("pipeline::source"))));
    tokio::spawn(stage(rounds, receiver, results, started(place!("pipeline::stage"))));
    tokio::spawn(sink(rounds, sink_input, started(place!("pipeline::sink"))));

    let (requests, received) = mpsc::channel(8);
    tokio::spawn(client(rounds, requests, started(place!("pipeline::client"))));
    tokio::spawn(server(rounds, received, started(place!("pipeline::server"))));

    let (setting, settings) = watch::channel(0);
    let (news, news_input) = broadcast::channel(8);
    tokio::spawn(watcher(rounds, settings, started(place!("pipeline::watcher"))));
    tokio::spawn(reader(rounds, news_input, started(place!("pipeline::reader"))));
    tokio::spawn(announcer(rounds, setting, news, started(place!("pipeline::announcer"))));

    let ledger = Arc::new(Mutex::new(0));
    for _ in 0..LEDGERS {
        tokio::spawn(clerk(rounds, ledger.clone(), started(place!("pipeline::clerk"))));
    }
    let leases = Arc::new(Semaphore::new(2));
    for _ in 0..LEASES {
        tokio::spawn(tenant(rounds, leases.clone(), started(place!("pipeline::tenant"))));
    }

    let bell = Arc::new(Notify::new());
    tokio::spawn(guest(rounds, bell.clone(), started(place!("pipeline::guest"))));
    tokio::spawn(ringer(rounds, bell, started(place!("pipeline::ringer"))));
    tokio::spawn(parent(rounds, started(place!("pipeline::parent"))));
    tokio::spawn(listener(rounds, started(place!("pipeline::listener"))));

    let t = truth::start();
    countdown.zero.notified().await;
    AT.wait(t, line!() - 1, "Notified").log();
    AT.completed();
}

/// A task's last act.
struct Done {
    at: Place,
    countdown: Arc<Countdown>,
}

impl Done {
    fn now(&self) {
        self.at.completed();
        self.countdown.done();
    }
}

/// A full channel: each send but the first two waits until `stage` takes an item, which it does every 5 ms.
async fn source(rounds: u64, sender: mpsc::Sender<u64>, done: Done) {
    const AT: Place = place!("pipeline::source");
    for round in 0..rounds {
        let t = truth::start();
        sender.send(round).await.expect("the stage is there");
        let wait = AT.wait(t, line!() - 1, "Acquire");
        match round {
            0 | 1 => {}
            2 => wait.log(), // until the stage begins
            _ => wait.part("until wake", STEP).log(),
        }
    }
    done.now();
}

/// Slower than both of its neighbours: its input is always there, its output always has room.
async fn stage(
    rounds: u64,
    mut receiver: mpsc::Receiver<u64>,
    results: mpsc::Sender<u64>,
    done: Done,
) {
    const AT: Place = place!("pipeline::stage");
    let t = truth::start();
    sleep(SETTLE).await;
    AT.wait(t, line!() - 1, "Sleep").part("until deadline", SETTLE).log();
    for _ in 0..rounds {
        let item = receiver.recv().await.expect("the source sends as many");
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
        results.send(item).await.expect("the sink is there");
    }
    done.now();
}

/// An empty channel: each item is waited for.
async fn sink(rounds: u64, mut receiver: mpsc::Receiver<u64>, done: Done) {
    const AT: Place = place!("pipeline::sink");
    for round in 0..rounds {
        let t = truth::start();
        receiver.recv().await.expect("the stage sends as many");
        let wait = AT.wait(t, line!() - 1, "mpsc");
        match round {
            0 => wait.log(), // until the stage begins
            _ => wait.part("until wake", STEP).log(),
        }
    }
    done.now();
}

#[derive(Debug)]
struct Request {
    reply: oneshot::Sender<u64>,
}

/// Thinks for 5 ms, asks, waits 5 ms for the reply.
async fn client(rounds: u64, requests: mpsc::Sender<Request>, done: Done) {
    const AT: Place = place!("pipeline::client");
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
        let (reply, replied) = oneshot::channel();
        requests.send(Request { reply }).await.expect("the server is there");
        let t = truth::start();
        replied.await.expect("a reply");
        AT.wait(t, line!() - 1, "oneshot").part("until wake", STEP).log();
    }
    done.now();
}

/// Waits 5 ms for the client's request, takes 5 ms to reply.
async fn server(rounds: u64, mut requests: mpsc::Receiver<Request>, done: Done) {
    const AT: Place = place!("pipeline::server");
    for round in 0..rounds {
        let t = truth::start();
        let request = requests.recv().await.expect("the client asks as often");
        AT.wait(t, line!() - 1, "mpsc").part("until wake", STEP).log();
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
        request.reply.send(round).expect("the client waits");
    }
    done.now();
}

/// Says something new every 5 ms, in two ways.
async fn announcer(
    rounds: u64,
    setting: watch::Sender<u64>,
    news: broadcast::Sender<u64>,
    done: Done,
) {
    const AT: Place = place!("pipeline::announcer");
    for round in 1..=rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
        setting.send(round).expect("the watcher is there");
        news.send(round).expect("the reader is there");
    }
    done.now();
}

async fn watcher(rounds: u64, mut settings: watch::Receiver<u64>, done: Done) {
    const AT: Place = place!("pipeline::watcher");
    let mut seen = 0;
    // A change that is overtaken by the next one is not seen.
    while seen < rounds {
        let t = truth::start();
        settings.changed().await.expect("the announcer is there");
        AT.wait(t, line!() - 1, "Notified").part("until wake", STEP).log();
        seen = *settings.borrow_and_update();
    }
    done.now();
}

async fn reader(rounds: u64, mut news: broadcast::Receiver<u64>, done: Done) {
    const AT: Place = place!("pipeline::reader");
    for _ in 0..rounds {
        let t = truth::start();
        news.recv().await.expect("the announcer says as much");
        AT.wait(t, line!() - 1, "broadcast").part("until wake", STEP).log();
    }
    done.now();
}

/// Three clerks, one ledger, kept across a sleep: tokio's lock is fair, so each waits for the two others.
/// Only the first to come finds it free, only the second waits for less.
async fn clerk(rounds: u64, ledger: Arc<Mutex<u64>>, done: Done) {
    const AT: Place = place!("pipeline::clerk");
    for round in 0..rounds {
        let t = truth::start();
        let mut entries = ledger.lock().await;
        let wait = AT.wait(t, line!() - 1, "Acquire").resource("ledger");
        match *entries {
            0 => {}
            _ if round == 0 => wait.log(),
            _ => wait.part("until wake", STEP * (LEDGERS as u32 - 1)).log(),
        }
        let held = truth::start();
        *entries += 1;
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
        AT.held("ledger", held);
        drop(entries);
    }
    done.now();
}

/// Four tenants, two leases of 5 ms: after the first two each waits for one lease to end.
async fn tenant(rounds: u64, leases: Arc<Semaphore>, done: Done) {
    const AT: Place = place!("pipeline::tenant");
    for _ in 0..rounds {
        let t = truth::start();
        let lease = leases.acquire().await.expect("never closed");
        AT.wait(t, line!() - 1, "Acquire").resource("leases").part("until wake", STEP).log();
        let held = truth::start();
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
        AT.held("leases", held);
        drop(lease);
    }
    done.now();
}

async fn guest(rounds: u64, bell: Arc<Notify>, done: Done) {
    const AT: Place = place!("pipeline::guest");
    for _ in 0..rounds {
        let t = truth::start();
        bell.notified().await;
        AT.wait(t, line!() - 1, "Notified").part("until wake", STEP).log();
    }
    done.now();
}

async fn ringer(rounds: u64, bell: Arc<Notify>, done: Done) {
    const AT: Place = place!("pipeline::ringer");
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
        bell.notify_one();
    }
    done.now();
}

async fn parent(rounds: u64, done: Done) {
    const AT: Place = place!("pipeline::parent");
    const CHILD: Place = place!("pipeline::child");
    for _ in 0..rounds {
        CHILD.spawned();
        let handle = tokio::spawn(child());
        let t = truth::start();
        handle.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").part("until wake", STEP).log();
    }
    done.now();
}

async fn child() {
    const AT: Place = place!("pipeline::child");
    let t = truth::start();
    sleep(STEP).await;
    AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
    AT.completed();
}

/// Is sent a message every 5 ms by the plain thread `bell`.
async fn listener(rounds: u64, done: Done) {
    const AT: Place = place!("pipeline::listener");
    let (ask, asked) = thread_mpsc::channel::<(u64, oneshot::Sender<()>)>();
    let bell = thread::Builder::new().name("bell".into()).spawn(move || {
        for (line, message) in asked {
            thread::sleep(STEP);
            AT.woken(0, line as u32, "bell");
            message.send(()).expect("the listener waits");
        }
    });
    for _ in 0..rounds {
        let (message, received) = oneshot::channel();
        ask.send((u64::from(line!() + 2), message)).expect("the thread is there");
        let t = truth::start();
        received.await.expect("a message");
        AT.wait(t, line!() - 1, "oneshot").part("until wake", STEP).log();
    }
    drop(ask);
    bell.and_then(|thread| thread.join().map_err(|_| std::io::Error::other("panicked"))).unwrap();
    done.now();
}
