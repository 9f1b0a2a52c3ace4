//! Other programs, run for what they print, within bounds: time, bytes, and how many at once.
//!
//! A thread starts each and sees it end, since that may hang where the disk of its program does; the loop never waits.
//! A place is taken until the process is gone, also where nobody listens any more: one that can't be killed (an
//! uninterruptible wait) keeps its place, so that no more of its kind pile up. What comes to more bytes than allowed is
//! cut, and the program killed. It gets no input and its errors are dropped. What it is asked and what its words mean is
//! its caller's business.

use crate::clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::Read;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

/// The thread reads and waits: it calls nothing deep.
const STACK: usize = crate::scribe::STACK;

/// How many bytes are taken at once.
const CHUNK: usize = 4096;

/// How much of a program is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// From its start to its last byte.
    pub(crate) time: Duration,
    pub(crate) bytes: usize,
}

/// Places for programs that run at once.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Semaphore>);

impl Places {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Runs it, once there is a place: what it printed. `None` if it could not be started, was killed, or ended with
    /// another status than 0, or if there was no place for as long as one may run.
    pub(crate) async fn run(&self, command: Command, bounds: Bounds) -> Option<Vec<u8>> {
        let place = timeout(bounds.time, Arc::clone(&self.0).acquire_owned()).await.ok()?.ok()?;
        let (tell, printed) = oneshot::channel();
        let name = "child".to_owned();
        let thread = std::thread::Builder::new().name(name).stack_size(STACK);
        thread.spawn(move || watch(command, bounds, tell, place)).ok()?;
        // The thread keeps the time; this is for one that hangs in the start itself.
        timeout(bounds.time * 2, printed).await.ok()?.ok()?
    }
}

/// Runs it to its end, and tells what it printed as soon as that is known.
fn watch(
    mut command: Command,
    bounds: Bounds,
    tell: oneshot::Sender<Option<Vec<u8>>>,
    _place: OwnedSemaphorePermit,
) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return };
    let printed = child.stdout.take().and_then(|out| read(out, bounds));
    let is_cut = printed.as_ref().is_none_or(|bytes| bytes.len() >= bounds.bytes);
    if is_cut {
        let _it_has_ended_if_it_can_not_be_killed = child.kill();
        let _nobody_may_listen_any_more = tell.send(printed);
        let _it_is_gone = child.wait();
    } else {
        let ended_well = child.wait().is_ok_and(|status| status.success());
        let _nobody_may_listen_any_more = tell.send(printed.filter(|_| ended_well));
    }
}

/// Its output to the end, or to as many bytes as are allowed; `None` if the time was up before.
pub(crate) fn read(mut out: impl Read + AsFd, bounds: Bounds) -> Option<Vec<u8>> {
    let begun = clock::now().mono;
    let mut bytes = Vec::new();
    let mut chunk = [0; CHUNK];
    while bytes.len() < bounds.bytes {
        let passed = Duration::from_micros(clock::now().mono.since(begun).micros());
        let left = Timespec::try_from(bounds.time.checked_sub(passed)?).ok()?;
        if poll(&mut [PollFd::new(&out, PollFlags::IN)], Some(&left)).ok()? == 0 {
            return None;
        }
        let taken = out.read(&mut chunk).ok()?;
        if taken == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..taken.min(bounds.bytes - bytes.len())]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMPLE: Bounds = Bounds { time: Duration::from_secs(20), bytes: 1024 };

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn what_a_program_prints_comes_back_and_a_failure_is_nothing() {
        let places = Places::new(1);
        assert_eq!(places.run(shell("echo well; echo ill >&2"), AMPLE).await.unwrap(), b"well\n");
        assert_eq!(places.run(shell("echo well; exit 3"), AMPLE).await, None);
        assert_eq!(places.run(Command::new("/does/not/exist"), AMPLE).await, None);
    }

    #[tokio::test]
    async fn one_that_prints_without_end_is_cut_and_ended() {
        let printed = Places::new(1).run(shell("while :; do echo again; done"), AMPLE).await.unwrap();
        assert_eq!(printed.len(), AMPLE.bytes);
    }

    #[tokio::test]
    async fn one_that_never_ends_is_killed_and_gives_its_place_back() {
        let places = Places::new(1);
        let short = Bounds { time: Duration::from_millis(50), ..AMPLE };
        assert_eq!(places.run(shell("exec sleep 600"), short).await, None);
        assert_eq!(places.run(shell("echo next"), AMPLE).await.unwrap(), b"next\n");
    }

    /// What it started may hold the pipe: that is not waited for beyond the time.
    #[tokio::test]
    async fn a_place_is_taken_until_the_process_is_gone() {
        let places = Places::new(1);
        let short = Bounds { time: Duration::from_millis(50), ..AMPLE };
        let longer = Bounds { time: Duration::from_secs(1), ..AMPLE };
        let (first, second) = tokio::join!(
            places.run(shell("exec sleep 600"), longer),
            places.run(shell("echo second"), short)
        );
        assert_eq!((first, second), (None, None), "there was no place for the second");
    }
}
