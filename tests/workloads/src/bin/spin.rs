//! Tasks that never wait and get nothing done, and some that look like them. Ends with its standard input.
//!
//! `yielder` gives way for ever, `waker` wakes itself in its own polls. `fair` gives way a hundred times, then waits
//! for a timer; `reader` takes 100,000 messages that are all there, for which tokio makes it give way now and then.

use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use truth::Options;

fn main() {
    let mut options = Options::parse("spin", "", &[], &[]);
    options.ready();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    options.runtime().block_on(run());
}

async fn run() {
    tokio::spawn(yielder());
    tokio::spawn(waker());
    tokio::spawn(fair());
    loop {
        tokio::spawn(reader());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn yielder() {
    loop {
        yield_now().await;
    }
}

async fn waker() {
    Busy.await
}

struct Busy;

impl Future for Busy {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

async fn fair() {
    loop {
        for _ in 0..100 {
            yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn reader() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for i in 0..100_000 {
        let _ = sender.send(i);
    }
    drop(sender);
    while receiver.recv().await.is_some() {}
}
