//! What of each unit is to be read: a table that signals mark and readings clear.

#![expect(
    clippy::disallowed_types,
    reason = "the marks are shared with tasks of one thread, and held for a few instructions, never while waiting"
)]

use super::super::{Told, read};
use picket_agent_core::unit::{Dones, UnitIx, Wake};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc};
use zbus::Connection;

/// What of a unit is to be read.
#[derive(Debug, Default)]
pub(super) struct Mark {
    pub(super) name: Option<String>,
    /// The object that its signals come from; an alias has its unit's.
    pub(super) path: String,
    wake: Option<Wake>,
    reading: bool,
    pub(super) done: Dones,
}

/// The marks of all units, shared by the reader and the readings.
pub(in crate::sd) struct Watch {
    marks: Mutex<Vec<Mark>>,
    pub(super) marked: Notify,
    pub(super) facts: mpsc::Sender<Told>,
    pub(super) connection: Mutex<Option<Connection>>,
    /// Told when the list of units may have changed; many at once count as one.
    pub(super) stirs: Arc<Notify>,
}

impl Watch {
    pub(in crate::sd) fn new(
        names: Arc<[Option<String>]>,
        facts: mpsc::Sender<Told>,
        stirs: Arc<Notify>,
    ) -> Arc<Self> {
        let mark = |name: &Option<String>| Mark {
            name: name.clone(),
            path: name.as_deref().map(read::path_of).unwrap_or_default(),
            ..Mark::default()
        };
        let marks = Mutex::new(names.iter().map(mark).collect());
        Arc::new(Self { marks, marked: Notify::new(), facts, connection: Mutex::new(None), stirs })
    }

    /// The units are these now, by their places; the names that are new. A unit keeps what is marked of it.
    pub(super) fn anew(&self, names: &[Option<String>]) -> Vec<String> {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.resize_with(names.len(), Mark::default);
        let mut new = Vec::new();
        for (mark, name) in marks.iter_mut().zip(names).filter(|(mark, name)| mark.name != **name) {
            new.extend(name.clone());
            // A reading that is out frees the mark when it is done.
            let reading = mark.reading;
            let path = name.as_deref().map(read::path_of).unwrap_or_default();
            *mark = Mark { name: name.clone(), path, reading, ..Mark::default() };
        }
        new
    }

    /// Changes marks; `change` says of each whether it is to be read.
    pub(super) fn mark(&self, wake: Wake, mut change: impl FnMut(&mut Mark) -> bool) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        for mark in marks.iter_mut().filter(|mark| mark.name.is_some()) {
            if change(mark) {
                // What a signal has told is no difference that a look finds.
                mark.wake = if mark.wake == Some(Wake::Signal) { mark.wake } else { Some(wake) };
            }
        }
        self.marked.notify_one();
    }

    /// The next unit to read: its number, its object, why.
    pub(super) fn next(&self) -> Option<(UnitIx, String, Wake)> {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, mark) =
            marks.iter_mut().enumerate().find(|(_, mark)| !mark.reading && mark.wake.is_some())?;
        mark.reading = true;
        let wake = mark.wake.take()?;
        Some((UnitIx::try_from(at).ok()?, mark.path.clone(), wake))
    }

    /// The mark that came while a unit was read.
    pub(super) fn overtaken(&self, unit: UnitIx) -> Option<Wake> {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.get_mut(usize::from(unit))?.wake.take()
    }

    /// A unit was read: the jobs that ended before.
    pub(super) fn taken(&self, unit: UnitIx, id: &str) -> Dones {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mark) = marks.get_mut(usize::from(unit)) else { return Dones::default() };
        mark.path = read::path_of(id);
        std::mem::take(&mut mark.done)
    }

    /// The next reading of it may begin.
    pub(super) fn free(&self, unit: UnitIx) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mark) = marks.get_mut(usize::from(unit)) {
            mark.reading = false;
        }
        self.marked.notify_one();
    }

    /// The names of all units.
    pub(super) fn names(&self) -> Vec<String> {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.iter().filter_map(|mark| mark.name.clone()).collect()
    }
}
