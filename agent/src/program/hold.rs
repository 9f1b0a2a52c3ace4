//! Who can still write to a pipe: found by the pipe's number among the descriptors of all processes, and killed.
//!
//! A child of the agent has copies of all its descriptors from fork to exec, of this pipe too, and must not be killed
//! for that. Those copies are marked to be closed on exec; what a program was given as its output is not.
//!
//! Of other users' processes only root sees that; those can't be killed by anyone else either.

use super::{GRACE, Run};
use crate::clock;
use crate::probe::process;
use picket_proto::Span;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::fs::OFlags;
use rustix::process::{Pid, getpid};
use std::path::Path;

/// So many reads empty a full pipe; what fills it faster than it is read does not go on by that.
const READS: usize = 16;

impl Run {
    /// Kills what holds the pipe although the group is gone. Looks until the pipe is closed, for a while.
    pub(super) fn clear_holders(&mut self) {
        let by = clock::now().mono.plus(GRACE);
        let mut reads = 0;
        while let Some(out) = &self.out {
            let left = by.since(clock::now().mono);
            if left == Span::ZERO {
                return;
            }
            // The killed members of the group close it within a moment; what is left then has left the group.
            let moment = Timespec::try_from(left.min(Span::from_millis(20)).to_duration()).ok();
            let stirs = poll(&mut [PollFd::new(out, PollFlags::IN)], moment.as_ref());
            if stirs.is_ok_and(|stirs| stirs > 0) && reads < READS {
                self.take();
                reads += 1;
            } else {
                Holders::of(out).kill();
                reads = 0;
            }
        }
    }
}

/// The pipe, as `/proc` names it.
struct Holders {
    pipe: String,
}

impl Holders {
    /// Those that hold the writing end of this one.
    fn of(pipe: impl AsFd) -> Self {
        let number = rustix::fs::fstat(pipe).map(|stat| stat.st_ino).unwrap_or_default();
        Self { pipe: format!("pipe:[{number}]") }
    }

    /// Kills them, but never the agent itself.
    fn kill(&self) {
        let own = getpid();
        process::kill_all(|pid| pid != own && self.is_held_by(pid, own));
    }

    fn is_held_by(&self, pid: Pid, own: Pid) -> bool {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        let held = descriptors.filter_map(Result::ok).filter(|entry| {
            std::fs::read_link(entry.path()).is_ok_and(|file| file.as_os_str() == self.pipe.as_str())
        });
        let flags = held.filter_map(|entry| {
            flags(&Path::new("/proc").join(pid.to_string()).join("fdinfo").join(entry.file_name()))
        });
        let may_be_a_copy =
            || process::stat(pid).is_none_or(|stat| stat.parent == own.as_raw_nonzero().get());
        flags
            .filter(|flags| flags.intersects(OFlags::WRONLY | OFlags::RDWR))
            .any(|flags| !flags.contains(OFlags::CLOEXEC) || !may_be_a_copy())
    }
}

/// How a descriptor was opened.
fn flags(info: &Path) -> Option<OFlags> {
    let text = std::fs::read_to_string(info).ok()?;
    let octal = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
    u32::from_str_radix(octal.trim(), 8).ok().map(OFlags::from_bits_retain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn who_can_write_is_killed_and_who_only_reads_is_not() {
        let (reading, writing) = std::io::pipe().unwrap();
        let sleep = || {
            let mut command = Command::new("sleep");
            command.arg("600").stdin(Stdio::null()).stdout(Stdio::null());
            command
        };
        let mut reader = sleep().stdin(reading.try_clone().unwrap()).spawn().unwrap();
        let mut writer = sleep().stdout(writing.try_clone().unwrap()).spawn().unwrap();
        Holders::of(&reading).kill();
        let ended = writer.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(9));
        assert_eq!(reader.try_wait().unwrap(), None);
        reader.kill().unwrap();
        reader.wait().unwrap();
    }

    #[test]
    fn a_child_between_fork_and_exec_is_not_killed_for_its_copies() {
        let (reading, _writing) = std::io::pipe().unwrap();
        let holders = Holders::of(&reading);
        std::thread::scope(|scope| {
            let children = scope.spawn(|| {
                for _ in 0..200 {
                    let ended = Command::new("true").status().unwrap();
                    assert!(ended.success(), "{ended}");
                }
            });
            while !children.is_finished() {
                holders.kill();
            }
        });
    }
}
