//! How a server that runs for others comes to its end.

use std::io::Read;
use std::sync::Arc;
use std::thread;
use tokio::sync::Notify;

/// Notifies `stop` at SIGTERM, SIGINT or the end of standard input. Call it before any other thread
/// starts: it blocks the signals in the calling thread, and so in all that this one starts.
pub fn stop_when_told(stop: &Arc<Notify>) {
    // SAFETY: the set is initialised by sigemptyset before its first use.
    let signals = unsafe {
        let mut signals = std::mem::zeroed();
        libc::sigemptyset(&mut signals);
        libc::sigaddset(&mut signals, libc::SIGTERM);
        libc::sigaddset(&mut signals, libc::SIGINT);
        libc::pthread_sigmask(libc::SIG_BLOCK, &signals, std::ptr::null_mut());
        signals
    };
    let stopper = stop.clone();
    thread::spawn(move || {
        let mut signal = 0;
        // SAFETY: both pointers live in this frame.
        unsafe { libc::sigwait(&signals, &mut signal) };
        stopper.notify_one();
    });
    let stopper = stop.clone();
    thread::spawn(move || {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {}
        stopper.notify_one();
    });
}
