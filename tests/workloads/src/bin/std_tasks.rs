//! Tasks of async-std that wait for a timer, a channel, locks, a barrier, a job, a task, a socket.

use async_std::channel;
use async_std::io::{ReadExt, WriteExt};
use async_std::net::{TcpListener, TcpStream};
use async_std::sync::{Barrier, Mutex, RwLock};
use async_std::task::{block_on, sleep, spawn, spawn_blocking as unblock};

include!("../async_tasks.rs");

async fn root(rounds: u64) {
    run(rounds).await;
}
