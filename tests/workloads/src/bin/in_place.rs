//! Polls that go on in `block_in_place`, while their workers have moved to other threads: they sleep, compute, wait
//! for a future on the same runtime, drive a runtime of their own. One of them goes on until the process is gone.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle};
use tokio::task::{block_in_place, yield_now};
use tokio::time::sleep;
use truth::Options;

const REST: Duration = Duration::from_millis(4);
const BLOCK: Duration = Duration::from_millis(6);

fn main() {
    let mut options = Options::parse("in_place", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(20, REST + BLOCK);
    options.runtime().block_on(run(rounds));
    options.finish();
    std::process::exit(0);
}

async fn run(rounds: u64) {
    let tasks = [
        tokio::spawn(sleeps(rounds)),
        tokio::spawn(computes(rounds)),
        tokio::spawn(waits(rounds)),
        tokio::spawn(drives(rounds)),
    ];
    tokio::spawn(ticks());
    tokio::spawn(stays());
    for task in tasks {
        task.await.expect("no panic");
    }
}

/// Somebody for the workers that have moved.
async fn ticks() {
    loop {
        sleep(Duration::from_millis(1)).await;
    }
}

async fn sleeps(rounds: u64) {
    for _ in 0..rounds {
        sleep(REST).await;
        block_in_place(|| thread::sleep(BLOCK));
    }
}

async fn computes(rounds: u64) {
    for _ in 0..rounds {
        sleep(REST).await;
        block_in_place(|| {
            let begin = Instant::now();
            while begin.elapsed() < BLOCK / 4 {
                black_box(begin);
            }
        });
    }
}

async fn waits(rounds: u64) {
    for _ in 0..rounds {
        sleep(REST).await;
        block_in_place(|| Handle::current().block_on(nap()));
    }
}

async fn drives(rounds: u64) {
    for _ in 0..rounds {
        sleep(REST).await;
        block_in_place(|| own_runtime(1));
    }
}

async fn stays() {
    sleep(REST).await;
    block_in_place(|| own_runtime(u64::MAX));
}

fn own_runtime(rounds: u64) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..rounds {
            tokio::spawn(nap()).await.expect("no panic");
        }
    });
}

async fn nap() {
    sleep(BLOCK / 2).await;
    yield_now().await;
    sleep(BLOCK / 2).await;
}
