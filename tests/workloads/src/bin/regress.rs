//! A service into which regressions are built, for `dwell diff`: tests/e2e/regressions.py edits this source, moves
//! all its lines, and builds it again. It is as ordinary as can be: requests over TCP, a journal behind a lock, a
//! pool of connections to a database, an answer that is made on the CPU.
//!
//! `regress --database ADDR --journal ADDR` prints its port and serves until SIGTERM or the end of standard input.
//! Requests and answers are those of `peer`, which is its client, its database and its journal.

use std::hint::black_box;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, Semaphore};
use truth::Options;

/// Connections to the database.
const POOL: usize = 4;
const WORKERS: usize = 4;
/// What an answer takes of a CPU: some 0.3 ms.
const STEPS: u64 = 500_000;
/// What it takes to write to the log.
const LOG_MS: i32 = 2;

fn main() -> io::Result<()> {
    let usage = "--database ADDR --journal ADDR";
    let mut options = Options::parse("regress", usage, &["--database", "--journal"], &[]);
    options.ready();
    let (Some(database), Some(journal)) = (options.get("--database"), options.get("--journal"))
    else {
        options.fail("where are the others?")
    };
    let stop = Arc::new(Notify::new());
    truth::stop_when_told(&stop);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(WORKERS).enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            ended = serve(database, journal) => ended,
            () = stop.notified() => Ok(()),
        }
    })?;
    options.finish();
    Ok(())
}

async fn serve(database: SocketAddr, journal: SocketAddr) -> io::Result<()> {
    let service = Arc::new(Service {
        journal: Mutex::new(Journal { stream: connect(journal).await? }),
        pool: Pool::new(database).await?,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(client(service.clone(), stream));
    }
}

/// All requests of one client, until it closes.
async fn client(service: Arc<Service>, mut stream: TcpStream) {
    while let Ok(request) = read_frame(&mut stream).await {
        let Ok(answer) = service.handle(&request).await else { return };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

struct Service {
    journal: Mutex<Journal>,
    pool: Pool,
}

impl Service {
    async fn handle(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut journal = self.journal.lock().await;
        journal.append(request).await?;
        drop(journal);
        let row = self.pool.query(request).await?;
        log(LOG_MS);
        Ok(render(&row))
    }
}

/// It blocks its worker, and has done so for ever; no CPU is needed for it.
fn log(ms: i32) {
    // SAFETY: no descriptor is passed.
    unsafe { libc::poll(std::ptr::null_mut(), 0, ms) };
}

/// The answer: a frame, as the request is.
#[inline(never)]
fn render(row: &[u8]) -> Vec<u8> {
    let mut sum = row.len() as u64;
    for step in 0..STEPS {
        sum = black_box(sum.rotate_left(5) ^ step);
    }
    let mut answer = (row.len() as u32).to_be_bytes().to_vec();
    answer.extend_from_slice(row);
    answer
}

/// Entries are in order: there is one connection.
struct Journal {
    stream: TcpStream,
}

impl Journal {
    async fn append(&mut self, entry: &[u8]) -> io::Result<()> {
        write_frame(&mut self.stream, entry).await?;
        let length = self.stream.read_u32().await?;
        self.stream.read_exact(&mut vec![0; length as usize]).await?;
        Ok(())
    }
}

/// Connections to the database, each for one query at a time.
struct Pool {
    free: Semaphore,
    streams: std::sync::Mutex<Vec<TcpStream>>,
}

impl Pool {
    async fn new(database: SocketAddr) -> io::Result<Self> {
        let mut streams = Vec::new();
        for _ in 0..POOL {
            streams.push(connect(database).await?);
        }
        Ok(Self { free: Semaphore::new(POOL), streams: std::sync::Mutex::new(streams) })
    }

    async fn query(&self, text: &[u8]) -> io::Result<Vec<u8>> {
        let _permit = self.free.acquire().await.map_err(io::Error::other)?;
        let mut stream = self.streams.lock().unwrap().pop().expect("as many as permits");
        let row = self.ask(&mut stream, text).await;
        self.streams.lock().unwrap().push(stream);
        row
    }

    async fn ask(&self, stream: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
        write_frame(stream, text).await?;
        let length = stream.read_u32().await?;
        let mut row = vec![0; length as usize];
        stream.read_exact(&mut row).await?;
        Ok(row)
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn write_frame(stream: &mut TcpStream, content: &[u8]) -> io::Result<()> {
    let mut frame = (content.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(content);
    stream.write_all(&frame).await
}

async fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    let mut content = vec![0; length as usize];
    stream.read_exact(&mut content).await?;
    Ok(content)
}
