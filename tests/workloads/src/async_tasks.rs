// The body of smol_tasks and std_tasks, which include it: what both runtimes have under the same names, and
// `sleep`, `block_on`, `unblock`, `root`, are theirs.
//
// Known by construction: in each group one task sleeps for a set time while another waits for it, so each wait
// goes Pending once, ends with the sleeper's wake, and has the sleep's length, or half of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use truth::{Options, Place};

/// The time of each sleep on which others wait.
const STEP: Duration = Duration::from_millis(6);
const HALF: Duration = Duration::from_millis(3);

macro_rules! place {
    ($function:expr) => {
        truth::place!(concat!(env!("CARGO_CRATE_NAME"), "::", $function))
    };
}

fn main() {
    let mut options = Options::parse(env!("CARGO_CRATE_NAME"), "", &[], &[]);
    options.ready();
    let rounds = options.rounds(30, STEP);
    block_on(root(rounds));
    options.finish();
}

/// Starts what both runtimes have, and waits for its end.
async fn run(rounds: u64) {
    let (sender, receiver) = channel::bounded(1);
    let register = Arc::new(RwLock::new(0));
    let ledger = Arc::new(Mutex::new(0));
    let barrier = Arc::new(Barrier::new(2));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("its address");
    let tasks = [
        spawn(sleeper(rounds)),
        spawn(source(rounds, sender)),
        spawn(sink(rounds, receiver)),
        spawn(clerk(rounds, ledger.clone())),
        spawn(clerk(rounds, ledger)),
        spawn(editor(rounds, register.clone())),
        spawn(editor(rounds, register)),
        spawn(quick(rounds, barrier.clone())),
        spawn(slow(rounds, barrier)),
        spawn(parent(rounds)),
        spawn(employer(rounds)),
        spawn(server(listener)),
        spawn(client(rounds, address)),
    ];
    for task in tasks {
        task.await;
    }
}

async fn sleeper(rounds: u64) {
    const AT: Place = place!("sleeper");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
    }
    AT.completed();
}

/// The channel has room whenever it sends.
async fn source(rounds: u64, sender: channel::Sender<u64>) {
    const AT: Place = place!("source");
    AT.spawned();
    for round in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
        sender.send(round).await.expect("the sink is there");
    }
    AT.completed();
}

async fn sink(rounds: u64, receiver: channel::Receiver<u64>) {
    const AT: Place = place!("sink");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        receiver.recv().await.expect("the source sends as many");
        AT.wait(t, line!() - 1, "Recv").part("until wake", STEP).log();
    }
    AT.completed();
}

/// Two clerks, one ledger. Each keeps it for a step and rests for half of one: by then the other has it for
/// half a step more. Only the first to come finds it free, and the second waits for all of the step.
async fn clerk(rounds: u64, ledger: Arc<Mutex<u64>>) {
    const AT: Place = place!("clerk");
    AT.spawned();
    for round in 0..rounds {
        let t = truth::start();
        let mut entries = ledger.lock().await;
        let wait = AT.wait(t, line!() - 1, "Lock");
        match *entries {
            0 => {}
            _ if round == 0 => wait.log(),
            // The other one's last entry may be past.
            _ => wait.unknown_below(HALF / 4).log(),
        }
        *entries += 1;
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
        drop(entries);
        let t = truth::start();
        sleep(HALF).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", HALF).log();
    }
    AT.completed();
}

/// The same with a lock that has readers, too.
async fn editor(rounds: u64, register: Arc<RwLock<u64>>) {
    const AT: Place = place!("editor");
    AT.spawned();
    for round in 0..rounds {
        let t = truth::start();
        let mut entries = register.write().await;
        let wait = AT.wait(t, line!() - 1, "Write");
        match *entries {
            0 => {}
            _ if round == 0 => wait.log(),
            _ => wait.unknown_below(HALF / 4).log(),
        }
        *entries += 1;
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
        drop(entries);
        let t = truth::start();
        sleep(HALF).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", HALF).log();
    }
    AT.completed();
}

/// Comes to the barrier half a step before the other.
async fn quick(rounds: u64, barrier: Arc<Barrier>) {
    const AT: Place = place!("quick");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(HALF).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", HALF).log();
        // Having been woken, it may have to wait for the barrier's own lock.
        let t = truth::start();
        barrier.wait().await;
        AT.wait(t, line!() - 1, "BarrierWait").pendings(None).log();
    }
    AT.completed();
}

async fn slow(rounds: u64, barrier: Arc<Barrier>) {
    const AT: Place = place!("slow");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
        barrier.wait().await;
    }
    AT.completed();
}

async fn parent(rounds: u64) {
    const AT: Place = place!("parent");
    AT.spawned();
    for _ in 0..rounds {
        let handle = spawn(child());
        let t = truth::start();
        handle.await;
        AT.wait(t, line!() - 1, "Task").part("until wake", STEP).log();
    }
    AT.completed();
}

async fn child() {
    const AT: Place = place!("child");
    AT.spawned();
    let t = truth::start();
    sleep(STEP).await;
    AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
    AT.completed();
}

/// Has a job done by another thread.
async fn employer(rounds: u64) {
    const AT: Place = place!("employer");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        unblock(|| thread::sleep(STEP)).await;
        AT.wait(t, line!() - 1, "Task").part("job", STEP).log();
    }
    AT.completed();
}

/// Answers a step after it was asked.
async fn server(listener: TcpListener) {
    const AT: Place = place!("server");
    AT.spawned();
    let (mut stream, _) = listener.accept().await.expect("a client");
    let mut byte = [0];
    loop {
        let t = truth::start();
        let read = stream.read_exact(&mut byte).await;
        AT.wait(t, line!() - 1, "ReadExactFuture").unknown_below(HALF).log();
        if read.is_err() {
            break;
        }
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
        stream.write_all(&byte).await.expect("the client is there");
    }
    AT.completed();
    AT.partial();
}

async fn client(rounds: u64, address: SocketAddr) {
    const AT: Place = place!("client");
    AT.spawned();
    let mut stream = TcpStream::connect(address).await.expect("the server is there");
    let mut byte = [7];
    for _ in 0..rounds {
        let t = truth::start();
        sleep(HALF).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", HALF).log();
        stream.write_all(&byte).await.expect("the server is there");
        let t = truth::start();
        stream.read_exact(&mut byte).await.expect("an answer");
        AT.wait(t, line!() - 1, "ReadExactFuture").tcp(address).part("no data", STEP).log();
    }
    AT.completed();
    AT.partial();
}
