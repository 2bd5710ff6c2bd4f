//! Tasks that stay on their thread: a `LocalSet` on a second runtime, beside that of all other shapes.

use crate::{nap, nap_chain};
use std::rc::Rc;
use std::thread::{self, JoinHandle};
use tokio::runtime::Builder;
use tokio::task::{spawn_local, LocalSet};
use truth::{place, source, Countdown, Place, Source};

const HERE: Source = source!("local.rs");

pub fn start(rounds: u64) -> JoinHandle<()> {
    let body = move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a tokio runtime");
        LocalSet::new().block_on(&runtime, run(rounds));
    };
    thread::Builder::new().name("local".into()).spawn(body).expect("a thread")
}

async fn run(rounds: u64) {
    const AT: Place = place!("shapes::local::run");
    AT.root();
    let countdown = Rc::new(Countdown::new(2));
    spawn_local(napper(rounds, countdown.clone()));
    spawn_local(napper(rounds, countdown.clone()));
    let t = truth::start();
    countdown.zero.notified().await;
    // Polled with the set, whichever of its tasks was woken.
    AT.wait(t, line!() - 2, "Notified").pendings(None).log();
    AT.completed();
}

async fn napper(rounds: u64, countdown: Rc<Countdown>) {
    const AT: Place = place!("shapes::local::napper");
    nap_chain(AT.task, "spawn_local", vec![HERE.frame(AT.task, "napper")]);
    AT.spawned();
    for _ in 0..rounds {
        nap(AT.task).await; // @napper
    }
    AT.completed();
    countdown.done();
}
