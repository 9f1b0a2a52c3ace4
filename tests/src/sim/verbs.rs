//! The verbs: deeds, done. They read like a story and change nothing but the world.

mod machines;
mod services;
pub(super) mod snapshot;

use super::deed::Deed;
use super::happening::Place;
use super::net::Link;
use super::world::World;
use picket_agent_core::spool::Trouble;
use picket_collector_core::{Input, Token, incident, order, view};

impl World<'_> {
    /// Does one deed, and counts it.
    pub(super) fn do_deed(&mut self, deed: Deed) {
        self.trace.say(self.now, &format!("==== {deed:?}"));
        self.truth.counts.deeds += 1;
        self.look_who_is_silent();
        let waits = |host: &super::host::Host<'_>| {
            host.agent.as_ref().is_some_and(|shell| shell.agent.spool_view().frames > 0)
        };
        self.truth.counts.overlapped += u64::from(self.hosts.iter().any(waits));
        match deed {
            Deed::Cut(_)
            | Deed::OneWay(..)
            | Deed::Isolate(_)
            | Deed::Heal(_)
            | Deed::HealAll
            | Deed::Delay(..)
            | Deed::Reorder(..)
            | Deed::Duplicate(..)
            | Deed::Lose(..) => self.do_to_link(deed),
            Deed::KillService(..)
            | Deed::FreezeService(..)
            | Deed::Sicken(..)
            | Deed::Break(..)
            | Deed::Cure(..)
            | Deed::OperatorStops(..)
            | Deed::OperatorStarts(..)
            | Deed::LoseBus(_)
            | Deed::RestoreBus(_)
            | Deed::Hold(..)
            | Deed::Try(..) => self.do_to_service(deed),
            Deed::SlowDisk(..)
            | Deed::LieAboutFsync(_)
            | Deed::TearLastWrite(_)
            | Deed::FillDisk(_)
            | Deed::BreakDisk(_)
            | Deed::FreeDisk(_) => self.do_to_disk(deed),
            _of_a_machine => self.do_to_machine(deed),
        }
    }

    fn do_to_machine(&mut self, deed: Deed) {
        match deed {
            Deed::Crash(place) => self.crash(self.place(place)),
            Deed::Halt(place) => self.halt(self.place(place)),
            Deed::Restart(place) => self.restart(self.place(place)),
            Deed::PowerCut(place, seconds) => self.power_cut(self.place(place), seconds),
            Deed::Pause(place) => self.pause(self.place(place), true),
            Deed::Continue(place) => self.pause(self.place(place), false),
            Deed::Freeze(place, runs) => self.freeze(self.place(place), runs),
            Deed::Thaw(place) => self.thaw(self.place(place)),
            Deed::Skew(place, ppm) => self.skew(self.place(place), ppm),
            Deed::JumpWall(place, seconds) => self.jump_wall(self.place(place), seconds),
            Deed::Upgrade(place) => self.upgrade(self.place(place)),
            Deed::Clone(host) => self.clone_host(self.host(host)),
            Deed::TakeSnapshot(host) => self.take_snapshot(self.host(host)),
            Deed::ResumeSnapshot(host) => self.resume_snapshot(self.host(host)),
            Deed::RestoreBackup(collector, thousandths) => {
                self.restore_backup(self.collector(collector), thousandths);
            }
            Deed::Snapshot(collector) => self.snapshot(self.collector(collector)),
            Deed::Operate(collector, ends) => self.operate(self.collector(collector), ends),
            _of_no_machine => {}
        }
    }

    pub(super) const fn host(&self, at: usize) -> usize {
        at % self.hosts.len()
    }

    pub(super) const fn collector(&self, at: usize) -> usize {
        at % self.keepers.len()
    }

    pub(super) const fn place(&self, place: Place) -> Place {
        match place {
            Place::Host(at) => Place::Host(self.host(at)),
            Place::Collector(at) => Place::Collector(self.collector(at)),
        }
    }

    /// Hosts that can't be heard, or could not until now.
    pub(super) fn trouble(&mut self, place: Place) {
        let now = self.now;
        if let Place::Collector(at) = place {
            self.truth.vigil.trouble.insert(at, now);
        }
        for at in self.hosts_of(place) {
            self.truth.troubled(now, at);
        }
    }

    /// The host, or the hosts of the collector.
    fn hosts_of(&self, place: Place) -> Vec<usize> {
        match place {
            Place::Host(at) => vec![at],
            Place::Collector(at) => {
                (0..self.hosts.len()).filter(|host| self.hosts[*host].collector == at).collect()
            }
        }
    }

    fn do_to_link(&mut self, deed: Deed) {
        let of_host = |at: usize| Place::Host(at % self.hosts.len());
        let place = match deed {
            Deed::Cut(at)
            | Deed::OneWay(at, _)
            | Deed::Heal(at)
            | Deed::Delay(at, _)
            | Deed::Reorder(at, _)
            | Deed::Duplicate(at, _)
            | Deed::Lose(at, _) => of_host(at),
            Deed::Isolate(place) => self.place(place),
            _all => Place::Collector(0),
        };
        let hosts =
            if deed == Deed::HealAll { (0..self.hosts.len()).collect() } else { self.hosts_of(place) };
        for at in hosts {
            self.truth.troubled(self.now, at);
            let link = &mut self.net.links[at];
            change(link, deed);
            if link.is_whole() || matches!(deed, Deed::Heal(_) | Deed::HealAll) {
                self.flush_link(at);
            }
        }
    }

    fn do_to_disk(&mut self, deed: Deed) {
        match deed {
            Deed::SlowDisk(place, millis) => match self.place(place) {
                Place::Host(at) => self.hosts[at].disk.slow = millis * 1_000,
                Place::Collector(at) => {
                    self.keepers[at].slow = millis * 1_000;
                    self.trouble(Place::Collector(at));
                }
            },
            Deed::LieAboutFsync(at) => self.unsound_disk(at).lies = true,
            Deed::TearLastWrite(at) => self.disk(at).tears = true,
            Deed::BreakDisk(at) => self.unsound_disk(at).trouble = Some(Trouble::Broken),
            Deed::FillDisk(place) => match self.place(place) {
                Place::Host(at) => self.unsound_disk(at).trouble = Some(Trouble::Full),
                Place::Collector(at) => {
                    self.keepers[at].full = true;
                    self.trouble(Place::Collector(at));
                }
            },
            Deed::FreeDisk(place) => match self.place(place) {
                Place::Host(at) => self.disk(at).trouble = None,
                Place::Collector(at) => {
                    self.keepers[at].full = false;
                    self.trouble(Place::Collector(at));
                }
            },
            _of_no_disk => {}
        }
    }

    fn disk(&mut self, at: usize) -> &mut super::disk::Disk {
        let at = self.host(at);
        &mut self.hosts[at].disk
    }

    /// The disk of a host of which nothing durable is counted on any more.
    fn unsound_disk(&mut self, at: usize) -> &mut super::disk::Disk {
        self.truth.unsound.insert(self.host(at));
        self.disk(at)
    }

    /// Takes or ends the newest incident, and asks for what its service printed last.
    fn operate(&mut self, at: usize, ends: bool) {
        let question = view::Question::Incidents { open_only: true, host: None, before: None, limit: 1 };
        let Some(view::Answer::Incidents(open, _)) = self.ask(at, question) else { return };
        let Some(incident) = open.first() else { return };
        let verb =
            if ends { incident::Verb::Resolve("seen".to_owned()) } else { incident::Verb::Acknowledge };
        let operator = Box::new("ann".parse().expect("a short name"));
        let command = incident::Command {
            reply: Token(u64::MAX),
            operator,
            incident: incident.id,
            revision: None,
            verb,
        };
        self.collector_takes(at, Input::Command(command));
        if let (Some(host), Some(service)) = (incident.hosts.first(), incident.services.first()) {
            let operator = Box::new("ann".parse().expect("a short name"));
            let (host, service) = (Box::new(host.clone()), Box::new(service.clone()));
            let ask = order::Ask { reply: Token(u64::MAX), operator, host, service };
            self.collector_takes(at, Input::Order(ask));
        }
    }
}

fn change(link: &mut Link, deed: Deed) {
    match deed {
        Deed::Cut(_) | Deed::Isolate(_) => (link.up.cut, link.down.cut) = (true, true),
        Deed::OneWay(_, true) => link.up.cut = true,
        Deed::OneWay(_, false) => link.down.cut = true,
        Deed::Heal(_) | Deed::HealAll => *link = Link::default(),
        Deed::Delay(_, millis) => {
            (link.up.delay, link.down.delay) = (200 + millis * 1_000, 200 + millis * 1_000);
        }
        Deed::Reorder(_, millis) => (link.up.jitter, link.down.jitter) = (millis * 1_000, millis * 1_000),
        Deed::Duplicate(_, chance) => (link.up.twice, link.down.twice) = (chance, chance),
        Deed::Lose(_, chance) => (link.up.loss, link.down.loss) = (chance, chance),
        _of_no_link => {}
    }
}
