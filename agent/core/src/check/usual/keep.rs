//! What of it outlives the run: the weeks, by name, for a file of their own.
//!
//! A version, then for each check its name, kind, a number of the shell's that says what it looks at, its newest hour, and
//! all hours from the oldest to that one, 755 bytes at most: 32 are 24 KB, which [`crate::KEEP_MAX`] holds. It is written when hours are over
//! and ten minutes later, when the last check has noticed; once an hour at most, and when the agent ends only if something has
//! changed. What a restart loses is the hour that is under way. Hours in which nobody was there are not known.

use super::week::{HOURS, Seen, Week};
use super::{Usual, Usuals, place};
use crate::check::{Checks, Slot};
use crate::shelf::Shelf;
use picket_proto::event::CheckKind;
use picket_proto::{Mono, Name, Now, Span};
use serde::{Deserialize, Serialize};

/// The first byte.
const VERSION: u8 = 1;
/// Bytes of an hour.
const HOUR: usize = 4;
/// After an hour's end, so that all checks have had their last point of it.
const LATE: Span = Span::from_secs(600);
/// Between two writes.
const PACE: Span = Span::from_secs(3600 - 60);

/// What says what a check looks at, so that a name that was given to something else begins anew.
pub type Mark<'m> = &'m dyn Fn(super::CheckIx) -> u32;

/// When to write.
#[derive(Debug, Default)]
pub(in crate::check) struct Due {
    /// Since when something is not written.
    since: Option<Mono>,
    last: Option<Mono>,
}

impl Due {
    /// An hour is over.
    pub(super) fn changed(&mut self, now: Mono) {
        self.since = self.since.or(Some(now));
    }

    /// The agent ends.
    pub(in crate::check) fn hurry(&mut self) {
        self.since = self.since.map(|_| Mono::default());
        self.last = None;
    }

    /// Whether it is due; if so, it counts as done.
    pub(in crate::check) fn take(&mut self, now: Mono) -> bool {
        let is_late = self.since.is_some_and(|since| now.since(since) >= LATE);
        let is_due = is_late && self.last.is_none_or(|last| now.since(last) >= PACE);
        if is_due {
            (self.since, self.last) = (None, Some(now));
        }
        is_due
    }
}

/// What stands before the hours.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    name: Name,
    kind: CheckKind,
    mark: u32,
    newest: u32,
}

impl Usuals<'_> {
    /// Writes the weeks into `out`: how many bytes. What does not fit is learned anew.
    pub(in crate::check) fn keep(&self, slots: &Shelf<'_, Slot>, mark: Mark<'_>, out: &mut [u8]) -> usize {
        let Some(first) = out.first_mut() else { return 0 };
        *first = VERSION;
        let mut used = 1;
        for usual in &*self.all {
            let slot = usual.check.and_then(|check| Some((check, slots.taken(check)?)));
            let Some((check, slot)) = slot else { continue };
            let (name, kind, newest) = (slot.spec.name.clone(), slot.spec.kind, usual.week.newest);
            let head = postcard::to_slice(&Head { name, kind, mark: mark(check), newest }, &mut out[used..]);
            let Ok(head) = head.map(|head| head.len()) else { break };
            let Some(rest) = out[used..].get_mut(head..head + HOURS * HOUR) else { break };
            for (place, hour) in rest.chunks_exact_mut(HOUR).zip(usual.week.line()) {
                place[..2].copy_from_slice(&hour.low.to_le_bytes());
                place[2..].copy_from_slice(&hour.high.to_le_bytes());
            }
            used += head + HOURS * HOUR;
        }
        used
    }

    /// Takes back what an earlier run kept: of how many checks, none if it can't be read.
    pub(in crate::check) fn restore(
        &mut self,
        slots: &Shelf<'_, Slot>,
        mark: Mark<'_>,
        kept: &[u8],
    ) -> Option<u16> {
        let (version, mut rest) = kept.split_first()?;
        if *version != VERSION {
            return None;
        }
        let mut count = 0;
        while !rest.is_empty() {
            let (head, after) = postcard::take_from_bytes::<Head>(rest).ok()?;
            let (hours, after) = after.split_at_checked(HOURS * HOUR)?;
            rest = after;
            let its = |check: super::CheckIx, slot: &Slot| {
                let is_asked = slot.spec.unusual > Span::ZERO && slot.spec.kind == head.kind;
                slot.spec.name == head.name && is_asked && mark(check) == head.mark
            };
            let Some((check, _)) = slots.each().find(|(check, slot)| its(*check, slot)) else { continue };
            let Some(place) = place(self.all, check) else { continue };
            let half = |at: &[u8]| i16::from_le_bytes([at[0], at[1]]);
            let hours = hours.chunks_exact(HOUR).map(|at| Seen { low: half(at), high: half(&at[2..]) });
            let week = Week::of(head.newest, hours);
            self.all[place] = Usual { check: Some(check), week, ..Usual::FREE };
            count += 1;
        }
        Some(count)
    }
}

impl Checks<'_> {
    /// The clocks at an input.
    pub(crate) fn turn(&mut self, now: Now) {
        self.usuals.turn(now);
    }

    /// The kernel says whether the wall clock is synchronised.
    pub(crate) fn synced(&mut self, is_synced: bool) {
        self.usuals.clock.synced(is_synced);
    }

    /// Whether the weeks are to be kept now; if so, it counts as done.
    pub(crate) fn keep_is_due(&mut self, now: Mono) -> bool {
        self.usuals.due.take(now)
    }

    /// Does not wait any longer with what has changed: the agent ends.
    pub(crate) fn keep_in_time(&mut self) {
        self.usuals.due.hurry();
    }

    /// Writes the weeks into `out`: how many bytes.
    pub(crate) fn keep_weeks(&self, mark: Mark<'_>, out: &mut [u8]) -> usize {
        self.usuals.keep(&self.slots, mark, out)
    }

    /// Takes back what an earlier run kept; before anything else happens.
    pub(crate) fn restore_weeks(&mut self, mark: Mark<'_>, kept: &[u8]) -> Option<u16> {
        self.usuals.restore(&self.slots, mark, kept)
    }
}
