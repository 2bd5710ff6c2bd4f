//! Tasks that wait for tokio's clock in all its forms: sleep, sleep_until, interval, and a timeout that
//! expires, that is beaten by another timer, that is beaten by a message.
//!
//! Known by construction: each await goes Pending once and ends at a designed deadline; whatever it takes
//! beyond that is lateness. Only `messenger`'s wait ends by a wake of another task instead.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{interval_at, sleep, sleep_until, timeout, Instant, MissedTickBehavior};
use truth::{place, Countdown, Options, Place};

/// The longest of the designed times: a round of the slowest task.
const ROUND: Duration = Duration::from_millis(20);

fn main() {
    let mut options = Options::parse("timers", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(25, ROUND);
    options.runtime().block_on(run(rounds));
    options.finish();
}

async fn run(rounds: u64) {
    const AT: Place = place!("timers::run");
    AT.root();
    let countdown = Arc::new(Countdown::new(7));
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(sleeper(rounds * 2, countdown.clone()));
    tokio::spawn(punctual(rounds * 2, countdown.clone()));
    tokio::spawn(ticker(rounds * 4, countdown.clone()));
    tokio::spawn(impatient(rounds, countdown.clone()));
    tokio::spawn(patient(rounds, countdown.clone()));
    tokio::spawn(messenger(rounds, sender, countdown.clone()));
    tokio::spawn(addressee(rounds, receiver, countdown.clone()));

    let t = truth::start();
    countdown.zero.notified().await;
    AT.wait(t, line!() - 1, "Notified").log();
    AT.completed();
}

/// Sleeps for 10 ms.
async fn sleeper(rounds: u64, countdown: Arc<Countdown>) {
    const AT: Place = place!("timers::sleeper");
    const TIME: Duration = Duration::from_millis(10);
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(TIME).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", TIME).log();
    }
    AT.completed();
    countdown.done();
}

/// Sleeps until 10 ms after it woke.
async fn punctual(rounds: u64, countdown: Arc<Countdown>) {
    const AT: Place = place!("timers::punctual");
    const TIME: Duration = Duration::from_millis(10);
    AT.spawned();
    for _ in 0..rounds {
        let deadline = Instant::now() + TIME;
        let t = truth::start();
        sleep_until(deadline).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", TIME).log();
    }
    AT.completed();
    countdown.done();
}

/// Ticks every 5 ms; the deadlines do not move with its own lateness, so no single wait has a designed
/// length, only all of them together: 5 ms a tick.
async fn ticker(rounds: u64, countdown: Arc<Countdown>) {
    const AT: Place = place!("timers::ticker");
    const PERIOD: Duration = Duration::from_millis(5);
    AT.spawned();
    let mut ticks = interval_at(Instant::now() + PERIOD, PERIOD);
    // A tick that comes late is not made up for by one that finds its deadline past.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for _ in 0..rounds {
        let t = truth::start();
        let due = ticks.tick().await;
        let wait = AT.wait(t, line!() - 1, "interval");
        // Due already when it was asked for: the task came a whole period late.
        if due.elapsed() > PERIOD {
            wait.pendings(None).log();
        } else {
            wait.log();
        }
    }
    AT.completed();
    countdown.done();
}

/// Gives up after 20 ms on something that never happens.
async fn impatient(rounds: u64, countdown: Arc<Countdown>) {
    const AT: Place = place!("timers::impatient");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        let result = timeout(ROUND, pending::<()>()).await;
        AT.wait(t, line!() - 1, "Timeout").part("until deadline", ROUND).log();
        assert!(result.is_err());
    }
    AT.completed();
    countdown.done();
}

/// Would give up after 10 s, but what it waits for takes 10 ms.
async fn patient(rounds: u64, countdown: Arc<Countdown>) {
    const AT: Place = place!("timers::patient");
    const TIME: Duration = Duration::from_millis(10);
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        let result = timeout(Duration::from_secs(10), sleep(TIME)).await;
        AT.wait(t, line!() - 1, "Timeout").part("until deadline", TIME).log();
        assert!(result.is_ok());
    }
    AT.completed();
    countdown.done();
}

/// Sends a message every 10 ms.
async fn messenger(rounds: u64, sender: mpsc::Sender<u64>, countdown: Arc<Countdown>) {
    const AT: Place = place!("timers::messenger");
    const TIME: Duration = Duration::from_millis(10);
    AT.spawned();
    for round in 0..rounds {
        let t = truth::start();
        sleep(TIME).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", TIME).log();
        sender.send(round).await.expect("the addressee is there");
    }
    AT.completed();
    countdown.done();
}

/// Would give up after 10 s, but is sent a message after 10 ms.
async fn addressee(rounds: u64, mut receiver: mpsc::Receiver<u64>, countdown: Arc<Countdown>) {
    const AT: Place = place!("timers::addressee");
    const TIME: Duration = Duration::from_millis(10);
    AT.spawned();
    for round in 0..rounds {
        let t = truth::start();
        let message = timeout(Duration::from_secs(10), receiver.recv()).await;
        AT.wait(t, line!() - 1, "Timeout").part("until wake", TIME).log();
        assert_eq!(message, Ok(Some(round)));
    }
    AT.completed();
    countdown.done();
}
