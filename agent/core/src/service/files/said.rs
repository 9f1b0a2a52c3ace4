//! What is ordered of a service's files and packages, what is answered, and how they stand.

use picket_proto::{Span, Text};

/// What is looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its own files.
    Files,
    /// The versions of its packages. A look names no other than those that are whole, and none while others are at work.
    Packages,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Files, Self::Packages];
}

/// A service whose files or packages are looked after.
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
        /// What would put the good ones back is not there.
        is_away: bool,
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
    /// They can't be touched now, since others are at work on them; nothing was tried.
    Busy,
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
    /// They are, and nothing could put them back once they are others.
    Away,
    /// They differ, this one first.
    Changed(&'a Text),
    /// A rollback put the good ones back, and nothing was changed since.
    RolledBack,
    /// They can't be looked at, or may not be kept.
    Unread,
}
