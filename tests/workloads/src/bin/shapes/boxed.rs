//! Futures behind a pointer: the chain leaves the task's own allocation.

use crate::{nap, nap_chain, Run};
use async_trait::async_trait;
use std::future::Future;
use std::pin::Pin;
use truth::{place, source, Place, Source};

const HERE: Source = source!("boxed.rs");
const DEPTH: usize = 5;

/// An async fn that calls itself through `Pin<Box<F>>`.
pub async fn recursion(run: Run) {
    const AT: Place = place!("shapes::boxed::recursion");
    let mut frames = vec![HERE.frame(AT.task, "recursion")];
    frames.extend((1..DEPTH).map(|_| HERE.frame("shapes::boxed::descend", "descend")));
    frames.push(HERE.frame("shapes::boxed::descend", "bottom"));
    nap_chain(AT.task, "recursion", frames);
    AT.spawned();
    for _ in 0..run.rounds {
        descend(AT.task, DEPTH).await; // @recursion
    }
    run.done(AT);
}

async fn descend(task: &'static str, depth: usize) {
    if depth > 1 {
        Box::pin(descend(task, depth - 1)).await; // @descend
    } else {
        nap(task).await; // @bottom
    }
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// `Box<dyn Future>`: now one type, now another.
pub async fn dynamic(run: Run) {
    const AT: Place = place!("shapes::boxed::dynamic");
    for (function, mark) in [("shapes::boxed::heads", "heads"), ("shapes::boxed::tails", "tails")] {
        let frames = vec![HERE.frame(AT.task, "dynamic"), HERE.frame(function, mark)];
        nap_chain(AT.task, "dyn", frames);
    }
    AT.spawned();
    for round in 0..run.rounds {
        let future: Boxed = match round % 2 {
            0 => Box::pin(heads(AT.task)),
            _ => Box::pin(tails(AT.task, [round; 8])),
        };
        future.await; // @dynamic
    }
    run.done(AT);
}

async fn heads(task: &'static str) {
    nap(task).await; // @heads
}

/// Keeps more than `heads` does, so that its layout is another.
async fn tails(task: &'static str, kept: [u64; 8]) {
    nap(task).await; // @tails
    std::hint::black_box(kept);
}

#[async_trait]
trait Walk {
    async fn walk(&self, task: &'static str, depth: usize);
}

struct Node;

#[async_trait]
impl Walk for Node {
    async fn walk(&self, task: &'static str, depth: usize) {
        if depth > 1 {
            self.walk(task, depth - 1).await; // @walk
        } else {
            nap(task).await; // @walked
        }
    }
}

/// An `async_trait` method, through a trait object, that calls itself.
pub async fn object(run: Run) {
    const AT: Place = place!("shapes::boxed::object");
    let mut frames = vec![HERE.frame(AT.task, "object")];
    frames.extend((1..DEPTH).map(|_| HERE.frame("shapes::boxed::Node::walk", "walk")));
    frames.push(HERE.frame("shapes::boxed::Node::walk", "walked"));
    nap_chain(AT.task, "async_trait", frames);
    AT.spawned();
    let node: Box<dyn Walk + Send + Sync> = Box::new(Node);
    for _ in 0..run.rounds {
        node.walk(AT.task, DEPTH).await; // @object
    }
    run.done(AT);
}
