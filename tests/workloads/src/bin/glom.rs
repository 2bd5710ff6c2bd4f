//! Operations of io_uring on glommio, whose thread has three rings and wakes its tasks itself.
//!
//! Known by construction, as in `mono`: plain threads make each operation wait for a set time. Operations are only
//! submitted when all tasks wait. A stream tries to read first, and then polls its socket; it writes at once if there
//! is room. A task runs as soon as it is spawned, in the poll of the one that spawns it.
//!
//! `glom serve` prints its port and echoes until it is killed; `glom rest` has tasks at rest until then.

use futures::{AsyncReadExt, AsyncWriteExt};
use glommio::io::DmaFile;
use glommio::net::{TcpListener, TcpStream};
use glommio::timer::sleep;
use glommio::{spawn_local, LocalExecutor, LocalExecutorBuilder, Placement};
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;
use truth::other_end::{answerer, caller, connection, print_port, write_and_compute, BUSY, STEP};
use truth::{place, Options, Place};

/// Of a read from a file that the kernel may not have in memory.
const BLOCK: usize = 4096;

fn main() -> io::Result<()> {
    let mut options = Options::parse("glom", "[serve|rest]", &[], &[]);
    options.ready();
    match options.words.first().map(String::as_str) {
        None => {
            let file = std::env::temp_dir().join(format!("dwell-glom-{}", std::process::id()));
            executor()?.run(run(options.rounds(40, STEP), file.clone()));
            std::fs::remove_file(&file)?;
        }
        Some("serve") => executor()?.run(serve())?,
        Some("rest") => executor()?.run(rest())?,
        Some(_) => options.fail("the modes are serve and rest"),
    }
    options.finish();
    Ok(())
}

/// With little memory: what it registers with the kernel must not be paged, of which a process may have little.
fn executor() -> io::Result<LocalExecutor> {
    let builder = LocalExecutorBuilder::new(Placement::Unbound).io_memory(1 << 20).ring_depth(128);
    builder.make().map_err(|error| io::Error::other(error.to_string()))
}

/// The first task. Its own waits are not noted.
async fn run(rounds: u64, file: PathBuf) {
    const AT: Place = place!("glom::run");
    AT.spawned();
    AT.partial();
    let tasks = [
        spawn_local(acceptor(rounds)),
        spawn_local(asker(rounds)),
        spawn_local(napper(rounds)),
        spawn_local(parent(rounds)),
        spawn_local(filer(rounds, file)),
    ];
    for task in tasks {
        task.await;
    }
    // By themselves, or the others would be late too.
    let (output, input) = connection();
    let late = spawn_local(late(rounds, stream_of(output)));
    spawn_local(hog(rounds, input)).await;
    late.await;
    AT.completed();
}

fn stream_of(stream: std::net::TcpStream) -> TcpStream {
    use std::os::fd::{FromRawFd, IntoRawFd};
    stream.set_nonblocking(true).expect("a socket");
    // SAFETY: a descriptor that nobody else has.
    unsafe { TcpStream::from_raw_fd(stream.into_raw_fd()) }
}

/// A thread connects 5 ms after it was asked to.
async fn acceptor(rounds: u64) {
    const AT: Place = place!("glom::acceptor");
    AT.spawned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let caller = caller(address);
    for _ in 0..rounds {
        caller.ask();
        let t = truth::start();
        let accepted = listener.accept().await;
        AT.wait(t, line!() - 1, "collect_rw").part("no data", STEP).tcp(address).log();
        accepted.expect("a connection");
    }
    caller.end();
    AT.completed();
}

/// Asks a peer that answers after 5 ms.
async fn asker(rounds: u64) {
    const AT: Place = place!("glom::asker");
    AT.spawned();
    let (address, answerer) = answerer(rounds);
    let t = truth::start();
    let connected = TcpStream::connect(address).await;
    AT.wait(t, line!() - 1, "collect_rw").log();
    let mut stream = connected.expect("it listens");
    for _ in 0..rounds {
        // It has room, so it never waits.
        stream.write_all(&[7]).await.expect("a peer");
        let mut byte = [0];
        let t = truth::start();
        let got = stream.read(&mut byte).await;
        AT.wait(t, line!() - 1, "Read").part("no data", STEP).tcp(address).log();
        assert_eq!(got.expect("a peer"), 1);
    }
    answerer.join().expect("no panic");
    AT.completed();
}

async fn napper(rounds: u64) {
    const AT: Place = place!("glom::napper");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
    }
    AT.completed();
}

async fn parent(rounds: u64) {
    const AT: Place = place!("glom::parent");
    AT.spawned();
    for _ in 0..rounds {
        let child = spawn_local(child());
        let t = truth::start();
        child.await;
        AT.wait(t, line!() - 1, "JoinHandle").part("until wake", STEP).log();
    }
    AT.completed();
}

async fn child() {
    const AT: Place = place!("glom::child");
    AT.spawned();
    let t = truth::start();
    sleep(STEP).await;
    AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
    AT.completed();
}

/// Writes and reads a file without the kernel's cache; how long that takes is the disk's business.
async fn filer(rounds: u64, path: PathBuf) {
    const AT: Place = place!("glom::filer");
    AT.spawned();
    AT.partial(); // of opening and closing, it waits in several operations
    let file = DmaFile::create(&path).await.expect("a file");
    for i in 0..rounds {
        let mut buffer = file.alloc_dma_buffer(BLOCK);
        buffer.as_bytes_mut().fill(i as u8);
        let t = truth::start();
        let wrote = file.write_at(buffer, i * BLOCK as u64).await;
        AT.wait(t, line!() - 1, "collect_rw").log();
        assert_eq!(wrote.expect("a disk"), BLOCK);
    }
    file.close().await.expect("a file");
    let file = DmaFile::open(&path).await.expect("a file");
    for i in 0..rounds {
        let t = truth::start();
        let got = file.read_at_aligned(i * BLOCK as u64, BLOCK).await;
        AT.wait(t, line!() - 1, "collect_rw").log();
        assert_eq!(got.expect("a disk").len(), BLOCK);
    }
    file.close().await.expect("a file");
    AT.completed();
}

/// Its byte is written by `hog`, which then computes for 3 ms.
async fn late(rounds: u64, mut stream: TcpStream) {
    const AT: Place = place!("glom::late");
    AT.spawned();
    for _ in 0..rounds {
        let mut byte = [0];
        let t = truth::start();
        let got = stream.read(&mut byte).await;
        AT.wait(t, line!() - 1, "Read").part("worker busy", BUSY).log();
        assert_eq!(got.expect("a peer"), 1);
    }
    AT.completed();
}

/// Writes the byte that `late` waits for, and keeps the thread busy. The naps let the ring have the poll first.
async fn hog(rounds: u64, mut input: std::net::TcpStream) {
    const AT: Place = place!("glom::hog");
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
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    print_port(listener.local_addr()?)?;
    loop {
        let stream = listener.accept().await?;
        spawn_local(echo(stream)).detach();
    }
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = vec![0; 4096];
    loop {
        let Ok(length @ 1..) = stream.read(&mut buffer).await else { return };
        if stream.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

// ---- tasks at rest: what they wait for does not come ----

async fn rest() -> io::Result<()> {
    // Tasks that are over, whose memory may look as it did.
    for _ in 0..50 {
        spawn_local(async { sleep(Duration::from_micros(10)).await }).await;
    }
    let (_sender, receiver) = async_channel::unbounded();
    for _ in 0..2 {
        spawn_local(receive(receiver.clone())).detach();
    }
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (output, input) = connection();
        ends.push(input);
        spawn_local(read(output)).detach();
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    print_port(listener.local_addr()?)?;
    spawn_local(accept(listener)).detach();
    spawn_local(join()).await;
    Ok(())
}

async fn receive(receiver: async_channel::Receiver<()>) {
    receiver.recv().await.expect_err("nobody sends");
}

async fn read(output: std::net::TcpStream) {
    let mut output = stream_of(output);
    let mut byte = [0];
    output.read_exact(&mut byte).await.expect("a peer");
}

async fn accept(listener: TcpListener) {
    listener.accept().await.expect("a connection");
}

async fn join() {
    spawn_local(nap()).await;
}

async fn nap() {
    sleep(Duration::from_secs(3600)).await;
}
