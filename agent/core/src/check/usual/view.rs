//! What is usual of a check's level at this hour, for a person who asks.

use super::bounds::Bounds;
use crate::check::{CheckIx, Checks, Side};
use picket_proto::Span;

/// What is known of a level that is held against its past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usually {
    /// The wall clock was not called synchronised yet, or not since it was set.
    NoClock,
    /// So many days are known of this hour, fewer than are needed.
    Days(u8),
    /// What this hour has; where low levels mean nothing there is no lower end.
    Between(Option<i64>, i64),
}

impl Checks<'_> {
    /// What this check's level usually is now; nothing where it is not held against its past.
    pub(crate) fn usual(&self, check: CheckIx) -> Option<Usually> {
        let spec = &self.get(check)?.spec;
        if spec.unusual == Span::ZERO {
            return None;
        }
        let Some(hour) = self.usuals.clock.hour() else { return Some(Usually::NoClock) };
        let week = self.usuals.all.iter().find(|usual| usual.is_of(check)).map(|usual| &usual.week);
        let bounds = week.and_then(|week| Bounds::at(week, hour, spec));
        let days = || (1..=7).filter(|ago| week.is_some_and(|week| week.day(hour, *ago).is_some()));
        Some(match bounds {
            Some(bounds) => Usually::Between(bounds.low(), bounds.usual(Side::Above)),
            None => Usually::Days(u8::try_from(days().count()).unwrap_or(u8::MAX)),
        })
    }
}
