//! What a blocking job did, as the kernel accounts it to its thread.

use std::cell::OnceCell;
use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::record::{now, thread_cpu};

/// When a job ran, and how long its thread was on a CPU, runnable without one, and asleep in that time.
#[derive(Clone, Copy, Debug)]
pub struct Did {
    pub begin: u64,
    pub end: u64,
    pub running: u64,
    pub run_queue: u64,
    pub blocked: u64,
}

impl Did {
    /// Does `work`.
    pub fn run(work: impl FnOnce()) -> Self {
        let (delay, begin, cpu) = (run_delay(), now(), thread_cpu());
        work();
        let (running, end, delay) = (thread_cpu() - cpu, now(), run_delay() - delay);
        let run_queue = delay.min(end - begin - running);
        Self { begin, end, running, run_queue, blocked: end - begin - running - run_queue }
    }

    pub fn json(&self) -> String {
        let Self { begin, end, running, run_queue, blocked } = self;
        format!(
            r#"{{"begin":{begin},"end":{end},"running":{running},"run_queue":{run_queue},"blocked":{blocked}}}"#
        )
    }
}

/// How long the calling thread has waited for a CPU so far, in nanoseconds.
fn run_delay() -> u64 {
    thread_local! {
        static FILE: OnceCell<File> = const { OnceCell::new() };
    }
    FILE.with(|file| {
        let file =
            file.get_or_init(|| File::open("/proc/thread-self/schedstat").expect("schedstat"));
        let mut text = [0; 96];
        let length = file.read_at(&mut text, 0).expect("schedstat");
        let words = std::str::from_utf8(&text[..length]).expect("numbers");
        words.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("three numbers")
    })
}
