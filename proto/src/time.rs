//! The clocks, each a type of its own so that they can't be mixed by mistake.
//!
//! [`Mono`] (CLOCK_BOOTTIME, runs through suspend) orders and compares; [`Raw`] (CLOCK_MONOTONIC_RAW, never slewed)
//! measures drift; [`Wall`] is for people and has no order and no subtraction here. A peer's time is a [`Stamp`],
//! which is not ordered: only the collector's ingest turns it into local time. All are microseconds in 64 bits
//! (584,000 years). Nothing here reads a clock; arithmetic saturates.

use crate::id::{BootId, Run};
use serde::{Deserialize, Serialize};

/// A length of time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any machine runs.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `us` microseconds.
    pub const fn from_micros(us: u64) -> Self {
        Self(us)
    }
    /// A span of `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000))
    }
    /// A span of `s` seconds.
    pub const fn from_secs(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }
    /// Microseconds.
    pub const fn micros(self) -> u64 {
        self.0
    }
    /// Whole milliseconds, rounded down.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000
    }
    /// Whole seconds, rounded down.
    pub const fn secs(self) -> u64 {
        self.0 / 1_000_000
    }
    /// This span `times` over.
    #[must_use]
    pub const fn times(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
    /// This span and `other`.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// For handing to a timer.
    pub const fn to_duration(self) -> core::time::Duration {
        core::time::Duration::from_micros(self.0)
    }
}

/// Microseconds of CLOCK_BOOTTIME of one boot: the only time that orders and compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Mono(u64);

impl Mono {
    /// The latest time there is: a deadline that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// `us` microseconds after boot.
    pub const fn from_micros(us: u64) -> Self {
        Self(us)
    }
    /// Microseconds since boot.
    pub const fn micros(self) -> u64 {
        self.0
    }
    /// This time and `span` later.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
    /// How long ago `earlier` was; zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// Microseconds of CLOCK_MONOTONIC_RAW: never slewed, stands still in suspend; for drift only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Raw(u64);

impl Raw {
    /// `us` microseconds.
    pub const fn from_micros(us: u64) -> Self {
        Self(us)
    }
    /// Microseconds.
    pub const fn micros(self) -> u64 {
        self.0
    }
}

/// Microseconds since 1970-01-01 UTC, as this machine believes: a label for people, never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Wall(i64);

impl Wall {
    /// `us` microseconds after 1970-01-01 UTC.
    pub const fn from_micros(us: i64) -> Self {
        Self(us)
    }
    /// Microseconds since 1970-01-01 UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }
}

/// The three clocks, read once per input by the shell's `clock.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Now {
    /// What orders and compares.
    pub mono: Mono,
    /// What measures drift.
    pub raw: Raw,
    /// What people read.
    pub wall: Wall,
}

/// When something happened, by the clocks of the host that saw it. Not ordered: stamps of two hosts, or of two
/// boots, do not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// The agent's run.
    pub run: Run,
    /// The machine's boot; `mono` counts from it.
    pub boot: BootId,
    /// The agent's Mono.
    pub mono: Mono,
    /// The agent's Wall.
    pub wall: Wall,
    /// Whether the kernel says that the wall clock is synchronised.
    pub synced: bool,
}

impl Stamp {
    /// The stamp of an earlier moment of the same boot, as the clocks stand now: its wall time is counted back, so that a
    /// clock that was set since shows what it would have shown.
    #[must_use]
    pub const fn back_to(self, mono: Mono) -> Self {
        let ago = self.mono.since(mono).0;
        let ago = if ago > i64::MAX as u64 { i64::MAX } else { ago.cast_signed() };
        Self { mono, wall: Wall(self.wall.0.saturating_sub(ago)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_instead_of_wrapping() {
        assert_eq!(Mono::NEVER.plus(Span::from_secs(1)), Mono::NEVER);
        assert_eq!(Mono::from_micros(1).since(Mono::from_micros(5)), Span::ZERO);
        assert_eq!(Span::from_secs(u64::MAX), Span::MAX);
    }
    #[test]
    fn a_stamp_of_an_earlier_moment_is_as_much_earlier_by_both_clocks() {
        let (run, boot, mono) = (Run(1), BootId(2), Mono::from_micros(900));
        let now = Stamp { run, boot, mono, wall: Wall(5_000), synced: true };
        let before = Stamp { mono: Mono(200), wall: Wall(4_300), ..now };
        assert_eq!(now.back_to(Mono(200)), before);
        assert_eq!(now.back_to(Mono::NEVER).wall, now.wall, "what lies ahead is now");
    }
    #[test]
    fn spans_and_times_are_the_microseconds_that_were_given() {
        assert_eq!(Mono::from_micros(9).since(Mono::from_micros(5)), Span::from_micros(4));
        assert_eq!((Span::from_secs(3).millis(), Span::from_millis(2_999).secs()), (3_000, 2));
        assert_eq!(Span::from_micros(7).times(6), Span::from_micros(42));
        assert_eq!(Span::MAX.times(2), Span::MAX);
        assert_eq!(Span::from_millis(1_500).to_duration(), core::time::Duration::from_millis(1_500));
        assert_eq!(Raw::from_micros(8).micros(), 8);
        assert_eq!((Wall::from_micros(-8).micros(), Wall::from_micros(8).micros()), (-8, 8));
    }
}
