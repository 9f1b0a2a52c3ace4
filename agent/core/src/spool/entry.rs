//! What is known of one frame in the ring, and how important it is.

use picket_proto::Run;
use picket_proto::event;
use picket_proto::frame::{self, Class};

/// Where one frame lies in the ring.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    pub(super) seq: u64,
    pub(super) at: u32,
    pub(super) len: u16,
    pub(super) kept: Kept,
    pub(super) stored: Stored,
}

/// Whether a frame that is held is on the disk as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stored {
    #[default]
    No,
    /// It is with the shell.
    Asked,
    Yes,
    /// It was, and went for its room; it is not written a second time.
    Spent,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kept {
    /// Acknowledged or lost.
    #[default]
    Gone,
    Held(Rank),
}

/// The order in which frames are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Routine,
    Notable,
    Critical,
    /// Names a loss of this run; when it goes itself, what it named is lost again.
    Gap,
}

impl Entry {
    pub(super) fn is_held(&self) -> bool {
        self.kept != Kept::Gone
    }
}

impl Rank {
    pub(super) const fn class(self) -> Class {
        match self {
            Self::Routine => Class::Routine,
            Self::Notable => Class::Notable,
            Self::Critical | Self::Gap => Class::Critical,
        }
    }
}

pub(super) fn rank_of(fact: &event::Fact, run: Run) -> Rank {
    match (fact, frame::class_of(fact)) {
        (event::Fact::Gap(gap), _) if gap.run == run => Rank::Gap,
        (_, Class::Routine) => Rank::Routine,
        (_, Class::Notable) => Rank::Notable,
        (_, Class::Critical) => Rank::Critical,
    }
}
