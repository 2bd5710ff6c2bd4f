//! A program whose tasks run on smol, with tokio in it too: as in a service that uses a library which brings tokio
//! along. With `--tokio` some of its tasks run there. With `--idle` none of its tasks has anything to do.

use std::thread;
use std::time::Duration;
use truth::Options;

const STEP: Duration = Duration::from_millis(5);
const IDLE: u64 = 1000;

fn main() {
    let mut options = Options::parse("two_runtimes", "[--tokio] [--idle]", &[], &["--tokio", "--idle"]);
    options.ready();
    let rounds = options.rounds(100, STEP);
    let ours = options.has("--tokio").then(|| {
        let runtime = options.runtime();
        thread::spawn(move || runtime.block_on(async move { tokio::spawn(tokio_task(rounds)).await }))
    });
    let executor = smol::Executor::new();
    if options.has("--idle") {
        for hours in 1..=IDLE {
            executor.spawn(idle(hours)).detach();
        }
        let (_sender, messages) = smol::channel::bounded(1);
        smol::spawn(receiver(messages)).detach();
        smol::block_on(executor.run(std::future::pending::<()>()));
    }
    let task = executor.spawn(smol_task(rounds));
    smol::block_on(executor.run(task));
    if let Some(thread) = ours {
        thread.join().unwrap().unwrap();
    }
    options.finish();
}

async fn smol_task(rounds: u64) {
    for _ in 0..rounds {
        smol::Timer::after(STEP).await;
    }
}

async fn idle(hours: u64) {
    smol::Timer::after(Duration::from_secs(3600 * hours)).await;
}

/// On the executor that smol has for all.
async fn receiver(receiver: smol::channel::Receiver<()>) {
    let _ = receiver.recv().await;
}

async fn tokio_task(rounds: u64) {
    for _ in 0..rounds {
        tokio::time::sleep(STEP).await;
    }
}
