//! One task per shape that an await chain can have: boxed, dynamic and recursive futures, several futures
//! at once, combinators, futures written by hand.
//!
//! Known by construction: for each wait its whole chain (`chain` records), and, as everywhere, the `await` records.
//! Nearly all waits are naps of 3 ms, taken by `nap` at the chain's end; where several futures are waited for at
//! once, the common await is noted and its branches, which end in `idle`, are not.

mod boxed;
mod local;
mod many;
mod plain;
mod several;
mod wrapped;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use truth::{chain, place, source, Countdown, Options, Place, Source};

const HERE: Source = source!("main.rs");
const NAP: Duration = Duration::from_millis(3);
/// Never waited for to its end.
const LONG: Duration = Duration::from_secs(1000);

fn main() {
    let mut options = Options::parse("shapes", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(10, NAP * 4);
    let local = local::start(rounds);
    options.runtime().block_on(run(rounds));
    local.join().expect("no panic");
    options.finish();
}

/// What each task is given.
#[derive(Clone)]
struct Run {
    rounds: u64,
    countdown: Arc<Countdown>,
}

impl Run {
    fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Self) -> F) {
        self.countdown.more();
        tokio::spawn(task(self.clone()));
    }

    fn done(&self, at: Place) {
        at.completed();
        self.countdown.done();
    }
}

async fn run(rounds: u64) {
    const AT: Place = place!("shapes::run");
    AT.root();
    let run = Run { rounds, countdown: Arc::new(Countdown::new(1)) };
    run.spawn(boxed::recursion);
    run.spawn(boxed::dynamic);
    run.spawn(boxed::object);
    run.spawn(many::many);
    run.spawn(plain::blocks);
    run.spawn(plain::closure);
    run.spawn(|run| plain::generic(7_u8, run));
    run.spawn(|run| plain::generic("seven".to_string(), run));
    run.spawn(plain::large);
    run.spawn(plain::method);
    run.spawn(plain::by_macro);
    run.spawn(several::select);
    run.spawn(several::select_nested);
    run.spawn(several::join);
    run.spawn(several::try_join);
    run.spawn(several::all);
    run.spawn(several::unordered);
    run.spawn(several::set);
    run.spawn(several::tuple);
    run.spawn(several::limited);
    run.spawn(wrapped::by_hand);
    run.spawn(wrapped::instrumented);
    run.spawn(wrapped::maybe);
    run.spawn(wrapped::mapped);
    run.spawn(wrapped::followed);
    run.spawn(wrapped::boxed);
    run.spawn(wrapped::option);
    run.spawn(wrapped::elements);
    run.countdown.done();
    let t = truth::start();
    run.countdown.zero.notified().await;
    AT.wait(t, line!() - 1, "Notified").log();
    AT.completed();
}

/// Sleeps for 3 ms as `task`.
async fn nap(task: &'static str) {
    const AT: Place = place!("", "shapes::nap");
    let t = truth::start();
    sleep(NAP).await; // @nap
    AT.within(task).wait(t, line!() - 1, "Sleep").part("until deadline", NAP).log();
}

/// Notes the chain of a nap.
fn nap_chain(task: &str, shape: &str, mut frames: Vec<String>) {
    frames.push(HERE.frame("shapes::nap", "nap"));
    chain(task, shape, &frames, "Sleep", None);
}

/// Sleeps, one of several; says when it woke.
async fn idle(time: Duration) -> u64 {
    sleep(time).await; // @idle
    truth::now()
}

/// The branch of an await that is `idle`.
fn idle_branch() -> Vec<String> {
    vec![HERE.frame("shapes::idle", "idle"), "Sleep".into()]
}
