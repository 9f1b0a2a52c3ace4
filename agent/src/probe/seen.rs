//! What a look saw, as it comes back to the loop.

use picket_agent_core::check::{CheckIx, Fact, Reading};
use picket_proto::event::Cause;
use std::io;

/// What one look saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) reading: Reading,
    /// In words; mostly empty.
    pub(crate) said: String,
    /// What a plugin measured; mostly empty.
    pub(crate) figures: Vec<Figure>,
}

/// One thing that a plugin measured, in its own words: only shown, judged by nobody here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) label: String,
    /// A decimal number.
    pub(crate) value: String,
    pub(crate) unit: String,
    /// Ranges as the plugin protocol writes them; empty where it says none.
    pub(crate) warn: String,
    pub(crate) crit: String,
    pub(crate) min: String,
    pub(crate) max: String,
}

impl Seen {
    pub(crate) fn new(reading: Reading, said: impl Into<String>) -> Self {
        Self { said: said.into(), ..reading.into() }
    }
}

impl From<Reading> for Seen {
    fn from(reading: Reading) -> Self {
        Self { reading, said: String::new(), figures: Vec::new() }
    }
}

/// A check's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) check: CheckIx,
    pub(crate) seen: Seen,
}

impl Answer {
    /// As the core takes it.
    pub(crate) fn as_fact(&self) -> Fact<'_> {
        Fact { check: self.check, reading: self.seen.reading, said: &self.seen.said }
    }
}

/// What an error of a socket means to whoever watches.
pub(crate) fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::Refused,
        io::ErrorKind::TimedOut => Cause::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Cause::Unreachable,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Cause::Closed,
        _ => error.raw_os_error().map_or(Cause::Closed, Cause::Local),
    }
}
