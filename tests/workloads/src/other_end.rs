//! The other ends of what the workloads of io_uring wait for: plain threads, which act a set time after they were asked.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// After what time they act: what an operation waits for.
pub const STEP: Duration = Duration::from_millis(5);
/// For how long data lie there before they are looked at.
pub const BUSY: Duration = Duration::from_millis(3);

pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::Builder::new().name(name.into()).spawn(run).expect("a thread")
}

/// A thread that acts after each question.
pub struct Asked {
    ask: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Asked {
    fn new(name: &str, mut act: impl FnMut() + Send + 'static) -> Self {
        let (ask, asked) = mpsc::channel();
        let thread = spawn(name, move || {
            for () in asked {
                thread::sleep(STEP);
                act();
            }
        });
        Self { ask, thread }
    }

    pub fn ask(&self) {
        self.ask.send(()).expect("the thread is there");
    }

    /// There will be no further question.
    pub fn end(self) {
        drop(self.ask);
        self.thread.join().expect("no panic");
    }
}

/// Connects to `address`, and ends the connection.
pub fn caller(address: SocketAddr) -> Asked {
    Asked::new("caller", move || drop(TcpStream::connect(address).expect("it listens")))
}

/// Writes a byte to `input`.
pub fn writer(mut input: File) -> Asked {
    Asked::new("writer", move || input.write_all(b"x").expect("the reader is there"))
}

/// Takes one connection and answers each of `rounds` bytes that come over it after `STEP`.
pub fn answerer(rounds: u64) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let thread = spawn("answerer", move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut byte = [0];
        for _ in 0..rounds {
            stream.read_exact(&mut byte).expect("a question");
            thread::sleep(STEP);
            stream.write_all(&byte).expect("the asker is there");
        }
    });
    (address, thread)
}

/// Its two ends: to read, to write.
pub fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, which nobody else has.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (OwnedFd::from_raw_fd(ends[0]).into(), OwnedFd::from_raw_fd(ends[1]).into())
    }
}

/// A connection's two ends: that which was accepted, that which connected.
pub fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let from = TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
    (listener.accept().expect("a connection").0, from)
}

/// Writes the byte that a task waits for, and keeps the thread busy, so that the task waits for it.
pub fn write_and_compute(input: &mut impl Write) {
    input.write_all(b"x").expect("the reader is there");
    let until = Instant::now() + BUSY;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// What a server of a workload tells of itself first.
pub fn print_port(address: SocketAddr) -> std::io::Result<()> {
    println!("{}", address.port());
    std::io::stdout().flush()
}
