//! Holds: a person asks that remedies rest, of one service or of all, for a time.
//!
//! A hold lasts from 1 minute to 7 days: shorter is none, and longer is forgotten and no decision any more; for ever
//! is a change of the configuration. It ends by itself. Watching and telling go on; a remedy that has begun is
//! brought to its end. What a hold means for a service is [`crate::service`]'s.

use picket_proto::{Mono, Span, Text};
use serde::{Deserialize, Serialize};

/// Shortest hold.
pub const LEAST: Span = Span::from_secs(60);
/// Longest hold.
pub const MOST: Span = Span::from_secs(7 * 86_400);

/// A person asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact<'a> {
    /// Of which service; of all, where none is named.
    pub service: Option<u16>,
    /// For how long from now on, [`LEAST`] to [`MOST`]; `None` ends the hold, and of all every service's own too.
    pub lasts: Option<Span>,
    /// Who asks.
    pub by: &'a str,
}

impl Fact<'_> {
    /// Whether it lasts neither too short nor too long.
    pub(crate) fn is_sound(&self) -> bool {
        self.lasts.is_none_or(|lasts| (LEAST..=MOST).contains(&lasts))
    }
}

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Until when.
    pub until: Mono,
    /// Who asked for it.
    pub by: Text,
}

/// A hold as the state file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptHold {
    left: Span,
    by: Text,
}

impl Held {
    /// What of it is kept.
    pub(crate) fn keep(&self, now: Mono) -> KeptHold {
        KeptHold { left: self.until.since(now), by: self.by.clone() }
    }
}

impl KeptHold {
    /// The hold again, `away` after it was kept. One that is over is ended, and told, by the next look at the time.
    pub(crate) fn restore(self, now: Mono, away: Span) -> Held {
        let left = self.left.micros().saturating_sub(away.micros());
        Held { until: now.plus(Span::from_micros(left).min(MOST)), by: self.by }
    }
}
