//! Operations of io_uring on compio, whose thread waits in io_uring_enter and wakes its tasks itself.
//!
//! Known by construction, as in `mono`: plain threads make each operation wait for a set time. Any operation goes
//! Pending once, one that is done at once too: it is only submitted when all tasks wait.
//!
//! `comp serve` prints its port and echoes until it is killed; `comp rest` has tasks at rest until then.

use compio::buf::BufResult;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::Runtime;
use compio::time::sleep;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;
use truth::other_end::{answerer, caller, connection, print_port, write_and_compute, BUSY, STEP};
use truth::{place, Options, Place};

fn main() -> io::Result<()> {
    let mut options = Options::parse("comp", "[serve|rest]", &[], &[]);
    options.ready();
    let runtime = Runtime::new()?;
    match options.words.first().map(String::as_str) {
        None => runtime.block_on(run(options.rounds(40, STEP))),
        Some("serve") => runtime.block_on(serve())?,
        Some("rest") => runtime.block_on(rest())?,
        Some(_) => options.fail("the modes are serve and rest"),
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
    let (output, input) = connection();
    let late = compio::runtime::spawn(late(rounds, output));
    compio::runtime::spawn(hog(rounds, input)).await.expect("no panic");
    late.await.expect("no panic");
    AT.completed();
}

/// A thread connects 5 ms after it was asked to.
async fn acceptor(rounds: u64) {
    const AT: Place = place!("comp::acceptor");
    AT.spawned();
    AT.partial(); // of making the listener
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let caller = caller(address);
    for _ in 0..rounds {
        caller.ask();
        let t = truth::start();
        let accepted = listener.accept().await;
        AT.wait(t, line!() - 1, "Submit").part("no data", STEP).tcp(address).log();
        // Its descriptor is closed by an operation that nobody waits for.
        accepted.expect("a connection");
    }
    caller.end();
    AT.completed();
}

/// Asks a peer that answers after 5 ms.
async fn asker(rounds: u64) {
    const AT: Place = place!("comp::asker");
    AT.spawned();
    let (address, answerer) = answerer(rounds);
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
        write_and_compute(&mut input);
    }
    AT.completed();
}

// ---- a server, for tests of load and for benchmarks ----

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    print_port(listener.local_addr()?)?;
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

// ---- tasks at rest: what they wait for does not come ----

async fn rest() -> io::Result<()> {
    // Tasks that are over, whose memory may look as it did.
    for _ in 0..50 {
        compio::runtime::spawn(async { sleep(Duration::from_micros(10)).await }).await.expect("no panic");
    }
    let (_sender, receiver) = async_channel::unbounded();
    for _ in 0..2 {
        compio::runtime::spawn(receive(receiver.clone())).detach();
    }
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (output, input) = connection();
        ends.push(input);
        compio::runtime::spawn(read(output)).detach();
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    print_port(listener.local_addr()?)?;
    compio::runtime::spawn(accept(listener)).detach();
    compio::runtime::spawn(join()).await.expect("no panic");
    Ok(())
}

async fn receive(receiver: async_channel::Receiver<()>) {
    receiver.recv().await.expect_err("nobody sends");
}

async fn read(output: std::net::TcpStream) {
    let mut output = TcpStream::from_std(output).expect("a socket");
    output.read(vec![0; 1]).await.0.expect("a peer");
}

async fn accept(listener: TcpListener) {
    listener.accept().await.expect("a connection");
}

async fn join() {
    compio::runtime::spawn(nap()).await.expect("no panic");
}

async fn nap() {
    sleep(Duration::from_secs(3600)).await;
}
