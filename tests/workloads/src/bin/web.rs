//! An HTTP service on axum: the handlers are a few levels of somebody else's combinators, boxed futures and
//! a `select!` below the task, as they are in any real service. Its client and its backend are other
//! processes (`peer`).
//!
//! Known by construction, per route: `/backend` waits for the backend's delay (no data on its socket),
//! `/sleep` for a timer, `/file` for a blocking job of at least 2 ms, `/lock` for a lock of which `hold` records
//! say who has it, `/hello` for nothing. All of it happens in axum's task per connection,
//! `axum::serve::handle_connection`, whose own waits (for the next request) are not noted: it is `partial`.
//!
//! `web [--connections N] [--delay-us N] [--think-us N]` starts its own backend and client, and ends with them;
//! `web serve --backend ADDR` prints its port and serves until SIGTERM or the end of standard input.

use axum::extract::State;
use axum::routing::get;
use axum::Router;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use truth::{place, Options, Peer, Place};

const USAGE: &str = "[serve --backend ADDR] [--connections N] [--delay-us N] [--think-us N]";
const PATHS: &str = "/hello=2,/backend=4,/lock=2,/file=2,/sleep=2";
/// The task in which all handlers run.
const CONNECTION: Place = place!("axum::serve::handle_connection");
/// How long `/lock` keeps its lock, `/file` its thread, and `/sleep` sleeps.
const TIME: Duration = Duration::from_millis(2);

fn main() -> io::Result<()> {
    let values = ["--backend", "--connections", "--delay-us", "--think-us"];
    let mut options = Options::parse("web", USAGE, &values, &[]);
    options.ready();
    match options.words.first().map(String::as_str) {
        None => alone(&options)?,
        Some("serve") => served(&options)?,
        Some(_) => options.fail("the only mode is serve"),
    }
    options.finish();
    Ok(())
}

/// Serves clients that others start.
fn served(options: &Options) -> io::Result<()> {
    let Some(address) = options.get("--backend") else { options.fail("serve needs --backend") };
    let stop = Arc::new(Notify::new());
    truth::stop_when_told(&stop);
    options.runtime().block_on(run(Backend::new(address, None), stop, |port| {
        println!("{port}");
        io::stdout().flush()
    }))
}

/// Serves a client of its own.
fn alone(options: &Options) -> io::Result<()> {
    let connections = options.get("--connections").unwrap_or(4);
    let delay = Duration::from_micros(options.get("--delay-us").unwrap_or(5000));
    let think = options.get("--think-us").unwrap_or(1000);
    let one = TIME + Duration::from_micros(think);
    let requests = options.rounds(50, one).to_string();

    let mut backend = Peer::start(&["backend", "--delay-us", &delay.as_micros().to_string()])?;
    let port: u16 = backend.line()?.parse().map_err(io::Error::other)?;
    let backend = Backend::new((Ipv4Addr::LOCALHOST, port).into(), Some(delay));

    let stop = Arc::new(Notify::new());
    let stopper = stop.clone();
    options.runtime().block_on(run(backend, stop, move |port| {
        let (think, count) = (think.to_string(), connections.to_string());
        let address = format!("127.0.0.1:{port}");
        thread::spawn(move || {
            let load = ["http", "--connections", &count, "--requests", &requests, "--paths", PATHS];
            let client = Peer::start(&[&load[..], &["--think-us", &think, &address]].concat());
            if let Err(error) = client.and_then(|mut client| client.finish()) {
                eprintln!("web: {error}");
                std::process::exit(1);
            }
            stopper.notify_one();
        });
        Ok(())
    }))?;
    // axum spawned one task per connection, and came to its end after the last of them.
    for _ in 0..connections {
        CONNECTION.spawned();
        CONNECTION.completed();
    }
    Ok(())
}

async fn run(
    backend: Backend,
    stop: Arc<Notify>,
    listening: impl FnOnce(u16) -> io::Result<()>,
) -> io::Result<()> {
    const AT: Place = place!("web::run");
    AT.root();
    AT.partial();
    CONNECTION.partial();
    let state = Arc::new(Service { backend, ledger: tokio::sync::Mutex::new(0) });
    let router = Router::new()
        .route("/hello", get(hello))
        .route("/backend", get(backend_route))
        .route("/lock", get(lock))
        .route("/file", get(file))
        .route("/sleep", get(sleep))
        .with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    listening(listener.local_addr()?.port())?;
    let stopped = async move {
        const AT: Place = place!("axum::serve::WithGracefulShutdown::run", "web::run");
        AT.spawned();
        let t = truth::start();
        stop.notified().await;
        AT.wait(t, line!() - 1, "Notified").log();
        AT.completed();
    };
    axum::serve(listener, router).with_graceful_shutdown(stopped).await?;
    AT.completed();
    Ok(())
}

struct Service {
    backend: Backend,
    ledger: tokio::sync::Mutex<u64>,
}

type Answer = Result<String, &'static str>;

async fn hello() -> &'static str {
    "hello\n"
}

async fn backend_route(State(service): State<Arc<Service>>) -> Answer {
    let answer = service.backend.call(b"what is new?").await.map_err(|_| "no backend")?;
    Ok(format!("{} bytes\n", answer.len()))
}

async fn lock(State(service): State<Arc<Service>>) -> Answer {
    const AT: Place = place!(CONNECTION.task, "web::lock");
    let t = truth::start();
    let mut entries = service.ledger.lock().await;
    let wait = AT.wait(t, line!() - 1, "Acquire").resource("ledger");
    wait.unknown_below(Duration::from_micros(100)).log();
    let held = truth::start();
    *entries += 1;
    let t = truth::start();
    tokio::time::sleep(TIME).await;
    AT.wait(t, line!() - 1, "Sleep").part("until deadline", TIME).log();
    AT.held("ledger", held);
    Ok(format!("{entries} entries\n"))
}

async fn file() -> Answer {
    const AT: Place = place!(CONNECTION.task, "web::file");
    // It may take a new thread, before there is anything to wait for.
    let job = tokio::task::spawn_blocking(read_file);
    let t = truth::start();
    let count = job.await.map_err(|_| "panicked")?;
    AT.wait(t, line!() - 1, "JoinHandle").part("job", TIME).log();
    Ok(format!("{count} bytes\n"))
}

/// The beginning of a file that surely exists: this program. The disk is a slow one.
fn read_file() -> usize {
    const AT: Place = place!("web::read_file");
    AT.spawned();
    let (start, cpu) = (truth::now(), truth::thread_cpu());
    let mut bytes = vec![0; 65536];
    let count = std::env::current_exe()
        .and_then(std::fs::File::open)
        .and_then(|mut file| file.read(&mut bytes))
        .unwrap_or(0);
    thread::sleep(TIME);
    AT.blocked("slow file", start, cpu);
    AT.completed();
    count
}

async fn sleep() -> Answer {
    const AT: Place = place!(CONNECTION.task, "web::sleep");
    let t = truth::start();
    tokio::time::sleep(TIME).await;
    AT.wait(t, line!() - 1, "Sleep").part("until deadline", TIME).log();
    Ok("rested\n".to_string())
}

/// A pool of connections to the backend.
struct Backend {
    address: SocketAddr,
    /// How long the backend takes to answer, if it is ours.
    delay: Option<Duration>,
    idle: std::sync::Mutex<Vec<TcpStream>>,
}

impl Backend {
    fn new(address: SocketAddr, delay: Option<Duration>) -> Self {
        Self { address, delay, idle: Default::default() }
    }

    /// Sends a frame, its length in front, and returns the answer.
    async fn call(&self, question: &[u8]) -> io::Result<Vec<u8>> {
        let idle = self.idle.lock().unwrap().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let mut frame = (question.len() as u32).to_be_bytes().to_vec();
        frame.extend_from_slice(question);
        stream.write_all(&frame).await?;
        let answer = self.answer(&mut stream).await?;
        self.idle.lock().unwrap().push(stream);
        Ok(answer)
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        const AT: Place = place!(CONNECTION.task, "web::Backend::connect");
        let t = truth::start();
        let stream = TcpStream::connect(self.address).await?;
        // The loopback connects at once: another worker may have seen that before this one looked.
        AT.wait(t, line!() - 2, "connect_mio").tcp(self.address).pendings(None).log();
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn answer(&self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        const AT: Place = place!(CONNECTION.task, "web::Backend::answer");
        let t = truth::start();
        let length = stream.read_u32().await?;
        let mut wait = AT.wait(t, line!() - 1, "ReadU32").tcp(self.address);
        if let Some(delay) = self.delay {
            wait = wait.part("no data", delay);
        }
        wait.log();
        let mut answer = vec![0; length as usize];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }
}
