//! Waits for sockets that no future of the runtime's own tells of: futures written by hand poll them, inside
//! combinators and beside channels and timers. A thread outside the runtime sends to all of them, so that each task
//! waits for its socket nearly all of the time, and for nothing else for long. Beside them, waits in functions of the
//! runtime that poll by a closure.

use futures::channel::mpsc;
use futures::{FutureExt, Stream, StreamExt};
use std::future::{poll_fn, Future};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::thread;
use std::time::Duration;
use tokio::io::ReadBuf;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{sleep, Sleep};
use tracing::Instrument;
use truth::Options;

const PAUSE: Duration = Duration::from_millis(3);
const LONG: Duration = Duration::from_secs(3600);

fn main() -> io::Result<()> {
    let mut options = Options::parse("waiters", "", &[], &[]);
    options.ready();
    let rounds = options.rounds(50, PAUSE);
    options.runtime().block_on(run(rounds))?;
    options.finish();
    Ok(())
}

async fn run(rounds: u64) -> io::Result<()> {
    let (to_exchange, inbox) = mpsc::channel(1);
    let (to_serve, requests) = mpsc::channel(1);
    let udp = [Datagrams::bind().await?, Datagrams::bind().await?, Datagrams::bind().await?];
    let to = udp.each_ref().map(Datagrams::address);
    let [first, second, third] = udp;
    let (tcp, far) = pair().await?;
    let (left, sends_left) = pair().await?;
    let (right, _sends_right) = pair().await?;

    tokio::spawn(session(tcp).instrument(tracing::info_span!("session")));
    tokio::spawn(mirror(left, right).map(drop));
    tokio::spawn(resolve(Exchange { socket: first, inbox }));
    tokio::spawn(serve(requests, second));
    tokio::spawn(guarded(Guarded { socket: third, limit: Box::pin(sleep(LONG)) }));
    let (_sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(listens(receiver));
    tokio::spawn(ticks());
    tokio::spawn(relays(pair().await?, pair().await?));

    tokio::task::spawn_blocking(move || send(rounds, &to, [far, sends_left])).await??;
    drop((to_exchange, to_serve));
    Ok(())
}

/// What the peers do.
fn send(rounds: u64, to: &[SocketAddr], tcp: [TcpStream; 2]) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let [mut one, mut two] = tcp.map(|stream| stream.into_std().expect("a stream"));
    for _ in 0..rounds {
        thread::sleep(PAUSE);
        for address in to {
            socket.send_to(b"datagram", address)?;
        }
        one.write_all(b"frame")?;
        two.write_all(b"bytes")?;
    }
    Ok(())
}

/// Two ends of a connection; the far one's user blocks.
async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let far = TcpStream::connect(listener.local_addr()?).await?;
    let (near, _) = listener.accept().await?;
    Ok((near, far))
}

/// A socket of which a library makes a stream.
struct Datagrams {
    socket: UdpSocket,
    buffer: [u8; 64],
}

impl Datagrams {
    async fn bind() -> io::Result<Self> {
        Ok(Self { socket: UdpSocket::bind("127.0.0.1:0").await?, buffer: [0; 64] })
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        let mut buffer = ReadBuf::new(&mut self.buffer);
        let received = ready!(self.socket.poll_recv(context, &mut buffer));
        received.expect("no error");
        Poll::Ready(buffer.filled().len())
    }
}

impl Stream for Datagrams {
    type Item = usize;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<usize>> {
        self.poll_receive(context).map(Some)
    }
}

/// A future with a socket of its own beside a channel.
struct Exchange {
    socket: Datagrams,
    inbox: mpsc::Receiver<u64>,
}

impl Future for Exchange {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(Some(_)) = self.inbox.poll_next_unpin(context) {}
        loop {
            ready!(self.socket.poll_receive(context));
        }
    }
}

/// A future with a socket of its own beside a timer.
struct Guarded {
    socket: Datagrams,
    limit: Pin<Box<Sleep>>,
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        while self.socket.poll_receive(context).is_ready() {}
        self.limit.as_mut().poll(context)
    }
}

/// Frames of a connection.
struct Frames {
    stream: TcpStream,
}

impl Stream for Frames {
    type Item = usize;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<usize>> {
        use tokio::io::AsyncRead;
        let mut bytes = [0; 64];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)).expect("no error");
        Poll::Ready(Some(buffer.filled().len()))
    }
}

async fn session(stream: TcpStream) {
    let mut frames = Frames { stream };
    let mut limit = Box::pin(sleep(LONG));
    loop {
        tokio::select! {
            _ = frames.next() => {}
            _ = &mut limit => return,
        }
    }
}

/// What comes on either side goes out on the other.
async fn mirror(mut left: TcpStream, mut right: TcpStream) -> io::Result<()> {
    let (mut left_read, mut left_write) = left.split();
    let (mut right_read, mut right_write) = right.split();
    tokio::select! {
        copied = tokio::io::copy(&mut left_read, &mut right_write) => copied,
        copied = tokio::io::copy(&mut right_read, &mut left_write) => copied,
    }?;
    Ok(())
}

async fn resolve(exchange: Exchange) {
    exchange.await
}

async fn serve(mut requests: mpsc::Receiver<u64>, mut datagrams: Datagrams) {
    loop {
        tokio::select! {
            _ = requests.next() => {}
            _ = poll_fn(|context| datagrams.poll_receive(context)) => {}
        }
    }
}

async fn listens(mut receiver: tokio::sync::mpsc::Receiver<u64>) {
    receiver.recv().await;
}

async fn ticks() {
    let mut interval = tokio::time::interval(PAUSE);
    loop {
        interval.tick().await;
    }
}

async fn relays(mut one: (TcpStream, TcpStream), mut two: (TcpStream, TcpStream)) {
    let _ = tokio::io::copy_bidirectional(&mut one.0, &mut two.0).await;
}

async fn guarded(future: Guarded) {
    future.await
}
