//! Futures in layers, as middleware makes them: each request goes through two dozen wrappers, every other of them an
//! enum, to a handler that asks three others at once, each through as many. `serve` does so again and again; `rests`
//! has begun once and waits for what never comes.

use std::future::{pending, Future};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use truth::Options;

const PAUSE: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(3600);

/// A layer that has nothing to decide.
struct Layer<F> {
    inner: F,
}

impl<F: Future> Future for Layer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `inner` is not moved.
        unsafe { self.map_unchecked_mut(|this| &mut this.inner) }.poll(context)
    }
}

/// One that has.
#[allow(dead_code)]
enum Call<F: Future> {
    Called(F),
    Answered(F::Output),
}

impl<F: Future> Future for Call<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is not moved.
        match unsafe { self.get_unchecked_mut() } {
            Self::Called(inner) => unsafe { Pin::new_unchecked(inner) }.poll(context),
            Self::Answered(_) => panic!("polled again"),
        }
    }
}

fn layers<F: Future<Output = ()> + Send>(inner: F) -> impl Future<Output = ()> + Send {
    four(four(four(inner)))
}

fn four<F: Future<Output = ()> + Send>(inner: F) -> impl Future<Output = ()> + Send {
    let two = Layer { inner: Layer { inner: Call::Called(Layer { inner }) } };
    Layer { inner: Layer { inner: Call::Called(two) } }
}

fn main() {
    let mut options = Options::parse("layers", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(50, PAUSE);
    options.runtime().block_on(run(rounds));
    options.finish();
    std::process::exit(0);
}

async fn run(rounds: u64) {
    tokio::spawn(layers(rests()));
    tokio::spawn(serve(rounds)).await.expect("no panic");
}

async fn serve(rounds: u64) {
    for _ in 0..rounds {
        layers(handle(false)).await;
    }
}

async fn rests() {
    layers(handle(true)).await;
}

async fn handle(forever: bool) {
    tokio::join!(layers(ask(forever)), layers(ask(forever)), layers(ask(forever)));
}

async fn ask(forever: bool) {
    let _ = timeout(LONG, layers(answer(forever))).await;
}

async fn answer(forever: bool) {
    sleep(PAUSE).await;
    if forever {
        pending::<()>().await;
    }
}
