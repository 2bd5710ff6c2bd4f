//! The command line that all workloads share, and the runtime that it asks for.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::exit;
use std::str::FromStr;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    Multi,
    Current,
}

pub struct Options {
    pub program: &'static str,
    pub flavor: Flavor,
    pub workers: usize,
    /// Words that are not options, in order: the mode and its arguments.
    pub words: Vec<String>,
    usage: &'static str,
    values: HashMap<String, String>,
    start: u64,
}

const COMMON_VALUES: [&str; 5] = ["--seconds", "--rounds", "--truth", "--flavor", "--workers"];
const COMMON: &str =
    "[--seconds S | --rounds N] [--truth FILE] [--wait] [--flavor multi|current] [--workers N]";

impl Options {
    /// Parses the command line; `values` and `switches` are the program's own options.
    /// Wrong use ends the process with status 2.
    pub fn parse(
        program: &'static str,
        usage: &'static str,
        values: &[&str],
        switches: &[&str],
    ) -> Self {
        let mut options = Self {
            program,
            flavor: Flavor::Multi,
            workers: 2,
            words: Vec::new(),
            usage,
            values: HashMap::new(),
            start: 0,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let name = argument.as_str();
            if COMMON_VALUES.contains(&name) || values.contains(&name) {
                match arguments.next() {
                    Some(value) => options.values.insert(argument, value),
                    None => options.fail(&format!("{name} needs a value")),
                };
            } else if name == "--wait" || switches.contains(&name) {
                options.values.insert(argument, String::new());
            } else if name.starts_with('-') {
                options.fail(&format!("unknown option {name}"));
            } else {
                options.words.push(argument);
            }
        }
        options.flavor = match options.values.get("--flavor").map(String::as_str) {
            None | Some("multi") => Flavor::Multi,
            Some("current") => Flavor::Current,
            Some(other) => options.fail(&format!("unknown flavor {other}")),
        };
        options.workers = options.get("--workers").unwrap_or(2);
        options
    }

    /// Says what is wrong and how the program is used, and ends the process.
    pub fn fail(&self, message: &str) -> ! {
        eprintln!("{}: {message}", self.program);
        eprintln!("usage: {} {} {COMMON}", self.program, self.usage);
        exit(2)
    }

    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub fn get<T: FromStr>(&self, name: &str) -> Option<T> {
        let value = self.values.get(name)?;
        match value.parse() {
            Ok(value) => Some(value),
            Err(_) => self.fail(&format!("{name}: cannot use {value}")),
        }
    }

    pub fn seconds(&self) -> Option<Duration> {
        self.get("--seconds").map(Duration::from_secs_f64)
    }

    /// `--rounds`, or as many rounds of length `one` as fill `--seconds`, or `default`.
    pub fn rounds(&self, default: u64, one: Duration) -> u64 {
        let filling = |all: Duration| (all.as_nanos() / one.as_nanos()).max(1) as u64;
        self.get("--rounds").or(self.seconds().map(filling)).unwrap_or(default)
    }

    /// Turns the notes on if `--truth` asks for them, and waits for a profiler if `--wait` does.
    pub fn ready(&mut self) {
        if self.has("--truth") {
            crate::enable();
        }
        if self.has("--wait") {
            println!("ready");
            std::io::stdout().flush().expect("standard output");
            let mut byte = [0];
            std::io::stdin().read_exact(&mut byte).expect("one byte on standard input");
        }
        self.start = crate::now();
    }

    pub fn runtime(&self) -> Runtime {
        self.builder().build().expect("a tokio runtime")
    }

    /// The same before it is built.
    pub fn builder(&self) -> Builder {
        let mut builder = match self.flavor {
            Flavor::Multi => Builder::new_multi_thread(),
            Flavor::Current => Builder::new_current_thread(),
        };
        #[cfg(tokio_unstable)]
        builder.on_before_task_poll(|task| crate::record::polled(task.id()));
        builder.worker_threads(self.workers).enable_all();
        builder
    }

    /// Writes the truth file, if one was asked for.
    pub fn finish(&self) {
        let Some(path) = self.get::<PathBuf>("--truth") else { return };
        let (flavor, workers) = match self.flavor {
            Flavor::Multi => ("multi", self.workers),
            Flavor::Current => ("current", 1),
        };
        let run = format!(
            r#"{{"t":"run","program":"{}","pid":{},"flavor":"{flavor}","workers":{workers},"start":{},"end":{}}}"#,
            self.program,
            std::process::id(),
            self.start,
            crate::now()
        );
        if let Err(error) = crate::write(&path, &run) {
            eprintln!("{}: {}: {error}", self.program, path.display());
            exit(1);
        }
    }
}
