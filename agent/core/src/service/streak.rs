//! A streak: failures of a service that follow each other without a remedy that held.

use super::slot::Why;
use picket_proto::Mono;
use picket_proto::event::Exit;

/// Failures that follow each other without a remedy that held.
#[derive(Debug)]
pub(super) struct Streak {
    /// Starts that did not hold. The very first one of the run is among them unless all its checks had passed.
    pub(super) tries: u16,
    /// Remedies begun.
    pub(super) attempt: u16,
    /// The latest failure.
    pub(super) failed_at: Mono,
    pub(super) why: Why,
    /// It was told that it waits for room on the host.
    pub(super) starved: bool,
    /// A person had it tried, and knows why.
    pub(super) asked: bool,
    /// It is only observed, and what would be done was looked at; and whether that was told.
    pub(super) shadowed: bool,
    pub(super) is_told: bool,
    /// That a person has its remedies rest was told.
    pub(super) rest_told: bool,
}

pub(super) const FRESH: Streak = Streak {
    tries: 0,
    attempt: 0,
    failed_at: Mono::NEVER,
    why: Why::Exit(Exit::Unknown),
    starved: false,
    asked: false,
    shadowed: false,
    is_told: false,
    rest_told: false,
};
