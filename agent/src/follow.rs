//! A process that is followed: its end wakes whoever waits, and it is signalled as itself, never as one that got its number.
//!
//! The kernel has pidfds for that, since Linux 5.4 with all that is asked of them. Where it has none, or a container's rules
//! forbid them, a thread waits for the end and closes a pipe, whose other end wakes as a pidfd would. It waits for a child in
//! the kernel; another's process is looked at every 100 ms, so its end is seen that much later. A signal goes to a number
//! whose start time was the same just before: between the two the number could become another's, which only a pidfd rules out.
//!
//! One thread per process then, with little stack; none is left behind, as it ends with the process or, for another's, once
//! nobody follows it any more. That it is so is told once. Linux 5.3 has pidfds that can't be waited for: a child of ours keeps
//! its number until we reap it, so there it is reaped by that.

use crate::probe::process::stat;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus};
use std::io;
use std::sync::Once;

/// Enough for waiting and a line of `/proc`.
const STACK: usize = 64 * 1024;

/// How often another's process is looked at without a pidfd.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A process, by what tells of its end.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Readable, or hung up, once it has ended.
    end: OwnedFd,
    pid: Pid,
    /// When it was started, where `end` is no pidfd.
    started: Option<u64>,
}

impl Followed {
    /// Follows the process of this number; of one that is another's the caller looks afterwards whether it still is the one.
    ///
    /// # Errors
    /// There is none, or no descriptor is left.
    pub(crate) fn open(pid: Pid) -> io::Result<Self> {
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(end) => Ok(Self { end, pid, started: None }),
            Err(error @ (Errno::NOSYS | Errno::PERM)) => {
                static TOLD: Once = Once::new();
                TOLD.call_once(|| {
                    tracing::info!(%error, "no pidfds here: processes are followed by number and start time");
                });
                Self::by_number(pid)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn by_number(pid: Pid) -> io::Result<Self> {
        let started = stat(pid).ok_or(Errno::SRCH)?.started;
        let (end, open) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let thread = std::thread::Builder::new().name("end".to_owned()).stack_size(STACK);
        thread.spawn(move || wait(pid, started, &open))?;
        Ok(Self { end, pid, started: Some(started) })
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It has been reaped, or may not be signalled.
    pub(crate) fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        match self.started {
            None => rustix::process::pidfd_send_signal(&self.end, signal),
            Some(started) if stat(self.pid).is_some_and(|stat| stat.started == started) => {
                rustix::process::kill_process(self.pid, signal)
            }
            Some(_) => Err(Errno::SRCH),
        }
    }

    /// Reaps it, if it is a child and has ended.
    ///
    /// # Errors
    /// It is no child of ours.
    pub(crate) fn reap(&self) -> rustix::io::Result<Option<WaitIdStatus>> {
        self.reap_by(|who| rustix::process::waitid(who, WaitIdOptions::EXITED | WaitIdOptions::NOHANG))
    }

    fn reap_by(
        &self,
        wait: impl Fn(WaitId<'_>) -> rustix::io::Result<Option<WaitIdStatus>>,
    ) -> rustix::io::Result<Option<WaitIdStatus>> {
        if self.started.is_none() {
            match wait(WaitId::PidFd(self.end.as_fd())) {
                Err(Errno::INVAL) => {}
                done => return done,
            }
        }
        wait(WaitId::Pid(self.pid))
    }
}

impl AsFd for Followed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}

impl AsRawFd for Followed {
    fn as_raw_fd(&self) -> RawFd {
        self.end.as_raw_fd()
    }
}

/// Ends when the process has, and with it the pipe's end that its thread holds. The process stays to be reaped.
fn wait(pid: Pid, started: u64, open: &OwnedFd) {
    let to_stay = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        match rustix::process::waitid(WaitId::Pid(pid), to_stay) {
            Err(Errno::INTR) => {}
            Err(_it_is_not_ours) => break,
            Ok(_ended) => return,
        }
    }
    // The pipe tells when its other end is closed, and lets time pass until then.
    while stat(pid).is_some_and(|stat| !stat.is_dead() && stat.started == started) {
        if poll(&mut [PollFd::new(open, PollFlags::empty())], Some(&LOOK)).is_ok_and(|told| told > 0) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    fn pid_of(number: u32) -> Pid {
        Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
    }

    fn sleep() -> Child {
        Command::new("/bin/sleep").arg("1000").spawn().unwrap()
    }

    /// Whether it has ended within `seconds`.
    fn ends(process: &Followed, seconds: i64) -> bool {
        let limit = Timespec { tv_sec: seconds, tv_nsec: 0 };
        poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&limit)).unwrap() > 0
    }

    #[test]
    fn a_child_is_followed_signalled_and_reaped_with_a_pidfd_and_without() {
        for open in [Followed::open, Followed::by_number] {
            let mut child = sleep();
            let process = open(pid_of(child.id())).unwrap();
            assert!(process.reap().unwrap().is_none());
            assert!(!ends(&process, 0));
            process.signal(Signal::KILL).unwrap();
            assert!(ends(&process, 20));
            process.signal(Signal::KILL).expect("it waits to be reaped");
            let status = process.reap().unwrap().unwrap();
            assert_eq!(status.terminating_signal(), Some(Signal::KILL.as_raw()));
            assert_eq!(process.signal(Signal::KILL), Err(Errno::SRCH));
            assert!(child.wait().is_err(), "it is reaped already");
        }
    }

    /// Linux 5.3 opens pidfds, and waits for none.
    #[test]
    fn a_child_is_reaped_by_number_where_pidfds_can_not_be_waited_for() {
        let mut child = sleep();
        let process = Followed::open(pid_of(child.id())).unwrap();
        process.signal(Signal::KILL).unwrap();
        assert!(ends(&process, 20));
        let reaped = process.reap_by(|who| match who {
            WaitId::PidFd(_) => Err(Errno::INVAL),
            other => rustix::process::waitid(other, WaitIdOptions::EXITED | WaitIdOptions::NOHANG),
        });
        assert_eq!(reaped.unwrap().unwrap().terminating_signal(), Some(Signal::KILL.as_raw()));
        assert!(child.wait().is_err(), "it is reaped already");
    }

    #[test]
    fn anothers_child_is_followed_and_not_reaped() {
        let script = "sleep 1000 & echo $!; wait; exec sleep 1000";
        let shell = Command::new("/bin/sh").args(["-c", script]).stdout(Stdio::piped()).spawn();
        let mut parent = shell.unwrap();
        let mut line = String::new();
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let process = Followed::by_number(pid_of(line.trim().parse().unwrap())).unwrap();
        assert!(!ends(&process, 0));
        process.signal(Signal::KILL).unwrap();
        assert!(ends(&process, 20));
        assert!(process.reap().is_err());
        parent.kill().unwrap();
        parent.wait().unwrap();
    }

    #[test]
    fn a_number_that_is_anothers_now_is_not_signalled() {
        let mut child = sleep();
        let mut process = Followed::by_number(pid_of(child.id())).unwrap();
        process.started = process.started.map(|started| started + 1);
        assert_eq!(process.signal(Signal::KILL), Err(Errno::SRCH));
        assert!(child.try_wait().unwrap().is_none(), "it lives");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
