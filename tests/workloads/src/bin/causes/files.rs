//! Threads that sleep in the kernel, in jobs and in polls, on files of all kinds.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tokio::io::AsyncReadExt;
use tokio::task::spawn_blocking;
use truth::{place, Did, Place, Wait};

use crate::peers::{answerer, make_pipe};
use crate::storage::{Map, Times};
use crate::{Helper, STEP};

/// Reads through `tokio::fs`.
pub async fn reads(rounds: u64, path: PathBuf, times: Times) {
    const AT: Place = place!("causes::files::reads");
    AT.spawned();
    let name = format!("an answer of a FUSE file system: file {}", path.display());
    let mut file = tokio::fs::File::open(path).await.expect("it is there");
    for _ in 0..rounds {
        let t = truth::start();
        file.read_exact(&mut [0; 64]).await.expect("as much as one likes");
        let wait = AT.wait(t, line!() - 1, "ReadExact");
        wait.known("job", times.answered.since(t)).about(&name).log();
    }
    AT.completed();
}

/// Reads in jobs, which say what they did.
pub async fn job_reads(rounds: u64, path: PathBuf) {
    const AT: Place = place!("causes::files::job_reads");
    AT.spawned();
    let name = format!("an answer of a FUSE file system: file {}", path.display());
    let file = Arc::new(File::open(path).expect("it is there"));
    for _ in 0..rounds {
        let file = file.clone();
        let job = spawn_blocking(move || {
            Did::run(|| assert_eq!(file.read_at(&mut [0; 64], 0).expect("a file"), 64))
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        did_on(AT.wait(t, line!() - 1, "JoinHandle"), &did, &name);
    }
    AT.completed();
}

/// Touches a page in each poll that nobody has read yet.
pub async fn faults(rounds: u64, path: PathBuf) {
    const AT: Place = place!("causes::files::faults");
    AT.spawned();
    let name = format!("a page fault (an answer of a FUSE file system): file {}", path.display());
    let map = Map::new(&File::open(path).expect("it is there"));
    for round in 0..rounds as usize {
        tokio::task::yield_now().await;
        let did = Did::run(|| map.touch(round));
        AT.polled(line!() - 1, did, &name, 0);
    }
    AT.completed();
}

/// A job reads from a connection whose peer takes its time.
pub async fn job_asks(rounds: u64) {
    const AT: Place = place!("causes::files::job_asks");
    AT.spawned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let here = Arc::new(TcpStream::connect(address).expect("it listens"));
    let (mut there, _) = listener.accept().expect("a connection");
    let mut input = there.try_clone().expect("a descriptor");
    answerer(
        move || input.read(&mut [0]).is_ok_and(|got| got == 1),
        move || there.write_all(b"!").expect("the job reads"),
    );
    for _ in 0..rounds {
        let here = here.clone();
        let job = spawn_blocking(move || {
            Did::run(|| {
                (&*here).write_all(b"?").expect("sent");
                (&*here).read_exact(&mut [0]).expect("an answer");
            })
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        let wait = AT.wait(t, line!() - 1, "JoinHandle");
        did_on(wait, &did, &format!("data of a socket: tcp {address}"));
    }
    AT.completed();
}

/// A job writes into a pipe that is full until a thread reads from it.
pub async fn job_fills(rounds: u64) {
    const AT: Place = place!("causes::files::job_fills");
    const ROOM: usize = 65536;
    AT.spawned();
    let (mut output, input) = make_pipe(0);
    let input = Arc::new(input);
    (&*input).write_all(&[0; ROOM]).expect("a pipe has so much room");
    let reader = Helper::new("reader", move |order| {
        order.begin();
        thread::sleep(STEP);
        output.read_exact(&mut [0; ROOM]).expect("it is full");
    });
    for _ in 0..rounds {
        reader.begin();
        let input = input.clone();
        let job = spawn_blocking(move || {
            Did::run(|| (&*input).write_all(&[0; ROOM]).expect("somebody reads"))
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        let wait = AT.wait(t, line!() - 1, "JoinHandle");
        did_on(wait, &did, "a pipe that is full: pipe to this process");
    }
    AT.completed();
}

/// A job wants to lock a file that another thread has locked.
pub async fn job_locks(rounds: u64) {
    const AT: Place = place!("causes::files::job_locks");
    AT.spawned();
    let path = std::env::temp_dir().join(format!("causes-{}.lock", std::process::id()));
    let theirs = File::create(&path).expect("a file");
    let ours = Arc::new(File::open(&path).expect("the same"));
    let name = format!("a file lock: file {}{}", path.display(), device_of(&path));
    let keeper = Helper::new("keeper", move |order| {
        flock(&theirs, libc::LOCK_EX);
        order.begin();
        thread::sleep(STEP);
        flock(&theirs, libc::LOCK_UN);
    });
    for _ in 0..rounds {
        keeper.begin();
        let file = ours.clone();
        let job = spawn_blocking(move || {
            Did::run(|| {
                flock(&file, libc::LOCK_EX);
                flock(&file, libc::LOCK_UN);
            })
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        did_on(AT.wait(t, line!() - 1, "JoinHandle"), &did, &name);
    }
    std::fs::remove_file(&path).ok();
    AT.completed();
}

/// A job waits until what it has written is on the disk, if there is one.
pub async fn job_syncs(rounds: u64) {
    const AT: Place = place!("causes::files::job_syncs");
    AT.spawned();
    let path = std::env::temp_dir().join(format!("causes-{}.sync", std::process::id()));
    let file = Arc::new(File::create(&path).expect("a file"));
    // Of a file that is closed before its name is asked for, only the last part is known.
    let last = path.file_name().expect("it has a name").display();
    let name = format!("a disk…: file …{last}{}", device_of(&path));
    for round in 0..rounds {
        let file = file.clone();
        let job = spawn_blocking(move || {
            Did::run(|| {
                file.write_at(&[1; 4096], round * 4096).expect("a file");
                file.sync_all().expect("a file");
            })
        });
        let t = truth::start();
        let did = job.await.expect("no panic");
        did_on(AT.wait(t, line!() - 1, "JoinHandle"), &did, &name);
    }
    std::fs::remove_file(&path).ok();
    AT.completed();
}

/// Notes what the job did that was waited for, and on what it slept.
fn did_on(wait: Wait, did: &Did, what: &str) {
    let wait = wait.known("job running", did.running).known("job run queue", did.run_queue);
    wait.known("job blocked", did.blocked).about(what).log();
}

/// " on vda1"; "" where the file system is on no block device.
fn device_of(path: &Path) -> String {
    let dev = path.metadata().expect("it is there").dev();
    let link = format!("/sys/dev/block/{}:{}", libc::major(dev), libc::minor(dev));
    let target = std::fs::read_link(link).unwrap_or_default();
    target.file_name().map_or(String::new(), |name| format!(" on {}", name.display()))
}

fn flock(file: &File, operation: libc::c_int) {
    // SAFETY: the descriptor is open as long as `file` is.
    assert_eq!(unsafe { libc::flock(file.as_raw_fd(), operation) }, 0);
}
