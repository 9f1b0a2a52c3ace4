//! The agent's folder: one agent at a time, and which run came before.
//!
//! The lock is a flock on `STATE/lock`, so it ends with the process whatever way that ends. `STATE/run` holds the
//! run and the last of its frames that the collector had acknowledged when it ended in order; a run that was cut off
//! leaves 0, since its spool was in memory: nothing of it is durable here.

use picket_proto::{Run, Seq};
use rustix::fs::FlockOperation;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A locked folder. Dropping it frees it.
pub(crate) struct State {
    folder: PathBuf,
    _lock: File,
}

impl State {
    /// Makes the folder if it is not there, and takes it.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] if another agent has it; else the folder can't be made.
    pub(crate) fn take(folder: &Path) -> io::Result<Self> {
        crate::identity::make_private_folder(folder)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join("lock"))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { folder: folder.to_path_buf(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let told = format!("another agent works with {}", folder.display());
                Err(io::Error::new(io::ErrorKind::ResourceBusy, told))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The run before, where it is known.
    pub(crate) fn previous(&self) -> Option<(Run, Seq)> {
        let text = std::fs::read_to_string(self.folder.join("run")).ok()?;
        let (run, seq) = text.trim().split_once(' ')?;
        Some((Run(u64::from_str_radix(run, 16).ok()?), Seq(seq.parse().ok()?)))
    }

    /// Keeps which run this is, and what the collector has acknowledged of it without a hole.
    ///
    /// # Errors
    /// It can't be written; what was there before still stands.
    pub(crate) fn keep(&self, run: Run, acked: Seq) -> io::Result<()> {
        let new = self.folder.join("run.new");
        std::fs::write(&new, format!("{run} {acked}\n"))?;
        std::fs::rename(new, self.folder.join("run"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_agent_on_the_same_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = State::take(folder.path()).unwrap();
        let second = State::take(folder.path()).map(|_| ()).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::ResourceBusy);
        drop(first);
        assert!(State::take(folder.path()).is_ok());
    }

    #[test]
    fn the_run_before_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::take(folder.path()).unwrap();
        assert_eq!(state.previous(), None);
        state.keep(Run(u64::MAX - 5), Seq(17)).unwrap();
        assert_eq!(state.previous(), Some((Run(u64::MAX - 5), Seq(17))));
    }
}
