//! Naming losses: when, in which order, and what is given up where there are too many of them.
//!
//! Losses are named only when their gap frames can be sent next, so that no gap frame waits while the collector's
//! ranges change under it. Where what was sent and what was lost come to more than 6 ranges, the names wait as long as
//! frames can still be sent, which joins ranges. Only when nothing can be sent any more are the nearest two
//! joined, and what lies between them is given up and named too. So there is always something that fits: closing
//! the hole between two ranges frees the place that the gap frame itself needs.

use super::{Rank, Spool};
use heapless::Vec;
use picket_proto::event::{Fact, Gap};
use picket_proto::{Now, Ranges, Seq, SeqRange};

/// Most ranges that what was sent and what was lost may make together: one more is for the gap frames, and one
/// stays free.
const NAMED_MOST: usize = 6;
/// Ranges of what was sent and of what was lost: 8 each, and one while they are sorted.
type Both = Vec<SeqRange, 17>;

impl Spool<'_> {
    /// Names what was lost, if the collector has room for the names. `sent` is what it knows once all that was
    /// sent has arrived; frames up to `boundary` are backlog. Whether something else than backlog was named.
    pub(crate) fn name_losses(&mut self, now: Now, sent: &Ranges, boundary: Seq) -> bool {
        // What is on its way may still be acknowledged and make room.
        let comes = self.late.is_busy() || self.lowest_spilled(Seq::FIRST, sent).is_some();
        let is_stuck = self.next_batch(sent, boundary).is_none() && !self.awaits_acks(sent) && !comes;
        if is_stuck {
            self.withdraw_gaps(sent);
            self.join(sent);
            if !self.lost.is_empty() {
                self.make_room(Rank::Gap);
            }
        } else if self.unsent_gap(sent).is_some() {
            return false;
        }
        both(sent, &self.lost).len() <= NAMED_MOST && self.name_all(now, sent.clone(), boundary)
    }

    /// Gap frames that don't fit any more: what they named is lost again, and they too.
    fn withdraw_gaps(&mut self, sent: &Ranges) {
        // Each turn gives up one gap frame at least.
        while let Some(at) = self.unsent_gap(sent) {
            self.give_up(at);
        }
        self.trim();
    }

    /// Gives up what lies between the nearest ranges until there are few enough, if anything is missing at all.
    fn join(&mut self, sent: &Ranges) {
        if self.lost.is_empty() && self.unsent(Seq::FIRST, sent).is_none() {
            return;
        }
        loop {
            let all = both(sent, &self.lost);
            if all.len() <= NAMED_MOST {
                return;
            }
            let Some(hole) = all.windows(2).filter_map(between).min_by_key(|hole| hole.count()) else {
                return;
            };
            self.lose_between(hole);
        }
    }

    /// One gap frame per lost range, those that join the most first: so no name needs a place that a later one
    /// frees. A gap frame that fits without shedding makes no further loss.
    fn name_all(&mut self, now: Now, mut known: Ranges, boundary: Seq) -> bool {
        let mut is_live = false;
        while let Some((range, after)) = cheapest(&known, &self.lost) {
            if !self.fits(self.capacity(Rank::Gap), 0) {
                break;
            }
            known = after;
            is_live |= range.last() > boundary;
            let _a_whole_range_never_splits = self.lost.remove(range);
            let gap = Gap { run: self.identity.run, range, reason: self.blame.of(range) };
            self.append(now, Fact::Gap(gap));
        }
        is_live
    }

    fn lose_between(&mut self, hole: SeqRange) {
        let first = self.place(hole.first());
        for at in first..self.tail {
            if self.index[at].seq > hole.last().0 {
                break;
            }
            if self.index[at].is_held() {
                self.give_up(at);
            }
        }
        self.lose(Some(hole));
    }
}

/// The range whose closing leaves the fewest ranges, and what is known then.
fn cheapest(known: &Ranges, left: &Ranges) -> Option<(SeqRange, Ranges)> {
    let tried = left.iter().filter_map(|range| {
        let mut after = known.clone();
        after.insert(range).ok()?;
        Some((range, after))
    });
    tried.min_by_key(|(_, after)| after.iter().count())
}

/// What was sent and what was lost, joined where they touch.
fn both(sent: &Ranges, lost: &Ranges) -> Both {
    let mut sorted: Vec<SeqRange, 16> = sent.iter().chain(lost.iter()).collect();
    sorted.sort_unstable_by_key(|range| range.first());
    let mut all = Both::new();
    for range in sorted {
        match all.last_mut() {
            Some(before) if range.first().0 <= before.last().0.saturating_add(1) => {
                let last = before.last().max(range.last());
                *before = SeqRange::new(before.first(), last).unwrap_or(*before);
            }
            Some(_) | None => {
                let _sixteen_at_most = all.push(range);
            }
        }
    }
    all
}

fn between(pair: &[SeqRange]) -> Option<SeqRange> {
    SeqRange::new(pair[0].last().next(), Seq(pair[1].first().0.saturating_sub(1)))
}
