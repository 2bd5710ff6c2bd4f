//! Async functions, blocks and closures in the forms that they have in source.

use crate::{nap, nap_chain, Run};
use std::fmt::Display;
use std::future::Future;
use std::hint::black_box;
use truth::{place, source, Place, Source};

const HERE: Source = source!("plain.rs");

/// Async blocks in one another.
pub async fn blocks(run: Run) {
    const AT: Place = place!("shapes::plain::blocks");
    let frames = ["outer", "middle", "inner"].map(|mark| HERE.frame(AT.task, mark));
    nap_chain(AT.task, "nested blocks", frames.to_vec());
    AT.spawned();
    for _ in 0..run.rounds {
        async {
            async {
                nap(AT.task).await; // @inner
            }
            .await; // @middle
        }
        .await; // @outer
    }
    run.done(AT);
}

/// An async closure.
pub async fn closure(run: Run) {
    const AT: Place = place!("shapes::plain::closure");
    let frames = ["closure", "body"].map(|mark| HERE.frame(AT.task, mark));
    nap_chain(AT.task, "async closure", frames.to_vec());
    AT.spawned();
    let rest = async |times: u64| {
        for _ in 0..times {
            nap(AT.task).await; // @body
        }
    };
    rest(run.rounds).await; // @closure
    run.done(AT);
}

/// A generic async fn; two types are spawned, under the same name.
pub async fn generic<T: Display>(value: T, run: Run) {
    const AT: Place = place!("shapes::plain::generic");
    nap_chain(AT.task, "generic", vec![HERE.frame(AT.task, "generic")]);
    AT.spawned();
    for _ in 0..run.rounds {
        nap(AT.task).await; // @generic
        black_box(value.to_string());
    }
    run.done(AT);
}

/// An async fn whose result is returned in memory.
pub async fn large(run: Run) {
    const AT: Place = place!("shapes::plain::large");
    let frames =
        vec![HERE.frame(AT.task, "large"), HERE.frame("shapes::plain::squares", "squares")];
    nap_chain(AT.task, "result in memory", frames);
    AT.spawned();
    for round in 0..run.rounds {
        black_box(squares(AT.task, round).await); // @large
    }
    run.done(AT);
}

async fn squares(task: &'static str, from: u64) -> [u64; 9] {
    nap(task).await; // @squares
    std::array::from_fn(|index| (from + index as u64).pow(2))
}

trait Work {
    fn work(&mut self, task: &'static str) -> impl Future<Output = ()> + Send;
}

struct Bee {
    flights: u64,
}

impl Work for Bee {
    async fn work(&mut self, task: &'static str) {
        self.flights += 1;
        nap(task).await; // @work
    }
}

/// An async method of a trait, without a box.
pub async fn method(run: Run) {
    const AT: Place = place!("shapes::plain::method");
    let frames =
        vec![HERE.frame(AT.task, "method"), HERE.frame("shapes::plain::Bee::work", "work")];
    nap_chain(AT.task, "trait method", frames);
    AT.spawned();
    let mut bee = Bee { flights: 0 };
    while bee.flights < run.rounds {
        bee.work(AT.task).await; // @method
    }
    run.done(AT);
}

/// An await that a macro writes: its line is the macro's.
pub async fn by_macro(run: Run) {
    macro_rules! settle {
        ($future:expr) => {
            $future.await // @macro
        };
    }
    const AT: Place = place!("shapes::plain::by_macro");
    nap_chain(AT.task, "macro", vec![HERE.frame(AT.task, "macro")]);
    AT.spawned();
    for _ in 0..run.rounds {
        settle!(nap(AT.task));
    }
    run.done(AT);
}
