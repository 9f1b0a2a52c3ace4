//! Claims are written by a thread of their own: a disk that hangs must not hold up the loop, which heals.
//!
//! The loop waits for a claim to be written, since a killed agent's next run is to find it; usually that takes
//! microseconds. It waits for 50 ms at most, as long as a probe's answer may wait unread, and not again until the
//! thread has caught up. One claim is with the thread, one in the channel before it, and behind them only the newest is
//! kept: it says all that an older one does. A process that ends while its disk hangs is gone only when the kernel lets go of
//! the thread.

use super::{Claim, RUNS, line};
use picket_proto::{Mono, Span};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// The longest that the loop waits.
const WAIT: Duration = Duration::from_millis(50);
/// The thread calls nothing deep.
const STACK: usize = 64 * 1024;

/// A run's own claim and those of the runs before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) own: Claim,
    pub(super) older: Arc<[Claim]>,
}

/// The loop's end.
pub(super) struct Scribe {
    orders: SyncSender<Claims>,
    done: Receiver<()>,
    /// How many are with the thread or in the channel before it.
    out: usize,
    /// The newest that there was no place for.
    owed: Option<Claims>,
    /// Since when the thread is behind, as the loop has seen it.
    behind: Option<Mono>,
}

impl Scribe {
    /// Begins, with the folder that the file is in.
    ///
    /// # Errors
    /// There can be no more threads.
    pub(super) fn new(folder: PathBuf) -> io::Result<Self> {
        let ((orders, ordered), (tell, done)) = (sync_channel::<Claims>(1), sync_channel(2));
        let mut paper = Paper { folder, file: None, older: Arc::new([]), told: false };
        let thread = std::thread::Builder::new().name("claims".to_owned()).stack_size(STACK);
        thread.spawn(move || {
            for claims in ordered {
                paper.write(&claims);
                if tell.send(()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders, done, out: 0, owed: None, behind: None })
    }

    /// Has these claims written; they are, as a rule, when this returns.
    pub(super) fn write(&mut self, claims: Claims) {
        self.owed = Some(claims);
        self.catch_up();
        let is_first = self.out == 1 && self.owed.is_none();
        if is_first && self.done.recv_timeout(WAIT).is_ok() {
            self.out = 0;
        }
    }

    /// Hands on what there was no place for. For how long the thread has been behind.
    pub(super) fn turn(&mut self, now: Mono) -> Span {
        self.catch_up();
        self.behind = if self.out == 0 { None } else { self.behind.or(Some(now)) };
        self.behind.map_or(Span::ZERO, |behind| now.since(behind))
    }

    /// Waits until all is written, for so long at most.
    pub(super) fn finish(mut self, limit: Duration) {
        self.catch_up();
        while self.out > 0 && self.done.recv_timeout(limit).is_ok() {
            self.out -= 1;
            self.catch_up();
        }
    }

    fn catch_up(&mut self) {
        self.out -= self.done.try_iter().count();
        let Some(claims) = self.owed.take() else { return };
        match self.orders.try_send(claims) {
            Ok(()) => self.out += 1,
            Err(TrySendError::Full(claims) | TrySendError::Disconnected(claims)) => self.owed = Some(claims),
        }
    }
}

/// The thread's end.
struct Paper {
    folder: PathBuf,
    file: Option<File>,
    /// What stands in the file below the first line.
    older: Arc<[Claim]>,
    told: bool,
}

impl Paper {
    fn write(&mut self, claims: &Claims) {
        let file = self.file.as_ref().filter(|_| self.older == claims.older);
        let written = file.is_some_and(|file| file.write_all_at(line(claims.own).as_bytes(), 0).is_ok());
        if !written {
            self.anew(claims);
        }
    }

    /// A file that can't be written is told once, and tried again with the next frame only.
    fn anew(&mut self, claims: &Claims) {
        self.file = match self.replace(claims) {
            Ok(file) => {
                (self.told, self.older) = (false, Arc::clone(&claims.older));
                Some(file)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    let file = self.folder.join("run");
                    tracing::warn!(file = %file.display(), %error, "the next run can't claim what of this one is lost");
                }
                None
            }
        };
    }

    /// Writes all claims anew and opens the file for the first one to be written over.
    ///
    /// # Errors
    /// It can't be written; what was there before still stands.
    fn replace(&self, claims: &Claims) -> io::Result<File> {
        let new = self.folder.join("run.new");
        let all = std::iter::once(claims.own).chain(claims.older.iter().copied());
        std::fs::write(&new, all.take(RUNS).map(line).collect::<String>())?;
        let file = OpenOptions::new().write(true).open(&new)?;
        std::fs::rename(new, self.folder.join("run"))?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use picket_proto::{Run, Seq};

    fn claims(seq: u64) -> Claims {
        Claims { own: (Run(7), Seq(seq)), older: Arc::new([]) }
    }

    /// A named pipe without a reader can't be opened for writing: what a disk does that hangs.
    #[test]
    fn a_disk_that_hangs_is_waited_for_once_and_has_the_newest_claim_when_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, run) = (folder.path().join("run.new"), folder.path().join("run"));
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let mut scribe = Scribe::new(folder.path().to_path_buf()).unwrap();
        let begun = clock::now().mono;
        (1..=1_000).for_each(|seq| scribe.write(claims(seq)));
        let took = Duration::from_micros(clock::now().mono.since(begun).micros());
        assert!((WAIT..WAIT * 20).contains(&took), "the first one is waited for, and no other: {took:?}");
        let is_written =
            || run.is_file() && std::fs::read_to_string(&run).unwrap() == line(claims(1_000).own);
        scribe.turn(begun);
        assert_eq!(
            scribe.turn(begun.plus(Span::from_secs(9))),
            Span::from_secs(9),
            "it is known for how long"
        );
        let _reader = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        while !is_written() {
            scribe.turn(begun);
            let waited = clock::now().mono.since(begun);
            assert!(waited < Span::from_secs(20), "the newest claim is not written");
            std::thread::yield_now();
        }
        assert_eq!(scribe.turn(begun), Span::ZERO);
    }
}
