//! The durable state and `apply`, the only function that changes it.
//!
//! Everything here follows from the journal alone: the same records in the same order give the same bytes. Sessions,
//! watchers, held effects and heard times are not here (see [`crate::ingest::sessions`], [`crate::view::watch`]).

pub(crate) mod machine;

use crate::correlate::{self, Said, clear, fire, resolve};
use crate::host::{HOSTS_MAX, Healing, Host, Offset, Presence, Trust, Watched};
use crate::identity::Tokens;
use crate::incident::life::Ending;
use crate::incident::table::Incidents;
use crate::incident::timeline::Entry;
use crate::incident::{IncidentId, Verb};
use crate::ingest::taken::Taken;
use crate::ingest::{Hello, Lane, Standing};
use crate::live::{check_said, clear_others, note, note_fired};
use crate::record::Record;
use crate::signal::{Key, What};
use crate::table::Table;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use picket_proto::event::Verdict;
use picket_proto::{BootId, Fact, HostId, Mono, Name, Now, Run, SeqRange, Span};
use serde::Serialize;

/// How long a planned stop may last before somebody is told.
const OVERSTAY: Span = Span::from_secs(15 * 60);

/// The place of a record in the journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) index: u64,
    pub(crate) now: Now,
}

/// Everything that the journal says.
#[derive(Debug, Serialize)]
pub(crate) struct State {
    /// The last record applied.
    pub(crate) index: u64,
    /// When.
    pub(crate) mono: Mono,
    pub(crate) boot: Option<BootId>,
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
            tokens: Tokens::new(),
            hosts: Table::new(),
            incidents: Incidents::new(),
            firing: 0,
            overflow: 0,
            fleet: None,
            overstays: BTreeSet::new(),
            calms: BTreeSet::new(),
            changes: 0,
        }
    }

    /// Applies one record. `taken` is what its frames say, if it holds frames.
    pub(crate) fn apply(&mut self, at: At, record: &Record, taken: &[Taken]) {
        self.index = at.index;
        self.mono = at.now.mono;
        match record {
            Record::Resumed { boot } => self.boot = Some(*boot),
            Record::Minted { host, hash, .. } => self.tokens.mint(at.now.mono, *hash, host.clone()),
            Record::Enrolled { host, hash } => {
                self.tokens.used(hash);
                self.host(host);
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
            Record::Standing { host, checks } => self.standing(at, host, checks),
            Record::StandingEnd { host, up, digest } => {
                self.standing_end(at, host);
                self.compare(host, (*up, *digest));
            }
            Record::Goodbye { host } => self.goodbye(at, host),
            // How a session ended is for those who read the journal; what it means shows by silence.
            Record::Closed { .. } => {}
            Record::Silent { hosts } => self.silent(at, hosts),
            Record::Duplicate { host } => self.duplicate(at, host),
            Record::Commanded { operator, incident, verb } => self.commanded(at, operator, *incident, verb),
            Record::Tick => self.tick(at),
            Record::Back { hosts } => {
                for host in hosts {
                    if let Some(slot) = self.host(host) {
                        self.back(at, slot);
                    }
                }
            }
        }
    }

    /// When a [`Record::Tick`] is due.
    pub(crate) fn due(&self) -> Option<Mono> {
        let overstay = self.overstays.first().map(|(at, _)| *at);
        let calm = self.calms.first().map(|(at, ..)| *at);
        [self.incidents.first_due(), overstay, calm].into_iter().flatten().min()
    }

    /// Hosts that can be added.
    pub(crate) fn has_room(&self) -> bool {
        self.hosts.len() < HOSTS_MAX
    }

    fn host(&mut self, id: &HostId) -> Option<u32> {
        match self.hosts.find(id.as_str()) {
            Some(slot) => Some(slot),
            None => self.has_room().then(|| self.hosts.add(Host::expected(id.clone()))),
        }
    }

    fn opened(&mut self, at: At, id: &HostId, hello: &Hello) {
        let Some(slot) = self.host(id) else { return };
        self.back(at, slot);
        let Some(host) = self.hosts.get_mut(slot) else { return };
        host.version.clone_from(&hello.version);
        host.offset = Some(Offset { boot: hello.stamp.boot, theirs: hello.stamp.mono, ours: at.now.mono });
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

    /// The host is there again, whatever it was before.
    fn back(&mut self, at: At, slot: u32) {
        let Some(host) = self.hosts.get_mut(slot) else { return };
        host.last_heard = Some(at.now.wall);
        let was = core::mem::replace(&mut host.presence, Presence::Present);
        let what = match was {
            Presence::Expected | Presence::Present => return,
            Presence::Silent => What::HostSilent,
            Presence::Stopped { .. } => What::AgentOverstay,
        };
        let Some(signal) = host.signals.get(&what).copied() else { return };
        let mut entry = Entry::said(at.now.wall, "host-back", format!("{} is heard again", host.id));
        entry.host = Some(slot);
        note(self, at, signal.incident, entry);
        clear(self, at, Key { host: slot, what });
    }

    fn frames(&mut self, at: At, id: &HostId, (run, span): (Run, SeqRange), (lane, taken): (Lane, &[Taken])) {
        let Some(slot) = self.host(id) else { return };
        let Some(host) = self.hosts.get_mut(slot) else { return };
        match host.presence {
            Presence::Present => host.last_heard = Some(at.now.wall),
            // What is still under way after a goodbye does not take it back.
            Presence::Stopped { .. } => {}
            Presence::Expected | Presence::Silent => self.back(at, slot),
        }
        let Some(host) = self.hosts.get_mut(slot) else { return };
        for event in taken.iter().filter_map(|taken| taken.event.as_ref()) {
            account(host, &event.fact);
        }
        let crcs = taken.iter().map(|taken| (taken.seq, taken.crc));
        // Ingest made sure that the ranges have room for it before it made the record.
        let _there_was_room = host.runs.take(run, span, crcs);
        host.frames = host.frames.saturating_add(taken.len() as u64);
        for taken in taken {
            match (&taken.event, lane) {
                (Some(event), Lane::Live) => crate::live::event(self, at, slot, taken.seq, event),
                (Some(event), Lane::Backlog) => crate::backlog::event(self, at, slot, taken.seq, event),
                (None, Lane::Live | Lane::Backlog) => self.unknown(slot),
            }
        }
    }

    fn unknown(&mut self, slot: u32) {
        if let Some(host) = self.hosts.get_mut(slot) {
            host.unknown = host.unknown.saturating_add(1);
        }
    }

    fn standing(&mut self, at: At, id: &HostId, checks: &[Standing]) {
        let Some(slot) = self.host(id) else { return };
        for standing in checks {
            self.stands(at, slot, standing);
        }
    }

    fn stands(&mut self, at: At, slot: u32, standing: &Standing) {
        let Some(host) = self.hosts.get_mut(slot) else { return };
        let Some(check) = host.check(&standing.check, standing.kind, standing.service.as_ref()) else {
            return;
        };
        if standing.verdict != Verdict::Up {
            host.listed.insert(check);
        }
        let Some(known) = host.checks.get_mut(check) else { return };
        if known.verdict != standing.verdict {
            known.cause = None;
        }
        known.verdict = standing.verdict;
        known.since = Some(standing.since.wall);
        let service = known.service;
        let Some(what) = What::from_verdict(check, standing.verdict) else { return };
        let is_new = !host.signals.contains_key(&what);
        let fired =
            fire(self, at, Key { host: slot, what }, |host| check_said(host, check, standing.since.wall));
        clear_others(self, at, slot, check, Some(what));
        if is_new {
            let text =
                format!("{} is {} (it stood so when the agent connected)", standing.check, standing.verdict);
            let mut entry = Entry::said(standing.since.wall, what.code(), text);
            entry.host = Some(slot);
            note_fired(self, at, fired, entry);
            crate::backlog::joined(self, slot, service, check, fired.incident);
        }
        if let (Verdict::Down, Some(service)) = (standing.verdict, service) {
            crate::live::healing::still_not_healed(self, at, slot, service);
        }
    }

    fn standing_end(&mut self, at: At, id: &HostId) {
        let Some(slot) = self.host(id) else { return };
        let Some(host) = self.hosts.get_mut(slot) else { return };
        let listed = core::mem::take(&mut host.listed);
        host.standing = crate::host::Standing::Told;
        let mut troubled = BTreeSet::new();
        for check in &listed {
            troubled.extend(host.checks.get(*check).and_then(|check| check.service));
        }
        for (check, known) in host.checks.iter_mut() {
            if known.watched == Watched::Yes && !listed.contains(&check) && known.verdict != Verdict::Up {
                (known.verdict, known.since, known.cause) = (Verdict::Up, Some(at.now.wall), None);
            }
        }
        for (service, known) in host.services.iter_mut() {
            if !troubled.contains(&service) {
                known.healing = Healing::No;
                known.not_healed.clear();
            }
        }
        let firing: Vec<What> = host.signals.keys().copied().collect();
        for what in firing {
            let over = match what {
                What::Down(check) | What::Degraded(check) | What::Flapping(check) => !listed.contains(&check),
                What::Died(service) | What::NotHealed(service) => !troubled.contains(&service),
                What::HostSilent | What::AgentOverstay | What::DuplicateIdentity => false,
            };
            if over {
                self.stands_no_more(at, Key { host: slot, what });
            } else if let What::Died(service) = what {
                // Another check of it stands; its process may live, and nobody would say so again.
                crate::live::calm::calm(self, at, slot, Some(service));
            }
        }
        crate::backlog::unseen_ends(self, at, slot, |_, subject| match subject {
            crate::incident::late::Subject::Service(service) => !troubled.contains(&service),
            crate::incident::late::Subject::Check(check) => !listed.contains(&check),
        });
    }

    /// What the agent holds for up and what is held here must be the same now; a difference is counted, since the
    /// next session tells all again.
    fn compare(&mut self, id: &HostId, theirs: (u32, u32)) {
        let Some(host) = self.host(id).and_then(|slot| self.hosts.get_mut(slot)) else { return };
        if host.up() != theirs {
            host.differences = host.differences.saturating_add(1);
        }
    }

    fn stands_no_more(&mut self, at: At, key: Key) {
        let Some(host) = self.hosts.get(key.host) else { return };
        let Some(signal) = host.signals.get(&key.what).copied() else { return };
        let check = key.what.check().and_then(|check| host.checks.get(check)).map(|check| &check.name);
        let service = host.service_of(key.what).and_then(|service| host.services.get(service));
        let name = check.or_else(|| service.map(|service| &service.name));
        let text = format!("{} is up (told when the agent connected)", name.map_or("it", Name::as_str));
        let mut entry = Entry::said(at.now.wall, "check-up", text);
        entry.host = Some(key.host);
        note(self, at, signal.incident, entry);
        clear(self, at, key);
    }

    fn goodbye(&mut self, at: At, id: &HostId) {
        let Some(slot) = self.host(id) else { return };
        self.back(at, slot);
        let Some(host) = self.hosts.get_mut(slot) else { return };
        host.presence = Presence::Stopped { at: at.now.mono };
        let mut entry =
            Entry::said(at.now.wall, "agent-stopped", format!("the agent of {} said goodbye", host.id));
        entry.host = Some(slot);
        let active = host.active.clone();
        for id in active {
            note(self, at, Some(id), entry.clone());
        }
        self.overstays.insert((at.now.mono.plus(OVERSTAY), slot));
    }

    fn silent(&mut self, at: At, hosts: &[HostId]) {
        let mut slots = Vec::new();
        for id in hosts {
            let Some(slot) = self.hosts.find(id.as_str()) else { continue };
            let Some(host) = self.hosts.get_mut(slot) else { continue };
            if host.presence == Presence::Present && host.trust == Trust::Full {
                host.presence = Presence::Silent;
                slots.push(slot);
            }
        }
        correlate::silent(self, at, &slots);
    }

    fn duplicate(&mut self, at: At, id: &HostId) {
        let Some(slot) = self.host(id) else { return };
        let Some(host) = self.hosts.get_mut(slot) else { return };
        host.trust = Trust::Quarantined;
        let said = |host: &Host| Said {
            title: format!("{}: two machines use its certificate", host.id),
            cause: format!("two live sessions showed the certificate of {}; it is quarantined", host.id),
            at: at.now.wall,
        };
        let fired = fire(self, at, Key { host: slot, what: What::DuplicateIdentity }, said);
        let text = "two live sessions showed one certificate; both are quarantined".to_string();
        let mut entry = Entry::said(at.now.wall, "duplicate-identity", text);
        entry.host = Some(slot);
        note_fired(self, at, fired, entry);
    }

    fn commanded(&mut self, at: At, operator: &Name, id: IncidentId, verb: &Verb) {
        let Some(incident) = self.incidents.get_mut(id) else { return };
        match verb {
            Verb::Acknowledge => {
                incident.acknowledged_by = Some(operator.clone());
                let entry = Entry::said(at.now.wall, "incident-acknowledged", format!("taken by {operator}"));
                note(self, at, Some(id), entry);
            }
            Verb::Note(text) => {
                let entry = Entry::said(at.now.wall, "incident-note", format!("{operator}: {text}"));
                note(self, at, Some(id), entry);
            }
            Verb::Resolve(why) => {
                self.lift(at, id);
                let why = if why.is_empty() { why.clone() } else { format!(": {why}") };
                resolve(self, at, id, Ending::Decision, format!("resolved by {operator}{why}"));
            }
        }
    }

    /// An operator who resolves the incident of a quarantine lifts it.
    fn lift(&mut self, at: At, id: IncidentId) {
        let Some(incident) = self.incidents.get(id) else { return };
        let is_duplicate = |key: &&Key| key.what == What::DuplicateIdentity;
        let keys: Vec<Key> = incident.firing.iter().filter(is_duplicate).copied().collect();
        for key in keys {
            let Some(host) = self.hosts.get_mut(key.host) else { continue };
            host.trust = Trust::Full;
            let text = format!("{} may connect again", host.id);
            note(self, at, Some(id), Entry::said(at.now.wall, "quarantine-lifted", text));
            if let Some(host) = self.hosts.get_mut(key.host)
                && host.signals.remove(&key.what).is_some()
            {
                self.firing = self.firing.saturating_sub(1);
            }
            if let Some(incident) = self.incidents.get_mut(id) {
                incident.clear(key);
            }
        }
    }

    fn tick(&mut self, at: At) {
        crate::live::calm::calm_now(self, at);
        while let Some(id) = self.incidents.pop_due(at.now.mono) {
            correlate::held(self, at, id);
        }
        while let Some((due, slot)) = self.overstays.first().copied() {
            if due > at.now.mono {
                return;
            }
            self.overstays.pop_first();
            self.overstays_now(at, slot, due);
        }
    }

    fn overstays_now(&mut self, at: At, slot: u32, due: Mono) {
        let Some(host) = self.hosts.get(slot) else { return };
        let Presence::Stopped { at: stopped } = host.presence else { return };
        if stopped.plus(OVERSTAY) != due {
            return;
        }
        fire(self, at, Key { host: slot, what: What::AgentOverstay }, |host| Said {
            title: format!("{}: its agent is still stopped", host.id),
            cause: format!("the agent of {} was stopped on purpose and is still away after 15 min", host.id),
            at: at.now.wall,
        });
    }
}

/// What a frame says about frames.
fn account(host: &mut Host, fact: &Fact) {
    match fact {
        Fact::Began(began) => {
            if let Some((run, last)) = began.previous {
                host.runs.claim(run, last);
            }
        }
        Fact::Gap(gap) => {
            // Ingest made sure that the ranges have room for it.
            let closed = host.runs.close(gap.run, gap.range).unwrap_or(0);
            host.lost = host.lost.saturating_add(closed);
        }
        Fact::Verdict(_)
        | Fact::Started(_)
        | Fact::Exited(_)
        | Fact::Remedy(_)
        | Fact::Outcome(_)
        | Fact::Breaker(_)
        | Fact::Evidence(_) => {}
    }
}
