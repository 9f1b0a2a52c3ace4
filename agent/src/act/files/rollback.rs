//! Putting the good files back, undoing that, and being done with it: what the marks `open` and `whole` stand for.

use super::tree::{Entry, Tree};
use super::{ASIDE_MAX, Keeper, settle, store, tree};
use crate::whole;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Keeper {
    pub(super) fn roll_back(&self) -> Result<(), String> {
        self.undo()?;
        let good = self.good().ok_or("no files of it are known to be good yet")?;
        let now = tree::read(&self.roots)?;
        let changes = tree::changes(&good, &now);
        if changes.is_empty() {
            return Err("its files are those with which it was last good".to_owned());
        }
        self.put_aside(&changes).map_err(|error| format!("its files can't be put aside: {error}"))?;
        let put = settle::settle(self.at(false), changes.iter().map(|change| (change.now, change.good)));
        let put = put.map_err(|error| format!("its good files can't be put back: {error}"));
        let done = put
            .and_then(|()| {
                self.precheck().map_err(|why| format!("the precheck of its good files failed: {why}"))
            })
            .and_then(|()| {
                self.is_whole().map_err(|error| format!("that it is done can't be noted: {error}"))
            });
        if done.is_ok() {
            let files = changes.iter().map(|change| change.path().display().to_string()).collect::<Vec<_>>();
            tracing::info!(
                service = self.name,
                files = files.join(" "),
                "put back to what they were when it was last good"
            );
        }
        done.map_err(|why| match self.undo() {
            Ok(()) => why,
            Err(undo) => format!("{why}; and {undo}"),
        })
    }

    fn is_whole(&self) -> io::Result<()> {
        whole::replace(&self.folder.join("whole"), b"")?;
        store::sync(&self.folder)
    }

    /// It counts as done no more: from here on some of the files may be the newer ones again.
    fn is_begun(&self) -> io::Result<()> {
        whole::remove(&self.folder.join("whole"))?;
        store::sync(&self.folder)
    }

    /// Keeps what will be replaced, and notes what will be touched.
    pub(super) fn put_aside(&self, changes: &[tree::Change<'_>]) -> io::Result<()> {
        let numbers = store::numbers(&self.folder, "aside-");
        let next = numbers.last().map_or(1, |last| last + 1);
        let newer: Vec<&Entry> = changes.iter().filter_map(|change| change.now).collect();
        let copy = self.place("aside-", next);
        store::save_some(&copy, (&self.roots, &newer))?;
        tracing::info!(service = self.name, copy = %copy.display(), "its newer files are kept here");
        let beyond = (numbers.len() + 1).saturating_sub(ASIDE_MAX);
        numbers.iter().take(beyond).for_each(|number| self.drop_copy("aside-", *number));
        let mut open = format!("{next}\n").into_bytes();
        for change in changes {
            open.extend_from_slice(change.path().as_os_str().as_bytes());
            open.push(b'\n');
        }
        whole::remove(&self.folder.join("whole"))?;
        whole::replace(&self.folder.join("open"), &open)?;
        store::sync(&self.folder)
    }

    /// Puts the newer files back, where a rollback is open. What is no longer as that left it is somebody's own work.
    pub(super) fn undo(&self) -> Result<(), String> {
        let open = match std::fs::read(self.folder.join("open")) {
            Ok(open) => open,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return self.by_hand(None, &error.to_string()),
        };
        let mut lines = open.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let number = lines.next().and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
        let copies = number.and_then(|number| {
            Some((store::load(&self.place("aside-", number), &self.roots)?, self.good()?))
        });
        let Some((aside, good)) = copies else {
            // Trying again would find no more: it is told, and over.
            let told = self.by_hand(number, "what it replaced is damaged, or the named paths are others now");
            self.close();
            return told;
        };
        if let Err(error) = self.is_begun() {
            return self.by_hand(number, &error.to_string());
        }
        let touched: Vec<&Path> = lines.map(|line| Path::new(OsStr::from_bytes(line))).collect();
        match self.put_newer_back(&touched, &good, &aside) {
            Ok(()) => {
                self.close();
                Ok(())
            }
            Err(why) => self.by_hand(number, &why),
        }
    }

    fn put_newer_back(&self, touched: &[&Path], good: &Tree, aside: &Tree) -> Result<(), String> {
        self.at(true).clean(touched.iter().copied());
        let now = tree::read_these(&self.roots, touched)?;
        let steps = touched.iter().filter_map(|path| {
            let [is, was, newer] = [&now, good, aside].map(|tree| tree::find(tree, path));
            if is == newer {
                return None;
            }
            // An undoing that was cut off between a folder and what takes its place.
            let is_halfway = is.is_none() && was.zip(newer).is_some_and(|(was, newer)| !was.is_like(newer));
            if is != was && !is_halfway {
                tracing::warn!(service = self.name, file = %path.display(), "changed since the rollback: left as it is");
                return None;
            }
            Some((is, newer))
        });
        let steps: Vec<_> = steps.collect();
        settle::settle(self.at(true), steps.into_iter()).map_err(|error| error.to_string())
    }

    pub(super) fn at(&self, spares: bool) -> settle::Place<'_> {
        settle::Place { name: &self.name, roots: &self.roots, spares }
    }

    /// It could not be undone; what a person can do.
    fn by_hand(&self, number: Option<u32>, why: &str) -> Result<(), String> {
        let number = number.or_else(|| store::numbers(&self.folder, "aside-").pop());
        let copy = number.map_or_else(|| self.folder.clone(), |number| self.place("aside-", number));
        let copy = copy.display();
        tracing::error!(service = self.name, %copy, why, "the newer files can't be put back: copy them by hand from there");
        Err(format!("the newer files can't be put back: {why}; they are in {copy}"))
    }

    pub(super) fn close(&self) {
        // Without `open` the other says nothing.
        for mark in ["open", "whole"] {
            if let Err(error) = whole::remove(&self.folder.join(mark)) {
                tracing::warn!(service = self.name, mark, %error, "a rollback can't be closed");
            }
        }
    }
}
