//! A program whose tasks run on smol, with tokio in it too: as in a service that uses a library which brings tokio
//! along. With `--tokio` some of its tasks run there.

use std::thread;
use std::time::Duration;
use truth::Options;

const STEP: Duration = Duration::from_millis(5);

fn main() {
    let mut options = Options::parse("two_runtimes", "[--tokio]", &[], &["--tokio"]);
    options.ready();
    let rounds = options.rounds(100, STEP);
    let ours = options.has("--tokio").then(|| {
        let runtime = options.runtime();
        thread::spawn(move || runtime.block_on(async move { tokio::spawn(tokio_task(rounds)).await }))
    });
    let executor = smol::Executor::new();
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

async fn tokio_task(rounds: u64) {
    for _ in 0..rounds {
        tokio::time::sleep(STEP).await;
    }
}
