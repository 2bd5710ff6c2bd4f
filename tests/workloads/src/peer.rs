//! Starts the `peer` program that lies beside the running one: the other end of a workload's sockets.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running `peer`; killed when dropped, or when the thread that started it ends.
pub struct Peer {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Peer {
    pub fn start(arguments: &[&str]) -> io::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("peer");
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        // SAFETY: the child only makes a system call before it executes the program.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            })
        };
        let mut child = command.spawn()?;
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Ok(Self { child, output })
    }

    /// The next line that it prints; empty at its end.
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_string())
    }

    /// Waits for its end; what it still printed.
    pub fn finish(&mut self) -> io::Result<String> {
        let line = self.line()?;
        match self.child.wait()? {
            status if status.success() => Ok(line),
            status => Err(io::Error::other(format!("peer: {status}"))),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Gone already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
