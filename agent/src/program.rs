//! Programs of the operator's own (plugins, drills), each as its own user and within bounds. Blocks: for threads.
//!
//! | bound | why |
//! |---|---|
//! | its time, then SIGTERM, after 400 ms SIGKILL to its whole process group | the next look is due; a plugin may want to tidy up |
//! | 64 KiB of what it prints are kept, the rest is read and dropped | a pipe that nobody reads would stop it |
//! | at 1 MiB it is killed | it will not end by itself |
//! | one at a time per [`Seat`], until it is gone | one that can't be killed (an uninterruptible wait) must not pile up |
//!
//! It gets no input, `/` as its folder, a session of its own (no controlling terminal), umask 022, no descriptor but
//! its three, 1,024 open files, no core dumps, five steps of niceness (it must not starve what it watches), the first
//! place when memory is short, and an environment of `PATH`, `LC_ALL=C`, `HOME`, `USER`, `LOGNAME` and what the file
//! adds. Its errors are dropped.
//!
//! What it leaves in its process group is killed when it ends. What has left the group and can still write to the pipe
//! is found in `/proc` by that and killed too. A daemon that left the group and closed the pipe wanted to stay, and stays.

mod hold;
mod user;

use crate::clock;
use crate::config::Program;
use crate::follow::Followed;
use picket_proto::{Mono, Span};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
pub(crate) use user::Guest;

/// A thread calls nothing deep; what it never touches costs nothing.
const STACK: usize = 128 * 1024;
/// How many bytes are kept.
const KEPT: usize = 64 * 1024;
/// How many bytes it may print.
const MOST: usize = 1024 * 1024;
/// From SIGTERM to SIGKILL, and for its pipe to close once all that holds it should be gone.
const GRACE: Span = Span::from_millis(400);
/// How much later than its time the thread may tell of it.
pub(crate) const SPARE: Duration = Duration::from_millis(300);

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Status(i32),
    Signal(i32),
    /// It did not end in its time.
    Late,
    /// It printed without end.
    Flood,
    /// It could not be started: the errno, and why in words.
    NotStarted(i32, String),
    /// The one before it can't be killed.
    Taken,
}

/// What came of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) end: End,
    /// What it printed, 64 KiB at most.
    pub(crate) printed: Vec<u8>,
}

impl Ran {
    const fn without_words(end: End) -> Self {
        Self { end, printed: Vec::new() }
    }

    fn unstarted(error: &io::Error) -> Self {
        let errno = error.raw_os_error().unwrap_or(libc::EPERM);
        Self::without_words(End::NotStarted(errno, error.to_string()))
    }
}

/// A place for one program at a time.
#[derive(Debug, Clone)]
pub(crate) struct Seat(Arc<Semaphore>);

impl Default for Seat {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Seat {
    /// Runs it in a thread of its own once the one before is gone, which is waited for no longer than `time`.
    pub(crate) async fn run(self, program: Program, time: Duration) -> Ran {
        let Ok(Ok(place)) = timeout(time, self.0.acquire_owned()).await else {
            return Ran::without_words(End::Taken);
        };
        let (tell, told) = oneshot::channel();
        let thread = std::thread::Builder::new().name("program".to_owned()).stack_size(STACK);
        if let Err(error) = thread.spawn(move || {
            watch(&program, time, |_| (), tell);
            drop(place);
        }) {
            return Ran::unstarted(&error);
        }
        // The thread keeps the time; this is for a start that hangs, where the program's disk does.
        match timeout(time + SPARE, told).await {
            Ok(Ok(ran)) => ran,
            Ok(Err(_)) | Err(_) => Ran::without_words(End::Late),
        }
    }

    /// Whether a program is on its way, or can't be killed.
    pub(crate) fn is_taken(&self) -> bool {
        self.0.available_permits() == 0
    }

    /// Begins it in a thread of its own, unless one is on its way; `started` gets its process, `then` what came of it.
    pub(crate) fn begin(
        &self,
        program: Program,
        time: Duration,
        started: impl FnOnce(Pid) + Send + 'static,
        then: impl FnOnce(Ran) + Send + 'static,
    ) {
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else { return };
        let thread = std::thread::Builder::new().name("program".to_owned()).stack_size(STACK);
        let begun = thread.spawn(move || {
            let (tell, mut told) = oneshot::channel();
            watch(&program, time, started, tell);
            then(told.try_recv().unwrap_or_else(|_| Ran::without_words(End::Late)));
            drop(place);
        });
        if let Err(error) = begun {
            tracing::warn!(%error, "a thread for a program can't be made");
        }
    }
}

fn watch(program: &Program, time: Duration, started: impl FnOnce(Pid), tell: oneshot::Sender<Ran>) {
    let begun = clock::now().mono;
    match start(program) {
        Ok(mut run) => {
            started(run.pid);
            run.see_it_end(begun.plus(Span::from_micros(micros(time))), tell);
        }
        Err(error) => {
            let _nobody_may_listen_any_more = tell.send(Ran::unstarted(&error));
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn start(program: &Program) -> io::Result<Run> {
    let guest = Guest::find(program.user.as_deref())?;
    let (name, arguments) = program.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(name);
    command.args(arguments).current_dir("/").env_clear();
    command.env("PATH", PATH).env("LC_ALL", "C").envs(guest.env());
    command.envs(program.env.iter().map(|(key, value)| (key, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    crate::sys::host(&mut command, guest);
    let mut child = command.spawn()?;
    match (follow(&child), child.stdout.take()) {
        (Ok((pid, pidfd)), Some(out)) => {
            Ok(Run { child, pid, pidfd, out: Some(out), kept: Vec::new(), printed: 0 })
        }
        (Err(error), _) => {
            // Not followed, its end would never be seen, so it must not live.
            child.kill()?;
            child.wait()?;
            Err(error)
        }
        (Ok(_), None) => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn follow(child: &Child) -> io::Result<(Pid, Followed)> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    Ok((pid, Followed::open(pid)?))
}

/// A program that was started.
struct Run {
    child: Child,
    pid: Pid,
    pidfd: Followed,
    /// Its output until that ends.
    out: Option<ChildStdout>,
    kept: Vec<u8>,
    printed: usize,
}

impl Run {
    /// Waits for its end or makes it, and tells what came of it as soon as that is known.
    fn see_it_end(&mut self, by: Mono, tell: oneshot::Sender<Ran>) {
        let early = match self.wait(by) {
            Waited::Ended => None,
            Waited::Flooded => Some(End::Flood),
            Waited::Late => Some(End::Late),
        };
        let mut tell = Some(tell);
        if let Some(end) = early {
            self.tell(&mut tell, end);
            // Frozen ones can only end once they go on.
            self.signal(Signal::TERM);
            self.signal(Signal::CONT);
            self.wait(clock::now().mono.plus(GRACE));
        }
        // Until it is reaped its number names its group and no other.
        self.signal(Signal::KILL);
        self.clear_holders();
        let end = match self.child.wait() {
            Ok(status) => {
                status.code().map_or_else(|| End::Signal(status.signal().unwrap_or(0)), End::Status)
            }
            Err(_) => End::Signal(0),
        };
        self.tell(&mut tell, end);
    }

    fn tell(&mut self, tell: &mut Option<oneshot::Sender<Ran>>, end: End) {
        if let Some(tell) = tell.take() {
            let ran = Ran { end, printed: std::mem::take(&mut self.kept) };
            let _nobody_may_listen_any_more = tell.send(ran);
        }
    }

    fn signal(&self, signal: Signal) {
        let _the_group_may_be_gone = rustix::process::kill_process_group(self.pid, signal);
    }

    /// Reads until the program has ended and what it printed is read, or until the time is up.
    fn wait(&mut self, by: Mono) -> Waited {
        loop {
            let left = by.since(clock::now().mono);
            let (ended, readable) = self.stir(left);
            if readable {
                self.take();
            }
            if ended {
                // What it printed last is in the pipe now; others may hold that open, and are not waited for.
                while self.out.is_some() && self.stir(Span::ZERO).1 && self.printed <= MOST {
                    self.take();
                }
                return Waited::Ended;
            }
            if self.printed > MOST {
                return Waited::Flooded;
            }
            if left == Span::ZERO {
                return Waited::Late;
            }
        }
    }

    /// Waits for the end or for output: whether it has ended, and whether there is something to read.
    fn stir(&self, left: Span) -> (bool, bool) {
        let left = Timespec::try_from(left.to_duration()).ok();
        let pidfd = PollFd::new(&self.pidfd, PollFlags::IN);
        let mut both = match &self.out {
            Some(out) => vec![pidfd, PollFd::new(out, PollFlags::IN)],
            None => vec![pidfd],
        };
        if poll(&mut both, left.as_ref()).is_err() {
            return (false, false);
        }
        let stirs = |at: usize| both.get(at).is_some_and(|one| !one.revents().is_empty());
        (stirs(0), stirs(1))
    }

    fn take(&mut self) {
        let mut chunk = [0; 4096];
        let taken = self.out.as_mut().map_or(0, |out| out.read(&mut chunk).unwrap_or(0));
        if taken == 0 {
            self.out = None;
        }
        self.printed = self.printed.saturating_add(taken);
        let room = KEPT.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&chunk[..taken.min(room)]);
    }
}

/// What a wait ended with.
#[derive(Debug, PartialEq, Eq)]
enum Waited {
    Ended,
    Flooded,
    Late,
}

#[cfg(test)]
mod tests;
