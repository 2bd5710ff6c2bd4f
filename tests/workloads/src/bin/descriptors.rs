//! A task for each kind of descriptor that epoll serves, which waits for it: sockets of UDP and unix, pipes, eventfd,
//! timerfd, signalfd, inotify, pidfd. Something comes every 20 ms, but to those with `silent` in their names.
//!
//! Known by construction: what each is and who has its other end. Children are told as `child NAME PID`, ports as
//! `port NAME PORT`. It runs until its standard input ends.

use std::fs::File;
use std::io::{self, Read};
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::ptr::null_mut;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UdpSocket, UnixListener, UnixStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::sleep;
use truth::Options;

const TICK: Duration = Duration::from_millis(20);
const OUTPUT: &str = "while :; do echo; sleep 0.02; done";

fn main() -> io::Result<()> {
    let mut options = Options::parse("descriptors", "", &[], &[]);
    options.ready();
    let directory = std::env::temp_dir().join(format!("descriptors-{}", std::process::id()));
    std::fs::create_dir(&directory)?;
    println!("directory {}", directory.display());
    std::thread::spawn(|| {
        io::stdin().read_to_end(&mut Vec::new()).ok();
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(directory))
}

async fn run(directory: PathBuf) -> io::Result<()> {
    let silent = UdpSocket::bind("127.0.0.1:0").await?;
    println!("port udp_silent {}", silent.local_addr()?.port());
    let server = UdpSocket::bind("127.0.0.1:0").await?;
    println!("port udp_asks {}", server.local_addr()?.port());
    let client = UdpSocket::bind("127.0.0.1:0").await?;
    client.connect(server.local_addr()?).await?;
    tokio::spawn(udp_silent(silent));
    tokio::spawn(udp_answers(server));
    tokio::spawn(udp_asks(client));

    let listener = UnixListener::bind(directory.join("x.sock"))?;
    let connected = UnixStream::connect(directory.join("x.sock")).await?;
    let (accepted, _) = listener.accept().await?;
    tokio::spawn(unix_accepts(listener));
    tokio::spawn(unix_connected(connected));
    tokio::spawn(unix_accepted(accepted));
    let (one, other) = UnixStream::pair()?;
    tokio::spawn(pair_silent(one, other));
    let (here, there) = std::os::unix::net::UnixStream::pair()?;
    here.set_nonblocking(true)?;
    let sleeper =
        child("pair_child", Command::new("sleep").arg("1000").stdin(OwnedFd::from(there)))?;
    tokio::spawn(pair_child(UnixStream::from_std(here)?, sleeper));

    let mut writer = child_of_shell("pipe_from", OUTPUT)?;
    tokio::spawn(pipe_from(writer.stdout.take().expect("piped")));
    let mut reader = child("pipe_to", Command::new("sleep").arg("1000").stdin(Stdio::piped()))?;
    tokio::spawn(pipe_to(reader.stdin.take().expect("piped")));
    let ends = child("pidfd_silent", Command::new("sleep").arg("1000").stdin(Stdio::null()))?;
    tokio::spawn(pidfd_silent(ends));

    let event = made(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) })?;
    let bell = File::from(event.try_clone()?);
    std::thread::spawn(move || ring(bell));
    tokio::spawn(eventfd(registered(event)?));
    tokio::spawn(timerfd(registered(timer()?)?));
    tokio::spawn(signalfd_silent(registered(signals()?)?));
    tokio::spawn(inotify_silent(registered(watch(&directory)?)?));
    sleep(Duration::from_secs(1000)).await;
    drop((writer, reader));
    Ok(())
}

fn child(name: &str, command: &mut Command) -> io::Result<Child> {
    // It must not outlive this program, however that ends.
    // SAFETY: a system call, which may be made between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        })
    };
    let child = command.spawn()?;
    println!("child {name} {}", child.id().expect("it runs"));
    Ok(child)
}

fn child_of_shell(name: &str, script: &str) -> io::Result<Child> {
    child(name, Command::new("sh").args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()))
}

// ---- sockets ----

async fn udp_silent(socket: UdpSocket) {
    socket.recv(&mut [0; 8]).await.expect("nothing comes");
}

async fn udp_answers(socket: UdpSocket) {
    loop {
        let (_, peer) = socket.recv_from(&mut [0; 8]).await.expect("a question");
        sleep(TICK).await;
        socket.send_to(b"answer", peer).await.expect("sent");
    }
}

async fn udp_asks(socket: UdpSocket) {
    loop {
        socket.send(b"ask").await.expect("sent");
        socket.recv(&mut [0; 8]).await.expect("an answer");
    }
}

/// Of the test, which connects.
async fn unix_accepts(listener: UnixListener) {
    loop {
        let (client, _) = listener.accept().await.expect("a client");
        tokio::spawn(unix_client_silent(client));
    }
}

async fn unix_client_silent(mut client: UnixStream) {
    client.read_exact(&mut [0; 1]).await.ok();
}

async fn unix_connected(mut stream: UnixStream) {
    loop {
        stream.write_all(b"ask").await.expect("sent");
        stream.read_exact(&mut [0; 6]).await.expect("an answer");
    }
}

async fn unix_accepted(mut stream: UnixStream) {
    loop {
        stream.read_exact(&mut [0; 3]).await.expect("a question");
        sleep(TICK).await;
        stream.write_all(b"answer").await.expect("sent");
    }
}

async fn pair_silent(mut one: UnixStream, other: UnixStream) {
    one.read_exact(&mut [0; 1]).await.expect("nothing comes");
    drop(other);
}

async fn pair_child(mut stream: UnixStream, child: Child) {
    stream.read_exact(&mut [0; 1]).await.expect("nothing comes");
    drop(child);
}

// ---- others ----

async fn pipe_from(mut output: ChildStdout) {
    loop {
        output.read_exact(&mut [0; 1]).await.expect("a line");
    }
}

async fn pipe_to(mut input: ChildStdin) {
    loop {
        input.write_all(&[0; 65536]).await.expect("it is full once");
    }
}

async fn pidfd_silent(mut child: Child) {
    child.wait().await.expect("it does not end");
}

async fn eventfd(event: AsyncFd<OwnedFd>) {
    take(event).await;
}

async fn timerfd(timer: AsyncFd<OwnedFd>) {
    take(timer).await;
}

async fn signalfd_silent(signals: AsyncFd<OwnedFd>) {
    take(signals).await;
}

async fn inotify_silent(watch: AsyncFd<OwnedFd>) {
    take(watch).await;
}

fn registered(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor stays open as long as its owner is there.
    Ok(unsafe { AsyncFd::register(fd)? })
}

async fn take(fd: AsyncFd<OwnedFd>) {
    loop {
        let mut guard = fd.readable().await.expect("readable");
        guard.try_io(|fd| read(fd.get_ref())).ok();
    }
}

fn read(fd: &OwnedFd) -> io::Result<usize> {
    let mut block = [0u8; 256];
    // SAFETY: the buffer is as long as said.
    let nr = unsafe { libc::read(fd.as_raw_fd(), block.as_mut_ptr().cast(), block.len()) };
    usize::try_from(nr).map_err(|_| io::Error::last_os_error())
}

fn ring(mut bell: File) {
    loop {
        std::thread::sleep(TICK);
        io::Write::write_all(&mut bell, &1u64.to_ne_bytes()).expect("an eventfd takes it");
    }
}

fn made(fd: libc::c_int) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it, for this program.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn timer() -> io::Result<OwnedFd> {
    let timer = made(unsafe {
        libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC)
    })?;
    let tick = libc::timespec { tv_sec: 0, tv_nsec: TICK.as_nanos() as libc::c_long };
    let every = libc::itimerspec { it_interval: tick, it_value: tick };
    // SAFETY: the timer and the times are there.
    unsafe { libc::timerfd_settime(timer.as_raw_fd(), 0, &every, null_mut()) };
    Ok(timer)
}

/// Signals that are not blocked: they would go elsewhere. But none comes.
fn signals() -> io::Result<OwnedFd> {
    assert!(size_of::<libc::sigset_t>() >= 8);
    // SAFETY: the set is made empty before it is used.
    made(unsafe {
        let mut set: libc::sigset_t = zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGHUP);
        libc::sigaddset(&mut set, libc::SIGUSR1);
        libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC)
    })
}

fn watch(directory: &Path) -> io::Result<OwnedFd> {
    let watch = made(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) })?;
    let path = std::ffi::CString::new(directory.as_os_str().as_encoded_bytes()).expect("no NUL");
    // SAFETY: the path ends in NUL.
    unsafe { libc::inotify_add_watch(watch.as_raw_fd(), path.as_ptr(), libc::IN_DELETE) };
    Ok(watch)
}
