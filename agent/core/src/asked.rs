//! What a person on the host asks for, in one input: the rooms that do it own their words.

use crate::{check, hold, service};

/// What a person on the host asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// That remedies rest.
    Hold(hold::Fact<'a>),
    /// That a service's next remedy begins now, where one is to come later: [`service::View::next_try`].
    Try {
        /// The service.
        service: service::ServiceIx,
        /// With the rung that is next on its ladder; else with the first.
        goes_on: bool,
    },
    /// That this check is probed now, unless that would take something away: [`crate::check::Spec::counts_news`].
    Look(check::CheckIx),
}
