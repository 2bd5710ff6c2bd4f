//! Futures that poll another one themselves: one written here, the rest combinators of libraries.

use crate::{nap, nap_chain, Run};
use futures::future::{maybe_done, OptionFuture};
use futures::{stream, FutureExt, StreamExt};
use std::future::Future;
use std::pin::{pin, Pin};
use std::task::{Context, Poll};
use tracing::Instrument;
use truth::{place, source, Place, Source};

const HERE: Source = source!("wrapped.rs");

fn wrapped_chain(at: Place, mark: &str, wrappers: &[&str]) {
    let mut frames = vec![HERE.frame(at.task, mark)];
    frames.extend(wrappers.iter().map(|wrapper| wrapper.to_string()));
    nap_chain(at.task, mark, frames);
}

/// Counts the polls of another future.
struct Counted<F> {
    polls: u64,
    inner: F,
}

impl<F: Future> Future for Counted<F> {
    type Output = (u64, F::Output);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `inner` is not moved, and nothing else is pinned.
        let this = unsafe { self.get_unchecked_mut() };
        this.polls += 1;
        let inner = unsafe { Pin::new_unchecked(&mut this.inner) };
        inner.poll(context).map(|output| (this.polls, output))
    }
}

pub async fn by_hand(run: Run) {
    const AT: Place = place!("shapes::wrapped::by_hand");
    wrapped_chain(AT, "by hand", &["<shapes::wrapped::Counted>"]);
    AT.spawned();
    for _ in 0..run.rounds {
        let counted = Counted { polls: 0, inner: nap(AT.task) };
        let (polls, ()) = counted.await; // @by hand
        assert_eq!(polls, 2);
    }
    run.done(AT);
}

pub async fn instrumented(run: Run) {
    const AT: Place = place!("shapes::wrapped::instrumented");
    wrapped_chain(AT, "instrumented", &["<Instrumented>"]);
    AT.spawned();
    for _ in 0..run.rounds {
        let span = tracing::info_span!("nap");
        nap(AT.task).instrument(span).await; // @instrumented
    }
    run.done(AT);
}

pub async fn maybe(run: Run) {
    const AT: Place = place!("shapes::wrapped::maybe");
    wrapped_chain(AT, "maybe done", &["<MaybeDone>"]);
    AT.spawned();
    for _ in 0..run.rounds {
        let mut future = pin!(maybe_done(nap(AT.task)));
        future.as_mut().await; // @maybe done
        assert!(future.take_output().is_some());
    }
    run.done(AT);
}

pub async fn mapped(run: Run) {
    const AT: Place = place!("shapes::wrapped::mapped");
    wrapped_chain(AT, "map", &["<Map>"]);
    AT.spawned();
    for round in 0..run.rounds {
        let answer = nap(AT.task).map(|()| round).await; // @map
        assert_eq!(answer, round);
    }
    run.done(AT);
}

/// Two naps in one await, one after the other.
pub async fn followed(run: Run) {
    const AT: Place = place!("shapes::wrapped::followed");
    wrapped_chain(AT, "then", &["<Then>"]);
    AT.spawned();
    for _ in 0..run.rounds {
        nap(AT.task).then(|()| nap(AT.task)).await; // @then
    }
    run.done(AT);
}

pub async fn boxed(run: Run) {
    const AT: Place = place!("shapes::wrapped::boxed");
    wrapped_chain(AT, "boxed", &[]);
    AT.spawned();
    for _ in 0..run.rounds {
        nap(AT.task).boxed().await; // @boxed
    }
    run.done(AT);
}

/// Now and then there is nothing to wait for.
pub async fn option(run: Run) {
    const AT: Place = place!("shapes::wrapped::option");
    wrapped_chain(AT, "option", &["<OptionFuture>"]);
    AT.spawned();
    for round in 0..run.rounds {
        let some = (round % 2 == 0).then(|| nap(AT.task));
        let done = OptionFuture::from(some).await; // @option
        assert_eq!(done.is_some(), round % 2 == 0);
    }
    run.done(AT);
}

/// A loop over a stream whose elements take a nap each.
pub async fn elements(run: Run) {
    const AT: Place = place!("shapes::wrapped::elements");
    let element = HERE.frame(AT.task, "element");
    wrapped_chain(AT, "stream", &["<Next>", "<Unfold>", &element]);
    AT.spawned();
    let count = |index| async move {
        nap(AT.task).await; // @element
        (index < run.rounds).then_some((index, index + 1))
    };
    let mut numbers = pin!(stream::unfold(0, count));
    for number in 0..=run.rounds {
        let next = numbers.next().await; // @stream
        assert_eq!(next, (number < run.rounds).then_some(number));
    }
    run.done(AT);
}
