//! Functions whose CPU time is known: each notes what the kernel accounts to its thread meanwhile.
//!
//! `mixed` spends three parts in `heavy` and one in `light`, which is inlined wherever the optimizer may;
//! `deep` computes below a recursion, `written` in the kernel, `job` in a blocking job, and `burner` is a plain
//! thread that polls nothing. At the end the sums are printed, a line each: name and nanoseconds.
//!
//! `cpu [--rounds N]`

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use tokio::task::{spawn_blocking, yield_now};
use truth::thread_cpu;

/// Turns of a loop of a few nanoseconds.
const PART: u64 = 200_000;
const DEPTH: u64 = 30;

static HEAVY: AtomicU64 = AtomicU64::new(0);
static LIGHT: AtomicU64 = AtomicU64::new(0);
static BOTTOM: AtomicU64 = AtomicU64::new(0);
static WRITTEN: AtomicU64 = AtomicU64::new(0);
static HASH: AtomicU64 = AtomicU64::new(0);
static BURNER: AtomicU64 = AtomicU64::new(0);
static STOP: AtomicBool = AtomicBool::new(false);

fn main() {
    let mut words = std::env::args().skip(1);
    let rounds = match words.next().as_deref() {
        Some("--rounds") => words.next().and_then(|n| n.parse().ok()).expect("--rounds N"),
        _ => 200,
    };
    let burner = thread::Builder::new().name("burner".into()).spawn(burn).expect("a thread");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let tasks = [tokio::spawn(mixed(rounds)), tokio::spawn(deep(rounds)), tokio::spawn(written(rounds)),
                     tokio::spawn(waits_for_jobs(rounds))];
        for task in tasks {
            task.await.expect("no panic");
        }
    });
    STOP.store(true, Ordering::Relaxed);
    burner.join().expect("no panic");
    for (name, ns) in [("heavy", &HEAVY), ("light", &LIGHT), ("bottom", &BOTTOM), ("written", &WRITTEN),
                       ("hash", &HASH), ("burner", &BURNER)] {
        println!("{name} {}", ns.load(Ordering::Relaxed));
    }
}

/// What a function takes, added to a sum.
fn measured(sum: &AtomicU64, work: impl FnOnce()) {
    let before = thread_cpu();
    work();
    sum.fetch_add(thread_cpu() - before, Ordering::Relaxed);
}

async fn mixed(rounds: u64) {
    for round in 0..rounds {
        measured(&HEAVY, || heavy(round));
        measured(&LIGHT, || light(round));
        yield_now().await;
    }
}

#[inline(never)]
fn heavy(seed: u64) {
    let mut state = black_box(seed);
    for _ in 0..3 * PART {
        state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7);
    }
    black_box(state);
}

#[inline(always)]
fn light(seed: u64) {
    let mut state = black_box(seed);
    for _ in 0..PART {
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(11);
    }
    black_box(state);
}

async fn deep(rounds: u64) {
    for round in 0..rounds {
        measured(&BOTTOM, || {
            black_box(descend(round, DEPTH));
        });
        yield_now().await;
    }
}

/// Something is left to do after each call, and each has some bytes in its frame.
#[inline(never)]
fn descend(seed: u64, depth: u64) -> u64 {
    let kept = black_box([seed; 16]);
    let below = if depth == 0 { bottom(seed) } else { descend(seed ^ kept[3], depth - 1) };
    below.wrapping_add(black_box(kept)[7])
}

#[inline(never)]
fn bottom(seed: u64) -> u64 {
    let mut state = black_box(seed);
    for _ in 0..2 * PART {
        state = state.wrapping_mul(0x94d0_49bb_1331_11eb).rotate_left(13);
    }
    black_box(state)
}

async fn written(rounds: u64) {
    let mut file = File::options().write(true).open("/dev/zero").expect("/dev/zero");
    let mut random = File::open("/dev/urandom").expect("/dev/urandom");
    let mut bytes = vec![0_u8; 64 << 10];
    for _ in 0..rounds {
        measured(&WRITTEN, || {
            std::io::Read::read_exact(&mut random, &mut bytes).expect("random bytes");
            file.write_all(&bytes).expect("written");
        });
        yield_now().await;
    }
}

async fn waits_for_jobs(rounds: u64) {
    for round in 0..rounds {
        spawn_blocking(move || measured(&HASH, || hash(round))).await.expect("no panic");
    }
}

#[inline(never)]
fn hash(seed: u64) {
    let mut state = black_box(seed);
    for _ in 0..2 * PART {
        state = state.wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(17);
    }
    black_box(state);
}

fn burn() {
    measured(&BURNER, || {
        while !STOP.load(Ordering::Relaxed) {
            heavy(1);
        }
    });
}
