//! Incidents: findings with a life cycle, revisions and a bounded timeline.

pub(crate) mod command;
pub(crate) mod late;
pub(crate) mod life;
pub(crate) mod table;
pub(crate) mod timeline;

use crate::Token;
use alloc::boxed::Box;
use alloc::string::String;
use picket_proto::Name;
use serde::{Deserialize, Serialize};

/// An incident's number: the index of the record that opened it, or the next free one where a record opened several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IncidentId(pub u64);

/// How bad it is: by named rules, worst wins; raised at once, lowered only by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Wake everybody.
    P0,
    /// Wake somebody.
    P1,
    /// Look now, in working hours.
    P2,
    /// Look today.
    P3,
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum State {
    /// Something fires and nobody took it.
    Open,
    /// An operator took it.
    Acknowledged,
    /// Everything is back; it must hold.
    Verifying,
    /// It is over.
    Resolved,
}

/// What an operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Where to answer.
    pub reply: Token,
    /// Who.
    pub operator: Box<Name>,
    /// Which incident.
    pub incident: IncidentId,
    /// The revision that the operator saw; `None` takes whatever stands.
    pub revision: Option<u32>,
    /// What.
    pub verb: Verb,
}

/// What an operator can do to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verb {
    /// Take it.
    Acknowledge,
    /// Write to its timeline; 1 to 1,000 bytes.
    Note(String),
    /// Declare it over, with a reason of at most 1,000 bytes.
    Resolve(String),
}

/// The answer to a command, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where to answer.
    pub reply: Token,
    /// The incident as it stands now, or the stable code of the refusal.
    pub result: Result<Box<crate::view::Incident>, &'static str>,
}

/// One change of one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number; resume tokens name it.
    pub number: u64,
    /// The stable code of what changed.
    pub code: &'static str,
    /// In words.
    pub text: String,
    /// The incident after it.
    pub incident: Box<crate::view::Incident>,
}
