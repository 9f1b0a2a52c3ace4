//! An incident as operators get it: in a list, and with its timeline of at most 200 entries.

use crate::incident::{IncidentId, Severity, State};
use alloc::string::String;
use alloc::vec::Vec;
use picket_proto::{HostId, Name, Wall};

/// An incident in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// Grows with every change.
    pub revision: u32,
    /// Where it stands.
    pub state: State,
    /// How bad it is.
    pub severity: Severity,
    /// The stable code of the rule that says so.
    pub severity_rule: &'static str,
    /// One line.
    pub title: String,
    /// The root's cause, in words.
    pub cause: String,
    /// How it ended; empty while open.
    pub outcome: String,
    /// Whom it touches.
    pub hosts: Vec<HostId>,
    /// What it touches.
    pub services: Vec<Name>,
    /// When it opened: by the host's clock where a host saw it.
    pub opened: Wall,
    /// When it last changed, by the collector's clock.
    pub changed: Wall,
    /// When it was resolved, by the collector's clock.
    pub resolved: Option<Wall>,
    /// 1, and one more for each time it came back within 30 minutes.
    pub episode: u32,
    /// Who took it.
    pub acknowledged_by: Option<Name>,
    /// Conditions that fire now.
    pub firing: u32,
    /// Conditions that ever joined.
    pub signals: u32,
    /// Known only from the backlog after it was over.
    pub late: bool,
}

/// An incident with all that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The incident.
    pub incident: Incident,
    /// What happened, in order.
    pub timeline: Vec<Entry>,
    /// Entries that the limit of 200 left out.
    pub left_out: u64,
    /// The root in words.
    pub root: String,
    /// What follows from it, in words.
    pub symptoms: Vec<String>,
    /// Why: stable code and sentence.
    pub reasons: Vec<(&'static str, String)>,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When: by the host's clock where a host saw it, else by the collector's.
    pub at: Wall,
    /// Which host saw it.
    pub host: Option<HostId>,
    /// The stable code.
    pub code: &'static str,
    /// In words.
    pub text: String,
    /// It came in the backlog.
    pub late: bool,
    /// The host's clock was not synchronised.
    pub unsynced: bool,
}
