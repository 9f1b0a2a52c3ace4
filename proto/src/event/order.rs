//! What came of an order: a part of what was asked for, or why the host does not do it. There is no other reply to one.

use crate::id::Name;
use crate::lines::Lines;
use crate::time::Span;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Most parts of one answer: 5 KiB are some 40 lines, and what a link that costs money can bear.
pub const PARTS_MAX: u8 = 8;

/// An order that came to an agent, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// The order's number, as the collector gave it.
    pub token: u64,
    /// The service that it names.
    pub service: Name,
    /// What came of it.
    pub said: OrderSaid,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "nothing is allocated here, and no fact is smaller for it")]
pub enum OrderSaid {
    /// A part of what the service printed last; all parts one behind the other are the text.
    Part {
        /// Which part, from 1.
        part: u8,
        /// Of how many, 1 to [`PARTS_MAX`].
        of: u8,
        /// The text; empty where nothing was printed.
        text: Lines,
    },
    /// The host does not do it.
    Refused(Refusal),
}

/// Why a host does not do what was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Its configuration forbids it.
    Forbidden,
    /// Its configuration names no such service.
    Stranger,
    /// It is at another order.
    Busy,
    /// It did as many within this time as it does.
    Budget {
        /// How many.
        allowed: u16,
        /// Within what time.
        window: Span,
        /// After what time it does one again.
        again: Span,
    },
    /// Its link has carried its cap.
    OverCap,
    /// What was printed could not be read in time.
    Unreadable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden => f.write_str("the host's configuration gives no evidence when asked"),
            Self::Stranger => f.write_str("the host's configuration names no such service"),
            Self::Busy => f.write_str("the host is at another order"),
            Self::Budget { allowed, window, again } => {
                write!(f, "the host takes {allowed} orders in {window}, and had them; again in {again}")
            }
            Self::OverCap => f.write_str("the host's link has carried its cap"),
            Self::Unreadable => f.write_str("what it printed could not be read in time"),
        }
    }
}
