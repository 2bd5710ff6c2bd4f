//! The worker is kept from what it should do: by another task, by another thread on its CPU, by its cgroup.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{sleep_until, Instant};
use truth::{place, Did, Moment, Place};

use crate::peers::{answerer, make_pipe, tcp_answerer};
use crate::{alone, burn, spin, Helper, BUSY, STEP};

/// A task that keeps the worker busy, once whenever it is told to.
#[derive(Clone, Default)]
struct Hog {
    begin: Arc<Notify>,
    ended: Moment,
}

impl Hog {
    /// `work` begins when the hog does, and says until when it goes on.
    fn start(&self, rounds: u64, mut work: impl FnMut() -> u64 + Send + 'static) {
        let hog = self.clone();
        tokio::spawn(async move {
            for _ in 0..rounds {
                hog.begin.notified().await;
                spin(work());
                hog.ended.is_now();
            }
        });
    }
}

/// Its data come 1 ms after another task has begun to keep the worker busy.
pub async fn busy(rounds: u64) {
    let hog = Hog::default();
    let task = tokio::spawn(waits_for_data(rounds, hog.clone()));
    hog.start(rounds, || truth::now() + (STEP + BUSY).as_nanos() as u64);
    task.await.expect("no panic");
}

async fn waits_for_data(rounds: u64, hog: Hog) {
    const AT: Place = place!("causes::workers::waits_for_data");
    AT.spawned();
    let (mut stream, name, answered) = tcp_answerer();
    for _ in 0..rounds {
        stream.write_all(b"?").await.expect("sent");
        hog.begin.notify_one();
        let t = truth::start();
        stream.read_exact(&mut [0]).await.expect("an answer");
        let wait = AT.wait(t, line!() - 1, "ReadExact");
        let wait = wait.known("no data", answered.since(t)).about(&name);
        let wait = wait.known("worker busy", hog.ended.since(answered.get()));
        wait.about("task causes::workers::Hog::start").log();
    }
    AT.completed();
}

/// Its timer is due in the middle of another task's poll.
pub async fn due(rounds: u64) {
    let hog = Hog::default();
    let due = Moment::default();
    let task = tokio::spawn(waits_for_timer(rounds, hog.clone(), due.clone()));
    hog.start(rounds, move || due.get() + BUSY.as_nanos() as u64);
    task.await.expect("no panic");
}

async fn waits_for_timer(rounds: u64, hog: Hog, due: Moment) {
    const AT: Place = place!("causes::workers::waits_for_timer");
    AT.spawned();
    for _ in 0..rounds {
        let (now, deadline) = (truth::now(), Instant::now() + STEP);
        due.is(now + STEP.as_nanos() as u64);
        hog.begin.notify_one();
        let t = truth::start();
        sleep_until(deadline).await;
        let wait = AT.wait(t, line!() - 1, "Sleep");
        let wait = wait.known("until deadline", due.since(t));
        let wait = wait.known("worker busy", hog.ended.since(due.get()));
        wait.about("task causes::workers::Hog::start").log();
    }
    AT.completed();
}

/// Is woken by another task, whose poll then goes on.
pub async fn second(rounds: u64) {
    let hog = Hog::default();
    let (bell, rung) = (Arc::new(Notify::new()), Moment::default());
    let task = tokio::spawn(waits_in_queue(rounds, hog.clone(), bell.clone(), rung.clone()));
    hog.start(rounds, move || {
        spin(truth::now() + BUSY.as_nanos() as u64);
        let now = rung.is_now();
        bell.notify_one();
        now + BUSY.as_nanos() as u64
    });
    task.await.expect("no panic");
}

async fn waits_in_queue(rounds: u64, hog: Hog, bell: Arc<Notify>, rung: Moment) {
    const AT: Place = place!("causes::workers::waits_in_queue");
    AT.spawned();
    for _ in 0..rounds {
        hog.begin.notify_one();
        let t = truth::start();
        bell.notified().await;
        let wait = AT.wait(t, line!() - 1, "Notified");
        let wait = wait.known("until woken", rung.since(t));
        let wait = wait.about("by task causes::workers::Hog::start");
        let wait = wait.known("ready", hog.ended.since(rung.get()));
        wait.about("worker busy with task causes::workers::Hog::start").log();
    }
    AT.completed();
}

/// Its data come while the worker's CPU belongs to a thread of higher priority.
pub async fn starved(rounds: u64) {
    const AT: Place = place!("causes::workers::starved");
    AT.spawned();
    stay_on(Some(0));
    let (hogged, stop) = (Moment::default(), Arc::new(AtomicBool::new(false)));
    let hog = {
        let (hogged, stop) = (hogged.clone(), stop.clone());
        Helper::new("hog", move |order| {
            stay_on(Some(0));
            assert!(above_all());
            order.begin();
            while !stop.load(Ordering::SeqCst) {}
            hogged.is_now();
            stop.store(false, Ordering::SeqCst);
        })
    };
    let (mut asked, mut ask) = make_pipe(0);
    let (here, mut there) = std::os::unix::net::UnixStream::pair().expect("two sockets");
    let answered = Moment::default();
    let at = answered.clone();
    answerer(
        move || {
            stay_on(Some(1));
            std::io::Read::read(&mut asked, &mut [0]).is_ok_and(|got| got == 1)
        },
        move || {
            hog.begin();
            at.is_now();
            std::io::Write::write_all(&mut there, b"!").expect("the task is there");
            thread::sleep(BUSY);
            stop.store(true, Ordering::SeqCst);
        },
    );
    here.set_nonblocking(true).expect("a socket");
    let mut stream = tokio::net::UnixStream::from_std(here).expect("in a runtime");
    for _ in 0..rounds {
        std::io::Write::write_all(&mut ask, b"?").expect("the thread is there");
        let t = truth::start();
        stream.read_exact(&mut [0]).await.expect("an answer");
        let wait = AT.wait(t, line!() - 1, "ReadExact");
        let wait = wait.known("no data", answered.since(t));
        let wait = wait.about("unix socketpair, other end: this process");
        wait.known("worker run queue", hogged.since(answered.get())).log();
    }
    stay_on(None);
    AT.completed();
}

/// Keeps its worker on a CPU.
pub async fn computes(rounds: u64) {
    const AT: Place = place!("causes::workers::computes");
    AT.spawned();
    for _ in 0..rounds {
        tokio::task::yield_now().await;
        let did = Did::run(|| burn(STEP));
        AT.polled(line!() - 1, did, "", 0);
    }
    AT.completed();
}

/// The same, where the cgroup does not let it: in a poll, in a job, and when a timer is due.
pub async fn quota(rounds: u64, cgroup: PathBuf) {
    alone(computes_less(rounds, cgroup.clone())).await;
    alone(job_computes_less(rounds, cgroup.clone())).await;
    let hog = Hog::default();
    let (due, kept) = (Moment::default(), Moment::default());
    let task = waits_for_quota(rounds, hog.clone(), due.clone(), kept.clone());
    let task = tokio::spawn(task);
    hog.start(rounds, move || {
        spin(due.get());
        // What it is late by already is not for want of a CPU.
        let late = due.until_now();
        let before = throttled(&cgroup);
        burn(STEP * 3);
        kept.is(late + throttled(&cgroup) - before);
        0
    });
    task.await.expect("no panic");
}

async fn waits_for_quota(rounds: u64, hog: Hog, due: Moment, kept: Moment) {
    const AT: Place = place!("causes::workers::waits_for_quota");
    AT.spawned();
    for _ in 0..rounds {
        let (now, deadline) = (truth::now(), Instant::now() + STEP);
        due.is(now + STEP.as_nanos() as u64);
        hog.begin.notify_one();
        let t = truth::start();
        sleep_until(deadline).await;
        let wait = AT.wait(t, line!() - 1, "Sleep");
        let wait = wait.known("until deadline", due.since(t));
        let wait = wait.known("worker throttled", kept.get());
        let busy = hog.ended.since(due.get()).saturating_sub(kept.get());
        wait.known("worker busy", busy).about("task causes::workers::Hog::start").log();
    }
    AT.completed();
}

async fn job_computes_less(rounds: u64, cgroup: PathBuf) {
    const AT: Place = place!("causes::workers::job_computes_less");
    AT.spawned();
    for _ in 0..rounds {
        let cgroup = cgroup.clone();
        let job = spawn_blocking(move || {
            let before = throttled(&cgroup);
            burn(STEP * 3);
            throttled(&cgroup) - before
        });
        let t = truth::start();
        let kept = job.await.expect("no panic");
        AT.wait(t, line!() - 1, "JoinHandle").known("job throttled", kept).log();
    }
    AT.completed();
}

async fn computes_less(rounds: u64, cgroup: PathBuf) {
    const AT: Place = place!("causes::workers::computes_less");
    AT.spawned();
    for _ in 0..rounds {
        tokio::task::yield_now().await;
        let before = throttled(&cgroup);
        let did = Did::run(|| burn(STEP * 3));
        AT.polled(line!() - 1, did, "", throttled(&cgroup) - before);
    }
    AT.completed();
}

/// How long threads of the cgroup that could run were not allowed to, in ns.
fn throttled(cgroup: &std::path::Path) -> u64 {
    let text = std::fs::read_to_string(cgroup.join("cpu.stat")).expect("a cgroup");
    let number = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    let micros = number("throttled_usec").map(|time| time * 1000);
    number("throttled_time").or(micros).expect("the controller of CPUs")
}

/// Keeps the calling thread on the CPU of that number, of those that it may use; or no longer.
fn stay_on(number: Option<usize>) {
    // SAFETY: the sets live in this frame, and have the size that is said.
    unsafe {
        let mut all: libc::cpu_set_t = std::mem::zeroed();
        let size = std::mem::size_of_val(&all);
        let process = std::process::id() as libc::pid_t;
        static ALL: std::sync::OnceLock<libc::cpu_set_t> = std::sync::OnceLock::new();
        let all = ALL.get_or_init(|| {
            assert_eq!(libc::sched_getaffinity(process, size, &mut all), 0);
            all
        });
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        let mut usable = (0..libc::CPU_SETSIZE as usize).filter(|cpu| libc::CPU_ISSET(*cpu, all));
        if let Some(number) = number {
            libc::CPU_SET(usable.nth(number).expect("two CPUs"), &mut one);
        }
        let set = if number.is_some() { &one } else { all };
        assert_eq!(libc::sched_setaffinity(0, size, set), 0);
    }
}

/// The calling thread need not share its CPU. False: there is no right to that.
fn above_all() -> bool {
    let priority = libc::sched_param { sched_priority: 10 };
    // SAFETY: the structure lives in this frame.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &priority) == 0 }
}

/// Can a thread have a CPU for itself, and others the rest?
pub fn may_be_above_all() -> bool {
    let cpus = thread::available_parallelism().map_or(1, |cpus| cpus.get());
    cpus > 1 && thread::spawn(above_all).join().expect("no panic")
}
