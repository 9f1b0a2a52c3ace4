//! What is ordered of a service's files, what is answered, and how they stand.

use picket_proto::{Span, Text};

/// A service whose files are looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Good {
    /// For how long it must have been well with them.
    pub after: Span,
    /// Whether a program can say that they are sound.
    pub precheck: bool,
}

/// What is to be done about a service's files. One order of a service is out at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Look at them. Answered by Looked or Unread.
    Look,
    /// Copy them as good ones, if they are still those of this digest. Answered by Taken.
    Take {
        /// As a look gave it.
        digest: u64,
        /// Only if the precheck passes.
        precheck: bool,
    },
    /// Put aside what differs, put the good ones back, and run the precheck; if it fails, all is as before. Answered by
    /// RolledBack or NotDone.
    RollBack,
    /// The rollback did not help: the newer files are put back. Answered by Settled; by NotDone where it stays open.
    Undo,
    /// The rollback has held. Answered by Settled.
    Close,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// They were looked at.
    Looked {
        /// Of all of them, with owners and modes.
        digest: u64,
        /// The first one that differs from the good ones.
        changed: Option<&'a str>,
        /// Whether there are good ones.
        has_good: bool,
        /// How far a rollback has come that has not held yet.
        open: Open,
    },
    /// They can't be looked at.
    Unread {
        /// How far a rollback has come that has not held yet.
        open: Open,
    },
    /// Whether they are the good ones now.
    Taken(bool),
    /// The good ones stand in their places.
    RolledBack,
    /// They could not be put back.
    NotDone {
        /// Why.
        why: &'a str,
    },
    /// The rollback is no longer open.
    Settled,
}

/// How far a rollback has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Open {
    /// There is none, or it has held.
    #[default]
    No,
    /// It was begun: some of the good files may stand in their places, and nothing has proven them.
    Begun,
    /// All of them do, and the precheck has passed.
    Whole,
}

/// How a service's files stand to the good ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept<'a> {
    /// None are known to be good yet: there is nothing to roll back to.
    None,
    /// They are the good ones.
    Same,
    /// They differ, this one first.
    Changed(&'a Text),
    /// A rollback put the good ones back, and nothing was changed since.
    RolledBack,
    /// They can't be looked at, or may not be kept.
    Unread,
}
