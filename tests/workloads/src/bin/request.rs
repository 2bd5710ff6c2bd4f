//! A TCP request/response server whose handler asks a backend over TCP before it answers.
//! Client and backend are other processes (`peer`), which make each wait exactly as long as they are told.
//!
//! Known by construction: each request makes its connection's task wait once for the client's think time
//! (no data on the client's socket) and once for the backend's delay (no data on the backend's socket);
//! every other read and write finds its socket ready.
//!
//! `request [--connections N] [--delay-us N] [--think-us N]` starts its own backend and client, and ends with them.
//! `request serve (--echo | --backend ADDR)` prints its port and serves until SIGTERM or the end of standard
//! input; with `--echo` it answers without a backend.

use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use truth::{place, Options, Peer, Place};

const USAGE: &str =
    "[serve (--echo | --backend ADDR)] [--connections N] [--delay-us N] [--think-us N]";

fn main() -> io::Result<()> {
    let values = ["--backend", "--connections", "--delay-us", "--think-us"];
    let mut options = Options::parse("request", USAGE, &values, &["--echo"]);
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
    let pool = match options.get("--backend") {
        Some(address) => Some(Pool::new(address, None)),
        None if options.has("--echo") => None,
        None => options.fail("serve needs --echo or --backend"),
    };
    let stop = Arc::new(Notify::new());
    truth::stop_when_told(&stop);
    options.runtime().block_on(run(pool, None, stop, |port| {
        println!("{port}");
        io::stdout().flush()
    }))
}

/// Serves a client of its own.
fn alone(options: &Options) -> io::Result<()> {
    let connections = options.get("--connections").unwrap_or(2).to_string();
    let delay = Duration::from_micros(options.get("--delay-us").unwrap_or(5000));
    let think = Duration::from_micros(options.get("--think-us").unwrap_or(2000));
    let requests = options.rounds(50, delay + think).to_string();

    let mut backend = Peer::start(&["backend", "--delay-us", &delay.as_micros().to_string()])?;
    let port: u16 = backend.line()?.parse().map_err(io::Error::other)?;
    let pool = Pool::new((Ipv4Addr::LOCALHOST, port).into(), Some(delay));

    let stop = Arc::new(Notify::new());
    let stopper = stop.clone();
    options.runtime().block_on(run(Some(pool), Some(think), stop, move |port| {
        let think = think.as_micros().to_string();
        let address = format!("127.0.0.1:{port}");
        thread::spawn(move || {
            let load = ["load", "--connections", &connections, "--requests", &requests];
            let client = Peer::start(&[&load[..], &["--think-us", &think, &address]].concat());
            if let Err(error) = client.and_then(|mut client| client.finish()) {
                eprintln!("request: {error}");
                std::process::exit(1);
            }
            // Its connections are closed; let the tasks that serve them see it.
            thread::sleep(Duration::from_millis(100));
            stopper.notify_one();
        });
        Ok(())
    }))
}

/// The root: listens, says where, and waits to be stopped.
async fn run(
    pool: Option<Pool>,
    think: Option<Duration>,
    stop: Arc<Notify>,
    listening: impl FnOnce(u16) -> io::Result<()>,
) -> io::Result<()> {
    const AT: Place = place!("request::run");
    AT.root();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    listening(listener.local_addr()?.port())?;
    place!("request::listen").spawned();
    tokio::spawn(listen(listener, pool.map(Arc::new), think));
    let t = truth::start();
    stop.notified().await;
    AT.wait(t, line!() - 1, "Notified").log();
    AT.completed();
    Ok(())
}

async fn listen(
    listener: TcpListener,
    pool: Option<Arc<Pool>>,
    think: Option<Duration>,
) -> io::Result<()> {
    const AT: Place = place!("request::listen");
    let address = listener.local_addr()?;
    loop {
        let t = truth::start();
        let (stream, client) = listener.accept().await?;
        // Connections that come together are accepted with one Pending or with several.
        AT.wait(t, line!() - 2, "Readiness").tcp(address).pendings(None).log();
        stream.set_nodelay(true)?;
        serve(Handler { stream, client, think, pool: pool.clone() });
    }
}

fn serve(mut handler: Handler) {
    place!("request::serve").spawned();
    tokio::spawn(async move {
        if let Err(error) = handler.run().await {
            eprintln!("request: {}: {error}", handler.client);
        }
        place!("request::serve").completed();
    });
}

/// One client connection.
struct Handler {
    stream: TcpStream,
    client: SocketAddr,
    /// How long the client thinks, if it is ours.
    think: Option<Duration>,
    pool: Option<Arc<Pool>>,
}

impl Handler {
    async fn run(&mut self) -> io::Result<()> {
        while let Some(request) = self.read_request().await? {
            let response = self.answer(request).await?;
            self.stream.write_all(&response).await?;
        }
        Ok(())
    }

    /// The next request, or None at the end of the connection.
    async fn read_request(&mut self) -> io::Result<Option<Vec<u8>>> {
        const AT: Place = place!("request::serve", "request::Handler::read_request");
        let mut header = [0; 4];
        let t = truth::start();
        let read = self.stream.read_exact(&mut header).await;
        let mut wait = AT.wait(t, line!() - 1, "ReadExact").tcp(self.client);
        if let Some(think) = self.think {
            wait = wait.part("no data", think);
        }
        wait.log();
        match read {
            Ok(_) => Ok(Some(read_body(&mut self.stream, header).await?)),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn answer(&self, request: Vec<u8>) -> io::Result<Vec<u8>> {
        match &self.pool {
            Some(pool) => pool.call(&request).await,
            None => Ok(request),
        }
    }
}

/// The rest of a frame, which came together with its header.
async fn read_body(stream: &mut TcpStream, header: [u8; 4]) -> io::Result<Vec<u8>> {
    let mut frame = header.to_vec();
    frame.resize(4 + u32::from_be_bytes(header) as usize, 0);
    stream.read_exact(&mut frame[4..]).await?;
    Ok(frame)
}

/// Connections to the backend that are not in use.
struct Pool {
    address: SocketAddr,
    /// How long the backend takes to answer, if it is ours.
    delay: Option<Duration>,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    fn new(address: SocketAddr, delay: Option<Duration>) -> Self {
        Self { address, delay, idle: Mutex::default() }
    }

    async fn call(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let idle = self.idle.lock().unwrap().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let response = connection.call(request).await?;
        self.idle.lock().unwrap().push(connection);
        Ok(response)
    }

    async fn connect(&self) -> io::Result<Connection> {
        const AT: Place = place!("request::serve", "request::Pool::connect");
        let t = truth::start();
        let stream = TcpStream::connect(self.address).await?;
        // The loopback connects at once: another worker may have seen that before this one looked.
        AT.wait(t, line!() - 2, "connect_mio").tcp(self.address).pendings(None).log();
        stream.set_nodelay(true)?;
        Ok(Connection { stream, address: self.address, delay: self.delay })
    }
}

struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    delay: Option<Duration>,
}

impl Connection {
    async fn call(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(request).await?;
        self.read_response().await
    }

    async fn read_response(&mut self) -> io::Result<Vec<u8>> {
        const AT: Place = place!("request::serve", "request::Connection::read_response");
        let mut header = [0; 4];
        let t = truth::start();
        self.stream.read_exact(&mut header).await?;
        let mut wait = AT.wait(t, line!() - 1, "ReadExact").tcp(self.address);
        if let Some(delay) = self.delay {
            wait = wait.part("no data", delay);
        }
        wait.log();
        read_body(&mut self.stream, header).await
    }
}
