//! What each run owes: numbers that must arrive or be named, and durable ones that must arrive.

use super::Truth;
use crate::sim::host::Host;
use picket_proto::{Run, Seq};
use std::collections::{BTreeMap, BTreeSet};

impl Truth {
    /// The disk said that these are durable.
    pub(in crate::sim) fn synced(&mut self, frames: &[(Run, Seq)]) {
        for (run, seq) in frames {
            if let Some(made) = self.made.get_mut(run) {
                made.synced.put(seq.0);
            }
        }
    }

    /// These went with their segment.
    pub(in crate::sim) fn dropped(&mut self, frames: &[(Run, Seq)]) {
        for (run, seq) in frames {
            if let Some(made) = self.made.get_mut(run) {
                made.dropped.put(seq.0);
            }
        }
    }

    /// A run is over: how far it must be accounted for.
    pub(in crate::sim) fn ends(&mut self, at: usize, host: &Host<'_>, run: Run) {
        self.shadows.ends(run);
        // A run learns what a backup lost of itself and of the one before. Of what came before that nobody asks.
        if let Some(unsure) = self.unsure.get(&at).filter(|unsure| !unsure.contains(&run)) {
            self.owed.retain(|run, _| !unsure.contains(run));
        }
        // What a process takes along that could not write, nobody can name.
        self.owed.insert(run, host.disk.highest(run).max(host.disk.claimed(run)));
    }

    /// After a power cut the claims may be older: an earlier run is owed as far as anything tells of it.
    pub(in crate::sim) fn owe_less(&mut self, host: &Host<'_>, at: usize) {
        let runs: Vec<Run> =
            self.made.iter().filter(|(_, made)| made.host == at).map(|(run, _)| *run).collect();
        for run in runs {
            let told = host.disk.highest(run).max(host.disk.claimed(run));
            if let Some(owed) = self.owed.get_mut(&run) {
                *owed = told.min(*owed);
            }
        }
    }

    /// A run goes on from an earlier moment: what it makes from now on may be other frames under the same numbers.
    pub(in crate::sim) fn forked(&mut self, run: Run) {
        self.owed.remove(&run);
        self.forks.insert(run);
        self.shadows.forked(&self.twins);
    }

    /// After a backup was restored, runs that are over and that no disk tells of are owed no more.
    pub(in crate::sim) fn forgive(&mut self, hosts: &[Host<'_>]) {
        let claimed = |host: &Host<'_>| host.disk.claims.iter().map(|(run, _)| *run).collect::<BTreeSet<_>>();
        let unsure: BTreeMap<_, _> = hosts.iter().map(claimed).enumerate().collect();
        let asked_twice = |run: &Run| self.unsure.values().any(|before| before.contains(run));
        self.owed.retain(|run, _| unsure.values().any(|claimed| claimed.contains(run)) && !asked_twice(run));
        self.unsure = unsure;
    }

    /// Something that is neither journaled nor named and that a run owes; nothing where all is accounted for.
    pub(in crate::sim) fn unaccounted(&self, running: &BTreeMap<Run, u64>) -> Option<String> {
        let mut owed = self.owed.iter().chain(running);
        owed.find_map(|(run, owed)| {
            let made = self.made.get(run)?;
            if self.doubled.contains(&made.host) {
                return None;
            }
            let lacks = self.books.iter().map(|book| book.lacks(*run, *owed)).min_by_key(Option::is_some)?;
            lacks.map(|seq| {
                format!(
                    "number {seq} of run {run} (host {}, {owed} owed) is neither journaled nor named",
                    made.host
                )
            })
        })
    }

    /// Something that was durable on a sound disk, is journaled nowhere, and that no full spool gave up.
    pub(in crate::sim) fn durable_but_lost(&self) -> Option<String> {
        self.made.iter().filter(|(_, made)| !self.unsound.contains(&made.host)).find_map(|(run, made)| {
            let lost = self
                .books
                .iter()
                .map(|book| book.lost(*run, (&made.synced, &made.dropped)))
                .min_by_key(Option::is_some)??;
            Some(format!("number {lost} of run {run} (host {}) was durable and never arrived", made.host))
        })
    }
}
