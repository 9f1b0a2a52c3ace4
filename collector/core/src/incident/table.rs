//! All incidents in memory: at most 10,000, of which the oldest resolved ones go first (their facts stay in the
//! journal). What is not resolved stays: each has a signal that fires, a deadline or a service under remedy whose
//! checks are not read yet, and those are bounded.

use super::IncidentId;
use super::life::{Incident, Phase};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use picket_proto::Mono;
use serde::{Deserialize, Serialize};

const INCIDENTS_MAX: usize = 10_000;
/// Most changes of one kind that a record tells of an incident.
const OF_A_KIND: usize = 8;

/// A change that is to be told once the record is applied.
#[derive(Debug)]
pub(crate) struct Touched {
    pub(crate) incident: IncidentId,
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Incidents {
    all: BTreeMap<IncidentId, Incident>,
    resolved: BTreeSet<IncidentId>,
    last: u64,
    /// Verifying incidents by their deadline; one that no longer waits is recognised and skipped.
    due: BTreeSet<(Mono, IncidentId)>,
    /// Empty between two records.
    #[serde(skip)]
    touched: Vec<Touched>,
    /// Incidents whose conditions changed; empty between two records.
    #[serde(skip)]
    shaken: BTreeSet<IncidentId>,
}

impl Incidents {
    /// None.
    pub(crate) const fn new() -> Self {
        Self {
            all: BTreeMap::new(),
            resolved: BTreeSet::new(),
            last: 0,
            due: BTreeSet::new(),
            touched: Vec::new(),
            shaken: BTreeSet::new(),
        }
    }

    /// The number for an incident that this record opens: its index, or the next free one if it opens several.
    pub(crate) fn next_id(&mut self, index: u64) -> IncidentId {
        self.last = index.max(self.last.saturating_add(1));
        IncidentId(self.last)
    }

    /// Adds one.
    pub(crate) fn add(&mut self, incident: Incident) {
        self.all.insert(incident.id, incident);
        while self.all.len() > INCIDENTS_MAX {
            let Some(oldest) = self.resolved.pop_first() else { break };
            self.all.remove(&oldest);
        }
    }

    /// One.
    pub(crate) fn get(&self, id: IncidentId) -> Option<&Incident> {
        self.all.get(&id)
    }

    /// One, to change it; call [`Self::settled`] after a change of its phase.
    pub(crate) fn get_mut(&mut self, id: IncidentId) -> Option<&mut Incident> {
        self.all.get_mut(&id)
    }

    /// Newest first, older than `before`.
    pub(crate) fn newest(&self, before: Option<IncidentId>) -> impl Iterator<Item = &Incident> {
        let end = before.unwrap_or(IncidentId(u64::MAX));
        self.all.range(..end).rev().map(|(_, incident)| incident)
    }

    /// Files an incident by its phase.
    pub(crate) fn settled(&mut self, id: IncidentId) {
        let Some(incident) = self.all.get(&id) else { return };
        match incident.phase {
            Phase::Open => {
                self.resolved.remove(&id);
            }
            Phase::Verifying { until, .. } => {
                self.due.insert((until, id));
            }
            Phase::Resolved { .. } => {
                self.resolved.insert(id);
            }
        }
    }

    /// When the first verifying incident is due.
    pub(crate) fn first_due(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes an incident that is due.
    pub(crate) fn pop_due(&mut self, now: Mono) -> Option<IncidentId> {
        while let Some((at, id)) = self.due.first().copied() {
            if at > now {
                return None;
            }
            self.due.pop_first();
            let phase = self.all.get(&id).map(|incident| incident.phase);
            if matches!(phase, Some(Phase::Verifying { until, .. }) if until == at) {
                return Some(id);
            }
        }
        None
    }

    /// Remembers a change to tell. Within a record the same words are told once, and of many changes of a kind the
    /// first seven and the last: a host whose 500 checks fail at once must not push its watchers out of their ring.
    pub(crate) fn touch(&mut self, incident: IncidentId, code: &'static str, text: String) {
        let of_kind = |old: &Touched| old.incident == incident && old.code == code;
        let same = self.touched.iter().position(|old| of_kind(old) && old.text == text);
        let last = || self.touched.iter().rposition(of_kind);
        let is_full = self.touched.iter().filter(|old| of_kind(old)).count() == OF_A_KIND;
        if let Some(replaced) = same.or_else(|| if is_full { last() } else { None }) {
            self.touched.remove(replaced);
        }
        self.touched.push(Touched { incident, code, text });
    }

    /// Remembers that conditions of an incident changed: what it shows as its root may have to follow.
    pub(crate) fn shake(&mut self, incident: IncidentId) {
        self.shaken.insert(incident);
    }

    /// Takes an incident whose conditions changed.
    pub(crate) fn pop_shaken(&mut self) -> Option<IncidentId> {
        self.shaken.pop_first()
    }

    /// Takes the changes to tell.
    pub(crate) fn take_touched(&mut self) -> Vec<Touched> {
        core::mem::take(&mut self.touched)
    }
}
