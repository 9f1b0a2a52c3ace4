//! The life of an incident: open, verifying, resolved, open again; what it counts and what it shows.
//!
//! Open while anything fires. When nothing does it is verifying: a service whose remedy is under way must be proven
//! by the remedy's outcome (15 minutes at most, twice the longest hold); anything else must hold for 10 s. Severity
//! only rises. Who belongs to whom is decided in [`crate::correlate`].

use super::timeline::{Entry, Timeline};
use super::{IncidentId, Severity};
use crate::correlate::Relation;
use crate::signal::{Depth, Key};
use crate::table::Code;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use picket_proto::{Mono, Name, Now, Span, Wall};
use serde::{Deserialize, Serialize};

/// How long everything must be back where no remedy proves it: as long as a heartbeat.
pub(crate) const HOLD: Span = Span::from_secs(10);
/// How long a remedy's outcome is waited for.
pub(crate) const PROOF: Span = Span::from_secs(15 * 60);
/// Conditions that an incident remembers by name; beyond them they are only counted.
const MEMBERS_MAX: usize = 10_000;

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Something fires.
    Open,
    /// Nothing fires; resolved at this time unless something does.
    Verifying {
        /// What is waited for.
        proof: Proof,
        /// Until when.
        until: Mono,
    },
    /// Over.
    Resolved {
        /// When, for reopening.
        at: Mono,
        /// When, for people.
        wall: Wall,
        /// By whom.
        by: Ending,
    },
}

/// What a verifying incident waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Proof {
    /// That everything stays up.
    Hold,
    /// A remedy's outcome.
    Outcome,
}

/// Who ended an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ending {
    /// It recovered.
    Recovery,
    /// An operator declared it over, or it became part of another: it does not open again.
    Decision,
}

/// What it all comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Root {
    pub(crate) key: Key,
    pub(crate) depth: Depth,
    pub(crate) text: String,
    /// The code of the rule that chose it.
    #[serde(deserialize_with = "crate::table::code")]
    pub(crate) rule: Code,
}

/// What an incident showed as its root before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) root: Root,
    pub(crate) title: String,
}

/// What an incident is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// What failed together on one host.
    Host,
    /// Many hosts that went silent together.
    Fleet,
    /// What the backlog told after it was over.
    Late,
}

/// An incident.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Incident {
    pub(crate) id: IncidentId,
    pub(crate) scope: Scope,
    pub(crate) revision: u32,
    pub(crate) phase: Phase,
    pub(crate) severity: Severity,
    #[serde(deserialize_with = "crate::table::code")]
    pub(crate) rule: Code,
    pub(crate) title: String,
    pub(crate) root: Root,
    /// The death behind a root that is one of its service's checks: shown again once everything is over.
    pub(crate) behind: Option<Shown>,
    /// The last line that the root's service printed.
    pub(crate) evidence: String,
    pub(crate) outcome: String,
    pub(crate) hosts: BTreeSet<u32>,
    pub(crate) services: BTreeSet<(u32, u32)>,
    /// The services that failed in this episode.
    pub(crate) failed: BTreeSet<(u32, u32)>,
    pub(crate) opened: Wall,
    /// When the first condition fired, by the collector's clock.
    pub(crate) began: Mono,
    pub(crate) last_firing: Mono,
    pub(crate) changed: Wall,
    pub(crate) episode: u32,
    pub(crate) acknowledged_by: Option<Name>,
    pub(crate) firing: BTreeSet<Key>,
    pub(crate) members: BTreeSet<Key>,
    /// Members beyond the limit.
    pub(crate) more_members: u32,
    /// What recovered in this episode, and which services a remedy's outcome proved.
    pub(crate) cleared: BTreeSet<Key>,
    pub(crate) proven: BTreeSet<(u32, u32)>,
    pub(crate) timeline: Timeline,
}

/// What an incident is opened with.
pub(crate) struct Opening {
    pub(crate) id: IncidentId,
    pub(crate) scope: Scope,
    pub(crate) severity: (Severity, &'static str),
    pub(crate) title: String,
    pub(crate) root: Root,
    pub(crate) opened: Wall,
}

impl Incident {
    /// Opens it; nothing fires in it yet.
    pub(crate) fn open(now: Now, opening: Opening) -> Self {
        let (severity, rule) = opening.severity;
        Self {
            id: opening.id,
            scope: opening.scope,
            revision: 1,
            phase: Phase::Open,
            severity,
            rule,
            title: opening.title,
            hosts: BTreeSet::from([opening.root.key.host]),
            root: opening.root,
            behind: None,
            evidence: String::new(),
            outcome: String::new(),
            services: BTreeSet::new(),
            failed: BTreeSet::new(),
            opened: opening.opened,
            began: now.mono,
            last_firing: now.mono,
            changed: now.wall,
            episode: 1,
            acknowledged_by: None,
            firing: BTreeSet::new(),
            members: BTreeSet::new(),
            more_members: 0,
            cleared: BTreeSet::new(),
            proven: BTreeSet::new(),
            timeline: Timeline::default(),
        }
    }

    /// Whether it is not over.
    pub(crate) const fn is_active(&self) -> bool {
        match self.phase {
            Phase::Open | Phase::Verifying { .. } => true,
            Phase::Resolved { .. } => false,
        }
    }

    /// Takes a condition that fires now.
    pub(crate) fn join(&mut self, now: Now, key: Key, service: Option<u32>) {
        self.firing.insert(key);
        self.cleared.remove(&key);
        self.remember(key);
        self.hosts.insert(key.host);
        if let Some(service) = service {
            self.services.insert((key.host, service));
            self.failed.insert((key.host, service));
            self.proven.remove(&(key.host, service));
        }
        self.last_firing = now.mono;
        self.phase = Phase::Open;
    }

    fn remember(&mut self, key: Key) {
        if self.members.len() < MEMBERS_MAX {
            self.members.insert(key);
        } else if !self.members.contains(&key) {
            self.more_members = self.more_members.saturating_add(1);
        }
    }

    /// Takes a condition's end.
    pub(crate) fn clear(&mut self, key: Key) {
        if self.firing.remove(&key) && self.cleared.len() < MEMBERS_MAX {
            self.cleared.insert(key);
        }
    }

    /// Shows another root; a line that its own service printed stays beside it.
    pub(crate) fn show(&mut self, root: Root, title: String, relation: Relation) {
        (self.root, self.title, self.behind) = (root, title, None);
        match relation {
            Relation::SameSubject => {}
            Relation::SameHost => self.evidence.clear(),
        }
    }

    /// Opens a new episode.
    pub(crate) fn reopen(&mut self) {
        self.episode = self.episode.saturating_add(1);
        self.phase = Phase::Open;
        self.outcome.clear();
        self.behind = None;
        self.acknowledged_by = None;
        self.cleared.clear();
        self.failed.clear();
        self.proven.clear();
    }

    /// Ends it. What is to be known of its services beside that stands behind.
    pub(crate) fn resolve(&mut self, now: Now, by: Ending, outcome: &str) {
        self.phase = Phase::Resolved { at: now.mono, wall: now.wall, by };
        let beside = self.beside();
        self.outcome = outcome.into();
        if !beside.is_empty() {
            self.outcome.push_str("; ");
            self.outcome.push_str(&beside);
        }
    }

    /// While it is open: what is to be known of a service beside what fires, a line each that begins with its name.
    pub(crate) fn remark(&mut self, service: &Name, said: &str) {
        self.forget(service, "");
        if !self.outcome.is_empty() {
            self.outcome.push('\n');
        }
        self.outcome.push_str(said);
    }

    /// That is over, of what goes on with these words behind the name.
    pub(crate) fn forget(&mut self, service: &Name, words: &str) {
        let begins = format!("{service} {words}");
        let kept: Vec<&str> = self.outcome.lines().filter(|line| !line.starts_with(&begins)).collect();
        self.outcome = kept.join("\n");
    }

    /// All of that.
    pub(crate) fn beside(&self) -> String {
        self.outcome.replace('\n', "; ")
    }

    /// Raises the severity if the rule is worse; says whether it did.
    pub(crate) fn raise(&mut self, severity: (Severity, &'static str)) -> bool {
        let worse = severity.0 < self.severity;
        if worse {
            (self.severity, self.rule) = severity;
        }
        worse
    }

    /// Adds to the timeline and makes a new revision.
    pub(crate) fn note(&mut self, now: Now, entry: Entry) {
        self.timeline.push(entry);
        self.revised(now);
    }

    /// Makes a new revision.
    pub(crate) fn revised(&mut self, now: Now) {
        self.revision = self.revision.saturating_add(1);
        self.changed = now.wall;
    }
}
