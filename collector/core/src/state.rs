//! The durable state and `apply`, the only function that changes it.
//!
//! Everything here follows from the journal alone: the same records in the same order give the same bytes. Sessions,
//! watchers, held effects and heard times are not here (see [`crate::ingest::sessions`], [`crate::view::watch`]).

mod commanded;
pub(crate) mod ending;
pub(crate) mod firing;
mod fleet;
mod kept;
pub(crate) mod machine;
mod presence;
pub(crate) mod root;
mod standing;
pub(crate) mod stops;

use crate::host::{Bound, Host, Offset, Presence, Watched};
use crate::identity::Tokens;
use crate::incident::IncidentId;
use crate::incident::table::Incidents;
use crate::ingest::taken::Taken;
use crate::ingest::{Hello, Lane};
use crate::record::Record;
use crate::signal::{Key, What};
use crate::table::Table;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use firing::clear;
use picket_proto::{BootId, Fact, HostId, Mono, Now, Run, SeqRange, Wall};
use serde::{Deserialize, Serialize};

/// The version of `apply`'s behaviour. Raise it with every change after which the same records give another state:
/// a snapshot of another version is passed over while the journal still reaches back far enough to do without it.
pub const LOGIC: u32 = 9;

/// The versions whose snapshots this one can read at all. Its first number moves up to [`LOGIC`] when the layout of
/// the state changes in a way that old bytes do not fit.
pub const LOGIC_READ: core::ops::RangeInclusive<u32> = 4..=LOGIC;

/// Bytes that are no state of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl core::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("it is no whole state of this version")
    }
}

impl core::error::Error for Unreadable {}

/// The place of a record in the journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) index: u64,
    pub(crate) now: Now,
}

/// Everything that the journal says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// The last record applied.
    pub(crate) index: u64,
    /// When.
    pub(crate) mono: Mono,
    pub(crate) boot: Option<BootId>,
    /// When the collector last began.
    pub(crate) resumed: Option<Wall>,
    pub(crate) tokens: Tokens,
    pub(crate) hosts: Table<Host>,
    pub(crate) incidents: Incidents,
    /// Conditions that fire.
    pub(crate) firing: u32,
    /// Conditions that found no room.
    pub(crate) overflow: u64,
    /// The last incident of the whole fleet.
    pub(crate) fleet: Option<IncidentId>,
    /// Stopped agents by the time when they overstay.
    pub(crate) overstays: BTreeSet<(Mono, u32)>,
    /// Services that died and were started again, by the time when their death is over; one entry each.
    pub(crate) calms: BTreeSet<(Mono, u32, u32)>,
    /// Services that somebody stopped, by the time when they overstay.
    pub(crate) stops: BTreeSet<(Mono, u32, u32)>,
    /// Changes told; the number of the last one.
    pub(crate) changes: u64,
}

impl State {
    /// Before the first record.
    pub(crate) const fn new() -> Self {
        Self {
            index: 0,
            mono: Mono::from_micros(0),
            boot: None,
            resumed: None,
            tokens: Tokens::new(),
            hosts: Table::new(),
            incidents: Incidents::new(),
            firing: 0,
            overflow: 0,
            fleet: None,
            overstays: BTreeSet::new(),
            calms: BTreeSet::new(),
            stops: BTreeSet::new(),
            changes: 0,
        }
    }

    /// Applies one record. `taken` is what its frames say, if it holds frames.
    pub(crate) fn apply(&mut self, at: At, record: &Record, taken: &[Taken]) {
        self.index = at.index;
        self.mono = at.now.mono;
        match record {
            Record::Resumed { boot } => self.resumed(at, *boot),
            Record::Minted { host, hash, .. } => self.tokens.mint(at.now.mono, *hash, host.clone()),
            Record::Enrolled { host, hash, key } => {
                self.tokens.used(hash, *key);
                if let Some(host) = self.host(host).and_then(|slot| self.hosts.get_mut(slot)) {
                    host.enrolled = Some((*key, at.now.wall));
                }
            }
            Record::Opened { host, hello } => self.opened(at, host, hello),
            Record::Frames { host, run, lane, span, .. } => {
                self.frames(at, host, (*run, *span), (*lane, taken));
            }
            Record::Conflict { host, range, .. } => {
                if let Some(host) = self.host(host).and_then(|slot| self.hosts.get_mut(slot)) {
                    host.lost = host.lost.saturating_add(range.count());
                }
            }
            Record::Damaged { host, run, range } => self.damaged(host, *run, *range),
            Record::Standing { host, checks } => self.stood(at, host, checks),
            Record::Stands { host, checks } => self.standing(at, host, checks.iter().cloned()),
            Record::StandingEnd { host, up, digest } => {
                self.standing_end(at, host);
                self.compare(host, (*up, *digest));
            }
            Record::Goodbye { host } => self.goodbye(at, host),
            Record::Retired { host } => self.retired(at, host),
            // How a session ended is for those who read the journal; what it means shows by silence.
            Record::Closed { .. } => {}
            Record::Silent { hosts } => self.silent(at, hosts),
            Record::Duplicate { host } => self.duplicate(at, host),
            Record::Commanded { operator, incident, verb } => self.commanded(at, operator, *incident, verb),
            Record::Tick => self.tick(at),
            Record::Offset { host, boot, offset } => {
                if let Some(host) = self.host(host).and_then(|slot| self.hosts.get_mut(slot)) {
                    host.offset = Some(Offset::measured(*boot, *offset));
                }
            }
            Record::Paced { host, report } => self.paced(host, *report),
            Record::Ordered { operator, host, evidence_of, .. } => {
                self.evidence_asked(at, operator, host, evidence_of);
            }
            Record::Back { hosts } => hosts.iter().for_each(|host| self.is_back(at, host)),
        }
        root::follow(self, at);
    }

    /// When a [`Record::Tick`] is due.
    pub(crate) fn due(&self) -> Option<Mono> {
        let overstay = self.overstays.first().map(|(at, _)| *at);
        let calm = self.calms.first().map(|(at, ..)| *at);
        let stop = self.stops.first().map(|(at, ..)| *at);
        [self.incidents.first_due(), overstay, calm, stop].into_iter().flatten().min()
    }

    fn host(&mut self, id: &HostId) -> Option<u32> {
        match self.hosts.find(id.as_str()) {
            Some(slot) => Some(slot),
            None => self.has_room().then(|| self.hosts.add(Host::expected(id.clone()))),
        }
    }

    fn is_back(&mut self, at: At, id: &HostId) {
        if let Some(slot) = self.host(id) {
            self.back(at, slot);
        }
    }

    fn opened(&mut self, at: At, id: &HostId, hello: &Hello) {
        let Some(slot) = self.host(id) else { return };
        self.back(at, slot);
        let Some(host) = self.hosts.get_mut(slot) else { return };
        host.version.clone_from(&hello.version);
        let (boot, theirs, ours) = (hello.stamp.boot, hello.stamp.mono, at.now.mono);
        // What was measured in the same boot is better than what a Hello says.
        if !host.offset.is_some_and(|known| known.boot == boot && known.bound != Bound::Transit) {
            host.offset = Some(Offset { boot, theirs, ours, bound: Bound::Transit });
        }
        host.run = Some(hello.stamp.run);
        host.listed.clear();
        host.standing = crate::host::Standing::Awaited;
        host.runs.enter(hello.stamp.run);
        host.watched.clear();
        for (_, check) in host.checks.iter_mut() {
            check.watched = Watched::No;
        }
        for watched in &hello.watched {
            let check = host.check(&watched.check, watched.kind, watched.service.as_ref());
            host.watched.extend(check);
            if let Some(check) = check.and_then(|check| host.checks.get_mut(check)) {
                check.watched = Watched::Yes;
            }
        }
        self.forget_unwatched(at, slot);
    }

    /// What a configuration no longer names can't fail.
    fn forget_unwatched(&mut self, at: At, slot: u32) {
        let Some(host) = self.hosts.get(slot) else { return };
        let is_unwatched = |what: &What| {
            let check = what.check().and_then(|check| host.checks.get(check));
            check.is_some_and(|check| check.watched == Watched::No)
        };
        let gone: Vec<What> = host.signals.keys().copied().filter(is_unwatched).collect();
        for what in gone {
            clear(self, at, Key { host: slot, what });
        }
    }

    fn frames(&mut self, at: At, id: &HostId, (run, span): (Run, SeqRange), (lane, taken): (Lane, &[Taken])) {
        let Some(slot) = self.host(id) else { return };
        let Some(host) = self.hosts.get_mut(slot) else { return };
        match host.presence {
            Presence::Present => host.last_heard = Some(at.now.wall),
            // What is still under way after a goodbye does not take it back.
            Presence::Stopped { .. } | Presence::Retired => {}
            Presence::Expected | Presence::Silent => self.back(at, slot),
        }
        let Some(host) = self.hosts.get_mut(slot) else { return };
        for event in taken.iter().filter_map(|taken| taken.event.as_ref()) {
            account(host, &event.fact);
        }
        let crcs = taken.iter().map(|taken| (taken.seq, taken.crc));
        // Ingest made sure that the ranges have room; only entries missing from a journal can have taken it.
        let closed = host.runs.take(run, span, crcs);
        host.lost = host.lost.saturating_add(closed);
        host.frames = host.frames.saturating_add(taken.len() as u64);
        for taken in taken {
            let dated = taken.event.as_ref().and_then(|event| self.hosts.get(slot)?.dated(at.now, event));
            match (dated.as_ref().or(taken.event.as_ref()), lane) {
                (Some(event), Lane::Live) => crate::live::event(self, at, slot, taken.seq, event),
                (Some(event), Lane::Backlog) => crate::backlog::event(self, at, slot, taken.seq, event),
                (None, Lane::Live | Lane::Backlog) => self.unknown(slot),
            }
        }
    }

    /// Closes what cannot be read back, so that the ranges of a live run stay whole. Damage can have hit the names
    /// too, so it makes no host and no run that was not there.
    fn damaged(&mut self, id: &HostId, run: Run, range: SeqRange) {
        let Some(host) = self.hosts.find(id.as_str()).and_then(|slot| self.hosts.get_mut(slot)) else {
            return;
        };
        let is_known = host.run == Some(run) || host.runs.has(run);
        let closed = if is_known { host.runs.close(run, range) } else { Ok(range.count()) };
        host.lost = host.lost.saturating_add(closed.unwrap_or_else(|_full| range.count()));
    }

    fn unknown(&mut self, slot: u32) {
        if let Some(host) = self.hosts.get_mut(slot) {
            host.unknown = host.unknown.saturating_add(1);
        }
    }

    fn tick(&mut self, at: At) {
        crate::live::calm::calm_now(self, at);
        stops::overstay_now(self, at);
        while let Some(id) = self.incidents.pop_due(at.now.mono) {
            ending::held(self, at, id);
        }
        while let Some((due, slot)) = self.overstays.first().copied() {
            if due > at.now.mono {
                return;
            }
            self.overstays.pop_first();
            self.overstays_now(at, slot, due);
        }
    }
}

/// What a frame says about frames.
fn account(host: &mut Host, fact: &Fact) {
    // What the run before had and did not bring is the agent's to name: part of it may still be on its disk.
    if let Fact::Gap(gap) = fact {
        // Ingest made sure that the ranges have room for it.
        let closed = host.runs.close(gap.run, gap.range).unwrap_or(0);
        host.lost = host.lost.saturating_add(closed);
    }
}
