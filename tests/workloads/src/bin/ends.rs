//! Ways in which tasks wait for one another for good, beyond locks of the runtime: sets of tasks, the ends of
//! channels that nobody drops, and locks and channels of other libraries. As in `faults`, the comment before a
//! function has its name and the kind of the fault, and marks say where: CULPRIT, HOLDER. `passed` and `served` are
//! well.
//!
//!     ends NAME
//!
//! Says `there` when it stands, and ends with its standard input.

use futures::channel::{mpsc as futures_mpsc, oneshot as futures_oneshot};
use futures::stream::StreamExt;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

const MOMENT: Duration = Duration::from_millis(40);

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    std::thread::spawn(|| {
        std::thread::sleep(20 * MOMENT);
        println!("there");
        let _ = std::io::stdout().flush();
    });
    runtime.block_on(async {
        match name.as_str() {
            "kept" => kept().await,
            "announced" => announced().await,
            "deaf" => deaf().await,
            "streamed" => streamed().await,
            "promised" => promised().await,
            "foreign" => foreign().await,
            "piped" => piped().await,
            "passed" => passed().await,
            "served" => served().await,
            _ => {
                eprintln!("ends: which? kept, announced, deaf, streamed, promised, foreign, piped, passed, served");
                std::process::exit(2);
            }
        }
    });
}

// kept: deadlock
async fn kept() {
    let (to, mut from) = mpsc::channel::<u32>(4); // kept: HOLDER
    let mut workers = JoinSet::new();
    workers.spawn(async move {
        while let Some(n) = from.recv().await {
            println!("{n}");
        }
    });
    to.send(1).await.expect("it lives");
    while let Some(done) = workers.join_next().await { // kept: CULPRIT
        done.expect("it has ended");
    }
    drop(to);
}

// announced: deadlock
async fn announced() {
    let (stop, mut stopped) = watch::channel(false); // announced: HOLDER
    let worker = tokio::spawn(async move {
        while !*stopped.borrow_and_update() {
            stopped.changed().await.expect("it lives");
        }
    });
    worker.await.expect("it has ended"); // announced: CULPRIT
    stop.send(true).expect("somebody listens");
}

// deaf: deadlock
async fn deaf() {
    let (to, from) = mpsc::channel::<u32>(4); // deaf: HOLDER
    let sender = tokio::spawn(async move {
        to.closed().await;
    });
    sender.await.expect("it has ended"); // deaf: CULPRIT
    drop(from);
}

// streamed: deadlock
async fn streamed() {
    let (to, mut from) = futures_mpsc::channel::<u32>(4); // streamed: HOLDER
    let worker = tokio::spawn(async move { while from.next().await.is_some() {} });
    worker.await.expect("it has ended"); // streamed: CULPRIT
    drop(to);
}

// promised: deadlock
async fn promised() {
    let (answer, answered) = futures_oneshot::channel::<u32>(); // promised: HOLDER
    let worker = tokio::spawn(async move { answered.await.unwrap_or(0) });
    let n = worker.await.expect("it has ended"); // promised: CULPRIT
    let _ = answer.send(n);
}

// foreign: deadlock
async fn foreign() {
    let (a, b) = (Arc::new(async_lock::Mutex::new(0)), Arc::new(async_lock::Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    let other = tokio::spawn(async move {
        let _b = b2.lock().await; // foreign: HOLDER
        sleep(MOMENT).await;
        let _a = a2.lock().await; // foreign: CULPRIT
    });
    let _a = a.lock_arc().await; // foreign: HOLDER
    sleep(MOMENT).await;
    let _b = b.lock().await; // foreign: CULPRIT
    let _ = other.await;
}

// piped: deadlock
async fn piped() {
    let (to_a, from_b) = async_channel::bounded::<u32>(1);
    let (to_b, from_a) = async_channel::bounded::<u32>(1);
    to_a.send(0).await.expect("room");
    let a = tokio::spawn(station(from_b, to_b));
    let b = tokio::spawn(station(from_a, to_a));
    let _ = a.await;
    let _ = b.await;
}

async fn station(from: async_channel::Receiver<u32>, to: async_channel::Sender<u32>) {
    while let Ok(n) = from.recv().await {
        for _ in 0..2 {
            to.send(n).await.expect("it lives"); // piped: CULPRIT
        }
    }
}

/// The same shapes, and all goes on: each end is with somebody who will use it.
async fn passed() {
    let (stop, mut stopped) = watch::channel(0);
    let (to, mut from) = futures_mpsc::channel::<u32>(4);
    let (feed, food) = async_channel::bounded::<u32>(1);
    let lock = Arc::new(async_lock::Mutex::new(0));
    let mut workers = JoinSet::new();
    workers.spawn(async move { while stopped.changed().await.is_ok() {} });
    workers.spawn(async move { while from.next().await.is_some() {} });
    workers.spawn(async move { while food.recv().await.is_ok() {} });
    let theirs = lock.clone();
    workers.spawn(async move {
        loop {
            let _held = theirs.lock().await;
            sleep(MOMENT / 4).await;
        }
    });
    tokio::spawn(async move {
        let mut to = to;
        for n in 0.. {
            sleep(MOMENT / 8).await;
            let _ = stop.send(n);
            let _ = to.try_send(n);
            let _ = feed.send(n).await;
            let _held = lock.lock().await;
        }
    });
    while workers.join_next().await.is_some() {}
}

/// A server that is told to stop by whoever has the other end, which is no task: nothing will come for long.
async fn served() {
    let (stop, mut stopped) = watch::channel(false);
    let (job, mut jobs) = mpsc::channel::<u32>(4);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(3600));
        let _ = stop.send(true);
        let _ = job.blocking_send(1);
    });
    let mut workers = JoinSet::new();
    workers.spawn(async move {
        let _ = stopped.changed().await;
    });
    workers.spawn(async move { while jobs.recv().await.is_some() {} });
    while workers.join_next().await.is_some() {}
}
