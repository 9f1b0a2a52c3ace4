//! Which sequence numbers of one run are known: at most 8 closed ranges, in order and apart.
//!
//! Spool, ack and ingest use this one type, so that "acknowledged" means the same on both sides. 8 ranges cover a
//! live lane beside a backlog and a handful of losses; more would need a stream that is badly broken, and then the
//! sender repeats what was refused. Membership and insertion are O(8). It never forgets and never guesses: where a
//! ninth range would be needed, [`Ranges::insert`] refuses and changes nothing.

use crate::id::Seq;
use core::fmt;
use heapless::Vec;
use serde::{Deserialize, Deserializer, Serialize, de};

/// Most ranges that one run can have.
pub const RANGES_MAX: usize = 8;

/// The numbers from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SeqRange {
    first: Seq,
    last: Seq,
}

impl SeqRange {
    /// The numbers from `first` to `last`; `None` if `last` lies before `first` or `first` is 0.
    pub const fn new(first: Seq, last: Seq) -> Option<Self> {
        if first.0 == 0 || last.0 < first.0 { None } else { Some(Self { first, last }) }
    }

    /// One number.
    pub const fn one(seq: Seq) -> Option<Self> {
        Self::new(seq, seq)
    }

    /// The lowest number.
    pub const fn first(self) -> Seq {
        self.first
    }

    /// The highest number.
    pub const fn last(self) -> Seq {
        self.last
    }

    /// How many numbers. Saturates.
    pub const fn count(self) -> u64 {
        (self.last.0 - self.first.0).saturating_add(1)
    }

    /// Whether `seq` is one of them.
    pub const fn contains(self, seq: Seq) -> bool {
        self.first.0 <= seq.0 && seq.0 <= self.last.0
    }

    const fn touches(self, other: Self) -> bool {
        self.first.0 <= other.last.0.saturating_add(1) && other.first.0 <= self.last.0.saturating_add(1)
    }
}

impl fmt::Display for SeqRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl<'de> Deserialize<'de> for SeqRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "SeqRange")]
        struct Unchecked {
            first: Seq,
            last: Seq,
        }
        let Unchecked { first, last } = Unchecked::deserialize(deserializer)?;
        Self::new(first, last).ok_or_else(|| de::Error::custom("a range must not end before it starts"))
    }
}

/// A ninth range would be needed; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {RANGES_MAX} separate ranges")
    }
}

impl core::error::Error for Full {}

/// At most 8 closed ranges of one run's numbers, ordered, with at least one number between any two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ranges(Vec<SeqRange, RANGES_MAX>);

impl Ranges {
    /// Nothing is known.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The ranges, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = SeqRange> + '_ {
        self.0.iter().copied()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `seq` is known.
    pub fn contains(&self, seq: Seq) -> bool {
        self.0.iter().any(|range| range.contains(seq))
    }

    /// How many numbers are known. Saturates.
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, range| sum.saturating_add(range.count()))
    }

    /// The highest known number.
    pub fn last(&self) -> Option<Seq> {
        self.0.last().map(|range| range.last)
    }

    /// Adds `added`, merging it with every range it touches.
    ///
    /// # Errors
    /// [`Full`] if a ninth range would be needed; nothing is changed.
    pub fn insert(&mut self, added: SeqRange) -> Result<(), Full> {
        let start = self.0.iter().take_while(|old| old.last.0.saturating_add(1) < added.first.0).count();
        let touching = self.0[start..].iter().take_while(|old| old.touches(added)).count();
        let merged = self.0[start..start + touching].iter().fold(added, |sum, old| SeqRange {
            first: sum.first.min(old.first),
            last: sum.last.max(old.last),
        });
        if touching == 0 {
            return self.0.insert(start, merged).map_err(|_| Full);
        }
        self.0[start] = merged;
        for _ in 1..touching {
            self.0.remove(start + 1);
        }
        Ok(())
    }

    /// Takes every number out of `removed`; used where what is kept shrinks from the front.
    ///
    /// # Errors
    /// [`Full`] if cutting a range in two would need a ninth; nothing is changed.
    pub fn remove(&mut self, removed: SeqRange) -> Result<(), Full> {
        let mut kept = Self::new();
        for old in self.iter() {
            let before = SeqRange::new(old.first, old.last.min(Seq(removed.first.0 - 1)));
            let after = SeqRange::new(old.first.max(removed.last.next()), old.last);
            let after = if removed.last < old.last { after } else { None };
            for part in [before, after].into_iter().flatten() {
                kept.0.push(part).map_err(|_| Full)?;
            }
        }
        *self = kept;
        Ok(())
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            write!(f, "{}{range}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Vec::<SeqRange, RANGES_MAX>::deserialize(deserializer)?;
        let apart = raw.windows(2).all(|pair| pair[0].last.0.saturating_add(1) < pair[1].first.0);
        if apart { Ok(Self(raw)) } else { Err(de::Error::custom("ranges must be in order and apart")) }
    }
}

#[cfg(test)]
mod tests;
