//! Operations of io_uring on tokio-uring: one ring, one thread, tasks that wait for what it completes.
//!
//! Known by construction: plain threads make each operation wait for a set time. It waits in the kernel for
//! data (`reader`, `asker`), for a connection (`acceptor`), or blocked in a kernel thread (`opener`: to open a FIFO for
//! writing waits for a reader, and an open that may create a file is given to io-wq at once). What `late` waits for is
//! there while `hog` keeps the only thread busy. `napper` waits for a timer, which is tokio's.
//! Any operation goes Pending once, one that is done at once too: it is only submitted when all tasks wait.
//!
//! With --sqpoll a thread of the kernel submits, so that the program need not tell it to.
//!
//! `uring serve` prints its port and echoes until SIGTERM or the end of standard input; `uring rest` has tasks at rest
//! until it is killed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_uring::net::{TcpListener, TcpStream};
use truth::other_end::{pipe, print_port, spawn, write_and_compute, BUSY, STEP};
use truth::{place, Countdown, Moment, Options, Place};

fn main() -> io::Result<()> {
    let mut options = Options::parse("uring", "[serve|rest] [--sqpoll]", &[], &["--sqpoll"]);
    options.ready();
    match options.words.first().map(String::as_str) {
        None => {
            let fifo = std::env::temp_dir().join(format!("dwell-uring-{}", std::process::id()));
            make_fifo(&fifo)?;
            let mut ring = tokio_uring::uring_builder();
            if options.has("--sqpoll") {
                ring.setup_sqpoll(100); // milliseconds; longer than anything here waits
            }
            tokio_uring::builder().uring_builder(&ring).start(run(options.rounds(40, STEP), fifo.clone()));
            std::fs::remove_file(&fifo)?;
        }
        Some("serve") => serve()?,
        Some("rest") => tokio_uring::start(rest())?,
        Some(_) => options.fail("the modes are serve and rest"),
    }
    options.finish();
    Ok(())
}

/// The root.
async fn run(rounds: u64, fifo: PathBuf) {
    const AT: Place = place!("uring::run");
    AT.root();
    let countdown = Rc::new(Countdown::new(5));
    let started = |at: Place| {
        at.spawned();
        Done { at, countdown: countdown.clone() }
    };
    tokio_uring::spawn(reader(rounds, started(place!("uring::reader"))));
    tokio_uring::spawn(acceptor(rounds, started(place!("uring::acceptor"))));
    tokio_uring::spawn(asker(rounds, started(place!("uring::asker"))));
    tokio_uring::spawn(opener(rounds, fifo, started(place!("uring::opener"))));
    tokio_uring::spawn(napper(rounds, started(place!("uring::napper"))));
    // Its own waits are not noted: it is polled whenever one of its tasks is.
    countdown.zero.notified().await;

    // By themselves, or the others would be late too.
    let (bell, input) = pipe();
    let next = Rc::new(Notify::new());
    place!("uring::hog").spawned();
    place!("uring::late").spawned();
    let busy = Busy::default();
    tokio_uring::spawn(hog(rounds, input, next.clone(), busy.clone()));
    tokio_uring::spawn(late(rounds, bell, next, busy)).await.expect("no panic");
    AT.completed();
}

/// A task's last act.
struct Done {
    at: Place,
    countdown: Rc<Countdown>,
}

impl Done {
    fn now(&self) {
        self.at.completed();
        self.countdown.done();
    }
}

/// For who notes it, and for who reads it.
fn moment() -> (Moment, Moment) {
    let moment = Moment::default();
    (moment.clone(), moment)
}

fn make_fifo(path: &Path) -> io::Result<()> {
    let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())?;
    // SAFETY: a string with its end.
    match unsafe { libc::mkfifo(path.as_ptr(), 0o600) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Reads a byte that a thread writes 5 ms after it was asked to.
async fn reader(rounds: u64, done: Done) {
    const AT: Place = place!("uring::reader");
    let (ask, asked) = mpsc::channel();
    let (output, mut input) = pipe();
    let (at, written) = moment();
    let writer = spawn("writer", move || {
        for _ in asked {
            thread::sleep(STEP);
            at.is_now();
            input.write_all(b"x").expect("the reader is there");
        }
    });
    let output = tokio_uring::fs::File::from_std(output);
    for _ in 0..rounds {
        ask.send(()).expect("the thread is there");
        let t = truth::start();
        let (got, _) = output.read_at(vec![0; 1], 0).await;
        let wait = AT.wait(t, line!() - 1, "Op").part("no data", STEP);
        wait.known("no data", written.since(t)).about("read on pipe from this process").log();
        assert_eq!(got.expect("a pipe"), 1);
    }
    drop(ask);
    writer.join().expect("no panic");
    done.now();
}

/// A thread connects 5 ms after it was asked to.
async fn acceptor(rounds: u64, done: Done) {
    const AT: Place = place!("uring::acceptor");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let (ask, asked) = mpsc::channel();
    let (at, connected) = moment();
    let caller = spawn("caller", move || {
        for _ in asked {
            thread::sleep(STEP);
            at.is_now();
            std::net::TcpStream::connect(address).expect("it listens");
        }
    });
    for _ in 0..rounds {
        ask.send(()).expect("the thread is there");
        let t = truth::start();
        listener.accept().await.expect("a connection");
        let wait = AT.wait(t, line!() - 1, "Op").part("no data", STEP).tcp(address);
        let wait = wait.known("no data", connected.since(t));
        wait.about(format!("accept on tcp listen {address}")).log();
    }
    drop(ask);
    caller.join().expect("no panic");
    done.now();
}

/// Asks a peer that answers after 5 ms.
async fn asker(rounds: u64, done: Done) {
    const AT: Place = place!("uring::asker");
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let (at, answered) = moment();
    let answerer = spawn("answerer", move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut byte = [0];
        while stream.read(&mut byte).expect("a question") == 1 {
            thread::sleep(STEP);
            at.is_now();
            stream.write_all(&byte).expect("the asker is there");
        }
    });
    let t = truth::start();
    let stream = TcpStream::connect(address).await.expect("it listens");
    AT.wait(t, line!() - 1, "Op").log();
    for _ in 0..rounds {
        let t = truth::start();
        let (sent, _) = stream.write_all(vec![7]).await;
        AT.wait(t, line!() - 1, "InFlightOneshot").tcp(address).log();
        sent.expect("a peer");
        let t = truth::start();
        let (got, _) = stream.read(vec![0; 1]).await;
        let wait = AT.wait(t, line!() - 1, "Op").part("no data", STEP).tcp(address);
        let wait = wait.known("no data", answered.since(t));
        wait.about(format!("read on tcp {address}")).log();
        assert_eq!(got.expect("a peer"), 1);
    }
    drop(stream);
    answerer.join().expect("no panic");
    done.now();
}

/// Opens a FIFO for writing, which a thread opens for reading 5 ms after it was asked to.
async fn opener(rounds: u64, path: PathBuf, done: Done) {
    const AT: Place = place!("uring::opener");
    let (ask, asked) = mpsc::channel();
    let (closed, wait) = mpsc::channel();
    let (both, closed_too) = mpsc::channel();
    let (at, opened) = moment();
    let other = spawn("other-end", {
        let path = path.clone();
        move || {
            for _ in asked {
                thread::sleep(STEP);
                at.is_now();
                let file = OpenOptions::new().read(true).open(&path).expect("a FIFO");
                wait.recv().expect("the opener closes it");
                drop(file);
                both.send(()).expect("the opener waits");
            }
        }
    });
    for _ in 0..rounds {
        ask.send(()).expect("the thread is there");
        let t = truth::start();
        let file = tokio_uring::fs::OpenOptions::new().write(true).create(true).open(&path).await;
        let wait = AT.wait(t, line!() - 1, "Op").part("in io-wq", STEP);
        let wait = wait.known("in io-wq", opened.since(t));
        wait.about(format!("openat of {}", path.display())).log();
        drop(file.expect("a FIFO"));
        closed.send(()).expect("the thread is there");
        closed_too.recv().expect("the thread is there"); // or the next open would find a reader
    }
    drop(ask);
    other.join().expect("no panic");
    done.now();
}

async fn napper(rounds: u64, done: Done) {
    const AT: Place = place!("uring::napper");
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
    }
    done.now();
}

/// When `hog` wrote the byte, and until when it computed.
#[derive(Clone, Default)]
struct Busy {
    written: Moment,
    ended: Moment,
}

/// Its byte is written by `hog`, which then computes for 3 ms.
async fn late(rounds: u64, output: File, next: Rc<Notify>, busy: Busy) {
    const AT: Place = place!("uring::late");
    let output = tokio_uring::fs::File::from_std(output);
    for _ in 0..rounds {
        next.notify_one();
        let t = truth::start();
        let (got, _) = output.read_at(vec![0; 1], 0).await;
        let wait = AT.wait(t, line!() - 1, "Op").part("worker busy", BUSY);
        let wait = wait.known("no data", busy.written.since(t));
        let wait = wait.about("read on pipe from this process");
        let wait = wait.known("worker busy", busy.ended.since(busy.written.get()));
        wait.about("task uring::hog").log();
        assert_eq!(got.expect("a pipe"), 1);
    }
    AT.completed();
}

/// Writes the byte that `late` waits for, and keeps the thread busy. The nap lets the ring have the read first.
async fn hog(rounds: u64, mut input: File, next: Rc<Notify>, busy: Busy) {
    const AT: Place = place!("uring::hog");
    AT.partial();
    for _ in 0..rounds {
        next.notified().await;
        sleep(Duration::from_millis(1)).await;
        busy.written.is_now();
        write_and_compute(&mut input);
        busy.ended.is_now();
    }
    AT.completed();
}

// ---- a server, for benchmarks ----

fn serve() -> io::Result<()> {
    let stop = Arc::new(Notify::new());
    truth::stop_when_told(&stop);
    tokio_uring::start(async {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        print_port(listener.local_addr()?)?;
        tokio_uring::spawn(listen(listener));
        stop.notified().await;
        Ok(())
    })
}

async fn listen(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio_uring::spawn(echo(stream));
    }
}

async fn echo(stream: TcpStream) {
    let mut buffer = vec![0; 4096];
    loop {
        let (got, filled) = stream.read(buffer).await;
        let Ok(length @ 1..) = got else { return };
        let mut answer = filled;
        answer.truncate(length);
        let (sent, rest) = stream.write_all(answer).await;
        if sent.is_err() {
            return;
        }
        buffer = rest;
        buffer.resize(4096, 0);
    }
}

// ---- tasks at rest: what they wait for does not come ----

async fn rest() -> io::Result<()> {
    // Tasks that are over, whose memory may look as it did.
    for _ in 0..50 {
        tokio_uring::spawn(async { sleep(Duration::from_micros(10)).await }).await.expect("no panic");
    }
    let (_sender, receiver) = async_channel::unbounded();
    for _ in 0..2 {
        tokio_uring::spawn(receive(receiver.clone()));
    }
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (output, input) = pipe();
        ends.push(input);
        tokio_uring::spawn(read(output));
    }
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    print_port(listener.local_addr()?)?;
    tokio_uring::spawn(accept(listener));
    tokio_uring::spawn(join()).await.expect("no panic");
    Ok(())
}

async fn receive(receiver: async_channel::Receiver<()>) {
    receiver.recv().await.expect_err("nobody sends");
}

async fn read(output: File) {
    let output = tokio_uring::fs::File::from_std(output);
    let (got, _) = output.read_at(vec![0; 1], 0).await;
    got.expect("a pipe");
}

async fn accept(listener: TcpListener) {
    listener.accept().await.expect("a connection");
}

async fn join() {
    tokio_uring::spawn(nap()).await.expect("no panic");
}

async fn nap() {
    sleep(Duration::from_secs(3600)).await;
}
