//! The runs before: how far each came, and what the collector has of it.

use super::super::Spool;
use super::{Late, lowest_missing};
use picket_proto::event::{Fact, Gap, GapReason};
use picket_proto::{Now, Ranges, Run, Seq, SeqRange};

/// Whose word it is what the collector has of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spool) enum Told {
    /// What was kept on the disk, if anything: it may have more.
    Kept,
    /// Its own.
    Collector,
}

/// A run that came before this one.
#[derive(Debug, Clone)]
pub struct Past {
    pub(in crate::spool) run: Run,
    /// Its highest number, as far as is known.
    pub(in crate::spool) made: Seq,
    /// What the collector has, or was told that it is lost.
    pub(in crate::spool) known: Ranges,
    pub(in crate::spool) told: Told,
    /// Why there are holes among what is on the disk.
    pub(in crate::spool) reason: GapReason,
    /// In this session, above the cap: up to here all that is critical was sent, or is not there.
    pub(super) passed: Seq,
}

impl Default for Past {
    fn default() -> Self {
        Self::new(Run(0), Seq(0))
    }
}

impl Past {
    /// A run that made frames up to this number, of which the collector may lack some.
    pub fn claimed(run: Run, made: Seq) -> Self {
        Self::new(run, made)
    }

    fn new(run: Run, made: Seq) -> Self {
        Self {
            run,
            made,
            known: Ranges::new(),
            told: Told::Kept,
            reason: GapReason::AgentEnded,
            passed: Seq(0),
        }
    }

    /// Whether every number was taken or named.
    pub(in crate::spool) fn is_done(&self) -> bool {
        let lowest = self.known.iter().next();
        self.made == Seq(0) || lowest.is_some_and(|low| low.first() == Seq::FIRST && low.last() >= self.made)
    }

    pub(super) fn missing(&self) -> Seq {
        lowest_missing(&self.known)
    }
}

impl Late<'_> {
    /// Notes that a run came at least so far. `newest` stays at the end. What has to be given up for it is returned.
    fn meet(&mut self, run: Run, made: Seq, newest: Option<Run>) -> Option<(Run, Seq)> {
        if let Some(past) = self.table[..self.count].iter_mut().find(|past| past.run == run) {
            past.made = past.made.max(made);
            return None;
        }
        let given_up = if self.count == self.table.len() { Some(self.give_up(run, made)) } else { None };
        if self.count == self.table.len() {
            return given_up;
        }
        let ends_newest = self.runs().last().is_some_and(|last| Some(last.run) == newest);
        let at = self.count - usize::from(ends_newest);
        self.table[self.count] = Past::new(run, made);
        self.count += 1;
        self.table[at..self.count].rotate_right(1);
        given_up
    }

    /// Takes out the run of the fewest numbers; that is the new one itself, if it has none more than the others.
    fn give_up(&mut self, run: Run, made: Seq) -> (Run, Seq) {
        let least = (0..self.count).min_by_key(|at| (!self.table[*at].is_done(), self.table[*at].made));
        match least {
            Some(at) if self.table[at].is_done() || self.table[at].made < made => {
                let past = (self.table[at].run, self.table[at].made);
                self.remove(at);
                past
            }
            Some(_) | None => (run, made),
        }
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.table[at..self.count].rotate_left(1);
        self.count -= 1;
    }

    /// What was kept of a run.
    pub(in crate::spool) fn recall(&mut self, run: Run, made: Seq, known: Ranges) {
        let newest = self.runs().last().map(|past| past.run);
        let _no_more_than_were_kept = self.meet(run, made, newest);
        if let Some(past) = self.table[..self.count].iter_mut().find(|past| past.run == run)
            && past.told == Told::Kept
        {
            past.known = known;
        }
    }

    /// The collector says what it has of a run; whether that is one that is kept.
    pub(in crate::spool) fn acked(&mut self, run: Run, ranges: &Ranges) -> bool {
        let Some(past) = self.table[..self.count].iter_mut().find(|past| past.run == run) else {
            return false;
        };
        (past.known, past.told) = (ranges.clone(), Told::Collector);
        self.crowded = self.crowded.filter(|crowded| *crowded != run);
        if let Some((flying, range)) = self.flying
            && flying == run
        {
            let taken = super::covers(ranges, range.first(), range.last());
            self.refusals = if taken { 0 } else { self.refusals.saturating_add(1) };
            if !taken {
                past.passed = past.passed.min(Seq(range.first().0 - 1));
            }
            self.flying = None;
        }
        true
    }

    pub(super) fn past_mut(&mut self, run: Run) -> Option<&mut Past> {
        self.table[..self.count].iter_mut().find(|past| past.run == run)
    }
}

impl Spool<'_> {
    /// Whether the collector may still lack something of an earlier run.
    pub(crate) fn misses(&self, run: Run) -> bool {
        self.late.runs().iter().any(|past| past.run == run && self.is_owed(past))
    }

    /// Whether something of an earlier run has still to arrive or to be named.
    pub(in crate::spool) fn is_owed(&self, past: &Past) -> bool {
        !past.is_done() || self.awaits_word(past)
    }

    /// Of the run before, the collector itself says what it has, once it takes our first frame: an older backup of it
    /// may have less than it once acknowledged.
    pub(super) fn awaits_word(&self, past: &Past) -> bool {
        let is_previous = self.identity.previous.is_some_and(|(run, _)| run == past.run);
        is_previous && past.told == Told::Kept && !self.acked.contains(Seq::FIRST)
    }

    /// The run before is known from the start.
    pub(in crate::spool) fn meet_previous(&mut self) {
        if let Some((run, made)) = self.identity.previous {
            let _the_first_one_has_a_place = self.late.meet(run, made, None);
        }
    }

    /// Every run that has frames on the disk is one to be brought back.
    pub(in crate::spool) fn meet_runs(&mut self, now: Now) {
        let newest = self.identity.previous.map(|(run, _)| run);
        for at in 0..self.disk.segments.parts().len() {
            let part = self.disk.segments.parts()[at];
            if part.run == self.identity.run {
                continue;
            }
            if let Some((run, made)) = self.late.meet(part.run, part.last, newest) {
                self.name_whole(now, run, made);
            }
        }
    }

    fn name_whole(&mut self, now: Now, run: Run, made: Seq) {
        if let Some(range) = SeqRange::new(Seq::FIRST, made) {
            self.append(now, Fact::Gap(Gap { run, range, reason: GapReason::SpoolFull }));
        }
    }
}
