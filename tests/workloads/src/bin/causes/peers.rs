//! Peers that answer after a set delay.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;
use tokio::net::TcpStream;
use truth::{place, Moment, Place};

use crate::{spawn, STEP};

/// A thread that answers each question a step later. When it does is noted.
pub fn answerer(
    mut heard: impl FnMut() -> bool + Send + 'static,
    mut say: impl FnMut() + Send + 'static,
) -> Moment {
    let answered = Moment::default();
    let at = answered.clone();
    spawn("answerer", move || {
        while heard() {
            thread::sleep(STEP);
            at.is_now();
            say();
        }
    });
    answered
}

/// A connection to such a thread, and by what name dwell calls it.
pub fn tcp_answerer() -> (TcpStream, String, Moment) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let here = std::net::TcpStream::connect(address).expect("it listens");
    let (mut there, _) = listener.accept().expect("a connection");
    let mut input = there.try_clone().expect("a descriptor");
    let answered = answerer(
        move || input.read(&mut [0]).is_ok_and(|got| got == 1),
        move || there.write_all(b"!").expect("the task is there"),
    );
    for stream in [&here] {
        stream.set_nodelay(true).expect("a connection");
        stream.set_nonblocking(true).expect("a connection");
    }
    let here = TcpStream::from_std(here).expect("in a runtime");
    (here, format!("tcp {address}"), answered)
}

pub async fn tcp(rounds: u64) {
    const AT: Place = place!("causes::peers::tcp");
    AT.spawned();
    let (mut stream, name, answered) = tcp_answerer();
    for _ in 0..rounds {
        stream.write_all(b"?").await.expect("sent");
        let t = truth::start();
        stream.read_exact(&mut [0]).await.expect("an answer");
        let wait = AT.wait(t, line!() - 1, "ReadExact");
        wait.known("no data", answered.since(t)).about(&name).log();
    }
    AT.completed();
}

pub async fn unix(rounds: u64) {
    const AT: Place = place!("causes::peers::unix");
    AT.spawned();
    let (here, mut there) = UnixStream::pair().expect("two sockets");
    let mut input = there.try_clone().expect("a descriptor");
    let answered = answerer(
        move || input.read(&mut [0]).is_ok_and(|got| got == 1),
        move || there.write_all(b"!").expect("the task is there"),
    );
    here.set_nonblocking(true).expect("a socket");
    let mut stream = tokio::net::UnixStream::from_std(here).expect("in a runtime");
    for _ in 0..rounds {
        stream.write_all(b"?").await.expect("sent");
        let t = truth::start();
        stream.read_exact(&mut [0]).await.expect("an answer");
        let wait = AT.wait(t, line!() - 1, "ReadExact");
        let wait = wait.known("no data", answered.since(t));
        wait.about("unix socketpair, other end: this process").log();
    }
    AT.completed();
}

pub async fn udp(rounds: u64) {
    const AT: Place = place!("causes::peers::udp");
    AT.spawned();
    let there = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = there.local_addr().expect("an address");
    let here = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    here.connect(address).expect("an address");
    there.connect(here.local_addr().expect("an address")).expect("an address");
    let input = there.try_clone().expect("a descriptor");
    let answered = answerer(
        move || {
            let mut byte = [0];
            input.recv(&mut byte).is_ok() && byte == *b"?"
        },
        move || assert_eq!(there.send(b"!").expect("the task is there"), 1),
    );
    here.set_nonblocking(true).expect("a socket");
    let socket = tokio::net::UdpSocket::from_std(here).expect("in a runtime");
    for _ in 0..rounds {
        socket.send(b"?").await.expect("sent");
        let t = truth::start();
        socket.recv(&mut [0]).await.expect("an answer");
        let wait = AT.wait(t, line!() - 1, "UdpSocket");
        wait.known("no data", answered.since(t)).about(format!("udp {address}")).log();
    }
    socket.send(b".").await.expect("the end");
    AT.completed();
}

/// Asked through one pipe, it answers through another.
pub async fn pipe(rounds: u64) {
    const AT: Place = place!("causes::peers::pipe");
    AT.spawned();
    let (mut asked, mut ask) = make_pipe(0);
    let (output, mut answer) = make_pipe(libc::O_NONBLOCK);
    let answered = answerer(
        move || asked.read(&mut [0]).is_ok_and(|got| got == 1),
        move || answer.write_all(b"!").expect("the task is there"),
    );
    let mut output = Receiver::from_file(output).expect("a pipe, in a runtime");
    for _ in 0..rounds {
        ask.write_all(b"?").expect("the thread is there");
        let t = truth::start();
        output.read_exact(&mut [0]).await.expect("an answer");
        let wait = AT.wait(t, line!() - 1, "ReadExact");
        wait.known("no data", answered.since(t)).about("pipe from this process").log();
    }
    AT.completed();
}

/// Its two ends: to read, to write.
pub fn make_pipe(flags: libc::c_int) -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, which nobody else has.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | flags), 0);
        (OwnedFd::from_raw_fd(ends[0]).into(), OwnedFd::from_raw_fd(ends[1]).into())
    }
}
