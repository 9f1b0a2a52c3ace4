//! What a person on the host asks for, in one input: the rooms that do it own their words.

use crate::{check, hold};

/// What a person on the host asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// That remedies rest.
    Hold(hold::Fact<'a>),
    /// That this check is probed now, unless that would take something away: [`crate::check::Spec::counts_news`].
    Look(check::CheckIx),
}
