//! Naming what is lost of earlier runs: which holes, why, and when a name counts.

use super::super::{Rank, Spool};
use super::bring::{Look, MOST};
use super::{Told, lowest_missing};
use picket_proto::event::{Fact, Gap, GapReason};
use picket_proto::{Now, Ranges, Run, Seq, SeqRange};

impl Spool<'_> {
    /// Names what is nowhere, lowest first; false, since their acks must be waited for.
    pub(super) fn name_holes(
        &mut self,
        now: Now,
        (run, made, told): (Run, Seq, Told),
        known: &Ranges,
    ) -> bool {
        let mut all = known.clone();
        // The first name touches what is known, so it always fits.
        while (self.late.naming.is_empty() || all.iter().count() <= MOST) && !self.late.naming.is_full() {
            let missing = lowest_missing(&all);
            if missing > made || !self.fits(self.capacity(Rank::Critical), 0) {
                break;
            }
            let next = all
                .iter()
                .map(SeqRange::first)
                .find(|first| *first > missing)
                .filter(|_| told == Told::Collector);
            let (upto, reason) = match self.look_past(run, missing) {
                Look::Unread => break,
                Look::Frame { seq, .. } if seq == missing => {
                    if !self.skip_page(run, missing, &mut all) {
                        break;
                    }
                    continue;
                }
                Look::Frame { seq, .. } => (Seq(seq.0 - 1), self.reason_of(run)),
                Look::Nothing => (made, self.reason_at(run, missing)),
            };
            let last = next.map_or(upto, |next| upto.min(Seq(next.0 - 1))).min(made);
            let Some(range) = SeqRange::new(missing, last) else { break };
            if all.insert(range).is_err() {
                break;
            }
            self.append(now, Fact::Gap(Gap { run, range, reason }));
            let _checked_above = self.late.naming.push((run, range, self.last));
        }
        false
    }

    /// The collector takes neither these nor says that it has them: they are given up.
    pub(super) fn name_one(&mut self, now: Now, run: Run, (first, last): (Seq, Seq)) -> bool {
        if let Some(range) = SeqRange::new(first, last) {
            self.append(now, Fact::Gap(Gap { run, range, reason: GapReason::Conflict }));
            let _empty_before = self.late.naming.push((run, range, self.last));
        }
        false
    }

    /// Takes the frames in a row from `missing` on as known; false where there is no room for them.
    fn skip_page(&self, run: Run, missing: Seq, all: &mut Ranges) -> bool {
        let mut last = missing;
        while let Some((seq, _)) = self.frame_from(run, last.next()).filter(|(seq, _)| *seq == last.next()) {
            last = seq;
        }
        SeqRange::new(missing, last).is_some_and(|range| all.insert(range).is_ok())
    }

    fn reason_of(&self, run: Run) -> GapReason {
        let past = self.late.runs().iter().find(|past| past.run == run);
        past.map_or(GapReason::AgentEnded, |past| past.reason)
    }

    /// Behind everything that was ever durable stands what the run's end took along.
    fn reason_at(&self, run: Run, missing: Seq) -> GapReason {
        let last = self.disk.segments.last_of(run);
        if last.is_some_and(|last| last >= missing) { self.reason_of(run) } else { GapReason::AgentEnded }
    }

    /// Whether no name waits for its ack any more. A name that was itself lost is made anew.
    pub(super) fn settle_names(&mut self) -> bool {
        let waits = |name: &(Run, SeqRange, Seq)| !self.acked.contains(name.2) && !self.lost.contains(name.2);
        if self.late.naming.iter().any(waits) {
            return false;
        }
        while let Some((run, range, seq)) = self.late.naming.pop() {
            self.late.crowded = None;
            if self.acked.contains(seq)
                && let Some(past) = self.late.past_mut(run)
            {
                let _what_does_not_fit_is_named_again = past.known.insert(range);
            }
        }
        true
    }
}
