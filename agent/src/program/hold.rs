//! Who holds the other end of a pipe: found by the pipe's number among the descriptors of all processes.
//!
//! Of other users' processes only root sees that; those can't be killed by anyone else either.

use rustix::fd::AsFd;
use rustix::process::{Pid, PidfdFlags, Signal};

/// The pipe, as `/proc` names it.
pub(super) struct Holders {
    pipe: String,
}

impl Holders {
    /// Those that hold the other end of this one.
    pub(super) fn of(pipe: impl AsFd) -> Self {
        let number = rustix::fs::fstat(pipe).map(|stat| stat.st_ino).unwrap_or_default();
        Self { pipe: format!("pipe:[{number}]") }
    }

    /// Kills them. The agent itself has the end that reads.
    pub(super) fn kill(&self) {
        let own = rustix::process::getpid();
        let Ok(all) = std::fs::read_dir("/proc") else { return };
        let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        for pid in pids.filter_map(Pid::from_raw).filter(|pid| *pid != own) {
            // Opened before looking, so that it is the one that was looked at which is killed.
            let Ok(process) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { continue };
            if self.is_held_by(pid) {
                let _gone_already = rustix::process::pidfd_send_signal(&process, Signal::KILL);
            }
        }
    }

    fn is_held_by(&self, pid: Pid) -> bool {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        let mut held = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        held.any(|file| file.as_os_str() == self.pipe.as_str())
    }
}
