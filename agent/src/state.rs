//! The agent's folder: one agent at a time, and which runs came before.
//!
//! The lock is a flock on `STATE/lock`, so it ends with the process whatever way that ends: at once, or once a program that
//! a killed agent was about to start has its own image, for which the next agent waits. `STATE/run` holds this run
//! and the number of the last frame that it made, and below it the same of every earlier run of which the collector
//! does not yet have, or know as lost, all that was made; at most 64, a line each. So whatever a killed agent takes
//! along is named in the end, also where several die in a row before one reaches the collector. The first line is
//! written over in place, in the turn that made the frame and before its line of log unless the disk hangs ([`crate::scribe`]), without fsync: the page cache
//! outlives a killed agent, and the kernel writes the one page at its own pace. After a power cut it may be older.

mod paper;

use crate::scribe::Scribe;
use paper::{Claims, Paper};
use picket_proto::{Mono, Run, Seq, Span, frame};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// How long a lock may outlive a killed agent. From clone to exec of what it was starting takes well below a millisecond, on
/// a host where everything waits for CPU some hundred.
const OUTLIVES: Duration = Duration::from_secs(2);

/// Most runs of which something is missing; the spool keeps no more either.
const RUNS: usize = 64;

/// A run and the number of the last frame that it made.
pub(crate) type Claim = (Run, Seq);

/// A locked folder. Dropping it frees it.
pub(crate) struct State {
    folder: PathBuf,
    lock: File,
}

impl Drop for State {
    /// Gives the lock back by name: a program that is just being started has a copy of the file until its exec.
    fn drop(&mut self) {
        let _goes_with_the_last_copy_else = rustix::fs::flock(&self.lock, FlockOperation::Unlock);
    }
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
        match locks(&lock, OUTLIVES) {
            Ok(()) => Ok(Self { folder: folder.to_path_buf(), lock }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let told = format!("another agent works with {}", folder.display());
                Err(io::Error::new(io::ErrorKind::ResourceBusy, told))
            }
            Err(error) => Err(lacks(&path, error)),
        }
    }

    /// The runs before that left something to claim, the newest first. Each once: the spool would ask the collector for
    /// ever what it has of the second one.
    pub(crate) fn claims(&self) -> Vec<Claim> {
        let text = std::fs::read_to_string(self.folder.join("run")).unwrap_or_default();
        let claims = text.lines().filter_map(|whole| {
            let mut words = whole.split(' ');
            let run = Run(u64::from_str_radix(words.next()?, 16).ok()?);
            let claim = (run, Seq(words.next()?.parse().ok()?));
            // A line that is not what was written claims nothing: it would name losses that never were.
            (line(claim).trim_end() == whole).then_some(claim)
        });
        let mut all: Vec<Claim> = Vec::new();
        for (run, made) in claims.filter(|(_, made)| *made > Seq(0)) {
            match all.iter().position(|(other, _)| *other == run) {
                Some(at) => all[at].1 = made.max(all[at].1),
                None if all.len() < RUNS => all.push((run, made)),
                None => break,
            }
        }
        all
    }
}

/// Whether an agent works with this folder; none where that can't be seen.
pub(crate) fn is_taken(folder: &Path) -> bool {
    // One that starts at this moment waits longer than this holds the lock.
    let Ok(lock) = File::open(folder.join("lock")) else { return false };
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
}

/// Locks it as soon as nobody else has.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] where somebody has it for as long as `limit`; else it can't be locked.
fn locks(lock: &File, limit: Duration) -> io::Result<()> {
    match rustix::fs::flock(lock, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => {}
        done => return Ok(done?),
    }
    let (tell, told) = sync_channel(1);
    let copy = lock.try_clone()?;
    // It waits on where it comes too late; what it gets then goes with its copy.
    std::thread::Builder::new().name("lock".into()).spawn(move || {
        let _nobody_waits = tell.send(rustix::fs::flock(&copy, FlockOperation::LockExclusive));
    })?;
    Ok(told.recv_timeout(limit).unwrap_or(Err(Errno::WOULDBLOCK))?)
}

/// A claim's line, always of the same length: run, number, crc32c over both.
fn line((run, made): Claim) -> String {
    let claim = format!("{run} {:020}", made.0);
    let mut crc = frame::Crc32c::new();
    crc.add(claim.as_bytes());
    format!("{claim} {:08x}\n", crc.value())
}

/// An old lock is good enough where none can be made or written, as on a file system that became read-only.
fn open_lock(path: &Path) -> io::Result<File> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.or_else(|error| File::open(path).map_err(|_| error))
}

/// What this run leaves for the next one to claim.
pub(crate) struct Legacy {
    _state: State,
    scribe: Scribe<Claims>,
    own: Claim,
    kept: Seq,
    older: Arc<[Claim]>,
}

impl Legacy {
    /// The legacy of a run that has made no frame yet, with what the runs before have left, newest first.
    ///
    /// # Errors
    /// There can be no more threads.
    pub(crate) fn new(state: State, run: Run, older: Vec<Claim>) -> io::Result<Self> {
        let mut paper = Paper::new(state.folder.clone());
        let scribe = Scribe::new("claims", move |claims| paper.write(&claims))?;
        let mut legacy =
            Self { _state: state, scribe, own: (run, Seq(0)), kept: Seq(0), older: older.into() };
        legacy.write();
        Ok(legacy)
    }

    /// These frames were made.
    pub(crate) fn made(&mut self, mut frames: &[u8]) {
        while let Ok((frame, rest)) = frame::split(frames) {
            self.own.1 = self.own.1.max(frame.header.seq);
            frames = rest;
        }
    }

    /// Gives up the claims on runs of which nothing is missing any more; at the end of every turn. For how long the disk
    /// has not answered.
    pub(crate) fn settle(&mut self, now: Mono, is_missing: impl Fn(Run) -> bool) -> Span {
        if self.older.iter().any(|(run, _)| !is_missing(*run)) {
            self.older = self.older.iter().copied().filter(|(run, _)| is_missing(*run)).collect();
            self.write();
        }
        self.scribe.turn(now)
    }

    /// Claims what was made, if that is more than is claimed already.
    pub(crate) fn keep(&mut self) {
        if self.own.1 != self.kept {
            self.write();
        }
    }

    /// The agent ends: waits for what is not written yet.
    pub(crate) fn finish(self, limit: Duration) {
        self.scribe.finish(limit);
    }

    fn write(&mut self) {
        self.kept = self.own.1;
        self.scribe.write(Claims { own: self.own, older: Arc::clone(&self.older) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::event::Began;
    use picket_proto::{BootId, Event, Fact, Stamp, Text, Wall};
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_second_agent_on_the_same_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = State::take(folder.path()).unwrap();
        let second = State::take(folder.path()).map(|_| ()).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::ResourceBusy);
        assert!(is_taken(folder.path()));
        drop(first);
        assert!(!is_taken(folder.path()) && !is_taken(&folder.path().join("nowhere")));
        assert!(State::take(folder.path()).is_ok());
    }

    /// A copy stands for the one that a program has which a killed agent was about to start.
    #[test]
    fn a_lock_that_outlives_its_agent_for_a_moment_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = open_lock(&path).unwrap();
        locks(&first, Duration::ZERO).unwrap();
        let lock = open_lock(&path).unwrap();
        assert_eq!(locks(&lock, Duration::ZERO).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let next = std::thread::spawn({
            let lock = open_lock(&path).unwrap();
            move || locks(&lock, Duration::from_secs(20))
        });
        let waits = format!(":{} 0 EOF", lock.metadata().unwrap().ino());
        let is_one = |line: &str| line.contains("-> FLOCK") && line.ends_with(&waits);
        // The one that came too late waits as well, and gives up what it gets.
        while std::fs::read_to_string("/proc/locks").unwrap().lines().filter(|line| is_one(line)).count() < 2
        {
            std::thread::yield_now();
        }
        drop((first, lock));
        next.join().unwrap().unwrap();
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
    fn what_a_killed_agent_made_is_claimed_in_the_same_turn() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::take(folder.path()).unwrap();
        assert_eq!(state.claims(), []);
        let mut legacy = Legacy::new(state, Run(u64::MAX - 5), Vec::new()).unwrap();
        legacy.made(&[frame(1), frame(2)].concat());
        legacy.keep();
        drop(legacy);
        assert_eq!(State::take(folder.path()).unwrap().claims(), [(Run(u64::MAX - 5), Seq(2))]);
    }

    #[test]
    fn a_line_that_nobody_wrote_claims_nothing_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::take(folder.path()).unwrap();
        let wild = "deadbeefdeadbeef 18446744073709551615\nno claim\n";
        std::fs::write(folder.path().join("run"), format!("{wild}{}", line((Run(7), Seq(9))))).unwrap();
        assert_eq!(state.claims(), [(Run(7), Seq(9))]);
    }

    #[test]
    fn a_run_that_stands_there_twice_is_claimed_once_as_far_as_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::take(folder.path()).unwrap();
        let lines = [(Run(7), Seq(9)), (Run(5), Seq(2)), (Run(7), Seq(12)), (Run(5), Seq(1))].map(line);
        std::fs::write(folder.path().join("run"), lines.concat()).unwrap();
        assert_eq!(state.claims(), [(Run(7), Seq(12)), (Run(5), Seq(2))]);
    }

    #[test]
    fn runs_that_die_in_a_row_stay_claimed_until_nothing_of_them_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let claims = || {
            let state = State::take(folder.path()).unwrap();
            let claims = state.claims();
            (state, claims)
        };
        for run in [Run(1), Run(2), Run(3)] {
            let (state, older) = claims();
            let mut legacy = Legacy::new(state, run, older).unwrap();
            legacy.made(&frame(run.0));
            legacy.keep();
        }
        let (state, older) = claims();
        assert_eq!(older, [(Run(3), Seq(3)), (Run(2), Seq(2)), (Run(1), Seq(1))]);
        let mut legacy = Legacy::new(state, Run(4), older).unwrap();
        legacy.settle(Mono::default(), |run| run == Run(2));
        drop(legacy);
        assert_eq!(claims().1, [(Run(2), Seq(2))], "a run that made no frame leaves nothing to claim");
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
