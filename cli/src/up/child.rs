//! A child of `up`: this program under a hidden name.
//!
//! It has a process group of its own, so that Ctrl-C in the terminal reaches `up` alone and the parts end in order.
//! Its stdout is read line by line by whoever owns it; of its stderr the last [`KEPT`] lines are kept, for the case
//! that it ends by itself.

use crate::failure::Failure;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{self, ChildStderr, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Lines of stderr that are kept.
const KEPT: usize = 8;
/// How long the rest of a dead child's stderr may take: it is in the pipe already.
const REST: Duration = Duration::from_millis(500);

/// A running child.
pub(crate) struct Child {
    name: &'static str,
    process: process::Child,
    out: Option<Lines<BufReader<ChildStdout>>>,
    last: watch::Receiver<VecDeque<String>>,
    reading: JoinHandle<()>,
}

/// What comes from a child.
pub(crate) enum Word {
    /// A line of its stdout.
    Line(String),
    /// Its end; without a status if that can't be had.
    Ended(Option<ExitStatus>),
}

impl Child {
    /// Starts this program again under the hidden name `word`.
    pub(crate) fn start(name: &'static str, word: &str, args: &[OsString]) -> Result<Self, Failure> {
        let broken = |error: std::io::Error| {
            Failure::failed(
                format!("cannot start the {name}: {error}"),
                "See the limits of this user (ulimit -a).",
            )
        };
        let program = std::env::current_exe().map_err(broken)?;
        let mut process = Command::new(program)
            .arg(word)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(broken)?;
        let (seen, last) = watch::channel(VecDeque::new());
        let errors = process.stderr.take();
        let reading = tokio::spawn(async move {
            if let Some(errors) = errors {
                keep_last(errors, &seen).await;
            }
        });
        let out = process.stdout.take().map(|out| BufReader::new(out).lines());
        Ok(Self { name, process, out, last, reading })
    }

    /// Its process id, unless it has been waited for.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// The next line of its stdout, or its end once all lines are read.
    pub(crate) async fn next(&mut self) -> Word {
        let Self { process, out, .. } = self;
        tokio::select! {
            biased;
            line = line(out) => Word::Line(line),
            status = process.wait() => Word::Ended(status.ok()),
        }
    }

    /// Waits for its end, whatever it says.
    pub(crate) async fn ended(&mut self) {
        while let Word::Line(_) = self.next().await {}
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _gone_already = kill_process(pid, Signal::TERM);
        }
    }

    /// Ends it now, and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        let _gone_already = self.process.kill().await;
    }

    /// What to tell where it ended by itself.
    pub(crate) async fn epitaph(&mut self, status: Option<ExitStatus>) -> Failure {
        let _whatever_came = timeout(REST, &mut self.reading).await;
        let how = status.map_or_else(|| "ended".to_owned(), |status| format!("ended by itself ({status})"));
        let last: Vec<String> = self.last.borrow().iter().map(|line| crate::words::plain(line)).collect();
        let said = if last.is_empty() {
            String::new()
        } else {
            format!("; it said last:\n  {}\n", last.join("\n  "))
        };
        Failure::failed(format!("the {} {how}{said}", self.name), "")
    }
}

/// Waits for ever once the pipe is closed: then only the end is left to come.
async fn line(out: &mut Option<Lines<BufReader<ChildStdout>>>) -> String {
    if let Some(lines) = out
        && let Ok(Some(line)) = lines.next_line().await
    {
        return line;
    }
    *out = None;
    std::future::pending().await
}

async fn keep_last(errors: ChildStderr, seen: &watch::Sender<VecDeque<String>>) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        seen.send_modify(|last| {
            if last.len() == KEPT {
                last.pop_front();
            }
            last.push_back(line);
        });
    }
}
