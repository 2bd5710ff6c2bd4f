//! Tasks of smol that wait for a timer, a channel, locks, a barrier, a job, a task, a socket; and one that is
//! cancelled while it waits.

use smol::channel;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::lock::{Barrier, Mutex, RwLock, Semaphore};
use smol::net::{TcpListener, TcpStream};
use smol::{block_on, spawn, unblock};

include!("../async_tasks.rs");

fn sleep(time: Duration) -> smol::Timer {
    smol::Timer::after(time)
}

async fn root(rounds: u64) {
    let leases = Arc::new(Semaphore::new(1));
    let tenants = [spawn(tenant(rounds, leases.clone())), spawn(tenant(rounds, leases))];
    let judge = spawn(judge(rounds));
    run(rounds).await;
    for tenant in tenants {
        tenant.await;
    }
    judge.await;
}

/// As the clerks, with a semaphore.
async fn tenant(rounds: u64, leases: Arc<Semaphore>) {
    const AT: Place = place!("tenant");
    AT.spawned();
    for _ in 0..rounds {
        let t = truth::start();
        let lease = leases.acquire().await;
        AT.wait(t, line!() - 1, "Acquire").unknown_below(HALF / 4).log();
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
        drop(lease);
        let t = truth::start();
        sleep(HALF).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", HALF).log();
    }
    AT.completed();
}

/// Cancels a task a step after it was spawned.
async fn judge(rounds: u64) {
    const AT: Place = place!("judge");
    AT.spawned();
    for _ in 0..rounds {
        let victim = spawn(victim());
        let t = truth::start();
        sleep(STEP).await;
        AT.wait(t, line!() - 1, "Timer").part("until deadline", STEP).log();
        drop(victim);
    }
    AT.completed();
}

async fn victim() {
    const AT: Place = place!("victim");
    AT.partial();
    AT.spawned();
    sleep(Duration::from_secs(3600)).await;
}
