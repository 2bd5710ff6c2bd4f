//! Tasks by what names them: blocks and closures of one function, futures in the wrappers of libraries, and boxed
//! ones, of which the type tells nothing. Each waits nearly all of the time. The comment on a line names its task.

use futures::channel::mpsc;
use futures::{FutureExt, SinkExt};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;
use tokio::time::{sleep, Sleep};
use tracing::Instrument;
use truth::Options;

const PAUSE: Duration = Duration::from_millis(2);

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Written by hand.
struct Naps {
    rounds: u64,
    sleep: Pin<Box<Sleep>>,
}

impl Naps {
    fn new(rounds: u64) -> Self {
        Self { rounds, sleep: Box::pin(sleep(PAUSE)) }
    }
}

impl Future for Naps {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        while self.rounds > 0 {
            std::task::ready!(self.sleep.as_mut().poll(context));
            self.rounds -= 1;
            self.sleep = Box::pin(sleep(PAUSE));
        }
        Poll::Ready(())
    }
}

/// The same in another type.
struct Rests(Naps);

impl Future for Rests {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context)
    }
}

/// Goes through a channel, and could be polled, which nobody does.
struct Letter;

impl Future for Letter {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

fn main() {
    let mut options = Options::parse("named", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(50, PAUSE);
    options.runtime().block_on(run(rounds));
    options.finish();
    std::process::exit(0);
}

async fn run(rounds: u64) {
    let span = || tracing::info_span!("task");
    let boxed: [Boxed; 4] = [
        Box::pin(one(rounds)),
        Box::pin(two(rounds)),
        Box::pin(Rests(Naps::new(rounds))),
        Box::pin(async move { // BLOCK boxed
            nap(rounds).await;
        }),
    ];
    let inside: Boxed = Box::pin(three(rounds));
    let twice: Boxed = Box::pin(inside);

    let mut tasks: Vec<_> = boxed.into_iter().map(tokio::spawn).collect();
    tasks.push(tokio::spawn(twice.instrument(span())));
    tasks.push(tokio::spawn(Naps::new(rounds).instrument(span())));
    tasks.push(tokio::spawn(Naps::new(rounds).map(drop)));
    tasks.push(tokio::spawn(async move { // BLOCK first
        nap(rounds).await;
    }));
    tasks.push(tokio::spawn(async move { // BLOCK second
        nap(rounds + 1).await;
    }));
    tasks.push(tokio::task::spawn_blocking(move || { // CLOSURE first
        for _ in 0..rounds {
            thread::sleep(PAUSE);
        }
    }));
    tasks.push(tokio::task::spawn_blocking(move || { // CLOSURE second
        for _ in 0..=rounds {
            thread::sleep(PAUSE);
        }
    }));
    // Nobody takes what is sent.
    let (sender, receiver) = mpsc::channel::<Letter>(0);
    tokio::spawn(Box::leak(Box::new(sender)).send(Letter));
    for task in tasks {
        task.await.expect("no panic");
    }
    drop(receiver);
}

async fn nap(rounds: u64) {
    for _ in 0..rounds {
        sleep(PAUSE).await;
    }
}

async fn one(rounds: u64) {
    nap(rounds).await;
}

async fn two(rounds: u64) {
    nap(rounds).await;
}

async fn three(rounds: u64) {
    nap(rounds).await;
}
