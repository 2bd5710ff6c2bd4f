//! Tasks that compute, on more threads than there are cores: workers twice the cores, and as many plain
//! threads (`burner`) as cores.
//!
//! Known by construction: every poll of `spinner` takes 3 ms of CPU time; its wall time, less that, is the
//! time for which its thread was runnable and not running. Between polls it yields, and is ready at once.
//! Where a hypervisor or an interrupt takes the core away, the kernel charges the thread all the same.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::task::yield_now;
use truth::{place, Countdown, Options, Place};

const POLL: Duration = Duration::from_millis(3);

fn main() {
    let mut options = Options::parse("burn", "", &[], &[]);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if !options.has("--workers") {
        options.workers = 2 * cores;
    }
    options.ready();
    let tasks = options.workers;
    // All of it on all cores, with as much again for the burners.
    let rounds = options.rounds(30, POLL * (tasks + cores) as u32 / cores as u32);

    let stop = Arc::new(AtomicBool::new(false));
    let burners: Vec<_> = (0..cores)
        .map(|_| {
            let stop = stop.clone();
            let burner = move || {
                while !stop.load(Ordering::Relaxed) {
                    spin(1000);
                }
            };
            thread::Builder::new().name("burner".into()).spawn(burner).expect("a thread")
        })
        .collect();
    options.runtime().block_on(run(rounds, tasks));
    stop.store(true, Ordering::Relaxed);
    for burner in burners {
        burner.join().expect("no panic");
    }
    options.finish();
}

async fn run(rounds: u64, tasks: usize) {
    const AT: Place = place!("burn::run");
    AT.root();
    let countdown = Arc::new(Countdown::new(tasks));
    for _ in 0..tasks {
        tokio::spawn(spinner(rounds, countdown.clone()));
    }
    let t = truth::start();
    countdown.zero.notified().await;
    AT.wait(t, line!() - 1, "Notified").log();
    AT.completed();
}

async fn spinner(rounds: u64, countdown: Arc<Countdown>) {
    const AT: Place = place!("burn::spinner");
    AT.spawned();
    for _ in 0..rounds {
        let (start, cpu) = (truth::now(), truth::thread_cpu());
        let end = cpu + POLL.as_nanos() as u64;
        while truth::thread_cpu() < end {
            spin(10_000);
        }
        AT.ran("spin", start, cpu);
        let t = truth::start();
        yield_now().await;
        AT.wait(t, line!() - 1, "yield_now").log();
    }
    AT.completed();
    countdown.done();
}

/// A few nanoseconds per turn, in nothing but registers.
fn spin(turns: u64) {
    let mut state = black_box(1_u64);
    for _ in 0..turns {
        state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7);
    }
    black_box(state);
}
