//! Waits for other tasks, for time, for several things at once; and what blocks a worker.

use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, Mutex, Notify};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, Instant};
use truth::{place, Did, Moment, Place};

use crate::peers::tcp_answerer;
use crate::{Helper, STEP};

/// Longer than any of the waits.
const FOREVER: Duration = Duration::from_secs(100);

pub async fn sleeps(rounds: u64) {
    const AT: Place = place!("causes::tasks::sleeps");
    AT.spawned();
    for _ in 0..rounds {
        let (now, deadline) = (truth::now(), Instant::now() + STEP);
        let t = truth::start();
        sleep_until(deadline).await;
        let wait = AT.wait(t, line!() - 1, "Sleep");
        wait.known("until deadline", now + STEP.as_nanos() as u64 - t).log();
    }
    AT.completed();
}

/// A lock, held by another task for a set time.
pub async fn locked(rounds: u64) {
    let lock = Arc::new(Mutex::new(()));
    let (has_it, next) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let left = Moment::default();
    let task = {
        let (lock, has_it, next, left) = (lock.clone(), has_it.clone(), next.clone(), left.clone());
        tokio::spawn(wants_lock(rounds, lock, has_it, next, left))
    };
    tokio::spawn(async move {
        for _ in 0..rounds {
            next.notified().await;
            let held = lock.lock().await;
            has_it.notify_one();
            sleep(STEP).await;
            left.is_now();
            drop(held);
        }
    });
    task.await.expect("no panic");
}

async fn wants_lock(
    rounds: u64,
    lock: Arc<Mutex<()>>,
    has_it: Arc<Notify>,
    next: Arc<Notify>,
    left: Moment,
) {
    const AT: Place = place!("causes::tasks::wants_lock");
    AT.spawned();
    for _ in 0..rounds {
        next.notify_one();
        has_it.notified().await;
        let t = truth::start();
        let held = lock.lock().await;
        let wait = AT.wait(t, line!() - 1, "Acquire");
        wait.known("until woken", left.since(t)).about("by task causes::tasks::locked").log();
        drop(held);
    }
    AT.completed();
}

/// A channel with room for one, whose other end takes one in each step.
pub async fn sends(rounds: u64) {
    let (sender, mut receiver) = mpsc::channel(1);
    let taken = Moment::default();
    let task = tokio::spawn(has_much(rounds, sender, taken.clone()));
    tokio::spawn(async move {
        loop {
            sleep(STEP).await;
            taken.is_now();
            if receiver.recv().await.is_none() {
                break;
            }
        }
    });
    task.await.expect("no panic");
}

async fn has_much(rounds: u64, sender: mpsc::Sender<u64>, taken: Moment) {
    const AT: Place = place!("causes::tasks::has_much");
    AT.spawned();
    sender.send(0).await.expect("it has room");
    for round in 0..rounds {
        let t = truth::start();
        sender.send(round).await.expect("the other end is there");
        let wait = AT.wait(t, line!() - 1, "Acquire");
        wait.known("until woken", taken.since(t)).about("by task causes::tasks::sends").log();
    }
    AT.completed();
}

/// Three sleepers at a time, a step apart.
pub async fn set(rounds: u64) {
    const AT: Place = place!("causes::tasks::set");
    AT.spawned();
    for _ in 0..rounds / 3 {
        let mut set = JoinSet::new();
        for steps in 1..=3 {
            set.spawn(sleeper(steps));
        }
        for _ in 0..3 {
            let t = truth::start();
            let ended = set.join_next().await;
            let wait = AT.wait(t, line!() - 1, "join_next");
            let ended = ended.expect("one of three").expect("no panic");
            let wait = wait.known("until woken", ended.saturating_sub(t));
            wait.about("by task causes::tasks::sleeper").log();
        }
    }
    AT.completed();
}

async fn sleeper(steps: u32) -> u64 {
    sleep(STEP * steps).await;
    truth::now()
}

/// Waits for an answer, for a time, and for the end: the answer comes.
pub async fn selects_data(rounds: u64) {
    const AT: Place = place!("causes::tasks::selects_data");
    AT.spawned();
    let (mut stream, name, answered) = tcp_answerer();
    let stop = Notify::new();
    for _ in 0..rounds {
        stream.write_all(b"?").await.expect("sent");
        let mut byte = [0];
        let t = truth::start();
        tokio::select! {
            got = stream.read_exact(&mut byte) => assert_eq!(got.expect("an answer"), 1),
            () = sleep(FOREVER) => unreachable!(),
            () = stop.notified() => unreachable!(),
        }
        let wait = AT.wait(t, line!() - 5, "ReadExact");
        wait.known("no data", answered.since(t)).about(&name).log();
    }
    AT.completed();
}

/// The same: the time is over.
pub async fn selects_timer(rounds: u64) {
    const AT: Place = place!("causes::tasks::selects_timer");
    AT.spawned();
    let (mut stream, _, _) = tcp_answerer();
    let stop = Notify::new();
    for _ in 0..rounds {
        let mut byte = [0];
        let (now, deadline) = (truth::now(), Instant::now() + STEP);
        let t = truth::start();
        tokio::select! {
            _ = stream.read_exact(&mut byte) => unreachable!(),
            () = sleep_until(deadline) => {}
            () = stop.notified() => unreachable!(),
        }
        let wait = AT.wait(t, line!() - 5, "Sleep");
        wait.known("until deadline", now + STEP.as_nanos() as u64 - t).log();
    }
    AT.completed();
}

/// The same: it is told to stop.
pub async fn selects_stop(rounds: u64) {
    const AT: Place = place!("causes::tasks::selects_stop");
    AT.spawned();
    let (mut stream, _, _) = tcp_answerer();
    let (stop, told) = (Arc::new(Notify::new()), Moment::default());
    let stopper = {
        let (stop, told) = (stop.clone(), told.clone());
        Helper::new("stopper", move |order| {
            order.begin();
            thread::sleep(STEP);
            told.is_now();
            stop.notify_one();
        })
    };
    for _ in 0..rounds {
        let mut byte = [0];
        stopper.begin();
        let t = truth::start();
        tokio::select! {
            _ = stream.read_exact(&mut byte) => unreachable!(),
            () = sleep(FOREVER) => unreachable!(),
            () = stop.notified() => {}
        }
        let wait = AT.wait(t, line!() - 5, "Notified");
        wait.known("until woken", told.since(t)).about("by thread stopper").log();
    }
    AT.completed();
}

/// A lock of std that another thread has for a set time: it blocks the worker.
pub async fn blocks(rounds: u64) {
    const AT: Place = place!("causes::tasks::blocks");
    AT.spawned();
    let lock = Arc::new(std::sync::Mutex::new(()));
    let keeper = {
        let lock = lock.clone();
        Helper::new("keeper", move |order| {
            let held = lock.lock();
            order.begin();
            thread::sleep(STEP);
            drop(held);
        })
    };
    for _ in 0..rounds {
        tokio::task::yield_now().await;
        keeper.begin();
        let did = Did::run(|| drop(lock.lock()));
        AT.polled(line!() - 1, did, "a futex", 0);
    }
    AT.completed();
}
