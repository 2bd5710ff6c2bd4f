//! Futures that nobody spawns: the roots of `block_on` in all its forms, one after the other, each with waits of a
//! designed length. tokio's `Runtime::block_on` is what all other workloads have.
//!
//! Known by construction: each await goes Pending once, and takes as long as its timer or its sender.

use futures::channel::mpsc::{unbounded, UnboundedReceiver};
use futures::StreamExt;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::task::{block_in_place, spawn_blocking, spawn_local, LocalSet};
use tokio::time::sleep;
use truth::{place, Options, Place};

const STEP: Duration = Duration::from_millis(10);

fn main() {
    let mut options = Options::parse("roots", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(15, STEP);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a tokio runtime");
    let handle = runtime.handle().clone();
    let on_thread = handle.clone();
    thread::spawn(move || on_thread.block_on(by_handle(rounds))).join().expect("a thread");
    runtime.block_on(outer(rounds, handle));
    let current = Builder::new_current_thread().enable_all().build().expect("a tokio runtime");
    LocalSet::new().block_on(&current, local(rounds));
    let set = LocalSet::new();
    current.block_on(set.run_until(until(rounds)));
    futures::executor::block_on(foreign(rounds, messages(rounds)));
    pollster::block_on(simple(rounds, messages(rounds)));
    smol::block_on(small(rounds));
    options.finish();
}

/// A message every STEP, from a thread.
fn messages(rounds: u64) -> UnboundedReceiver<u64> {
    let (sender, receiver) = unbounded();
    let send = move || {
        for i in 0..rounds {
            thread::sleep(STEP);
            let _ = sender.unbounded_send(i);
        }
    };
    thread::Builder::new().name("sender".into()).spawn(send).expect("a thread");
    receiver
}

/// On a thread that is none of the runtime's.
async fn by_handle(rounds: u64) {
    const AT: Place = place!("roots::by_handle");
    AT.root();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
    }
    AT.completed();
}

/// Has two more inside of it: in a blocking job, and in a poll of a task of its own.
async fn outer(rounds: u64, handle: Handle) {
    const AT: Place = place!("roots::outer");
    AT.root();
    let other = handle.clone();
    let t = truth::start();
    spawn_blocking(move || handle.block_on(nested(rounds))).await.expect("a job");
    AT.wait(t, line!() - 1, "JoinHandle").log();
    let t = truth::start();
    tokio::spawn(holds(rounds, other)).await.expect("a task");
    AT.wait(t, line!() - 1, "JoinHandle").log();
    AT.completed();
}

/// Its only poll is blocked on a root.
async fn holds(rounds: u64, handle: Handle) {
    const AT: Place = place!("roots::holds");
    AT.spawned();
    block_in_place(|| handle.block_on(in_place(rounds)));
    AT.completed();
}

async fn nested(rounds: u64) {
    const AT: Place = place!("roots::nested");
    AT.root();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
    }
    AT.completed();
}

async fn in_place(rounds: u64) {
    const AT: Place = place!("roots::in_place");
    AT.root();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
    }
    AT.completed();
}

async fn local(rounds: u64) {
    const AT: Place = place!("roots::local");
    AT.root();
    let t = truth::start();
    spawn_local(napper(rounds)).await.expect("a task");
    AT.wait(t, line!() - 1, "JoinHandle").pendings(None).log();
    AT.completed();
}

async fn until(rounds: u64) {
    const AT: Place = place!("roots::until");
    AT.root();
    let t = truth::start();
    spawn_local(napper(rounds)).await.expect("a task");
    AT.wait(t, line!() - 1, "JoinHandle").pendings(None).log();
    AT.completed();
}

/// In a LocalSet.
async fn napper(rounds: u64) {
    const AT: Place = place!("roots::napper");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
    }
    AT.completed();
}

/// In futures-executor.
async fn foreign(rounds: u64, mut messages: UnboundedReceiver<u64>) {
    const AT: Place = place!("roots::foreign");
    AT.root();
    for _ in 0..rounds {
        let t = truth::start();
        messages.next().await;
        AT.wait(t, line!() - 1, "UnboundedReceiver").log();
    }
    AT.completed();
}

/// In pollster.
async fn simple(rounds: u64, mut messages: UnboundedReceiver<u64>) {
    const AT: Place = place!("roots::simple");
    AT.root();
    for _ in 0..rounds {
        let t = truth::start();
        messages.next().await;
        AT.wait(t, line!() - 1, "UnboundedReceiver").log();
    }
    AT.completed();
}

/// In async-io, which is smol's.
async fn small(rounds: u64) {
    const AT: Place = place!("roots::small");
    AT.root();
    for _ in 0..rounds {
        let t = truth::start();
        smol::Timer::after(STEP).await;
        AT.wait(t, line!() - 1, "Timer").log();
    }
    AT.completed();
}
