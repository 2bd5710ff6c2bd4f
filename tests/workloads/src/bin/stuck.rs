//! Tasks that all stand still, and none of them for a socket or a timer: two that each hold the lock that the
//! other one waits for, eight that wait for a third lock which one of these holds, one that waits for a message
//! and one for the end of a task. Nothing is polled any more once `stuck` was printed, so that whoever comes
//! later has no event to begin with. Ends with its standard input.

use std::future::pending;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use tokio::sync::{mpsc, Barrier, Mutex};
use truth::Options;

const WAITERS: usize = 8;

/// How many tasks have yet to come to the await at which they stay.
static MOVING: AtomicUsize = AtomicUsize::new(WAITERS + 4);

fn main() {
    let mut options = Options::parse("stuck", "", &[], &[]);
    options.ready();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    options.runtime().block_on(run());
}

async fn run() {
    let (left, right, third) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let both = Arc::new(Barrier::new(3));
    let (sender, receiver) = mpsc::channel(1);
    let stuck = tokio::spawn(forwards(left.clone(), right.clone(), third.clone(), both.clone()));
    tokio::spawn(backwards(left, right, both.clone()));
    both.wait().await;
    for _ in 0..WAITERS {
        tokio::spawn(waiter(third.clone()));
    }
    tokio::spawn(listener(receiver));
    tokio::spawn(joiner(stuck));
    pending::<()>().await;
    drop(sender);
}

async fn forwards(left: Arc<Mutex<u64>>, right: Arc<Mutex<u64>>, third: Arc<Mutex<u64>>, both: Arc<Barrier>) {
    let _third = third.lock().await;
    let mut own = left.lock().await;
    both.wait().await;
    arrived();
    *own += *right.lock().await;
}

async fn backwards(left: Arc<Mutex<u64>>, right: Arc<Mutex<u64>>, both: Arc<Barrier>) {
    let mut own = right.lock().await;
    both.wait().await;
    arrived();
    *own += *left.lock().await;
}

async fn waiter(third: Arc<Mutex<u64>>) {
    arrived();
    *third.lock().await += 1;
}

async fn listener(mut receiver: mpsc::Receiver<u64>) {
    arrived();
    receiver.recv().await;
}

async fn joiner(other: tokio::task::JoinHandle<()>) {
    arrived();
    let _ = other.await;
}

fn arrived() {
    if MOVING.fetch_sub(1, Ordering::SeqCst) == 1 {
        println!("stuck");
        std::io::stdout().flush().expect("standard output");
    }
}
