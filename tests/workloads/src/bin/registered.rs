//! Operations of io_uring on registered files, in tokio-uring: an operation names an index in its ring's table of files,
//! and what is there changes.
//!
//! Known by construction: plain threads make each operation wait for a set time. `reader` reads from one index, where
//! there is a pipe and a connection in turn. `acceptor` accepts connections that never become descriptors, and reads from
//! each by its index. `filer` reads a file that is open by no descriptor any more.

use io_uring::types::{DestinationSlot, Fixed};
use io_uring::{cqueue, opcode, squeue};
use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::thread;
use tokio_uring::{OneshotOutputTransform, UnsubmittedOneshot};
use truth::other_end::{answerer, pipe, spawn, writer, STEP};
use truth::{place, Countdown, Options, Place};

/// Where the files are in the table.
const CHANGING: u32 = 0;
const LISTENER: u32 = 1;
const ACCEPTED: u32 = 2;
const REGULAR: u32 = 3;
const SLOTS: usize = 4;

fn main() -> io::Result<()> {
    let mut options = Options::parse("registered", "", &[], &[]);
    options.ready();
    let path = std::env::temp_dir().join(format!("dwell-registered-{}", std::process::id()));
    std::fs::write(&path, [7; 4096])?;
    tokio_uring::start(run(options.rounds(40, STEP), path.clone()));
    std::fs::remove_file(&path)?;
    options.finish();
    Ok(())
}

/// The root. Its own waits are not noted: it is polled whenever one of its tasks is.
async fn run(rounds: u64, path: PathBuf) {
    const AT: Place = place!("registered::run");
    AT.root();
    let ring = Rc::new(Ring::find());
    ring.register();
    let countdown = Rc::new(Countdown::new(3));
    let (one, two, three) = (countdown.clone(), countdown.clone(), countdown.clone());
    place!("registered::reader").spawned();
    place!("registered::acceptor").spawned();
    place!("registered::filer").spawned();
    tokio_uring::spawn(reader(rounds, ring.clone(), one));
    tokio_uring::spawn(acceptor(rounds, ring.clone(), two));
    tokio_uring::spawn(filer(rounds, path, ring, three));
    countdown.zero.notified().await;
    AT.completed();
}

// ---- the table ----

/// The ring of the runtime, which it keeps to itself.
struct Ring(RawFd);

impl Ring {
    fn find() -> Self {
        let fds = std::fs::read_dir("/proc/self/fd").expect("/proc").flatten();
        let ring = fds.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.ends_with("anon_inode:[io_uring]")));
        let name = ring.map(|fd| fd.file_name()).next().expect("the runtime has a ring");
        Self(name.to_str().expect("a number").parse().expect("a number"))
    }

    /// A table without files.
    fn register(&self) {
        const IORING_REGISTER_FILES: u32 = 2;
        let none = [-1; SLOTS];
        // SAFETY: the kernel reads SLOTS numbers.
        let result = unsafe { libc::syscall(libc::SYS_io_uring_register, self.0, IORING_REGISTER_FILES, none.as_ptr(), SLOTS) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    fn set(&self, slot: u32, file: &impl AsRawFd) {
        const IORING_REGISTER_FILES_UPDATE: u32 = 6;
        #[repr(C)]
        struct Update {
            offset: u32,
            reserved: u32,
            fds: u64,
        }
        let fd = file.as_raw_fd();
        let update = Update { offset: slot, reserved: 0, fds: &raw const fd as u64 };
        // SAFETY: the kernel reads one number at the address in it.
        let result = unsafe { libc::syscall(libc::SYS_io_uring_register, self.0, IORING_REGISTER_FILES_UPDATE, &update, 1) };
        assert_eq!(result, 1, "{}", io::Error::last_os_error());
    }
}

// ---- operations ----

struct Number;

impl OneshotOutputTransform for Number {
    type Output = i32;
    type StoredData = Box<[u8; 1]>;

    fn transform_oneshot_output(self, _: Self::StoredData, entry: cqueue::Entry) -> i32 {
        entry.result()
    }
}

fn operation(of: impl FnOnce(*mut u8) -> squeue::Entry) -> tokio_uring::InFlightOneshot<Box<[u8; 1]>, Number> {
    let mut byte = Box::new([0]);
    let entry = of(byte.as_mut_ptr());
    UnsubmittedOneshot::new(byte, Number, entry).submit()
}

/// A byte from a pipe and one from a connection, both through the same index.
async fn reader(rounds: u64, ring: Rc<Ring>, countdown: Rc<Countdown>) {
    const AT: Place = place!("registered::reader");
    let (output, input) = pipe();
    let writer = writer(input);
    let (address, answerer) = answerer(rounds);
    let stream = TcpStream::connect(address).expect("it listens");
    for _ in 0..rounds {
        ring.set(CHANGING, &output);
        writer.ask();
        let read = operation(|at| opcode::Read::new(Fixed(CHANGING), at, 1).build());
        let t = truth::start();
        let got = read.await;
        AT.wait(t, line!() - 1, "InFlightOneshot").part("no data", STEP).log();
        assert_eq!(got, 1);
        ring.set(CHANGING, &stream);
        let send = operation(|at| opcode::Send::new(Fixed(CHANGING), at, 1).build());
        let t = truth::start();
        let sent = send.await;
        AT.wait(t, line!() - 1, "InFlightOneshot").tcp(address).log();
        assert_eq!(sent, 1);
        let receive = operation(|at| opcode::Recv::new(Fixed(CHANGING), at, 1).build());
        let t = truth::start();
        let got = receive.await;
        AT.wait(t, line!() - 1, "InFlightOneshot").part("no data", STEP).tcp(address).log();
        assert_eq!(got, 1);
    }
    writer.end();
    answerer.join().expect("no panic");
    AT.completed();
    countdown.done();
}

/// Accepts connections into the table, and reads a byte from each there.
async fn acceptor(rounds: u64, ring: Rc<Ring>, countdown: Rc<Countdown>) {
    const AT: Place = place!("registered::acceptor");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    ring.set(LISTENER, &listener);
    let talker = spawn("talker", move || talk(rounds, address));
    for _ in 0..rounds {
        let slot = DestinationSlot::try_from_slot_target(ACCEPTED).expect("an index");
        let (none, size) = (std::ptr::null_mut(), std::ptr::null_mut());
        let accept = operation(|_| opcode::Accept::new(Fixed(LISTENER), none, size).file_index(Some(slot)).build());
        let t = truth::start();
        let got = accept.await;
        AT.wait(t, line!() - 1, "InFlightOneshot").part("no data", STEP).tcp(address).log();
        assert_eq!(got, 0);
        let receive = operation(|at| opcode::Recv::new(Fixed(ACCEPTED), at, 1).build());
        let t = truth::start();
        let got = receive.await;
        AT.wait(t, line!() - 1, "InFlightOneshot").part("no data", STEP).log();
        assert_eq!(got, 1);
    }
    talker.join().expect("no panic");
    AT.completed();
    countdown.done();
}

/// Connects after 5 ms, and speaks after 5 more.
fn talk(rounds: u64, address: SocketAddr) {
    let mut last = None;
    for _ in 0..rounds {
        thread::sleep(STEP);
        let mut stream = TcpStream::connect(address).expect("it listens");
        thread::sleep(STEP);
        stream.write_all(&[7]).expect("the acceptor is there");
        last = Some(stream);
    }
    drop(last);
}

/// Reads from a file whose descriptor is closed; that is done at once, but only when all tasks wait.
async fn filer(rounds: u64, path: PathBuf, ring: Rc<Ring>, countdown: Rc<Countdown>) {
    const AT: Place = place!("registered::filer");
    let file = File::open(path).expect("a file");
    ring.set(REGULAR, &file);
    drop(file);
    for _ in 0..rounds {
        let read = operation(|at| opcode::Read::new(Fixed(REGULAR), at, 1).build());
        let t = truth::start();
        let got = read.await;
        AT.wait(t, line!() - 1, "InFlightOneshot").log();
        assert_eq!(got, 1);
    }
    AT.completed();
    countdown.done();
}
