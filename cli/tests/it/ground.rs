//! What these tests stand on: the real binary as a child with its lines read by a deadline, and folders that go away.
//!
//! Nothing sleeps: a test waits for a line, an exit or a pidfd, and fails with all that was said when it does not come.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long anything may take: far beyond what it takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// `picket` that finds nothing of this user's but what lies in `home`.
pub(crate) fn picket(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picket"));
    command
        .env("XDG_RUNTIME_DIR", home)
        .env("TZ", "UTC")
        .env_remove("PICKET_COLLECTOR")
        .env_remove("PICKET_CREDENTIALS")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(home: &Path, args: &[&str]) -> Output {
    picket(home).args(args).output().unwrap()
}

/// What it printed, after it ended well.
pub(crate) fn text(home: &Path, args: &[&str]) -> String {
    let output = run(home, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The document that it printed.
pub(crate) fn document(home: &Path, args: &[&str]) -> Value {
    let text = text(home, args);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
}

/// What it said on stderr, and its status, after it failed.
pub(crate) fn failure(home: &Path, args: &[&str]) -> (i32, String) {
    let output = run(home, args);
    assert!(output.stdout.is_empty(), "{args:?} printed {}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A child whose lines are waited for. It is killed when the test drops it.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let (out, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let streams: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(errors)];
        for stream in streams {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _the_test_is_over = send.send(line);
                }
            });
        }
        Self { child, lines, seen: Vec::new() }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// Waits for a line with `part` in it.
    pub(crate) fn line(&mut self, part: &str) -> String {
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(end) => panic!("no line with {part:?} ({end}); seen:\n{}", self.seen.join("\n")),
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for its end; the answer is its status and every line that it said.
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        ended(&pidfd_open(self.pid(), PidfdFlags::empty()).unwrap(), "the program");
        let status = self.child.wait().unwrap();
        self.seen.extend(self.lines.iter());
        (status, self.seen.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// A handle on a process that may be another's child.
pub(crate) fn handle(pid: i32) -> OwnedFd {
    pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap()
}

/// Waits until the process is gone.
pub(crate) fn ended(process: &OwnedFd, what: &str) {
    let limit = DEADLINE.try_into().unwrap();
    let ready = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&limit)).unwrap();
    assert_eq!(ready, 1, "{what} did not end in time");
}

/// The processes whose command line names `folder`.
pub(crate) fn processes_naming(folder: &Path) -> Vec<i32> {
    let folder = folder.to_str().unwrap();
    let pids =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|words| String::from_utf8_lossy(&words).contains(folder))
    })
    .collect()
}

/// The pid in a line such as "napper started (pid 4711)".
pub(crate) fn pid_in(line: &str) -> i32 {
    let (_, rest) = line.split_once("(pid ").unwrap_or_else(|| panic!("no pid in {line:?}"));
    rest.split_once(')').unwrap().0.parse().unwrap()
}
