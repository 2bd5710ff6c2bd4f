//! The other end of the workloads' sockets: plain threads, no tokio, so that nothing in this process
//! looks like the program under test.
//!
//! `peer backend [--delay-us N]` answers each request after the delay, with the request itself; prints its port.
//! `peer load [--connections N] [--requests N | --seconds S] [--think-us N] [--size BYTES] ADDR` sends requests.
//! `peer http [--connections N] [--requests N | --seconds S] [--think-us N] [--paths /a=3,/b=1] ADDR` sends GETs.
//!
//! A request, and its answer, is a length (4 bytes, big endian) and that many bytes, sent in one write.
//! `--requests` counts per connection. Each connection thinks before every request and before it closes; with
//! `--random` for up to twice that time, so that connections that began together do not stay together.
//! The loads print one JSON line: requests per second and percentiles of the latency.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use truth::Options;

const USAGE: &str =
    "backend [--delay-us N] | load ADDR [--size BYTES] … | http ADDR [--paths /a=3,/b=1] … \
                     [--connections N] [--requests N] [--think-us N] [--random]";
const VALUES: [&str; 6] =
    ["--delay-us", "--connections", "--requests", "--think-us", "--size", "--paths"];

fn main() -> io::Result<()> {
    let mut options = Options::parse("peer", USAGE, &VALUES, &["--random"]);
    options.ready();
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    match words[..] {
        ["backend"] => backend(Duration::from_micros(options.get("--delay-us").unwrap_or(0))),
        ["load", address] => {
            let size = options.get("--size").unwrap_or(64);
            load(&options, |_| Framed::connect(address, size))
        }
        ["http", address] => {
            let paths = options.get("--paths").unwrap_or_else(|| "/=1".to_string());
            let Some(paths) = weighted(&paths) else { options.fail("--paths: PATH=WEIGHT,…") };
            load(&options, |seed| Http::connect(address, &paths, seed))
        }
        _ => options.fail("no mode"),
    }
}

fn backend(delay: Duration) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        thread::spawn(move || answer(stream, delay));
    }
    Ok(())
}

fn answer(mut stream: TcpStream, delay: Duration) -> io::Result<()> {
    let mut frame = Vec::new();
    loop {
        read_frame(&mut stream, &mut frame)?;
        if !delay.is_zero() {
            thread::sleep(delay);
        }
        stream.write_all(&frame)?;
    }
}

/// Reads a length and that many bytes; the frame holds both.
fn read_frame(stream: &mut TcpStream, frame: &mut Vec<u8>) -> io::Result<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    frame.clear();
    frame.extend_from_slice(&length);
    frame.resize(4 + u32::from_be_bytes(length) as usize, 0);
    stream.read_exact(&mut frame[4..])
}

/// One connection of a load.
trait Client: Send {
    /// Sends the next request and waits for its answer.
    fn request(&mut self) -> io::Result<()>;
}

struct Framed {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Framed {
    fn connect(address: &str, size: u32) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut request = size.to_be_bytes().to_vec();
        request.resize(4 + size as usize, b'x');
        Ok(Self { stream, request, answer: Vec::new() })
    }
}

impl Client for Framed {
    fn request(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.request)?;
        read_frame(&mut self.stream, &mut self.answer)
    }
}

/// `/a=3,/b=1` as requests, each with its weight.
fn weighted(paths: &str) -> Option<Vec<(String, u64)>> {
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let one = |item: &str| {
        let (path, weight) = item.split_once('=').unwrap_or((item, "1"));
        Some((request(path), weight.parse().ok().filter(|weight| *weight > 0)?))
    };
    paths.split(',').map(one).collect()
}

struct Http<'a> {
    stream: BufReader<TcpStream>,
    paths: &'a [(String, u64)],
    random: u64,
    line: String,
    body: Vec<u8>,
}

impl<'a> Http<'a> {
    fn connect(address: &str, paths: &'a [(String, u64)], seed: u64) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let random = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Ok(Self {
            stream: BufReader::new(stream),
            paths,
            random,
            line: String::new(),
            body: Vec::new(),
        })
    }

    /// The next request by weight; the order depends on nothing but the connection's number.
    fn choose(&mut self) -> &'a str {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let total: u64 = self.paths.iter().map(|(_, weight)| weight).sum();
        let mut point = self.random % total;
        for (request, weight) in self.paths {
            if point < *weight {
                return request;
            }
            point -= weight;
        }
        unreachable!("a point below the sum of the weights")
    }

    fn read_line(&mut self) -> io::Result<&str> {
        self.line.clear();
        match self.stream.read_line(&mut self.line)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(self.line.trim_end()),
        }
    }
}

impl Client for Http<'_> {
    fn request(&mut self) -> io::Result<()> {
        let request = self.choose();
        self.stream.get_mut().write_all(request.as_bytes())?;
        if self.read_line()?.split(' ').nth(1) != Some("200") {
            return Err(io::Error::other(self.line.trim_end().to_string()));
        }
        let mut length = 0;
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().map_err(io::Error::other)?;
                }
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)
    }
}

/// When a connection stops.
#[derive(Clone, Copy)]
enum Until {
    Requests(u64),
    Time(Instant),
}

fn load<C: Client>(options: &Options, connect: impl Fn(u64) -> io::Result<C>) -> io::Result<()> {
    let connections = options.get("--connections").unwrap_or(1);
    let think = Duration::from_micros(options.get("--think-us").unwrap_or(0));
    let random = options.has("--random");
    let clients = (0..connections).map(connect).collect::<io::Result<Vec<C>>>()?;
    let begin = Instant::now();
    let until = match (options.get("--requests"), options.seconds()) {
        (Some(count), _) => Until::Requests(count),
        (None, seconds) => Until::Time(begin + seconds.unwrap_or(Duration::from_secs(1))),
    };
    let mut all = Latencies::new();
    thread::scope(|scope| {
        let threads: Vec<_> = clients
            .into_iter()
            .zip(1..)
            .map(|(client, seed)| {
                let seed = if random { Some(seed) } else { None };
                scope.spawn(move || drive(client, until, think, seed))
            })
            .collect();
        for thread in threads {
            all.add(&thread.join().expect("a client thread")?);
        }
        io::Result::Ok(())
    })?;
    all.print(connections, begin.elapsed());
    Ok(())
}

/// `seed`: think for times that are random, the same in each run.
fn drive(
    mut client: impl Client,
    until: Until,
    think: Duration,
    seed: Option<u64>,
) -> io::Result<Latencies> {
    let mut latencies = Latencies::new();
    let mut random = seed.map(|seed| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut pause = || {
        let share = random.as_mut().map_or(0.5, |random| {
            *random ^= *random << 13;
            *random ^= *random >> 7;
            *random ^= *random << 17;
            (*random >> 11) as f64 / (1u64 << 53) as f64
        });
        if !think.is_zero() {
            thread::sleep(think.mul_f64(2.0 * share));
        }
    };
    loop {
        let go_on = match until {
            Until::Requests(count) => latencies.count < count,
            Until::Time(end) => Instant::now() < end,
        };
        pause();
        if !go_on {
            return Ok(latencies);
        }
        let sent = Instant::now();
        client.request()?;
        latencies.note(sent.elapsed());
    }
}

/// A histogram: each power of two of nanoseconds in 64 equal steps, so that no value is off by more than 1.6 %.
struct Latencies {
    steps: Vec<u64>,
    count: u64,
    sum: u64,
    max: u64,
}

impl Latencies {
    fn new() -> Self {
        Self { steps: vec![0; 64 * 64], count: 0, sum: 0, max: 0 }
    }

    fn step(ns: u64) -> usize {
        let shift = (63 - (ns | 64).leading_zeros() as usize) - 6;
        (shift << 6) + (ns >> shift) as usize
    }

    /// The smallest value of a step.
    fn floor(step: usize) -> u64 {
        let shift = (step >> 6).saturating_sub(1);
        ((step - (shift << 6)) as u64) << shift
    }

    fn note(&mut self, latency: Duration) {
        let ns = latency.as_nanos() as u64;
        self.steps[Self::step(ns)] += 1;
        self.count += 1;
        self.sum += ns;
        self.max = self.max.max(ns);
    }

    fn add(&mut self, other: &Self) {
        self.steps.iter_mut().zip(&other.steps).for_each(|(step, more)| *step += more);
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    fn percentile_us(&self, percent: f64) -> f64 {
        let wanted = (self.count as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        let step = self.steps.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        step.map_or(0.0, |step| Self::floor(step) as f64 / 1e3)
    }

    fn print(&self, connections: u64, elapsed: Duration) {
        let mean = self.sum as f64 / self.count.max(1) as f64 / 1e3;
        println!(
            r#"{{"connections":{connections},"requests":{},"seconds":{:.6},"rate":{:.1},"mean_us":{mean:.1},"p50_us":{:.1},"p90_us":{:.1},"p99_us":{:.1},"p999_us":{:.1},"max_us":{:.1}}}"#,
            self.count,
            elapsed.as_secs_f64(),
            self.count as f64 / elapsed.as_secs_f64(),
            self.percentile_us(50.0),
            self.percentile_us(90.0),
            self.percentile_us(99.0),
            self.percentile_us(99.9),
            self.max as f64 / 1e3,
        );
    }
}
