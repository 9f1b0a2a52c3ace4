//! Quiet: everything is mended and nothing new goes wrong, until the fleet has come to rest; then what must hold at the
//! end is checked, by the world's own knowledge and by what an operator would be answered.

use super::happening::Place;
use super::host::Power;
use super::net::Link;
use super::world::World;
use picket_agent_core::service;
use picket_agent_core::session::Phase;
use picket_collector_core::view::{self, Answer, HostState, Question, Service};
use picket_proto::event::Verdict;
use std::collections::BTreeMap;

/// How long coming to rest may take: the longest rest of a breaker that was open for long, then its proof, and the
/// 15 minutes for which a collector waits for an outcome.
const REST_MAX: u64 = 60 * 60 * 1_000_000;
const LOOK_EVERY: u64 = 5_000_000;

impl World<'_> {
    /// Mends everything.
    pub(super) fn mend(&mut self) {
        self.trace.say(self.now, "==== quiet");
        for at in 0..self.keepers.len() {
            (self.keepers[at].slow, self.keepers[at].full) = (0, false);
            self.wake(Place::Collector(at));
        }
        for at in 0..self.hosts.len() {
            self.net.links[at] = Link::default();
            self.flush_link(at);
            let disk = &mut self.hosts[at].disk;
            (disk.trouble, disk.slow) = (None, 0);
            self.hosts[at].bus_away = false;
            for service in 0..self.hosts[at].services.len() {
                self.cure(at, service);
            }
            self.wake(Place::Host(at));
            self.truth.troubled(self.now, at);
        }
    }

    /// An operator starts what was stopped, and what ended while nobody looked: its agent has told it and left it
    /// alone, as it must. A start has to wait while a stop is still at work.
    fn start_what_was_stopped(&mut self) {
        for at in 0..self.hosts.len() {
            for number in 0..self.hosts[at].services.len() {
                if self.is_left(at, number) {
                    self.hosts[at].services[number].stopped_at = Some(self.now);
                }
                self.operator_starts(at, number);
            }
        }
    }

    fn is_left(&self, at: usize, number: usize) -> bool {
        let host = &self.hosts[at];
        let service = u16::try_from(number).unwrap_or(u16::MAX);
        let view = host.agent.as_ref().and_then(|shell| shell.agent.service_at(service));
        host.services[number].process.is_none()
            && host.services[number].unseen
            && view.is_some_and(|view| view.phase() == service::Phase::Left)
    }

    fn wake(&mut self, place: Place) {
        self.thaw(place);
        self.skew(place, 0);
        self.pause(place, false);
        self.restart(place);
    }

    /// Lets the world run until it rests; false if it never does, or something did not hold.
    pub(super) fn come_to_rest(&mut self) -> bool {
        let last = self.now + REST_MAX;
        let mut restless = String::new();
        while self.now < last {
            self.start_what_was_stopped();
            if !self.run(self.now + LOOK_EVERY) {
                return false;
            }
            match self.restless() {
                Some(why) => restless = why,
                None => return true,
            }
        }
        self.truth.broken(self.now, format!("it never comes to rest: {restless}"));
        false
    }

    /// What is not at rest yet, cheapest first.
    fn restless(&mut self) -> Option<String> {
        (0..self.hosts.len()).find_map(|at| self.restless_host(at)).or_else(|| {
            (0..self.keepers.len()).find_map(|at| self.restless_collector(at)).or_else(|| self.unaccounted())
        })
    }

    fn restless_host(&self, at: usize) -> Option<String> {
        let host = &self.hosts[at];
        if host.power != Power::On {
            return Some(format!("host {at} is off"));
        }
        let Some(shell) = &host.agent else { return Some(format!("host {at} has no agent")) };
        if let Some(ill) = host.services.iter().position(|service| !service.is_well(self.now)) {
            let phase =
                shell.agent.service_at(u16::try_from(ill).unwrap_or(u16::MAX)).map(|view| view.phase());
            let keeper = host.services[ill].keeper;
            return Some(format!(
                "service {ill} ({keeper:?}) of host {at} is not well; its agent says {phase:?}"
            ));
        }
        if self.truth.doubled.contains(&at) {
            return None;
        }
        let phase = shell.agent.link();
        if !matches!(phase, Phase::Open { .. }) {
            return Some(format!("agent {at} has no session: {phase:?}"));
        }
        let view = shell.agent.spool_view();
        (view.frames > 0 || view.runs > 0 || view.lost > 0)
            .then(|| format!("the spool of agent {at} is not at rest: {view:?}"))
    }

    fn restless_collector(&mut self, at: usize) -> Option<String> {
        let question = Question::Incidents { open_only: true, host: None, before: None, limit: 500 };
        let Some(Answer::Incidents(open, _)) = self.ask(at, question) else {
            return Some(format!("collector {at} does not answer"));
        };
        let doubled: Vec<_> = self.truth.doubled.iter().map(|host| self.hosts[*host].id.clone()).collect();
        // A quarantine stays, also in an incident that other hosts were part of: then nothing else may fire in it.
        let is_quarantine = |incident: &&view::Incident| {
            let own = incident.hosts.iter().filter(|host| doubled.contains(host)).count();
            own == incident.hosts.len()
                || usize::try_from(incident.firing).is_ok_and(|firing| (1..=own).contains(&firing))
        };
        let open = open.iter().find(|incident| !is_quarantine(incident));
        let open = open.map(|incident| {
            format!(
                "incident {} of collector {at} is open: {} ({:?})",
                incident.id.0, incident.title, incident.state
            )
        });
        open.or_else(|| self.untrue(at))
    }

    /// A number of which nobody knows yet; a disk that could not be opened is tried again after a minute.
    fn unaccounted(&self) -> Option<String> {
        let running = self.hosts.iter().filter_map(|host| host.agent.as_ref());
        let running: BTreeMap<_, _> =
            running.map(|shell| (shell.run, shell.agent.spool_view().last.0)).collect();
        self.truth.unaccounted(&running)
    }

    /// What must hold once everything rests.
    pub(super) fn check_rest(&mut self) {
        if let Some(lost) = self.truth.durable_but_lost() {
            self.truth.broken(self.now, lost);
        }
        self.truth.check_shadows(self.now);
        self.check_digests();
        for at in 0..self.keepers.len() {
            if let Some(process) = self.keepers[at].process.take() {
                self.truth.check_replay(self.now, at, &self.keepers[at], &process.core);
                self.truth.check_late(self.now, at, &self.keepers[at].journal);
                self.keepers[at].process = Some(process);
            }
        }
    }

    /// Every host of which nothing was heard for long must be shown so.
    pub(super) fn look_who_is_silent(&mut self) {
        for at in 0..self.keepers.len() {
            let keeper = &self.keepers[at];
            let works = keeper.process.as_ref().is_some_and(|process| !process.stopped) && !keeper.full;
            let is_settled = works && keeper.slow == 0 && self.truth.vigil.is_settled(at, self.now);
            let unheard: Vec<_> = (0..self.hosts.len())
                .filter(|host| {
                    is_settled && self.hosts[*host].collector == at && !self.truth.doubled.contains(host)
                })
                .filter_map(|host| Some((host, self.truth.vigil.unheard(host, self.now)?)))
                .collect();
            let question = Question::Hosts { after: None, limit: 500 };
            if let Some(Answer::Hosts(hosts, _)) =
                (!unheard.is_empty()).then(|| self.ask(at, question)).flatten()
            {
                for (host, since) in unheard {
                    let id = &self.hosts[host].id;
                    let state = hosts.iter().find(|host| host.host == *id).map(|host| host.state);
                    let is_told = !matches!(state, Some(HostState::Connected | HostState::Away));
                    self.truth.expect(self.now, is_told, || {
                        format!("collector {at} shows {id} as {state:?}, of which nothing was heard since {since} us")
                    });
                }
            }
        }
    }

    /// What agents hold for up and what collectors held for it was the same at the end of every welcome, where no
    /// message came twice: a second end of a welcome is later than what it says.
    fn check_digests(&mut self) {
        if self.truth.counts.repeated > 0 {
            return;
        }
        for at in 0..self.keepers.len() {
            let question = Question::Hosts { after: None, limit: 500 };
            let Some(Answer::Hosts(hosts, _)) = self.ask(at, question) else { continue };
            if let Some(host) = hosts.iter().find(|host| host.differences > 0) {
                let what = format!("collector {at} and {} differed in what is up", host.host);
                self.truth.broken(self.now, what);
            }
        }
    }

    /// What an operator is shown and is not so.
    fn untrue(&mut self, at: usize) -> Option<String> {
        let hosts = self.ask(at, Question::Hosts { after: None, limit: 500 });
        let services = self.ask(at, Question::Services { host: None, after: None, limit: 500 });
        let (Some(Answer::Hosts(hosts, _)), Some(Answer::Services(services, _))) = (hosts, services) else {
            return Some(format!("collector {at} does not answer"));
        };
        let doubled: Vec<_> = self.truth.doubled.iter().map(|host| self.hosts[*host].id.clone()).collect();
        let state = |host: &picket_proto::HostId| {
            if doubled.contains(host) { HostState::Quarantined } else { HostState::Connected }
        };
        let is_off = |host: &&view::Host| host.state != state(&host.host);
        let host = hosts.iter().find(is_off);
        let host = host.map(|host| format!("collector {at} shows {} as {:?}", host.host, host.state));
        let is_off = |service: &&Service| service.verdict != Verdict::Up && !doubled.contains(&service.host);
        host.or_else(|| {
            services.iter().find(is_off).map(|service| {
                let name = service.service.as_ref().map_or("", |name| name.as_str());
                format!("collector {at} shows {name} of {} as {:?}", service.host, service.verdict)
            })
        })
    }
}
