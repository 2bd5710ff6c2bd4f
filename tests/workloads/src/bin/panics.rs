//! Programs that a careless profiler would break: panics that unwind through polls, tasks that come and go,
//! exec, fork, abort. For the tests that the target stays as it was.
//!
//! Known by construction: what is printed on standard output, and how the program ends; with and without a
//! profiler it must be the same. `spawned` and `unwind` also write panic messages to standard error, with
//! backtraces if RUST_BACKTRACE is set; they differ between runs in nothing but thread ids.
//!
//! `panics spawned`  tasks panic in their polls; tokio catches it, the join says so.
//! `panics unwind`   the root future panics; the panic leaves `block_on` and is caught in `main`.
//! `panics inside`   tasks catch panics inside of their polls, and go on.
//! `panics churn`    many short tasks, for ever or for `--seconds`.
//! `panics exec`     becomes `/bin/sleep 1` after `--after-ms`.
//! `panics again`    becomes `panics churn --seconds 1` after `--after-ms`.
//! `panics fork`     forks a child which runs a runtime of its own and exits with status 7.
//! `panics abort`    aborts in a poll, after `--after-ms`.
//!
//! With `panic = "abort"` there is no `unwind` and no `inside`, and `spawned` aborts.

use std::hint::black_box;
use std::io::Error;
use std::os::unix::process::CommandExt;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::process::{abort, exit, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::{yield_now, JoinSet};
use tokio::time::sleep;
use truth::{place, Options, Place};

const USAGE: &str =
    "spawned | unwind | inside | churn | exec [--after-ms N] | again [--after-ms N] | fork | abort [--after-ms N]";
const NAP: Duration = Duration::from_millis(2);

fn main() {
    let mut options = Options::parse("panics", USAGE, &["--after-ms"], &[]);
    let mode = options.words.first().cloned().unwrap_or_default();
    if cfg!(panic = "abort") && matches!(mode.as_str(), "unwind" | "inside") {
        options.fail(&format!("{mode} needs unwinding"));
    }
    options.ready();
    let rounds = options.rounds(3, NAP * 3);
    let after = Duration::from_millis(options.get("--after-ms").unwrap_or(100));
    match mode.as_str() {
        "spawned" => options.runtime().block_on(spawned(rounds)),
        "unwind" => unwind(&options, rounds),
        "inside" => options.runtime().block_on(inside(rounds)),
        "churn" => options.runtime().block_on(churn(options.seconds())),
        "exec" => options.runtime().block_on(replace(after, Command::new("/bin/sleep").arg("1"))),
        "again" => {
            let exe = std::env::current_exe().expect("the program's path");
            let mut churn = Command::new(exe);
            options.runtime().block_on(replace(after, churn.args(["churn", "--seconds", "1"])));
        }
        "fork" => options.runtime().block_on(fork(rounds)),
        "abort" => options.runtime().block_on(die(after)),
        _ => options.fail("no mode"),
    }
    options.finish();
}

/// Panics below two async functions, after a wait.
async fn fuse(round: u64) {
    sleep(NAP).await;
    spark(round).await;
}

async fn spark(round: u64) {
    sleep(NAP).await;
    explode(round);
}

#[inline(never)]
fn explode(round: u64) {
    // Needed by the unwinding: something to drop in every frame.
    let rubble = black_box(vec![round; 4]);
    if black_box(true) {
        panic!("round {} exploded", rubble[0]);
    }
}

async fn spawned(rounds: u64) {
    for round in 0..rounds {
        match tokio::spawn(fuse(round)).await {
            Ok(()) => println!("round {round}: survived"),
            Err(error) => println!("round {round}: {}", said(error.into_panic().as_ref())),
        }
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<String>().map_or("something else", String::as_str)
}

fn unwind(options: &Options, rounds: u64) {
    let runtime = options.runtime();
    for round in 0..rounds {
        match catch_unwind(AssertUnwindSafe(|| runtime.block_on(fuse(round)))) {
            Ok(()) => println!("round {round}: survived"),
            Err(panic) => println!("round {round}: left block_on: {}", said(panic.as_ref())),
        }
    }
    let sum = runtime.block_on(async {
        let sum = tokio::spawn(async { 20 + 22 }).await;
        sum.expect("no panic")
    });
    println!("and the runtime still knows: {sum}");
}

async fn inside(rounds: u64) {
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        tasks.spawn(catching(task, rounds));
    }
    let mut caught = 0;
    while let Some(count) = tasks.join_next().await {
        caught += count.expect("no panic leaves the tasks");
    }
    println!("caught {caught} panics inside of polls");
}

/// `resume_unwind` unwinds like a panic but says nothing.
async fn catching(task: u64, rounds: u64) -> u64 {
    let mut caught = 0;
    for round in 0..rounds {
        sleep(NAP).await;
        let result = catch_unwind(|| {
            let _rubble = black_box(vec![task; 4]);
            resume_unwind(Box::new(round))
        });
        caught += u64::from(result.is_err_and(|panic| panic.downcast_ref() == Some(&round)));
        yield_now().await;
    }
    caught
}

/// Batches of short tasks of three kinds; each has to give the right result.
async fn churn(time: Option<Duration>) {
    let begin = Instant::now();
    let mut next = 0_u64;
    while time.is_none_or(|time| begin.elapsed() < time) {
        let mut batch = JoinSet::new();
        let first = next;
        for _ in 0..64 {
            match next % 3 {
                0 => batch.spawn(yielder(next)),
                1 => batch.spawn(napper(next)),
                _ => batch.spawn(pair(next)),
            };
            next += 1;
        }
        let mut sum = 0;
        while let Some(number) = batch.join_next().await {
            sum += number.expect("no panic");
        }
        assert_eq!(sum, (first..next).sum(), "a task gave a wrong result");
    }
    println!("all tasks gave the right result");
}

async fn yielder(number: u64) -> u64 {
    const AT: Place = place!("panics::yielder");
    AT.spawned();
    for _ in 0..number % 5 {
        yield_now().await;
    }
    AT.completed();
    number
}

async fn napper(number: u64) -> u64 {
    const AT: Place = place!("panics::napper");
    AT.spawned();
    sleep(Duration::from_millis(1)).await;
    AT.completed();
    number
}

async fn pair(number: u64) -> u64 {
    const AT: Place = place!("panics::pair");
    AT.spawned();
    let (sender, mut receiver) = mpsc::channel(1);
    let other = tokio::spawn(async move {
        yield_now().await;
        sender.send(number).await
    });
    let received = receiver.recv().await;
    other.await.expect("no panic").expect("a receiver");
    AT.completed();
    received.expect("a number")
}

static TURNS: AtomicU64 = AtomicU64::new(0);

/// Something to do for all workers, for ever.
fn keep_busy() {
    for _ in 0..4 {
        tokio::spawn(async {
            loop {
                TURNS.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(1)).await;
            }
        });
    }
}

async fn replace(after: Duration, other: &mut Command) {
    keep_busy();
    sleep(after).await;
    let error = other.exec();
    eprintln!("panics: {other:?}: {error}");
    exit(1);
}

async fn fork(rounds: u64) {
    keep_busy();
    for round in 0..rounds {
        sleep(NAP).await;
        println!("round {round}: the child exited with {}", child());
    }
}

/// Forks a child that runs 10 tasks on a runtime of its own; its exit status.
fn child() -> i32 {
    // SAFETY: the child touches none of the parent's threads, locks or runtime, and leaves by _exit.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", Error::last_os_error()),
        0 => {
            let status = std::thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let done = runtime.expect("a runtime").block_on(async {
                    let mut tasks = JoinSet::new();
                    (0..10).for_each(|number| drop(tasks.spawn(napper(number))));
                    tasks.join_all().await.len()
                });
                if done == 10 {
                    7
                } else {
                    1
                }
            });
            unsafe { libc::_exit(status.join().unwrap_or(1)) }
        }
        pid => {
            let mut status = 0;
            // SAFETY: `status` lives in this frame.
            unsafe { libc::waitpid(pid, &mut status, 0) };
            if libc::WIFEXITED(status) {
                libc::WEXITSTATUS(status)
            } else {
                -libc::WTERMSIG(status)
            }
        }
    }
}

async fn die(after: Duration) {
    keep_busy();
    let task = tokio::spawn(async move {
        sleep(after).await;
        println!("aborting");
        abort()
    });
    let _: Result<(), _> = task.await;
}
