//! What people and their init system want (intents, holds), and for how long the agent could not hear it.

use crate::id::Name;
use crate::text::Text;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// What should be of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Intent {
    /// It should run.
    Run,
    /// Somebody stopped it: it should not, until somebody starts it.
    Stopped,
    /// It is masked: it can't run.
    Masked,
    /// It does not run, and nobody here saw why: it is told and left alone.
    Unknown,
}

/// How a change of intent was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Witness {
    /// A job of the init system's that was not the agent's.
    Job,
    /// Found so: at the agent's start, or after it saw nothing for a while.
    State,
}

/// What should be of a service changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentChanged {
    /// Which service.
    pub service: Name,
    /// What should be before.
    pub from: Intent,
    /// What should be now.
    pub to: Intent,
    /// How that was seen.
    pub witness: Witness,
}

/// What the agent can be blind on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlindSource {
    /// systemd over D-Bus: units and jobs.
    Systemd,
}

/// The agent saw nothing of one kind for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    /// Of what.
    pub source: BlindSource,
    /// For how long; zero where nothing was known to be missing and a look found differences all the same.
    pub lasted: Span,
    /// How many things stood otherwise than before.
    pub differences: u16,
}

/// Remedies are held back, or allowed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldChanged {
    /// Of this service; of all, where none is named.
    pub service: Option<Name>,
    /// For how long from now on; allowed again where there is none.
    pub lasts: Option<Span>,
    /// By whom.
    pub by: Text,
}
