//! What was promised in numbers: rests between starts, holds that hold, silence that is told and not too soon, late
//! facts that page nobody. Each is a bound that the world measures by its own time.

use super::Truth;
use crate::sim::host::Host;
use crate::sim::service::Service;
use picket_agent_core::service::Spec;
use picket_collector_core::incident::Change;
use picket_collector_core::ingest::Lane;
use picket_collector_core::record::Record;
use picket_collector_core::store::Entry;
use picket_collector_core::view::{Answer, Query, Question};
use picket_collector_core::{Collector, Effect, Input, Token};
use picket_proto::event::{Gap, GapReason, RemedyEnded, Verdict};
use picket_proto::{Fact, HostId, Mono, Ranges, Run, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Starts beyond the budget and the first ones of runs: one that was decided before.
const SPARE: usize = 1;
/// A collector gives every host 60 s after its own start, by a clock that may run 5 % fast.
const AMNESTY: u64 = 55_000_000;
/// A host is silent after 25 s, by a clock that may run 5 % slow, and what it said may wait for 2 s for a challenge.
pub(in crate::sim) const UNHEARD: u64 = 35_000_000;
/// How long after trouble the ways and clocks are as always.
const CALM: u64 = 90_000_000;
/// No proof is shorter than the shortest hold of the world's services, 3 s, by a clock that may run 5 % fast.
const PROOF: u64 = 2_500_000;
/// Within this time a collector knows of a child's death where nothing is in trouble.
const KNOWN: u64 = 300_000;

/// A call to systemd takes no longer.
const CALL: u64 = 1_500;
/// For so long at least a restart of systemd's own is waited for.
const PATIENCE: u64 = 10_000_000;

/// When collectors began and were in trouble, and when each host was last heard.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Vigil {
    pub(in crate::sim) began: BTreeMap<usize, u64>,
    pub(in crate::sim) trouble: BTreeMap<usize, u64>,
    pub(in crate::sim) heard: BTreeMap<usize, u64>,
    /// When the session of a host at a collector began, by the host's own clock.
    pub(super) hellos: BTreeMap<(usize, HostId), (Run, Mono)>,
    /// What each run last heard as acknowledged of itself.
    pub(super) acks: BTreeMap<Run, Ranges>,
}

impl Vigil {
    /// Whether a collector has run undisturbed for so long that it must know who is silent.
    pub(in crate::sim) fn is_settled(&self, at: usize, now: u64) -> bool {
        let before = |when: Option<&u64>| when.is_none_or(|when| when + CALM < now);
        self.began.contains_key(&at) && before(self.began.get(&at)) && before(self.trouble.get(&at))
    }

    /// Since when nothing was heard of a host, where that is too long ago for it to be anything but silent.
    pub(in crate::sim) fn unheard(&self, host: usize, now: u64) -> Option<u64> {
        self.heard.get(&host).copied().filter(|heard| heard + UNHEARD < now)
    }
}

impl Truth {
    /// systemd's own restart is waited for, if not for ever; a call that was on its way at the death can't be called back.
    pub(super) fn waits_for_systemd(&mut self, now: u64, service: &Service, who: &str) {
        let knew = service.died_at.is_some_and(|died| (died + CALL..died + PATIENCE).contains(&now));
        self.expect(now, !knew || !service.unit.is_auto_restarting(), || {
            format!("{who} is started although systemd is about to start it itself")
        });
    }

    /// Remedies rest where the budget is used up or the deaths are all the same: at least three quarters of the rest,
    /// by a clock that may run 5 % fast.
    pub(super) fn rests(&mut self, now: u64, service: &Service, spec: &Spec, who: &str) {
        let Some(last) = service.starts.last() else { return };
        if now - last >= spec.retry_after.micros() * 7 / 10 {
            return;
        }
        let window = spec.budget_window.micros() * 9 / 10;
        let lately = |times: &[u64]| times.iter().filter(|at| **at + window > now).count();
        let recent = lately(&service.starts);
        // A person's word begins a budget anew, and one more try that needs no rest.
        let tries = lately(&service.tries);
        let most = (usize::from(spec.budget) + SPARE) * (1 + tries) + lately(&service.runs);
        self.expect(now, recent < most, || {
            format!("{who} is started again without a rest after {recent} starts in its budget's window")
        });
        let since = service.loops_since.unwrap_or(u64::MAX);
        let same = service.starts.iter().filter(|at| **at >= since).count();
        self.expect(now, same <= usize::from(spec.same_deaths) + service.tries.len(), || {
            format!("{who} is started again without a rest after {same} starts that ended the same way")
        });
    }

    /// A recovery was to be believed after its hold and no sooner.
    pub(super) fn held(&mut self, now: u64, spec: &Spec, held_for: Span, ended: &RemedyEnded) {
        self.expect(now, held_for >= spec.hold, || {
            format!("{} is believed after {held_for}, and was to hold for {}", ended.service, spec.hold)
        });
    }

    /// A run names a loss of its own: neither end of it is a number of which it heard that it arrived.
    pub(super) fn given_up(&mut self, now: u64, run: Run, fact: &Fact) {
        let Fact::Gap(Gap { run: of, range, reason: GapReason::SpoolFull }) = fact else { return };
        let Some(acked) = self.vigil.acks.get(&run).filter(|_| *of == run) else { return };
        let arrived = [range.first(), range.last()].into_iter().find(|end| acked.contains(*end));
        if let Some(seq) = arrived {
            self.broken(now, format!("run {run} names {range} as lost, of which {seq} was acknowledged"));
        }
    }

    /// Something of an incident is told to people: what it says of time must be so.
    pub(super) fn promised(&mut self, now: u64, hosts: &[Host<'_>], change: &Change) {
        let is_new = matches!(change.code, "incident-opened" | "incident-reopened");
        let is_silence = matches!(change.incident.severity_rule, "sev-host-silent" | "sev-fleet-silent");
        for host in hosts.iter().filter(|host| change.incident.hosts.contains(&host.id)) {
            if is_new && is_silence {
                let began = self.vigil.began.get(&host.collector).copied().unwrap_or(0);
                // Two machines may be one host.
                let was_heard = (0..)
                    .zip(hosts)
                    .filter(|(_, other)| other.id == host.id)
                    .any(|(other, _)| self.vigil.heard.get(&other).is_some_and(|heard| *heard >= began));
                self.expect(now, was_heard || began + AMNESTY <= now, || {
                    format!("{} is called silent {} us after its collector began", host.id, now - began)
                });
            }
        }
        if change.code == "incident-resolved" && change.incident.outcome.starts_with("recovered") {
            self.recovered(now, hosts, change);
        }
    }

    fn recovered(&mut self, now: u64, hosts: &[Host<'_>], change: &Change) {
        for (at, host) in (0..).zip(hosts).filter(|(_, host)| change.incident.hosts.contains(&host.id)) {
            let calm = self.trouble_of(at) <= now.saturating_sub(CALM)
                && self.vigil.is_settled(host.collector, now)
                && change.incident.hosts.len() == 1;
            for (service, spec) in host.services.iter().zip(&host.shape.services) {
                let is_its = change.incident.services.contains(&spec.name) && !service.is_unit();
                let ago = service.died_at.map_or(u64::MAX, |died| now - died);
                let is_proven = !(KNOWN..PROOF).contains(&ago);
                self.expect(now, !calm || !is_its || is_proven, || {
                    format!("incident {} ends {ago} us after {} died", change.incident.id.0, spec.name)
                });
            }
        }
    }

    /// What the backlog told paged for nothing that stands.
    pub(in crate::sim) fn check_late(&mut self, now: u64, at: usize, journal: &[Entry]) {
        if let Some(what) = late_page(journal) {
            self.broken(now, format!("collector {at}: {what}"));
        }
    }
}

fn late_page(journal: &[Entry]) -> Option<String> {
    let mut core = Collector::new(9);
    for entry in journal {
        let late = match &entry.record {
            Record::Frames { host, lane: Lane::Backlog, .. } => Some(host),
            _not_late => None,
        };
        let before = late.map(|_| open(&mut core, entry));
        core.replay(entry.index, entry.now, entry.record.clone());
        let (Some(host), Some(before)) = (late, before) else { continue };
        let new = open(&mut core, entry).difference(&before).next().copied();
        if let Some((id, _)) = new
            && !stands(&mut core, entry, host)
        {
            return Some(format!("incident {id} of {host} opens by what is late, and nothing stands"));
        }
    }
    None
}

fn open(core: &mut Collector, entry: &Entry) -> BTreeSet<(u64, u32)> {
    let question = Question::Incidents { open_only: true, host: None, before: None, limit: 500 };
    match ask(core, entry, question) {
        Some(Answer::Incidents(open, _)) => {
            open.iter().map(|incident| (incident.id.0, incident.episode)).collect()
        }
        Some(_) | None => BTreeSet::new(),
    }
}

fn stands(core: &mut Collector, entry: &Entry, host: &HostId) -> bool {
    let question = Question::Services { host: Some(Box::new(host.clone())), after: None, limit: 500 };
    match ask(core, entry, question) {
        Some(Answer::Services(services, _)) => services.iter().any(|service| service.verdict != Verdict::Up),
        Some(_) | None => true,
    }
}

fn ask(core: &mut Collector, entry: &Entry, question: Question) -> Option<Answer> {
    core.handle(entry.now, Input::Query(Query { reply: Token(0), question }));
    let mut answer = None;
    while let Some(effect) = core.poll() {
        if let Effect::Reply(reply) = effect {
            answer = Some(reply.answer);
        }
    }
    answer
}
