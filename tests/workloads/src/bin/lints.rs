//! What the lints of `dwell why -i` look for, each by its name, with marks: CULPRIT (the line that the finding names),
//! VICTIM (who waits because of it).
//!
//!     lints NAME
//!
//! Each does it for a second or two and ends.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::{interval, sleep};

const MOMENT: Duration = Duration::from_millis(20);

fn spin(time: Duration) {
    let until = Instant::now() + time;
    while black_box(Instant::now()) < until {}
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let workers = if matches!(name.as_str(), "lost_driver" | "queue") { 1 } else { 2 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let done = match name.as_str() {
            "long_poll" => tokio::spawn(long_poll()),
            "never_yields" => tokio::spawn(never_yields()),
            "blocking" => tokio::spawn(blocking()),
            "lost_driver" => tokio::spawn(lost_driver()),
            "queue" => tokio::spawn(queue()),
            "self_wake" => tokio::spawn(self_wake()),
            "late" => tokio::spawn(late()),
            _ => {
                eprintln!("lints: which? long_poll, never_yields, blocking, lost_driver, queue, self_wake, late");
                std::process::exit(2);
            }
        };
        done.await.expect("a task that ends");
    });
}

// long_poll: long poll
async fn long_poll() {
    for _ in 0..10 {
        sleep(MOMENT).await; // long_poll: CULPRIT
        spin(3 * MOMENT);
    }
    sleep(MOMENT).await;
}

// never_yields: never yielded
async fn never_yields() {
    sleep(MOMENT).await; // never_yields: CULPRIT
    spin(Duration::from_millis(2500));
    sleep(MOMENT).await;
}

// blocking: blocking call
async fn blocking() {
    for _ in 0..10 {
        sleep(MOMENT).await;
        std::thread::sleep(3 * MOMENT); // blocking: CULPRIT
    }
}

// lost_driver: lost driver
async fn lost_driver() {
    let timer = tokio::spawn(async {
        for _ in 0..10 {
            sleep(5 * MOMENT).await; // lost_driver: VICTIM
        }
    });
    sleep(12 * MOMENT).await;
    std::thread::sleep(20 * MOMENT); // lost_driver: CULPRIT
    let _ = timer.await;
}

// queue: starved task
async fn queue() {
    let ready = Arc::new(Notify::new());
    let waiter = ready.clone();
    let starved = tokio::spawn(async move {
        waiter.notified().await; // queue: VICTIM
    });
    sleep(MOMENT).await;
    ready.notify_one();
    std::thread::sleep(20 * MOMENT); // queue: CULPRIT
    let _ = starved.await;
}

// self_wake: self-wakes
async fn self_wake() {
    let until = Instant::now() + 10 * MOMENT;
    while Instant::now() < until {
        tokio::task::yield_now().await; // self_wake: CULPRIT
    }
}

// late: timer late by its own task
async fn late() {
    let mut ticks = interval(MOMENT);
    for n in 0..40 {
        ticks.tick().await; // late: CULPRIT
        if n == 20 {
            sleep(15 * MOMENT).await; // late: HOLDER
        }
    }
}
