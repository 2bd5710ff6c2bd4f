//! Operations of io_uring on monoio, whose thread waits in io_uring_enter and wakes its tasks itself.
//!
//! Known by construction, as in `uring`: plain threads make each operation wait for a set time. Any operation
//! goes Pending once, one that is done at once too: it is only submitted when all tasks wait.
//!
//! `mono serve` prints its port and echoes until it is killed; `mono rest` has tasks at rest until then.

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::time::sleep;
use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;
use truth::other_end::{answerer, caller, pipe, print_port, write_and_compute, writer, BUSY, STEP};
use truth::{place, Options, Place};

fn main() -> io::Result<()> {
    let mut options = Options::parse("mono", "[serve|rest]", &[], &[]);
    options.ready();
    let mut runtime = monoio::RuntimeBuilder::<monoio::IoUringDriver>::new().enable_timer().build()?;
    match options.words.first().map(String::as_str) {
        None => runtime.block_on(run(options.rounds(40, STEP))),
        Some("serve") => runtime.block_on(serve())?,
        Some("rest") => runtime.block_on(rest())?,
        Some(_) => options.fail("the modes are serve and rest"),
    }
    options.finish();
    Ok(())
}

/// The root. Its own waits are not noted: who wakes it cannot be seen.
async fn run(rounds: u64) {
    const AT: Place = place!("mono::run");
    AT.root();
    let tasks = [
        monoio::spawn(reader(rounds)),
        monoio::spawn(acceptor(rounds)),
        monoio::spawn(asker(rounds)),
        monoio::spawn(napper(rounds)),
        monoio::spawn(parent(rounds)),
    ];
    for task in tasks {
        task.await;
    }
    // By themselves, or the others would be late too.
    let (output, input) = pipe();
    let late = monoio::spawn(late(rounds, output));
    monoio::spawn(hog(rounds, input)).await;
    late.await;
    AT.completed();
}

/// Reads a byte that a thread writes 5 ms after it was asked to.
async fn reader(rounds: u64) {
    const AT: Place = place!("mono::reader");
    AT.spawned();
    let (output, input) = pipe();
    let writer = writer(input);
    let output = monoio::fs::File::from_std(output).expect("a pipe");
    for _ in 0..rounds {
        writer.ask();
        let t = truth::start();
        let (got, _) = output.read_at(vec![0; 1], 0).await;
        AT.wait(t, line!() - 1, "Op").part("no data", STEP).log();
        assert_eq!(got.expect("a pipe"), 1);
    }
    writer.end();
    AT.completed();
}

/// A thread connects 5 ms after it was asked to.
async fn acceptor(rounds: u64) {
    const AT: Place = place!("mono::acceptor");
    AT.spawned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let caller = caller(address);
    for _ in 0..rounds {
        caller.ask();
        let t = truth::start();
        let accepted = listener.accept().await;
        AT.wait(t, line!() - 1, "Op").part("no data", STEP).tcp(address).log();
        // Its descriptor is closed by an operation that nobody waits for.
        accepted.expect("a connection");
    }
    caller.end();
    AT.completed();
}

/// Asks a peer that answers after 5 ms.
async fn asker(rounds: u64) {
    const AT: Place = place!("mono::asker");
    AT.spawned();
    let (address, answerer) = answerer(rounds);
    let t = truth::start();
    let mut stream = TcpStream::connect_addr(address).await.expect("it listens");
    AT.wait(t, line!() - 1, "Op").log();
    for _ in 0..rounds {
        let t = truth::start();
        let (sent, _) = stream.write_all(vec![7]).await;
        AT.wait(t, line!() - 1, "Op").tcp(address).log();
        sent.expect("a peer");
        let t = truth::start();
        let (got, _) = stream.read(vec![0; 1]).await;
        AT.wait(t, line!() - 1, "Op").part("no data", STEP).tcp(address).log();
        assert_eq!(got.expect("a peer"), 1);
    }
    answerer.join().expect("no panic");
    AT.completed();
}

async fn napper(rounds: u64) {
    const AT: Place = place!("mono::napper");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
    }
    AT.completed();
}

async fn parent(rounds: u64) {
    const AT: Place = place!("mono::parent");
    AT.spawned();
    for _ in 0..rounds {
        let child = monoio::spawn(child());
        let t = truth::start();
        child.await;
        AT.wait(t, line!() - 1, "JoinHandle").part("until wake", STEP).log();
    }
    AT.completed();
}

async fn child() {
    const AT: Place = place!("mono::child");
    AT.spawned();
    let t = truth::start();
    sleep(STEP).await;
    AT.wait(t, line!() - 1, "Sleep").part("until deadline", STEP).log();
    AT.completed();
}

/// Its byte is written by `hog`, which then computes for 3 ms.
async fn late(rounds: u64, output: File) {
    const AT: Place = place!("mono::late");
    AT.spawned();
    let output = monoio::fs::File::from_std(output).expect("a pipe");
    for _ in 0..rounds {
        let t = truth::start();
        let (got, _) = output.read_at(vec![0; 1], 0).await;
        AT.wait(t, line!() - 1, "Op").part("worker busy", BUSY).log();
        assert_eq!(got.expect("a pipe"), 1);
    }
    AT.completed();
}

/// Writes the byte that `late` waits for, and keeps the thread busy. The naps let the ring have the read first.
async fn hog(rounds: u64, mut input: File) {
    const AT: Place = place!("mono::hog");
    AT.spawned();
    AT.partial();
    for _ in 0..rounds {
        sleep(2 * BUSY).await;
        write_and_compute(&mut input);
    }
    AT.completed();
}

// ---- a server, for benchmarks ----

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    print_port(listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        monoio::spawn(echo(stream));
    }
}

async fn echo(mut stream: TcpStream) {
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
        monoio::spawn(async { sleep(Duration::from_micros(10)).await }).await;
    }
    let (_sender, receiver) = async_channel::unbounded();
    for _ in 0..2 {
        monoio::spawn(receive(receiver.clone()));
    }
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (output, input) = pipe();
        ends.push(input);
        monoio::spawn(read(output));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    print_port(listener.local_addr()?)?;
    monoio::spawn(accept(listener));
    monoio::spawn(join()).await;
    Ok(())
}

async fn receive(receiver: async_channel::Receiver<()>) {
    receiver.recv().await.expect_err("nobody sends");
}

async fn read(output: File) {
    let output = monoio::fs::File::from_std(output).expect("a pipe");
    let (got, _) = output.read_at(vec![0; 1], 0).await;
    got.expect("a pipe");
}

async fn accept(listener: TcpListener) {
    listener.accept().await.expect("a connection");
}

async fn join() {
    monoio::spawn(nap()).await;
}

async fn nap() {
    sleep(Duration::from_secs(3600)).await;
}
