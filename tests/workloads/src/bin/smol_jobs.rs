//! Jobs of the `blocking` crate whose time in the pool's queue, on a CPU and asleep is known: see jobs.

use smol::{block_on, spawn, unblock};
use std::thread;
use std::time::Duration;
use truth::{place, Did, Options, Place};

include!("../job_steps.rs");

/// Threads of the pool.
const POOL: usize = 2;

fn main() {
    let mut options = Options::parse("smol_jobs", "", &[], &[]);
    std::env::set_var("BLOCKING_MAX_THREADS", POOL.to_string());
    options.ready();
    let rounds = options.rounds(20, STEP * 10);
    block_on(root(rounds));
    options.finish();
}

async fn root(rounds: u64) {
    const AT: Place = place!("smol_jobs::root");
    AT.root();
    AT.partial();
    // The next task may get the address of the one before, while its last poll is not over.
    spawn(sleeper(rounds)).await;
    spawn(burner(rounds)).await;
    spawn(third(rounds)).await;
    spawn(late(rounds)).await;
    AT.completed();
}

/// The job sleeps.
async fn sleeper(rounds: u64) {
    const AT: Place = place!("smol_jobs::sleeper");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        let did = unblock(|| Did::run(|| thread::sleep(STEP))).await;
        AT.wait(t, line!() - 1, "Task").job(did).log();
    }
    AT.completed();
}

/// The job computes.
async fn burner(rounds: u64) {
    const AT: Place = place!("smol_jobs::burner");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        let did = unblock(|| Did::run(|| burn(STEP))).await;
        AT.wait(t, line!() - 1, "Task").job(did).log();
    }
    AT.completed();
}

/// Two jobs are before it in the queue; as it begins, it computes and sleeps.
async fn third(rounds: u64) {
    const AT: Place = place!("smol_jobs::third");
    AT.spawned();
    for _ in 0..rounds {
        let before = [(); POOL].map(|()| unblock(|| thread::sleep(STEP * 2)));
        let job = unblock(|| {
            Did::run(|| {
                burn(STEP / 4);
                thread::sleep(STEP / 2);
                burn(STEP / 4);
            })
        });
        let t = truth::start();
        let did = job.await;
        AT.wait(t, line!() - 1, "Task").job(did).log();
        for job in before {
            job.await;
        }
    }
    AT.completed();
    AT.partial();
}

/// The job has slept for half its time when the wait for it begins.
async fn late(rounds: u64) {
    const AT: Place = place!("smol_jobs::late");
    AT.spawned();
    for _ in 0..rounds {
        let job = unblock(|| Did::run(|| thread::sleep(STEP * 2)));
        let t = truth::start();
        smol::Timer::after(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
        let t = truth::start();
        let did = job.await;
        AT.wait(t, line!() - 1, "Task").job(did).log();
    }
    AT.completed();
}
