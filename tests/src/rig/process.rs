//! A process that tells what it does by lines, and that ends with its handle.

use super::clock::Since;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

/// How long anything may take before a test gives up: long enough for a busy machine with two cores.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long a process that is asked to end may take before it is killed: a stop timeout of 10 s, and some more.
const GRACE: Duration = Duration::from_secs(15);

/// Lines that may wait to be read. A process that says more than that blocks, which shows in the test.
const LINES_MAX: usize = 100_000;

/// A running process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    label: String,
}

impl Process {
    /// Starts `program` with `args`; its stdout and stderr become lines.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start<S: AsRef<OsStr>>(label: &str, program: &OsStr, args: &[S]) -> Self {
        Self::spawn(label, Command::new(program).args(args))
    }

    /// Starts a prepared command.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn spawn(label: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{label} does not start: {error}"));
        let (send, lines) = sync_channel(LINES_MAX);
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|out| Box::new(out) as Box<dyn Read + Send>),
            child.stderr.take().map(|out| Box::new(out) as Box<dyn Read + Send>),
        ];
        for output in outputs.into_iter().flatten() {
            let send = send.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // A process goes on speaking when nobody listens any more.
                    let _muted = send.send(line);
                }
            });
        }
        Self { child, lines, seen: Vec::new(), label: label.to_owned() }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that contains `part`, from the lines not waited for yet.
    ///
    /// # Panics
    /// If none comes in time, with all lines so far.
    pub fn line_with(&mut self, part: &str) -> String {
        let since = Since::now();
        while let Ok(line) = self.lines.recv_timeout(since.left(PATIENCE)) {
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
        panic!("{}: no line with {part:?}; it said:\n{}", self.label, self.seen.join("\n"));
    }

    /// Listens no more: for a process that says more than [`LINES_MAX`] lines in its life, which would stop it.
    pub fn mute(&mut self) {
        self.lines = sync_channel(0).1;
    }

    /// Everything that was read so far.
    pub fn said(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    /// The lines that came since the last look; waits for the first one, but not longer than `limit`.
    pub fn lines_within(&mut self, limit: Duration) -> Vec<String> {
        let first = self.lines.recv_timeout(limit).ok();
        let lines: Vec<String> = first.into_iter().chain(self.lines.try_iter()).collect();
        self.seen.extend(lines.iter().cloned());
        lines
    }

    /// The lines that nobody has looked at yet, until the process' outputs are closed.
    pub fn last_lines(&mut self) -> Vec<String> {
        let lines: Vec<String> = self.lines.iter().collect();
        self.seen.extend(lines.iter().cloned());
        lines
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it is gone already.
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.rustix_pid(), signal).expect("the process is ours and not reaped");
    }

    /// Kills it at once and reaps it.
    pub fn kill(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// Asks it to end (SIGTERM) and waits for it.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn end(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn wait(&mut self) -> ExitStatus {
        let ended = self.ended_within(PATIENCE);
        let said = if ended { String::new() } else { self.said() };
        assert!(ended, "{} does not end; it said:\n{said}", self.label);
        self.child.wait().expect("it has ended")
    }

    fn ended_within(&self, limit: Duration) -> bool {
        let pidfd = rustix::process::pidfd_open(self.rustix_pid(), rustix::process::PidfdFlags::empty());
        let pidfd = pidfd.expect("the process is ours and not reaped");
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        let limit = Timespec { tv_sec: limit.as_secs().cast_signed(), tv_nsec: 0 };
        poll(&mut fds, Some(&limit)) == Ok(1)
    }

    fn rustix_pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    /// Asks first: an agent that is killed leaves its services, as it should, and a test that fails must leave none.
    fn drop(&mut self) {
        let asked = matches!(self.child.try_wait(), Ok(None))
            && rustix::process::kill_process(self.rustix_pid(), Signal::TERM).is_ok();
        if asked {
            let _ended_or_too_slow = self.ended_within(GRACE);
        }
        self.kill();
        if thread::panicking() {
            let said = self.said();
            println!("--- {} said:\n{said}", self.label);
        }
    }
}
