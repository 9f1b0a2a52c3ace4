//! The agent's life: it begins with the first input, serves, stops its services where asked, takes leave, is over.
//!
//! An end is asked for once; asked a second time it comes at once. What each turn means for the services and the
//! link is `lib.rs`'s to hand on: this room knows neither.

/// How an agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Services stay alive; the next run adopts them.
    LeaveServices,
    /// Services are stopped first (`picket up`).
    StopServices,
}

/// What follows when an end is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Stop the services; the leave comes when they have ended.
    StopServices,
    /// Take leave of the collector.
    Leave,
    /// End at once, the services stay.
    Abandon,
    /// Kill the services and end at once.
    KillServices,
    /// It is over already.
    Nothing,
}

/// Where the agent is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Nothing was handed in yet.
    New,
    /// It watches and mends.
    Serving,
    /// The services end first.
    Stopping,
    /// The farewell.
    Leaving,
    /// Nothing will be said or done any more.
    Over,
}

impl Life {
    /// Whether nothing was handed in yet.
    pub(crate) fn is_new(self) -> bool {
        self == Self::New
    }

    /// Whether it watches and mends, and does not end.
    pub(crate) fn serves(self) -> bool {
        self == Self::Serving
    }

    /// Whether it begins now: true once, at the first input.
    pub(crate) fn begins(&mut self) -> bool {
        let new = *self == Self::New;
        if new {
            *self = Self::Serving;
        }
        new
    }

    /// It is asked to end.
    pub(crate) fn asked(&mut self, ending: Ending) -> Turn {
        let (next, turn) = match (*self, ending) {
            (Self::New | Self::Serving, Ending::LeaveServices) => (Self::Leaving, Turn::Leave),
            (Self::New | Self::Serving, Ending::StopServices) => (Self::Stopping, Turn::StopServices),
            (Self::Stopping | Self::Leaving, Ending::LeaveServices) => (*self, Turn::Abandon),
            (Self::Stopping | Self::Leaving, Ending::StopServices) => (*self, Turn::KillServices),
            (Self::Over, Ending::LeaveServices | Ending::StopServices) => (Self::Over, Turn::Nothing),
        };
        *self = next;
        turn
    }
}
