//! Above the link's cap: what is critical comes back from the disk, past what is not.
//!
//! Only segments for critical frames are read, this run's first, then the earlier runs', oldest first; in every session
//! from their start, since what was on its way when the last one was lost may not have arrived. Frames in a row become an
//! island among what the collector has of their run. Where seven stand, the lowest number that it lacks goes first,
//! whatever that is, as it does below the cap: once two islands have become one there is a place again. What is lost of
//! earlier runs is named below the cap alone, as what is not critical is not looked for here.

use super::super::Spool;
use super::super::disk::Half;
use super::bring::{Look, MOST, REFUSALS, STEPS};
use super::{Past, Ready};
use picket_proto::event::{Event, Fact};
use picket_proto::frame::{self, Class, Content};
use picket_proto::{Now, Ranges, Seq, SeqRange};

const ONLY: Option<Class> = Some(Class::Critical);

impl Spool<'_> {
    /// Whether the collector has a place for a batch of an earlier run, and for what gap frames in it name of that run.
    fn has_place_for(&self, ready: Ready, known: &Ranges) -> bool {
        let mut all = known.clone();
        let mut rest = self.disk.bytes(self.disk.page(Half::Read, ready.start, ready.len));
        while let Ok((frame, after)) = frame::split(rest) {
            rest = after;
            if let Ok(Content::Known(Event { fact: Fact::Gap(gap), .. })) = frame.content()
                && gap.run == ready.run
                && all.insert(gap.range).is_err()
            {
                return false;
            }
        }
        all.insert(ready.range).is_ok()
    }

    /// Goes on bringing back what is critical. `sent` is what the collector knows of this run once all that was sent has
    /// arrived.
    pub(crate) fn bring_critical(&mut self, now: Now, sent: &Ranges) {
        self.land();
        for _ in 0..STEPS {
            if self.late.is_busy() || !self.bring_one_critical(now, sent) {
                return;
            }
        }
    }

    /// Whether something critical of this run was not sent, wherever it is.
    pub(crate) fn owes_critical(&self, sent: &Ranges) -> bool {
        self.unsent_critical(Seq::FIRST, sent).is_some()
            || self.lowest_of(&self.critical, Seq::FIRST, sent).is_some()
    }

    fn bring_one_critical(&mut self, now: Now, sent: &Ranges) -> bool {
        if let Some(missing) = self.lowest_of(&self.critical, Seq::FIRST, sent) {
            return self.bring_own_critical(missing, sent);
        }
        if !self.settle_names() {
            return false;
        }
        let next = self.late.runs().iter().position(|past| self.holds_critical(past));
        next.is_some_and(|at| self.bring_past_critical(now, at))
    }

    fn holds_critical(&self, past: &Past) -> bool {
        let mut parts = self.disk.segments.parts().iter();
        parts.any(|part| {
            let is_ahead = (part.run, part.class) == (past.run, Class::Critical) && part.last > past.passed;
            is_ahead && !self.late.knows(part)
        })
    }

    fn bring_own_critical(&mut self, missing: Seq, sent: &Ranges) -> bool {
        let run = self.identity.run;
        let upto = match self.look(run, missing, ONLY) {
            Look::Unread => {
                self.late.wants = Some((run, missing, ONLY));
                return true;
            }
            Look::Frame { at, seq } if seq == missing => {
                self.prepare_own(at, sent);
                return true;
            }
            // The ranges were too wide, or the disk has lost it, which is seen below the cap.
            Look::Frame { seq, .. } => Seq(seq.0 - 1),
            Look::Nothing => self.critical.last().unwrap_or(missing),
        };
        // Where cutting a range in two has no room, all before goes too.
        let skipped = [missing, Seq::FIRST].map(|from| SeqRange::new(from, upto));
        skipped.into_iter().flatten().any(|range| self.critical.remove(range).is_ok())
    }

    fn bring_past_critical(&mut self, now: Now, at: usize) -> bool {
        let Some(past) = self.late.runs().get(at).cloned() else { return false };
        if self.awaits_word(&past) {
            return false;
        }
        if self.late.crowded == Some(past.run) || past.known.iter().count() >= MOST {
            return self.bring_past(now, at);
        }
        let from = past.passed.next();
        let passed = match self.look(past.run, from, ONLY) {
            Look::Unread => {
                self.late.wants = Some((past.run, from, ONLY));
                return true;
            }
            Look::Frame { seq, .. } if past.known.contains(seq) => known_upto(&past.known, seq),
            Look::Frame { at: start, .. } if self.late.refusals < REFUSALS => {
                self.prepare(past.run, start, |_, before, seq| {
                    before.is_none_or(|before| before.next() == seq) && !past.known.contains(seq)
                });
                if !self.late.ready.is_some_and(|ready| self.has_place_for(ready, &past.known)) {
                    (self.late.ready, self.late.crowded) = (None, Some(past.run));
                    return true;
                }
                self.late.ready.map_or(from, |ready| ready.range.last())
            }
            // It is not taken: a matter of the time below the cap.
            Look::Frame { seq, .. } => {
                self.late.refusals = 0;
                seq
            }
            Look::Nothing => Seq(u64::MAX),
        };
        if let Some(past) = self.late.past_mut(past.run) {
            past.passed = passed;
        }
        true
    }
}

/// The end of the stretch that is known from `seq` on, so that one step leaves all of it behind.
fn known_upto(known: &Ranges, seq: Seq) -> Seq {
    known.iter().find(|range| range.contains(seq)).map_or(seq, SeqRange::last)
}
