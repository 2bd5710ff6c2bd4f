//! Operations of io_uring on compio, whose thread waits in io_uring_enter and wakes its tasks itself.
//!
//! Known by construction, as in `mono`: plain threads make each operation wait for a set time. Any operation goes
//! Pending once, one that is done at once too: it is only submitted when all tasks wait.
//!
//! `comp serve` prints its port and echoes until it is killed.

use compio::buf::BufResult;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::Runtime;
use compio::time::sleep;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use truth::{place, Options, Place};

/// What an operation waits for.
const STEP: Duration = Duration::from_millis(5);
/// For how long data lie there before they are looked at.
const BUSY: Duration = Duration::from_millis(3);

fn main() -> io::Result<()> {
    let mut options = Options::parse("comp", "[serve]", &[], &[]);
    options.ready();
    let runtime = Runtime::new()?;
    match options.words.first().map(String::as_str) {
        None => runtime.block_on(run(options.rounds(40, STEP))),
        Some("serve") => runtime.block_on(serve())?,
        Some(_) => options.fail("the only mode is serve"),
    }
    options.finish();
    Ok(())
}

/// The root. Its own waits are not noted: it is polled whenever one of its tasks is.
async fn run(rounds: u64) {
    const AT: Place = place!("comp::run");
    AT.root();
    let tasks = [
        compio::runtime::spawn(acceptor(rounds)),
        compio::runtime::spawn(asker(rounds)),
        compio::runtime::spawn(napper(rounds)),
        compio::runtime::spawn(parent(rounds)),
    ];
    for task in tasks {
        task.await.expect("no panic");
    }
    // By themselves, or the others would be late too.
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let input = std::net::TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
    let (output, _) = listener.accept().expect("a connection");
    let late = compio::runtime::spawn(late(rounds, output));
    compio::runtime::spawn(hog(rounds, input)).await.expect("no panic");
    late.await.expect("no panic");
    AT.completed();
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.into()).spawn(run).expect("a thread")
}

/// A thread connects 5 ms after it was asked to.
async fn acceptor(rounds: u64) {
    const AT: Place = place!("comp::acceptor");
    AT.spawned();
    AT.partial(); // of making the listener
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let (ask, asked) = mpsc::channel();
    let caller = spawn("caller", move || {
        for _ in asked {
            thread::sleep(STEP);
            std::net::TcpStream::connect(address).expect("it listens");
        }
    });
    for _ in 0..rounds {
        ask.send(()).expect("the thread is there");
        let t = truth::start();
        let accepted = listener.accept().await;
        AT.wait(t, line!() - 1, "Submit").part("no data", STEP).tcp(address).log();
        // Its descriptor is closed by an operation that nobody waits for.
        accepted.expect("a connection");
    }
    drop(ask);
    caller.join().expect("no panic");
    AT.completed();
}

/// Asks a peer that answers after 5 ms.
async fn asker(rounds: u64) {
    const AT: Place = place!("comp::asker");
    AT.spawned();
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let answerer = spawn("answerer", move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut byte = [0];
        for _ in 0..rounds {
            stream.read_exact(&mut byte).expect("a question");
            thread::sleep(STEP);
            stream.write_all(&byte).expect("the asker is there");
        }
    });
    let connected = std::net::TcpStream::connect(address).expect("it listens");
    let mut stream = TcpStream::from_std(connected).expect("a socket");
    for _ in 0..rounds {
        let t = truth::start();
        let BufResult(sent, _) = stream.write_all(vec![7]).await;
        AT.wait(t, line!() - 1, "Submit").tcp(address).log();
        sent.expect("a peer");
        let t = truth::start();
        let BufResult(got, _) = stream.read(Vec::with_capacity(1)).await;
        AT.wait(t, line!() - 1, "Submit").part("no data", STEP).tcp(address).log();
        assert_eq!(got.expect("a peer"), 1);
    }
    answerer.join().expect("no panic");
    AT.completed();
}

async fn napper(rounds: u64) {
    const AT: Place = place!("comp::napper");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "TimerFuture").part("until deadline", STEP).log();
    }
    AT.completed();
}

async fn parent(rounds: u64) {
    const AT: Place = place!("comp::parent");
    AT.spawned();
    for _ in 0..rounds {
        let child = compio::runtime::spawn(child());
        let t = truth::start();
        let ended = child.await;
        AT.wait(t, line!() - 1, "JoinHandle").part("until wake", STEP).log();
        ended.expect("no panic");
    }
    AT.completed();
}

async fn child() {
    const AT: Place = place!("comp::child");
    AT.spawned();
    let t = truth::start();
    sleep(STEP).await;
    AT.wait(t, line!() - 1, "TimerFuture").part("until deadline", STEP).log();
    AT.completed();
}

/// Its byte is written by `hog`, which then computes for 3 ms.
async fn late(rounds: u64, output: std::net::TcpStream) {
    const AT: Place = place!("comp::late");
    AT.spawned();
    let mut stream = TcpStream::from_std(output).expect("a socket");
    for _ in 0..rounds {
        let t = truth::start();
        let BufResult(got, _) = stream.read(Vec::with_capacity(1)).await;
        AT.wait(t, line!() - 1, "Submit").part("worker busy", BUSY).log();
        assert_eq!(got.expect("a peer"), 1);
    }
    AT.completed();
}

/// Writes the byte that `late` waits for, and keeps the thread busy. The naps let the ring have the read first.
async fn hog(rounds: u64, mut input: std::net::TcpStream) {
    const AT: Place = place!("comp::hog");
    AT.spawned();
    AT.partial();
    for _ in 0..rounds {
        sleep(2 * BUSY).await;
        input.write_all(b"x").expect("the reader is there");
        let until = Instant::now() + BUSY;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
    AT.completed();
}

// ---- a server, for tests of load and for benchmarks ----

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        compio::runtime::spawn(echo(stream)).detach();
    }
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = Vec::with_capacity(4096);
    loop {
        buffer.clear();
        let BufResult(got, filled) = stream.read(buffer).await;
        let Ok(1..) = got else { return };
        let BufResult(sent, rest) = stream.write_all(filled).await;
        if sent.is_err() {
            return;
        }
        buffer = rest;
    }
}
