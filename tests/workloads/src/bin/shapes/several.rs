//! Several futures waited for by one await.

use crate::{idle, idle_branch, Run, LONG, NAP};
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use futures::StreamExt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use truth::{chain, place, source, Branches, Place, Source};

const HERE: Source = source!("several.rs");

fn branched(at: Place, mark: &str, leaf: &str, branches: Vec<Vec<String>>, fired: usize) {
    let frames = [HERE.frame(at.task, mark)];
    chain(at.task, mark, &frames, leaf, Some(Branches { branches, fired }));
}

/// How often an await went Pending that ended with the last of these times: once more with each of them, but
/// for those that came so close together that one poll may have seen both.
fn pendings(mut times: Vec<u64>) -> Option<u32> {
    times.sort();
    let apart = times.windows(2).all(|pair| pair[1] - pair[0] > 1_000_000);
    apart.then_some(times.len() as u32)
}

/// Opened once, by a thread.
struct Gate(Arc<Mutex<(bool, Option<Waker>)>>);

impl Gate {
    fn opened_after(time: Duration) -> Self {
        let gate = Self(Arc::default());
        let state = gate.0.clone();
        thread::spawn(move || {
            thread::sleep(time);
            let waker = {
                let mut state = state.lock().unwrap();
                state.0 = true;
                state.1.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        gate
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// A timer, a future written by hand, a channel; the second ends the wait.
pub async fn select(run: Run) {
    const AT: Place = place!("shapes::several::select");
    let branches = ["Sleep", "shapes::several::Gate", "mpsc"].map(|leaf| vec![leaf.to_string()]);
    branched(AT, "select", "PollFn", branches.to_vec(), 1);
    AT.spawned();
    let line = HERE.line("select");
    let (_sender, mut receiver) = mpsc::channel::<()>(1);
    for _ in 0..run.rounds {
        let gate = Gate::opened_after(NAP);
        let t = truth::start();
        tokio::select! { // @select
            _ = tokio::time::sleep(LONG) => unreachable!(),
            _ = gate => {}
            _ = receiver.recv() => unreachable!(),
        }
        AT.wait(t, line, "PollFn").part("until wake", NAP).log();
    }
    run.done(AT);
}

/// Two async functions; the first ends the wait.
pub async fn select_nested(run: Run) {
    const AT: Place = place!("shapes::several::select_nested");
    branched(AT, "select nested", "PollFn", vec![idle_branch(), idle_branch()], 0);
    AT.spawned();
    let line = HERE.line("select nested");
    for _ in 0..run.rounds {
        let t = truth::start();
        tokio::select! { // @select nested
            _ = idle(NAP) => {}
            _ = idle(LONG) => unreachable!(),
        }
        AT.wait(t, line, "PollFn").part("until deadline", NAP).log();
    }
    run.done(AT);
}

/// Ends with the second; the first wakes the task in vain.
pub async fn join(run: Run) {
    const AT: Place = place!("shapes::several::join");
    branched(AT, "join", "PollFn", vec![idle_branch(), idle_branch()], 1);
    AT.spawned();
    for _ in 0..run.rounds {
        let t = truth::start();
        let (first, second) = tokio::join!(idle(NAP), idle(NAP * 3)); // @join
        let wait = AT.wait(t, line!() - 1, "PollFn");
        wait.part("until deadline", NAP * 3).pendings(pendings(vec![first, second])).log();
    }
    run.done(AT);
}

/// Ends with the second, which fails.
pub async fn try_join(run: Run) {
    const AT: Place = place!("shapes::several::try_join");
    let branch = |mark| {
        let mut branch = vec![HERE.frame("shapes::several::attempt", mark)];
        branch.extend(idle_branch());
        branch
    };
    branched(AT, "try_join", "PollFn", vec![branch("attempt"), branch("attempt")], 1);
    AT.spawned();
    for _ in 0..run.rounds {
        let t = truth::start();
        let result = tokio::try_join!(attempt(LONG), attempt(NAP)); // @try_join
        AT.wait(t, line!() - 1, "PollFn").part("until deadline", NAP).log();
        assert!(result.is_err());
    }
    run.done(AT);
}

async fn attempt(time: Duration) -> Result<(), u64> {
    Err(idle(time).await) // @attempt
}

pub async fn all(run: Run) {
    const AT: Place = place!("shapes::several::all");
    branched(AT, "join_all", "JoinAll", vec![idle_branch(); 3], 2);
    AT.spawned();
    for _ in 0..run.rounds {
        let t = truth::start();
        let times = join_all((1..=3).map(|turn| idle(NAP * turn))).await; // @join_all
        let wait = AT.wait(t, line!() - 1, "JoinAll");
        wait.part("until deadline", NAP * 3).pendings(pendings(times)).log();
    }
    run.done(AT);
}

/// Three futures, taken as they end. The set polls itself once more after it has polled all that it has for
/// the first time, and so goes Pending twice.
pub async fn unordered(run: Run) {
    const AT: Place = place!("shapes::several::unordered");
    for count in 1..=3 {
        branched(AT, "unordered", "FuturesUnordered", vec![idle_branch(); count], 0);
    }
    AT.spawned();
    for _ in 0..run.rounds {
        let mut set: FuturesUnordered<_> = (1..=3).map(|turn| idle(NAP * turn)).collect();
        let mut last = 0;
        for turn in 1..=3 {
            let t = truth::start();
            let time = set.next().await.expect("as many as were put in"); // @unordered
            let wait = AT.wait(t, line!() - 1, "FuturesUnordered");
            // Was it there already?
            let apart = time - last > 1_000_000;
            wait.pendings(apart.then_some(if turn == 1 { 2 } else { 1 })).log();
            last = time;
        }
    }
    run.done(AT);
}

/// Three tasks, joined as they end.
pub async fn set(run: Run) {
    const AT: Place = place!("shapes::several::set");
    chain(AT.task, "join set", &[HERE.frame(AT.task, "set")], "join_set", None);
    AT.spawned();
    for _ in 0..run.rounds {
        let mut set = JoinSet::new();
        for turn in 1..=3 {
            set.spawn(member(NAP * turn));
        }
        let mut last = 0;
        for _ in 0..3 {
            let t = truth::start();
            let time = set.join_next().await.expect("three").expect("no panic"); // @set
            let apart = time - last > 1_000_000;
            AT.wait(t, line!() - 2, "join_set").pendings(apart.then_some(1)).log();
            last = time;
        }
    }
    run.done(AT);
}

async fn member(time: Duration) -> u64 {
    const AT: Place = place!("shapes::several::member");
    chain(AT.task, "member", &[HERE.frame(AT.task, "member")], "Sleep", None);
    AT.spawned();
    let t = truth::start();
    tokio::time::sleep(time).await; // @member
    AT.wait(t, line!() - 1, "Sleep").log();
    AT.completed();
    truth::now()
}

/// Two futures in a tuple; ends with the first that does.
struct Race<A, B>((A, B));

impl<A: Future, B: Future> Future for Race<A, B> {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        // SAFETY: neither part is moved.
        let Self((first, second)) = unsafe { self.get_unchecked_mut() };
        let (first, second) = unsafe { (Pin::new_unchecked(first), Pin::new_unchecked(second)) };
        match (first.poll(context), second.poll(context)) {
            (Poll::Ready(_), _) => Poll::Ready(true),
            (_, Poll::Ready(_)) => Poll::Ready(false),
            _ => Poll::Pending,
        }
    }
}

pub async fn tuple(run: Run) {
    const AT: Place = place!("shapes::several::tuple");
    branched(AT, "tuple", "shapes::several::Race", vec![idle_branch(), idle_branch()], 0);
    AT.spawned();
    for _ in 0..run.rounds {
        let t = truth::start();
        let first = Race((idle(NAP), idle(LONG))).await; // @tuple
        AT.wait(t, line!() - 1, "Race").part("until deadline", NAP).log();
        assert!(first);
    }
    run.done(AT);
}

/// An async function under a timeout that is not reached.
pub async fn limited(run: Run) {
    const AT: Place = place!("shapes::several::limited");
    branched(AT, "timeout", "Timeout", vec![idle_branch(), vec!["Sleep".into()]], 0);
    AT.spawned();
    for _ in 0..run.rounds {
        let t = truth::start();
        let result = timeout(LONG, idle(NAP)).await; // @timeout
        AT.wait(t, line!() - 1, "Timeout").part("until deadline", NAP).log();
        assert!(result.is_ok());
    }
    run.done(AT);
}
