//! Many tasks that stand still, with a few that never do: `--tasks` wait for a message that does not come, `--busy`
//! pairs throw a ball to one another, `--jobs` sleep in threads of the blocking pool, `--burns` compute there and
//! `--naps` tasks sleep in their own polls, as nobody should; `--pulses` do so for some ms, again and again, and
//! `--runtimes` threads have a runtime and five waiters each. Says `there` when all of them are. Ends with its
//! standard input.

use std::future::pending;
use std::hint::black_box;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, Notify};
use truth::Options;

const LONG: Duration = Duration::from_secs(3600);
/// Of each runtime of its own.
const WAITERS: usize = 5;

/// How many have yet to come to where they stay.
static MOVING: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let mut options = Options::parse(
        "crowd",
        "[--tasks N] [--busy N] [--jobs N] [--burns N] [--naps N] [--pulses N] [--runtimes N]",
        &["--tasks", "--busy", "--jobs", "--burns", "--naps", "--pulses", "--runtimes"],
        &[],
    );
    options.ready();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    let number = |name| options.get(name).unwrap_or(0);
    let (tasks, busy, jobs) = (number("--tasks"), number("--busy"), number("--jobs"));
    let (burns, naps, pulses) = (number("--burns"), number("--naps"), number("--pulses"));
    let runtimes = number("--runtimes");
    MOVING.store(tasks + 2 * busy + jobs + burns + naps + pulses + WAITERS * runtimes, Ordering::SeqCst);
    for _ in 0..runtimes {
        std::thread::spawn(own_runtime);
    }
    options.runtime().block_on(run(tasks, busy, jobs, burns, naps, pulses));
}

fn own_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let never = Arc::new(Notify::new());
        for _ in 0..WAITERS {
            tokio::spawn(waiter(never.clone()));
        }
        pending::<()>().await;
    });
}

async fn run(tasks: usize, busy: usize, jobs: usize, burns: usize, naps: usize, pulses: usize) {
    let never = Arc::new(Notify::new());
    for _ in 0..tasks {
        tokio::spawn(waiter(never.clone()));
    }
    for _ in 0..jobs {
        tokio::task::spawn_blocking(sleeping_job);
    }
    for _ in 0..burns {
        tokio::task::spawn_blocking(burning_job);
    }
    for _ in 0..busy {
        let (one, other) = (mpsc::channel(1), mpsc::channel(1));
        tokio::spawn(thrower(one.0, other.1));
        tokio::spawn(catcher(other.0, one.1));
    }
    for _ in 0..naps {
        tokio::spawn(napper());
    }
    for _ in 0..pulses {
        tokio::spawn(pulse());
    }
    pending::<()>().await;
}

async fn waiter(never: Arc<Notify>) {
    there();
    never.notified().await;
}

async fn thrower(out: mpsc::Sender<u64>, mut back: mpsc::Receiver<u64>) {
    there();
    let mut ball = 0;
    while out.send(ball).await.is_ok() {
        ball = back.recv().await.unwrap_or(0) + 1;
    }
}

async fn catcher(back: mpsc::Sender<u64>, mut out: mpsc::Receiver<u64>) {
    there();
    while let Some(ball) = out.recv().await {
        let _ = back.send(ball).await;
    }
}

async fn napper() {
    there();
    std::thread::sleep(LONG);
    pending::<()>().await;
}

async fn pulse() {
    there();
    loop {
        std::thread::sleep(Duration::from_millis(8));
        tokio::time::sleep(Duration::from_millis(6)).await;
    }
}

fn sleeping_job() {
    there();
    std::thread::sleep(LONG);
}

fn burning_job() {
    there();
    let mut sum = 0u64;
    loop {
        sum = black_box(sum.wrapping_mul(31).wrapping_add(7));
    }
}

fn there() {
    if MOVING.fetch_sub(1, Ordering::SeqCst) == 1 {
        println!("there");
        std::io::stdout().flush().expect("standard output");
    }
}
