//! Ways in which async programs come to a stand, each by its name; `rest`, `busy`, `churn` and `queue` are well. `dwell why` has to tell
//! of each the kind and the lines with a mark: CULPRIT (where to look first), HOLDER, BETWEEN, CHAIN, VICTIM.
//!
//!     faults NAME
//!
//! Says `there` when it stands, and ends with its standard input.

use futures::future::{select, Either};
use futures::stream::{FuturesUnordered, StreamExt};
use std::future::Future;
use std::io::{Read, Write};
use std::pin::{pin, Pin};
use std::sync::{Arc, Mutex as Lock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, Mutex, RwLock, Semaphore};
use tokio::time::{interval, sleep};

const MOMENT: Duration = Duration::from_millis(40);

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    let workers = if name == "sleeper" { 1 } else { 2 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime");
    let stands = std::thread::spawn(|| {
        std::thread::sleep(20 * MOMENT);
        println!("there");
        let _ = std::io::stdout().flush();
    });
    runtime.block_on(async {
        match name.as_str() {
            "upgrade" => upgrade().await,
            "ring" => ring().await,
            "crossed" => crossed().await,
            "twice" => twice().await,
            "itself" => itself().await,
            "unpolled" => unpolled().await,
            "unordered" => unordered().await,
            "swallowed" => swallowed().await,
            "sleeper" => sleeper().await,
            "chain" => chain().await,
            "unread" => unread().await,
            "rest" => rest().await,
            "busy" => busy().await,
            "churn" => churn().await,
            "queue" => queue().await,
            _ => {
                eprintln!("faults: which? upgrade, ring, crossed, twice, itself, unpolled, unordered, swallowed, sleeper, chain, unread, rest, busy, churn, queue");
                std::process::exit(2);
            }
        }
    });
    let _ = stands.join();
}

// upgrade: deadlock
async fn upgrade() {
    let table = Arc::new(RwLock::new(1));
    let writer = table.clone();
    let reading = table.read().await; // upgrade: HOLDER
    tokio::spawn(async move {
        *writer.write().await += 1; // upgrade: BETWEEN
    });
    sleep(MOMENT).await;
    println!("{}", *reading + look_up(&table).await);
}

async fn look_up(table: &RwLock<u32>) -> u32 {
    *table.read().await // upgrade: CULPRIT
}

// ring: deadlock
async fn ring() {
    let (to_a, from_b) = mpsc::channel(2);
    let (to_b, from_a) = mpsc::channel(2);
    to_a.send(0).await.expect("room");
    let a = tokio::spawn(station(from_b, to_b));
    let b = tokio::spawn(station(from_a, to_a));
    let _ = a.await;
    let _ = b.await;
}

async fn station(mut from: mpsc::Receiver<u32>, to: mpsc::Sender<u32>) {
    while let Some(n) = from.recv().await {
        for _ in 0..2 {
            to.send(n).await.expect("it lives"); // ring: CULPRIT
        }
    }
}

// crossed: deadlock
async fn crossed() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    let other = tokio::spawn(async move {
        let _b = b2.lock().await; // crossed: HOLDER
        sleep(MOMENT).await;
        let _a = a2.lock().await; // crossed: CULPRIT
    });
    {
        let _a = a.lock_owned().await; // crossed: HOLDER
        sleep(MOMENT).await;
        let _b = b.lock().await; // crossed: CULPRIT
    }
    let _ = other.await;
}

// twice: deadlock
async fn twice() {
    let pool = Arc::new(Semaphore::new(2));
    let tasks: Vec<_> = (0..3).map(|_| tokio::spawn(checkout(pool.clone()))).collect();
    for task in tasks {
        let _ = task.await;
    }
}

async fn checkout(pool: Arc<Semaphore>) {
    let _first = pool.clone().acquire_owned().await; // twice: HOLDER
    sleep(MOMENT).await;
    let _second = pool.acquire().await; // twice: CULPRIT
}

// itself: deadlock
async fn itself() {
    let lock = Mutex::new(0);
    let guard = Some(lock.lock().await); // itself: HOLDER
    let again = lock.lock().await; // itself: CULPRIT
    println!("{}", *again + guard.map_or(0, |guard| *guard));
}

// unpolled: futurelock
async fn unpolled() {
    let lock = Arc::new(Mutex::new(()));
    let held = lock.clone().lock_owned().await;
    tokio::spawn(async move {
        sleep(4 * MOMENT).await;
        drop(held);
    });
    let mut waiting = pin!(guarded(&lock)); // unpolled: HOLDER
    let given_up = match select(waiting.as_mut(), pin!(sleep(MOMENT))).await {
        Either::Left(_) => false,
        Either::Right(_) => true,
    };
    if given_up {
        let _guard = lock.lock().await; // unpolled: CULPRIT
    }
    waiting.await;
}

async fn guarded(lock: &Mutex<()>) {
    let _guard = lock.lock().await;
    sleep(MOMENT).await;
}

// unordered: futurelock
async fn unordered() {
    let slots = Arc::new(Semaphore::new(2));
    let mut all: FuturesUnordered<_> = (0..3).map(|n| slot(slots.clone(), n)).collect();
    while let Some(n) = all.next().await {
        let _all = slots.acquire_many(2).await; // unordered: CULPRIT
        println!("{n}");
    }
}

async fn slot(slots: Arc<Semaphore>, n: u32) -> u32 {
    let _slot = slots.acquire().await; // unordered: HOLDER
    sleep(n * MOMENT).await;
    n
}

/// Hands its wake on once only.
struct Once(Lock<Option<Waker>>);

impl Wake for Once {
    fn wake(self: Arc<Self>) {
        if let Some(waker) = self.0.lock().expect("not poisoned").take() {
            waker.wake();
        }
    }
}

struct Forgets<F> {
    future: Pin<Box<F>>,
    waker: Option<Arc<Once>>,
}

impl<F: Future> Future for Forgets<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let once = self.waker.get_or_insert_with(|| Arc::new(Once(Lock::new(Some(cx.waker().clone()))))).clone();
        self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(once)))
    }
}

// swallowed: lost wake
async fn swallowed() {
    let lock = Arc::new(Mutex::new(()));
    let held = lock.clone().lock_owned().await;
    let task = tokio::spawn(Forgets {
        waker: None,
        future: Box::pin(async move {
            sleep(MOMENT).await;
            let _guard = lock.lock().await; // swallowed: CULPRIT
        }),
    });
    sleep(3 * MOMENT).await;
    drop(held);
    let _ = task.await;
}

// sleeper: blocked worker
async fn sleeper() {
    tokio::spawn(async {
        loop {
            sleep(MOMENT).await; // sleeper: VICTIM
        }
    });
    tokio::spawn(async {
        sleep(3 * MOMENT).await;
        std::thread::sleep(Duration::from_secs(1000)); // sleeper: CULPRIT
    });
    std::future::pending().await
}

// chain: chain
async fn chain() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let peer = listener.local_addr().expect("it has one");
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok(connection) = listener.accept().await {
            kept.push(connection);
        }
    });
    let (ask, asked) = oneshot::channel();
    let (fetch, fetched) = oneshot::channel();
    tokio::spawn(async move {
        let answer: u32 = fetched.await.expect("an answer"); // chain: CHAIN
        let _ = ask.send(answer);
    });
    tokio::spawn(async move {
        let mut stream = TcpStream::connect(peer).await.expect("a connection");
        let n = stream.read_u32().await; // chain: CULPRIT
        let _ = fetch.send(n.unwrap_or(0));
    });
    println!("{:?}", asked.await); // chain: CHAIN
}

// unread: missed edge
async fn unread() {
    let (reader, mut writer) = std::os::unix::net::UnixStream::pair().expect("a pair");
    reader.set_nonblocking(true).expect("it can be");
    writer.write_all(&[1; 50]).expect("room");
    // SAFETY: nobody else has the descriptor.
    let reader = unsafe { tokio::io::unix::AsyncFd::register(reader) }.expect("epoll has it");
    loop {
        let mut ready = reader.readable().await.expect("it works"); // unread: CULPRIT
        let mut some = [0; 10];
        let n = ready.get_inner().read(&mut some).expect("bytes");
        println!("{n}");
        ready.clear_ready();
    }
}

// rest: a server that nobody uses
async fn rest() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let peer = listener.local_addr().expect("it has one");
    let (stop, mut stopped) = oneshot::channel::<()>();
    let (jobs, mut queue) = mpsc::channel::<u32>(8);
    let lock = Arc::new(Mutex::new(0));
    let server = tokio::spawn(async move {
        loop {
            tokio::select! {
                connection = listener.accept() => {
                    let (mut stream, _) = connection.expect("a connection");
                    let jobs = jobs.clone();
                    tokio::spawn(async move {
                        while let Ok(n) = stream.read_u32().await {
                            let _ = jobs.send(n).await;
                        }
                    });
                }
                _ = &mut stopped => break,
            }
        }
    });
    let counter = lock.clone();
    tokio::spawn(async move {
        while let Some(n) = queue.recv().await {
            *counter.lock().await += n;
        }
    });
    tokio::spawn(async move {
        let mut ticks = interval(MOMENT);
        loop {
            ticks.tick().await;
            *lock.lock().await += 1;
        }
    });
    let _clients = (TcpStream::connect(peer).await, TcpStream::connect(peer).await);
    std::thread::spawn(|| std::thread::park());
    let _ = server.await;
    drop(stop);
}

// busy: locks and channels that are fought for, and all get their turn
async fn busy() {
    let lock = Arc::new(Mutex::new(0u64));
    let table = Arc::new(RwLock::new(0u64));
    let slots = Arc::new(Semaphore::new(3));
    let (send, mut receive) = mpsc::channel::<oneshot::Sender<u64>>(2);
    tokio::spawn(async move {
        while let Some(answer) = receive.recv().await {
            sleep(Duration::from_millis(1)).await;
            let _ = answer.send(1);
        }
    });
    for n in 0..20u64 {
        let (lock, table, slots, send) = (lock.clone(), table.clone(), slots.clone(), send.clone());
        tokio::spawn(async move {
            loop {
                let _slot = slots.acquire().await;
                {
                    let mut count = lock.lock().await;
                    *count += 1;
                    sleep(Duration::from_micros(200)).await;
                }
                let (ask, answer) = oneshot::channel();
                let _ = send.send(ask).await;
                let one = answer.await.unwrap_or(0);
                if n % 5 == 0 {
                    *table.write().await += one;
                } else {
                    let _ = table.read().await;
                }
                tokio::task::yield_now().await;
            }
        });
    }
    std::future::pending().await
}

// churn: tasks come and go, each with a lock, a channel and a boxed future
async fn churn() {
    let lock = Arc::new(Mutex::new(0u64));
    for n in 0u64.. {
        let lock = lock.clone();
        let (send, receive) = oneshot::channel();
        let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            *lock.lock().await += receive.await.unwrap_or(0);
        });
        tokio::spawn(task);
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            let _ = send.send(n);
        });
        if n % 64 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

// queue: ten thousand who wait in one queue, and as many with permits of another semaphore
async fn queue() {
    let (lock, slots) = (Arc::new(Mutex::new(())), Arc::new(Semaphore::new(10_000)));
    let _held = lock.lock().await;
    for _ in 0..10_000 {
        let (lock, slots) = (lock.clone(), slots.clone());
        tokio::spawn(async move {
            let _slot = slots.acquire().await;
            let _guard = lock.lock().await;
        });
    }
    for _ in 0..1000 {
        let slots = slots.clone();
        tokio::spawn(async move {
            let _slot = slots.acquire().await;
        });
    }
    std::future::pending().await
}
