//! Ways in which threads, the kernel or other processes bring an async program to a stand, each by its name; `contended`,
//! `children` and `moments` are well. `dwell why` has to tell of each the kind and the lines with a mark: CULPRIT (where to
//! look first), HOLDER, VICTIM.
//!
//!     stalls NAME
//!
//! Says `there` when it stands, and ends with its standard input.

use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Barrier, Mutex, RwLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::runtime::{Builder, Handle};
use tokio::task::{spawn_blocking, LocalSet};
use tokio::time::sleep;

const MOMENT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(1000);

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    let mut builder = if name == "guard" || name == "local" { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    let runtime = builder.worker_threads(2).max_blocking_threads(3).enable_all().build().expect("a runtime");
    let stands = std::thread::spawn(|| {
        std::thread::sleep(20 * MOMENT);
        println!("there");
        let _ = std::io::stdout().flush();
    });
    runtime.block_on(async {
        match name.as_str() {
            "guard" => guard().await,
            "local" => LocalSet::new().run_until(local()).await,
            "reading" => reading().await,
            "parking" => parking().await,
            "across" => across().await,
            "fault" => fault().await,
            "nested" => nested().await,
            "pool" => pool().await,
            "dns" => dns().await,
            "small" => small().await,
            "full" => full().await,
            "backlog" => backlog().await,
            "stopped" => stopped().await,
            "input" => input().await,
            "unread" => unread().await,
            "echo" => echo().await,
            "spin" => spin().await,
            "contended" => contended().await,
            "children" => children().await,
            "moments" => moments().await,
            _ => {
                eprintln!("stalls: which? guard, local, reading, parking, across, fault, nested, pool, dns, small, full, backlog, stopped, input, unread, echo, spin, contended, children, moments");
                std::process::exit(2);
            }
        }
    });
    let _ = stands.join();
}

// guard: deadlock
async fn guard() {
    let lock = Mutex::new(0);
    let holds = async {
        let mut count = lock.lock().expect("not poisoned"); // guard: HOLDER
        sleep(MOMENT).await;
        *count += 1;
    };
    let wants = async {
        sleep(MOMENT / 2).await;
        println!("{}", lock.lock().expect("not poisoned")); // guard: CULPRIT
    };
    tokio::join!(holds, wants);
}

// local: deadlock
async fn local() {
    let lock = std::rc::Rc::new(Mutex::new(0));
    let other = lock.clone();
    let holds = tokio::task::spawn_local(async move {
        let mut count = other.lock().expect("not poisoned"); // local: HOLDER
        sleep(MOMENT).await; // local: VICTIM
        *count += 1;
    });
    let wants = tokio::task::spawn_local(async move {
        println!("{}", lock.lock().expect("not poisoned")); // local: CULPRIT
    });
    let _ = holds.await;
    let _ = wants.await;
}

// reading: blocked worker
async fn reading() {
    let table = Arc::new(RwLock::new(0));
    let other = table.clone();
    let read = table.read().expect("not poisoned"); // reading: HOLDER
    tokio::spawn(async move {
        *other.write().expect("not poisoned") += 1; // reading: CULPRIT
    });
    sleep(LONG).await; // reading: VICTIM
    println!("{read}");
}

// parking: deadlock
async fn parking() {
    let lock = Arc::new(parking_lot::Mutex::new(0));
    let tasks: Vec<_> = (0..3)
        .map(|n| {
            let lock = lock.clone();
            tokio::spawn(async move {
                let mut count = lock.lock(); // parking: CULPRIT
                sleep(n * MOMENT + MOMENT).await; // parking: VICTIM
                *count += 1;
            })
        })
        .collect();
    for task in tasks {
        let _ = task.await;
    }
}

// across: blocked worker
async fn across() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    let both = Arc::new(Barrier::new(2));
    let two = both.clone();
    tokio::spawn(async move {
        let _a = a.lock().expect("not poisoned");
        both.wait();
        let _b = b.lock().expect("not poisoned"); // across: CULPRIT
    });
    tokio::spawn(async move {
        let _b = b2.lock().expect("not poisoned");
        two.wait();
        let _a = a2.lock().expect("not poisoned"); // across: CULPRIT
    });
    std::future::pending().await
}

/// A page that userfaultfd never fills.
fn absent_page() -> *const u8 {
    // SAFETY: the kernel is asked as its interface says; nobody else has the page.
    unsafe {
        let fd = libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC) as i32;
        let page = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        let mut api = [0xaa_u64, 0, 0];
        assert_eq!(libc::ioctl(fd, 0xc018_aa3f, &mut api), 0, "UFFDIO_API");
        let mut register = [page as u64, 4096, 1, 0];
        assert_eq!(libc::ioctl(fd, 0xc020_aa00, &mut register), 0, "UFFDIO_REGISTER");
        page.cast()
    }
}

// fault: blocked worker
async fn fault() {
    let page = absent_page() as usize;
    tokio::spawn(async move {
        sleep(MOMENT).await;
        let byte = unsafe { std::ptr::read_volatile(page as *const u8) }; // fault: CULPRIT
        println!("{byte}");
    });
    std::future::pending().await
}

// nested: pool exhausted
async fn nested() {
    let all = Arc::new(Barrier::new(3));
    let jobs: Vec<_> = (0..3)
        .map(|_| {
            let all = all.clone();
            spawn_blocking(move || {
                all.wait();
                Handle::current().block_on(async { spawn_blocking(|| 1).await }) // nested: CULPRIT
            })
        })
        .collect();
    for job in jobs {
        let _ = job.await;
    }
}

// pool: pool exhausted
async fn pool() {
    let jobs: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async {
                let slow = spawn_blocking(|| {
                    std::thread::sleep(LONG); // pool: CULPRIT
                });
                let _ = slow.await; // pool: VICTIM
            })
        })
        .collect();
    for job in jobs {
        let _ = job.await;
    }
}

// dns: slow job
async fn dns() {
    let found = tokio::net::lookup_host("a.name.that.nobody.knows:80").await; // dns: CULPRIT
    println!("{}", found.is_ok());
}

// small: small packets
async fn small() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let peer = listener.local_addr().expect("it has one");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = [0; 8];
        while stream.read_exact(&mut request).await.is_ok() {
            stream.write_all(b"ok").await.expect("it lives");
        }
    });
    let mut stream = TcpStream::connect(peer).await.expect("a connection");
    loop {
        stream.write_all(b"head").await.expect("it lives");
        stream.write_all(b"body").await.expect("it lives");
        let mut answer = [0; 2];
        stream.read_exact(&mut answer).await.expect("an answer"); // small: CULPRIT
    }
}

// full: silent peer
async fn full() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let peer = listener.local_addr().expect("it has one");
    let accepted = tokio::spawn(async move { listener.accept().await });
    let mut stream = TcpStream::connect(peer).await.expect("a connection");
    let _kept = accepted.await;
    loop {
        stream.write_all(&[1; 65536]).await.expect("it lives"); // full: CULPRIT
    }
}

// backlog: nobody accepts
async fn backlog() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener = socket.listen(2).expect("it listens");
    let peer = listener.local_addr().expect("it has one");
    std::thread::spawn(move || {
        let kept: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(peer)).collect();
        std::thread::sleep(LONG);
        drop(kept);
    });
    sleep(LONG).await;
    let _ = listener.accept().await;
}

/// Started, and killed when this process ends, however it does.
fn child(command: &mut Command) -> Child {
    // SAFETY: prctl may be called between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    command.spawn().expect("a child")
}

// stopped: chain into another process
async fn stopped() {
    let mut child = child(Command::new("sh").args(["-c", "kill -STOP $$"]));
    let _ = child.wait().await; // stopped: CULPRIT
}

// input: chain into another process
async fn input() {
    let mut child = child(Command::new("cat").stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().expect("a pipe"); // input: HOLDER
    stdin.write_all(b"\n").await.expect("it lives");
    let _ = child.wait().await; // input: CULPRIT
    drop(stdin);
}

// unread: chain into another process
async fn unread() {
    let mut child = child(Command::new("sleep").arg("1000").stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(&[1; 1 << 20]).await.expect("it lives"); // unread: CULPRIT
}

// echo: chain into another process
async fn echo() {
    let mut child =
        child(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut stdin = child.stdin.take().expect("a pipe"); // echo: HOLDER
    stdin.write_all(b"all of it").await.expect("it lives");
    let mut all = Vec::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_end(&mut all).await.expect("its end"); // echo: CULPRIT
    drop(stdin);
}

// spin: tasks that compute, for a cgroup that lets them not
async fn spin() {
    for _ in 0..4 {
        tokio::spawn(async {
            let mut n = 0u64;
            loop {
                for _ in 0..10_000 {
                    n = std::hint::black_box(n.wrapping_mul(31) + 1);
                }
                tokio::task::yield_now().await;
            }
        });
    }
    std::future::pending().await
}

// contended: a lock of std that workers fight for, and all get it in turn
async fn contended() {
    let lock = Arc::new(Mutex::new(0u64));
    for n in 0..4 {
        let lock = lock.clone();
        tokio::spawn(async move {
            loop {
                {
                    let mut count = lock.lock().expect("not poisoned");
                    *count += n;
                    std::thread::sleep(Duration::from_micros(300));
                }
                sleep(Duration::from_micros(100)).await;
            }
        });
    }
    std::future::pending().await
}

// children: one that sleeps, and one that answers what it is asked
async fn children() {
    let mut sleeps = child(Command::new("sleep").arg("1000"));
    let mut cat =
        child(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()));
    let (mut ask, mut answer) = (cat.stdin.take().expect("a pipe"), cat.stdout.take().expect("a pipe"));
    tokio::spawn(async move {
        let mut byte = [0];
        loop {
            ask.write_all(b"?").await.expect("it lives");
            answer.read_exact(&mut byte).await.expect("an answer");
            sleep(50 * MOMENT).await;
        }
    });
    tokio::spawn(async move { cat.wait().await });
    let _ = sleeps.wait().await;
}

// moments: a pool that is full again and again, for a moment
async fn moments() {
    loop {
        let jobs: Vec<_> = (0..9).map(|_| spawn_blocking(|| std::thread::sleep(MOMENT))).collect();
        for job in jobs {
            let _ = job.await;
        }
        sleep(MOMENT).await;
    }
}
