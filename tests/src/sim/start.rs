//! How an agent's process begins: who it is, what an earlier run left it, what it finds of its services.

use super::happening::{AgentIn, Known, Place};
use super::host::{Birth, Power, Shell, identity};
use super::service::Keeper;
use super::world::World;
use picket_agent_core::service::Away;
use picket_proto::{Run, Seq};

impl World<'_> {
    /// The init system starts the agent, unless it runs or can't.
    pub(super) fn start_agent(&mut self, at: usize) {
        let host = &self.hosts[at];
        if host.agent.is_some() || host.power != Power::On || host.halted {
            return;
        }
        let (life, seed) = (self.new_life(), self.dice.throw());
        let run = Run(self.dice.throw());
        let birth = self.birth(at, seed, run);
        let host = &mut self.hosts[at];
        let agent = birth.agent(self.arena, &host.shape);
        let mut shell = Shell::new(agent, life, birth, (self.now, host.services.len()));
        shell.diary = self.diaries.then(Vec::new);
        host.agent = Some(shell);
        let began = self.now;
        host.services.iter_mut().for_each(|service| service.forgotten(began));
        self.truth.begins(at, run);
        self.trace.say(self.now, &format!("agent {at} begins run {run}"));
        self.claim(at, run, Seq(0));
        let known = self.look(at);
        if let Some(shell) = &mut self.hosts[at].agent {
            shell.known.extend(known);
        }
        self.agent_hears(at, life, AgentIn::Time);
    }

    /// Who it is, and what earlier runs left it on the disk.
    fn birth(&self, at: usize, seed: u64, run: Run) -> Birth {
        let host = &self.hosts[at];
        let now = host.clock.now(self.now);
        let claims: Vec<_> = host.disk.claims.iter().copied().filter(|(_, made)| *made > Seq(0)).collect();
        let kept = host.disk.slot.clone().map(|slot| {
            let is_same = slot.boot == host.clock.boot;
            let away = if is_same { Away::SameBoot(now.mono.since(slot.at)) } else { Away::OtherBoot };
            (now.mono, away, slot.bytes)
        });
        let identity = identity(run, host.clock.boot, claims.first().copied(), host.version);
        Birth { seed, identity, claims: claims.get(1..).unwrap_or_default().to_vec(), kept }
    }

    /// What the shell finds of its services.
    fn look(&mut self, at: usize) -> Vec<Known> {
        let services = self.hosts[at].services.iter_mut().zip(0..).filter(|(service, _)| !service.is_unit());
        let found = services.map(|(service, number)| match (service.process, service.saved.take()) {
            (Some(process), Some(saved)) if saved == process.pid => {
                service.saved = Some(saved);
                Known::Started { service: number, pid: process.pid, adopted: true }
            }
            // A process that no file names is a stray: it is ended before anything is started.
            (_, Some(saved)) => {
                service.process = None;
                Known::Lost(number, saved)
            }
            (_, None) => {
                service.process = None;
                Known::Absent(number)
            }
        });
        found.collect()
    }

    pub(super) fn start(&mut self, place: Place) {
        match place {
            Place::Host(host) => self.start_agent(host),
            Place::Collector(collector) => self.start_collector(collector),
        }
    }

    /// What systemd starts by itself once a machine is on.
    pub(super) fn start_units(&mut self, at: usize) {
        for service in 0..self.hosts[at].services.len() {
            let (is_wanted, now) = (self.hosts[at].services[service].keeper != Keeper::Agent, self.now);
            if is_wanted && self.hosts[at].services[service].stopped_at.is_none() {
                let pid = self.new_pid(at);
                self.hosts[at].services[service].born(now, pid);
                self.dies_if_broken(at, service);
            }
        }
    }
}
