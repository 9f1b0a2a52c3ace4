//! The date of what a host tells, for people, where its own clock was not set when it happened.
//!
//! A box without a battery begins each boot at 1970, or at the day that its firmware was made, until a time client sets its
//! clock. Its label would put an incident of this morning decades back. Of the boot that has the session, the collector knows how
//! the host's Mono lies to its own, so it knows the day. Of an earlier boot it knows only that it was over when this one
//! began, and says that; that entry's clock stands as not synchronised, as it came. A clock that is synchronised, or not far from
//! right, keeps its word.

use super::Host;
use picket_proto::{Event, Mono, Now, Span, Stamp, Wall};

/// A label that is further from what is known than this helps nobody; nearer, it fits to what the host's own logs say.
const APART: Span = Span::from_secs(300);

/// 2023-01-01: before that no agent ran, so a clock that shows less was never set.
const UNSET: i64 = 1_672_531_200_000_000;

impl Host {
    /// The event with a date that people can use; `None` where its own is one.
    pub(crate) fn dated(&self, now: Now, event: &Event) -> Option<Event> {
        let wall = self.date(now, &event.stamp)?;
        Some(Event { stamp: Stamp { wall, ..event.stamp }, ..event.clone() })
    }

    fn date(&self, now: Now, stamp: &Stamp) -> Option<Wall> {
        let offset = self.offset.filter(|_| !stamp.synced)?;
        let is_this_boot = offset.boot == stamp.boot;
        let happened = offset.map(if is_this_boot { stamp.mono } else { Mono::from_micros(0) });
        let ago = now.mono.since(happened).micros();
        let known = Wall::from_micros(now.wall.micros().saturating_sub_unsigned(ago));
        let is_wrong = if is_this_boot {
            known.micros().abs_diff(stamp.wall.micros()) > APART.micros()
        } else {
            stamp.wall.micros() < UNSET
        };
        is_wrong.then_some(known)
    }
}
