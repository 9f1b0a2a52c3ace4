//! The agent's folder: one agent at a time, and which run came before.
//!
//! The lock is a flock on `STATE/lock`, so it ends with the process whatever way that ends. `STATE/run` holds the run
//! and the number of the last frame that it made; the next run's first frame claims it, so that the collector can name
//! what it never got. It is replaced whole, at most every 100 ms and without fsync: the page cache outlives a killed
//! agent, whose claim lacks the frames of its last 100 ms at most. After a power cut the claim may be older or missing.
//! Only the run directly before is claimed: of two runs in a row that never reached the collector, the first one's
//! tail is not named.

use picket_proto::{Mono, Run, Seq, Span, frame};
use rustix::fs::FlockOperation;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How often the file is written at most.
const PACE: Span = Span::from_millis(100);

/// A locked folder. Dropping it frees it.
pub(crate) struct State {
    folder: PathBuf,
    _lock: File,
}

impl State {
    /// Makes the folder if it is not there, and takes it. Whether it can be written shows later.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] if another agent has it; else the folder or its lock is not there and can't be
    /// made: without a lock two agents would start every service twice. The text names the path.
    pub(crate) fn take(folder: &Path) -> io::Result<Self> {
        const BETTER: &str = "make room or make it writable, or give another folder with --state";
        let lacks = |path: &Path, error: io::Error| {
            io::Error::new(error.kind(), format!("{} can't be used: {error}; {BETTER}", path.display()))
        };
        let path = folder.join("lock");
        crate::identity::make_private_folder(folder).map_err(|error| lacks(folder, error))?;
        let lock = open_lock(&path).map_err(|error| lacks(&path, error))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { folder: folder.to_path_buf(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let told = format!("another agent works with {}", folder.display());
                Err(io::Error::new(io::ErrorKind::ResourceBusy, told))
            }
            Err(error) => Err(lacks(&path, error.into())),
        }
    }

    /// The run before, where it is known.
    pub(crate) fn previous(&self) -> Option<(Run, Seq)> {
        let text = std::fs::read_to_string(self.folder.join("run")).ok()?;
        let (run, seq) = text.trim().split_once(' ')?;
        Some((Run(u64::from_str_radix(run, 16).ok()?), Seq(seq.parse().ok()?)))
    }

    /// Keeps which run this is, and the number of the last frame that it made.
    ///
    /// # Errors
    /// It can't be written; what was there before still stands.
    fn keep(&self, run: Run, made: Seq) -> io::Result<()> {
        let new = self.folder.join("run.new");
        std::fs::write(&new, format!("{run} {made}\n"))?;
        std::fs::rename(new, self.folder.join("run"))
    }
}

/// An old lock is good enough where none can be made or written, as on a file system that became read-only.
fn open_lock(path: &Path) -> io::Result<File> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.or_else(|error| File::open(path).map_err(|_| error))
}

/// What this run leaves for the next one to claim.
pub(crate) struct Legacy {
    state: State,
    run: Run,
    made: Seq,
    kept: Seq,
    /// The file is not written before.
    rest: Mono,
    told: bool,
}

impl Legacy {
    /// The legacy of a run that has made no frame yet; takes the place of the run before.
    pub(crate) fn new(state: State, run: Run) -> Self {
        let mut legacy = Self { state, run, made: Seq(0), kept: Seq(0), rest: Mono::default(), told: false };
        legacy.write();
        legacy
    }

    /// These frames were made.
    pub(crate) fn made(&mut self, mut frames: &[u8]) {
        while let Ok((frame, rest)) = frame::split(frames) {
            self.made = self.made.max(frame.header.seq);
            frames = rest;
        }
    }

    /// When [`Self::keep`] has something to do.
    pub(crate) fn due(&self) -> Option<Mono> {
        (self.made != self.kept).then_some(self.rest)
    }

    /// Writes the file if that is due.
    pub(crate) fn keep(&mut self, now: Mono) {
        if self.due().is_some_and(|due| due <= now) {
            self.rest = now.plus(PACE);
            self.write();
        }
    }

    /// Writes the file for the last time, if it is not right already.
    pub(crate) fn end(mut self) {
        if self.made != self.kept {
            self.write();
        }
    }

    /// A file that can't be written is told once, and tried again with the next frame only.
    fn write(&mut self) {
        self.kept = self.made;
        match self.state.keep(self.run, self.made) {
            Ok(()) => self.told = false,
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    let file = self.state.folder.join("run");
                    tracing::warn!(file = %file.display(), %error, "the next run can't claim what of this one is lost");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::event::Began;
    use picket_proto::{BootId, Event, Fact, Stamp, Text, Wall};

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
    fn a_folder_that_can_not_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = State::take(&file.join("state")).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("file/state") && refused.contains("--state"), "{refused}");
    }

    #[test]
    fn the_run_before_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::take(folder.path()).unwrap();
        assert_eq!(state.previous(), None);
        state.keep(Run(u64::MAX - 5), Seq(17)).unwrap();
        assert_eq!(state.previous(), Some((Run(u64::MAX - 5), Seq(17))));
    }

    #[test]
    fn the_last_frame_is_kept_at_once_and_then_at_the_pace() {
        let folder = tempfile::tempdir().unwrap();
        let claim = || {
            let text = std::fs::read_to_string(folder.path().join("run")).unwrap();
            text.trim().split_once(' ').unwrap().1.parse::<u64>().unwrap()
        };
        let mut legacy = Legacy::new(State::take(folder.path()).unwrap(), Run(7));
        assert_eq!((claim(), legacy.due()), (0, None));
        let start = Mono::from_micros(5_000_000);
        legacy.made(&[frame(1), frame(2)].concat());
        legacy.keep(start);
        assert_eq!((claim(), legacy.due()), (2, None));
        legacy.made(&frame(3));
        legacy.keep(start);
        assert_eq!((claim(), legacy.due()), (2, Some(start.plus(PACE))));
        legacy.keep(start.plus(PACE));
        assert_eq!((claim(), legacy.due()), (3, None));
        legacy.made(&frame(4));
        legacy.end();
        assert_eq!(claim(), 4);
    }

    fn frame(seq: u64) -> Vec<u8> {
        let began =
            Began { boot: BootId(1), previous: None, version: Text::new("t"), checks: 0, services: 0 };
        let stamp = Stamp {
            run: Run(7),
            boot: BootId(1),
            mono: Mono::default(),
            wall: Wall::from_micros(0),
            synced: false,
        };
        let mut bytes = vec![0; frame::FRAME_MAX];
        let len = frame::encode(Seq(seq), &Event { stamp, fact: Fact::Began(began) }, &mut bytes).unwrap();
        bytes.truncate(len);
        bytes
    }
}
