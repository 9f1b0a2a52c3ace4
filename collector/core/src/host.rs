//! Hosts as the journal knows them: what their agents watch, how it stands, which of it fires.
//!
//! At most 20,000 hosts, 4,096 checks and 1,024 services each. Checks that a configuration no longer names keep their
//! slot until it is needed. When a host was last heard is not here: heartbeats are not journaled.

mod check;
mod dated;
mod lost;
mod offset;
mod related;
mod service;
mod trust;

pub(crate) use check::{Check, Watched};
pub(crate) use lost::LostThings;
pub(crate) use offset::{Bound, Offset};
pub(crate) use service::{Death, Healing, Service};
pub(crate) use trust::Trust;

use crate::identity::KeyHash;
use crate::incident::IncidentId;
use crate::incident::late::Late;
use crate::ingest::dedupe::Runs;
use crate::ingest::sessions::HEARTBEAT;
use crate::signal::{Signal, What};
use crate::table::{Named, Table};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use picket_proto::event::{CheckKind, Intent, Verdict};
use picket_proto::frame::Crc32c;
use picket_proto::{HostId, Mono, Name, Run, Seq, Span, Text, Wall};
use serde::{Deserialize, Serialize};

/// Most hosts: twice the largest fleet that the goals name.
pub(crate) const HOSTS_MAX: usize = 20_000;
/// Most checks of a host, as many as a Hello can name.
pub(crate) const CHECKS_MAX: usize = 4_096;
/// How far a chain of needs is followed: longer ones are cut, and only make a root less sure.
const NEEDS_DEPTH: usize = 8;
/// Most services of a host; a name beyond them is treated as none.
pub(crate) const SERVICES_MAX: usize = 1_024;
/// Incidents that a host remembers having been part of, for reopening and for late facts.
const RECENT_MAX: usize = 16;

/// Where a host stands by the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Presence {
    /// Enrolled, never seen.
    Expected,
    /// It is there, as far as is known.
    Present,
    /// It was not heard for its time.
    Silent,
    /// Its agent said goodbye.
    Stopped {
        /// When.
        at: Mono,
    },
    /// Its agent was removed on purpose.
    Retired,
}

/// Whether the session has said all that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// Not yet: what fires from before may be over.
    Awaited,
    /// Yes: what fires stands.
    Told,
}

impl Standing {
    /// When an agent says what stands, in words: as its session begins, and once more where it has lost events since.
    pub(crate) const fn told_when(self) -> &'static str {
        match self {
            Self::Awaited => "the agent connected",
            Self::Told => "the agent had lost events",
        }
    }
}

/// A host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Host {
    pub(crate) id: HostId,
    pub(crate) presence: Presence,
    pub(crate) trust: Trust,
    /// When it last fell silent, was stopped or quarantined.
    pub(crate) gone: Option<Wall>,
    pub(crate) version: String,
    /// How often it is heard while all is well. In a snapshot it stands behind the state, see `state/kept.rs`.
    #[serde(skip, default = "usual")]
    pub(crate) report: Span,
    /// The key that it was last enrolled with, and when; in a snapshot behind the state as well.
    #[serde(skip)]
    pub(crate) enrolled: Option<(KeyHash, Wall)>,
    pub(crate) offset: Option<Offset>,
    /// The run of the last Hello.
    pub(crate) run: Option<Run>,
    pub(crate) last_heard: Option<Wall>,
    pub(crate) runs: Runs,
    pub(crate) frames: u64,
    pub(crate) lost: u64,
    pub(crate) unknown: u64,
    pub(crate) checks: Table<Check>,
    pub(crate) services: Table<Service>,
    /// What fires now; what is ok is not here.
    pub(crate) signals: BTreeMap<What, Signal>,
    /// The checks of the last Hello, in its order.
    pub(crate) watched: Vec<u32>,
    /// How often an agent's word on what is up differed from what is held here.
    pub(crate) differences: u64,
    /// Checks that stand as not up since the session opened.
    pub(crate) listed: BTreeSet<u32>,
    pub(crate) standing: Standing,
    /// Incidents that touch it and are not resolved; as many as its signals at most.
    pub(crate) active: Vec<IncidentId>,
    /// The last incidents that touched it, newest last.
    pub(crate) recent: Vec<IncidentId>,
    /// Failures of the backlog whose end is not known yet.
    pub(crate) late: Vec<Late>,
    /// What vanished and is not back, by the number of the loss: as many as an agent has open, and what it forgot.
    pub(crate) lost_things: BTreeMap<u32, LostThings>,
}

/// Whether a frame is newer than the one that told before: within a run the higher number is. What the run that has
/// the session told is newer than any other run's; between two earlier runs the one heard first stays.
pub(crate) fn is_newer(present: Option<Run>, told: Option<(Run, Seq)>, (run, seq): (Run, Seq)) -> bool {
    told.is_none_or(|(last_run, last)| if last_run == run { last < seq } else { present == Some(run) })
}

/// How often a host is heard that has no interval of its own.
const fn usual() -> Span {
    HEARTBEAT
}

impl Named for Host {
    fn name(&self) -> &str {
        self.id.as_str()
    }
}

impl Host {
    /// A host that was never seen.
    pub(crate) fn expected(id: HostId) -> Self {
        Self {
            id,
            presence: Presence::Expected,
            trust: Trust::Full,
            gone: None,
            version: String::new(),
            report: HEARTBEAT,
            enrolled: None,
            offset: None,
            run: None,
            last_heard: None,
            runs: Runs::default(),
            frames: 0,
            lost: 0,
            unknown: 0,
            checks: Table::new(),
            services: Table::new(),
            signals: BTreeMap::new(),
            watched: Vec::new(),
            differences: 0,
            listed: BTreeSet::new(),
            standing: Standing::Awaited,
            active: Vec::new(),
            recent: Vec::new(),
            late: Vec::new(),
            lost_things: BTreeMap::new(),
        }
    }

    /// How many watched checks are up, and the crc32c over their names, each with a zero byte, in the Hello's order:
    /// what the agent says at the end of what stands.
    pub(crate) fn up(&self) -> (u32, u32) {
        let (mut count, mut digest) = (0, Crc32c::new());
        let watched = self.watched.iter().filter_map(|slot| self.checks.get(*slot));
        for check in watched.filter(|check| check.verdict == Verdict::Up) {
            count += 1;
            digest.add(check.name.as_str().as_bytes());
            digest.add(&[0]);
        }
        (count, digest.value())
    }

    /// The slot of a service, made if there is room.
    pub(crate) fn service(&mut self, name: &Name) -> Option<u32> {
        if let Some(slot) = self.services.find(name.as_str()) {
            return Some(slot);
        }
        let service = Service {
            name: name.clone(),
            pid: 0,
            pid_told: None,
            remedies: 0,
            healing: Healing::No,
            not_healed: String::new(),
            healing_told: None,
            intent: Intent::Run,
            intent_told: None,
            stopped: None,
            death: Death::default(),
            needs: None,
            calm_at: None,
        };
        (self.services.len() < SERVICES_MAX).then(|| self.services.add(service))
    }

    /// The slot of a check, made if there is room; a check that nobody watches any more makes room.
    pub(crate) fn check(&mut self, name: &Name, kind: CheckKind, service: Option<&Name>) -> Option<u32> {
        let slot = self.checks.find(name.as_str());
        if let Some(check) = slot.and_then(|slot| self.checks.get(slot)) {
            let same = check.service.and_then(|at| self.services.get(at)).map(|at| &at.name) == service;
            if same && check.kind == kind {
                return slot;
            }
        }
        let service = service.and_then(|name| self.service(name));
        if let Some(check) = slot.and_then(|slot| self.checks.get_mut(slot)) {
            check.kind = kind;
            check.service = service;
            return slot;
        }
        self.new_check(Check {
            name: name.clone(),
            kind,
            service,
            verdict: Verdict::Unknown,
            since: None,
            cause: None,
            said: Text::default(),
            watched: Watched::Yes,
        })
    }

    fn new_check(&mut self, check: Check) -> Option<u32> {
        if self.checks.len() < CHECKS_MAX {
            return Some(self.checks.add(check));
        }
        let free = self.checks.iter().find(|(_, old)| old.watched == Watched::No).map(|(slot, _)| slot)?;
        self.checks.replace(free, check);
        Some(free)
    }

    /// The service that a condition is about.
    pub(crate) fn service_of(&self, what: What) -> Option<u32> {
        match what {
            What::Down(check) | What::Degraded(check) | What::Flapping(check) | What::Blind(check) => {
                self.checks.get(check).and_then(|check| check.service)
            }
            What::Died(service) | What::NotHealed(service) | What::StopOverstay(service) => Some(service),
            What::Vanished(number) => self.lost_things.get(&number).and_then(|loss| loss.service),
            What::HostSilent | What::AgentOverstay | What::DuplicateIdentity => None,
        }
    }

    /// Whether a service fails by what its agent said live in this session, or said before and still holds to.
    pub(crate) fn stands(&self, service: u32) -> bool {
        self.signals.keys().filter(|what| self.service_of(**what) == Some(service)).any(|what| match what {
            What::Down(check) | What::Flapping(check) => {
                self.standing == Standing::Told || self.listed.contains(check)
            }
            What::Died(_) => self.standing == Standing::Told,
            What::Degraded(_) | What::NotHealed(_) | What::Blind(_) => false,
            // It is missing, and a service that does not run fails nothing by that.
            What::Vanished(_) | What::StopOverstay(_) => false,
            What::HostSilent | What::AgentOverstay | What::DuplicateIdentity => false,
        })
    }

    /// Whether nothing stands of a service's checks, as of one that is left alone.
    pub(crate) fn is_unprobed(&self, service: u32) -> bool {
        let mut own = self.checks.iter().filter(|(_, check)| check.service == Some(service));
        own.all(|(_, check)| check.watched == Watched::No || check.verdict == Verdict::Unknown)
    }

    /// Whether a frame of the backlog is the newest word on a service's healing. A frame of another run than the
    /// last word's is newer if it is of the run that has the session.
    pub(crate) fn is_newest_on_healing(&self, service: u32, run: Run, seq: Seq) -> bool {
        let told = self.services.get(service).and_then(|service| service.healing_told);
        is_newer(self.run, told, (run, seq))
    }

    /// Notes that an incident touches it.
    pub(crate) fn touch(&mut self, incident: IncidentId) {
        if !self.active.contains(&incident) {
            self.active.push(incident);
        }
        if !self.recent.contains(&incident) {
            if self.recent.len() == RECENT_MAX {
                self.recent.remove(0);
            }
            self.recent.push(incident);
        }
    }
}
