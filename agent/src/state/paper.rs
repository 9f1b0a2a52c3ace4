//! The file `STATE/run`: this run's claim in the first line, those of earlier runs below it.

use super::{Claim, RUNS, line};
use crate::scribe::Order;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

/// A run's own claim and those of the runs before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) own: Claim,
    pub(super) older: Arc<[Claim]>,
}

impl Order for Claims {
    /// The newest says all that an older one does.
    fn then(self, newer: Self) -> Self {
        newer
    }
}

/// The file.
pub(super) struct Paper {
    folder: PathBuf,
    file: Option<File>,
    /// What stands in the file below the first line.
    older: Arc<[Claim]>,
    told: bool,
}

impl Paper {
    /// The file in this folder; it is made by the first write.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, file: None, older: Arc::new([]), told: false }
    }

    /// Writes the claims: over the first line where only that has changed.
    pub(super) fn write(&mut self, claims: &Claims) {
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
    use crate::scribe::Scribe;
    use picket_proto::{Run, Seq, Span};

    fn claims(seq: u64) -> Claims {
        Claims { own: (Run(7), Seq(seq)), older: Arc::new([]) }
    }

    /// A named pipe without a reader can't be opened for writing: what a disk does that hangs.
    #[test]
    fn a_disk_that_hung_has_the_newest_claim_when_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, run) = (folder.path().join("run.new"), folder.path().join("run"));
        crate::open::fifo(&pipe);
        let mut paper = Paper::new(folder.path().to_path_buf());
        let mut scribe = Scribe::new("claims", move |claims| paper.write(&claims)).unwrap();
        let begun = clock::now().mono;
        (1..=1_000).for_each(|seq| scribe.write(claims(seq)));
        let _reader = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        let is_written =
            || run.is_file() && std::fs::read_to_string(&run).unwrap() == line(claims(1_000).own);
        while !is_written() {
            scribe.turn(begun);
            let waited = clock::now().mono.since(begun);
            assert!(waited < Span::from_secs(20), "the newest claim is not written");
            std::thread::yield_now();
        }
    }
}
