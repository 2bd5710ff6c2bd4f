//! One thread, and a task that blocks it for good: the others starve. `eats` wakes `answers` in the poll in which it
//! then locks a file that another descriptor has locked. `ticks` sleeps all the time, so its deadline passes while
//! nobody looks. The comment on a line says what happens there.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use truth::Options;

const TICK: Duration = Duration::from_millis(50);

fn main() {
    let mut options = Options::parse("starved", "", &[], &[]);
    options.ready();
    let notify = Arc::new(Notify::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(notify));
}

async fn run(notify: Arc<Notify>) {
    tokio::spawn(answers(notify.clone()));
    tokio::spawn(ticks());
    tokio::spawn(eats(notify)).await.expect("it does not end");
}

async fn ticks() {
    loop {
        sleep(TICK).await; // VICTIM
    }
}

async fn answers(notify: Arc<Notify>) {
    notify.notified().await; // STARVED
}

async fn eats(notify: Arc<Notify>) {
    sleep(4 * TICK).await;
    let path = std::env::temp_dir().join(format!("starved-{}", std::process::id()));
    let holder = File::create(&path).expect("a file");
    let again = File::open(&path).expect("the same file");
    std::fs::remove_file(&path).expect("its name is not needed");
    lock(&holder);
    notify.notify_one();
    blocks(&again);
}

#[inline(never)]
fn blocks(file: &File) {
    lock(file); // CULPRIT
    println!("not locked");
}

#[inline(always)]
fn lock(file: &File) {
    // SAFETY: the descriptor is open.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) }; // INNERMOST
}
