//! Faults in the shapes in which programs have them: actors that ask each other, ends of channels in maps and structs,
//! pools and maps of other crates. As in `faults`, the comment before a function has its name and the kind of the
//! fault, and marks say where: CULPRIT, HOLDER. `moved` and `given` are well, as is `answered`.
//!
//!     shapes_of_faults NAME
//!
//! Says `there` when it stands, and ends with its standard input.

use futures::stream::StreamExt;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

const MOMENT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(3600);

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    let mut builder = match name.as_str() {
        "inside" | "sharded" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
    std::thread::spawn(|| {
        std::thread::sleep(20 * MOMENT);
        println!("there");
        let _ = std::io::stdout().flush();
    });
    runtime.block_on(async {
        match name.as_str() {
            "itself" => itself().await,
            "round" => round(true).await,
            "answered" => round(false).await,
            "keyed" => keyed().await,
            "joined" => joined().await,
            "piped" => piped().await,
            "inside" => inside().await,
            "sharded" => sharded().await,
            "pooled" => pooled().await,
            "moved" => moved().await,
            "given" => given().await,
            _ => {
                eprintln!("shapes_of_faults: which? itself, round, answered, keyed, joined, piped, inside, sharded, pooled, moved, given");
                std::process::exit(2);
            }
        }
    });
}

enum Ask {
    Price(oneshot::Sender<u32>),
    Total(u32, oneshot::Sender<u32>),
}

/// An actor: who wants to know something puts the sender of the answer into the message.
struct Actor {
    inbox: mpsc::Receiver<Ask>,
    me: mpsc::Sender<Ask>,
    other: Option<mpsc::Sender<Ask>>,
}

impl Actor {
    fn new() -> Actor {
        let (me, inbox) = mpsc::channel(8);
        Actor { inbox, me, other: None }
    }

    async fn run(mut self) {
        while let Some(ask) = self.inbox.recv().await {
            match ask {
                Ask::Price(reply) => {
                    let price = match &self.other {
                        Some(other) => self.ask(other).await,
                        None => 1,
                    };
                    let _ = reply.send(price);
                }
                Ask::Total(n, reply) => {
                    let price = self.price().await;
                    let _ = reply.send(n * price);
                }
            }
        }
    }

    async fn ask(&self, other: &mpsc::Sender<Ask>) -> u32 {
        let (reply, answer) = oneshot::channel();
        let _ = other.send(Ask::Price(reply)).await;
        answer.await.unwrap_or(0) // round: CULPRIT
    }

    async fn price(&self) -> u32 {
        let (reply, answer) = oneshot::channel();
        let _ = self.me.send(Ask::Price(reply)).await;
        answer.await.unwrap_or(0) // itself: CULPRIT
    }
}

// itself: deadlock
async fn itself() {
    let actor = Actor::new();
    let to = actor.me.clone();
    tokio::spawn(actor.run());
    let (reply, answer) = oneshot::channel();
    let _ = to.send(Ask::Total(2, reply)).await;
    let _ = answer.await;
    drop(to);
}

// round: deadlock
async fn round(both: bool) {
    let (mut a, mut b) = (Actor::new(), Actor::new());
    a.other = Some(b.me.clone());
    b.other = if both { Some(a.me.clone()) } else { None };
    let to = a.me.clone();
    tokio::spawn(a.run());
    tokio::spawn(b.run());
    loop {
        let (reply, answer) = oneshot::channel();
        let _ = to.send(Ask::Price(reply)).await;
        let _ = answer.await;
        sleep(MOMENT / 8).await;
    }
}

struct Registry {
    peers: HashMap<String, mpsc::Sender<u32>>,
}

// keyed: deadlock
async fn keyed() {
    let mut registry = Registry { peers: HashMap::new() }; // keyed: HOLDER
    let mut workers = JoinSet::new();
    for n in 0..20 {
        let (to, mut from) = mpsc::channel::<u32>(4);
        registry.peers.insert(format!("peer {n}"), to);
        workers.spawn(async move { while from.recv().await.is_some() {} });
    }
    while workers.join_next().await.is_some() {} // keyed: CULPRIT
    drop(registry);
}

// joined: deadlock
async fn joined() {
    let counter = Arc::new(tokio::sync::Mutex::new(0));
    tokio::join!(async { sleep(MOMENT / 4).await }, count(&counter));
}

async fn count(counter: &tokio::sync::Mutex<u32>) {
    let mut n = counter.lock().await; // joined: HOLDER
    sleep(MOMENT).await;
    *n += *counter.lock().await; // joined: CULPRIT
}

// piped: deadlock
async fn piped() {
    let (to, from) = mpsc::channel::<u32>(4); // piped: HOLDER
    let mut next = tokio_stream::wrappers::ReceiverStream::new(from).map(|n| n + 1);
    to.send(1).await.expect("it lives");
    while next.next().await.is_some() {} // piped: CULPRIT
    drop(to);
}

// inside: starved task
async fn inside() {
    let work = tokio::spawn(async {
        let (answer, answered) = oneshot::channel::<u32>();
        tokio::spawn(async move { answer.send(1) });
        futures::executor::block_on(answered) // inside: CULPRIT
    });
    let _ = work.await;
}

// sharded: deadlock
async fn sharded() {
    let (map, local) = (Arc::new(dashmap::DashMap::<u32, u32>::new()), LocalSet::new());
    map.insert(1, 1);
    let theirs = map.clone();
    local.spawn_local(async move {
        let one = map.get(&1).expect("it is there"); // sharded: HOLDER
        sleep(MOMENT).await;
        assert_eq!(*one, 1);
    });
    local.spawn_local(async move {
        sleep(MOMENT / 4).await;
        *theirs.get_mut(&1).expect("it is there") += 1; // sharded: CULPRIT
    });
    local.await;
}

struct Connections;

impl deadpool::managed::Manager for Connections {
    type Type = u32;
    type Error = ();
    async fn create(&self) -> Result<u32, ()> {
        Ok(1)
    }
    async fn recycle(&self, _: &mut u32, _: &deadpool::managed::Metrics) -> deadpool::managed::RecycleResult<()> {
        Ok(())
    }
}

type Pool = deadpool::managed::Pool<Connections>;

// pooled: deadlock
async fn pooled() {
    let pool = Pool::builder(Connections).max_size(2).build().expect("a pool");
    let mut orders = JoinSet::new();
    for _ in 0..2 {
        orders.spawn(order(pool.clone()));
    }
    while orders.join_next().await.is_some() {}
}

async fn order(pool: Pool) -> u32 {
    let connection = pool.get().await.expect("one"); // pooled: HOLDER
    sleep(MOMENT).await;
    *connection + *pool.get().await.expect("one") // pooled: CULPRIT
}

/// What a block has captured it gives to a thread and to a blocking job, and waits for those who wait for them.
async fn moved() {
    let (stop, mut stopped) = watch::channel(false);
    let (job, mut jobs) = mpsc::channel::<u32>(4);
    let outer = tokio::spawn(async move {
        std::thread::spawn(move || {
            std::thread::sleep(LONG);
            stop.send(true)
        });
        tokio::task::spawn_blocking(move || {
            std::thread::sleep(LONG);
            job.blocking_send(1)
        });
        let mut workers = JoinSet::new();
        workers.spawn(async move { while stopped.changed().await.is_ok() {} });
        workers.spawn(async move { while jobs.recv().await.is_some() {} });
        while workers.join_next().await.is_some() {}
    });
    let _ = outer.await;
}

enum Order {
    Task(oneshot::Sender<u32>),
    Thread(oneshot::Sender<u32>),
    Job(oneshot::Sender<u32>),
}

/// Who is asked has the answer sent by somebody else, and then asks who asked.
async fn given() {
    for n in 0..3 {
        let (to, orders) = mpsc::channel(4);
        let (back, questions) = mpsc::channel(4);
        tokio::spawn(asked(orders, back));
        tokio::spawn(asks(n, to, questions));
    }
    std::future::pending::<()>().await
}

async fn asked(mut orders: mpsc::Receiver<Order>, back: mpsc::Sender<oneshot::Sender<u32>>) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Task(reply) => {
                tokio::spawn(async move {
                    sleep(LONG).await;
                    reply.send(1)
                });
            }
            Order::Thread(reply) => {
                std::thread::spawn(move || {
                    std::thread::sleep(LONG);
                    reply.send(1)
                });
            }
            Order::Job(reply) => {
                tokio::task::spawn_blocking(move || {
                    std::thread::sleep(LONG);
                    reply.send(1)
                });
            }
        }
        let (reply, answer) = oneshot::channel();
        let _ = back.send(reply).await;
        let _ = answer.await;
    }
}

async fn asks(n: u32, to: mpsc::Sender<Order>, mut questions: mpsc::Receiver<oneshot::Sender<u32>>) {
    let (reply, answer) = oneshot::channel();
    let order = match n {
        0 => Order::Task(reply),
        1 => Order::Thread(reply),
        _ => Order::Job(reply),
    };
    let _ = to.send(order).await;
    if let Some(question) = questions.recv().await {
        let _ = answer.await;
        let _ = question.send(1);
    }
}
