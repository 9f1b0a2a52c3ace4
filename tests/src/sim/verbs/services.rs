//! Services: killed, frozen, sick, broken, stopped by an operator, held; and the bus between them and the agent.

use crate::sim::deed::Deed;
use crate::sim::happening::{AgentIn, Happening, Job, Turn};
use crate::sim::world::World;
use picket_agent_core::unit::{self, Active, JobKind};
use picket_proto::Span;
use picket_proto::event::Exit;

impl World<'_> {
    pub(super) fn do_to_service(&mut self, deed: Deed) {
        match deed {
            Deed::KillService(at, service, signal) => self.kill_service(at, service, signal),
            Deed::FreezeService(at, service) => {
                let service = self.ill(at, service);
                if let Some(process) = &mut service.process {
                    process.frozen = true;
                }
            }
            Deed::Sicken(at, service) => self.ill(at, service).sick = true,
            Deed::Break(at, service, millis) => {
                let exit = if millis == 0 { Exit::NotStarted(2) } else { Exit::Code(1) };
                self.ill(at, service).broken = Some((1 + millis * 1_000, exit));
                self.kill_service(at, service, 9);
                // Later than this its checks may pass between two deaths.
                let since = (millis < 900).then_some(self.now);
                let at = self.host(at);
                let service = service % self.hosts[at].services.len();
                self.hosts[at].services[service].loops_since = since;
            }
            Deed::Cure(at, service) => self.cure(at, service),
            Deed::OperatorStops(at, service) => self.operator_stops(at, service),
            Deed::OperatorStarts(at, service) => self.operator_starts(at, service),
            Deed::LoseBus(at) => {
                let at = self.host(at);
                self.hosts[at].bus_away = true;
                self.bus_breaks(at);
            }
            Deed::RestoreBus(at) => {
                let at = self.host(at);
                self.hosts[at].bus_away = false;
            }
            Deed::Hold(at, seconds) => {
                let at = self.host(at);
                let lasts = (seconds > 0).then(|| Span::from_secs(seconds.max(60)));
                if let Some(shell) = &self.hosts[at].agent {
                    let life = shell.life;
                    self.queue.put(self.now, Happening::Agent(at, life, AgentIn::Hold(None, lasts)));
                }
            }
            Deed::Try(at, service, goes_on) => self.try_now(at, service, goes_on),
            _of_no_service => {}
        }
    }

    fn try_now(&mut self, at: usize, service: usize, goes_on: bool) {
        let at = self.host(at);
        let service = service % self.hosts[at].services.len();
        self.hosts[at].services[service].tries.push(self.now);
        if let (Some(shell), Ok(service)) = (&self.hosts[at].agent, u16::try_from(service)) {
            let life = shell.life;
            self.queue.put(self.now, Happening::Agent(at, life, AgentIn::Try(service, goes_on)));
        }
    }

    /// A service to which something is done that makes it ill.
    fn ill(&mut self, at: usize, service: usize) -> &mut crate::sim::service::Service {
        let (at, now) = (self.host(at), self.now);
        let services = &mut self.hosts[at].services;
        let service = service % services.len();
        (services[service].ill, services[service].loops_since) = (Some(now), None);
        &mut services[service]
    }

    fn kill_service(&mut self, at: usize, service: usize, signal: i32) {
        let process = self.ill(at, service).process;
        let (at, now) = (self.host(at), self.now);
        let service = service % self.hosts[at].services.len();
        if let Some(process) = process {
            let turn = Turn::Dies { pid: process.pid, exit: Exit::Signal(signal) };
            self.queue.put(now, Happening::Service(at, service, turn));
        }
    }

    /// Nothing is wrong with it that a restart would not mend.
    pub(in crate::sim) fn cure(&mut self, at: usize, service: usize) {
        let service = self.ill(at, service);
        (service.sick, service.broken, service.ignores_stop) = (false, None, false);
        if let Some(process) = &mut service.process {
            process.frozen = false;
        }
    }

    fn operator_stops(&mut self, at: usize, service: usize) {
        let unit = self.ill(at, service);
        if !unit.is_unit() || unit.unit.job.is_some() || unit.stopped_at.is_some() {
            return;
        }
        unit.stopped_at = unit.ill;
        unit.unit.queue(JobKind::Stop);
        unit.unit.active = if unit.process.is_some() { Active::Deactivating } else { unit.unit.active };
        let (at, then) = (self.host(at), self.within(1_000, 50_000));
        let service = service % self.hosts[at].services.len();
        self.queue.put(then, Happening::Service(at, service, Turn::Job(Job::Stop)));
        self.unit_changed(at, service);
    }

    pub(in crate::sim) fn operator_starts(&mut self, at: usize, service: usize) {
        let host = self.host(at);
        let wanted = &self.hosts[host].services[service % self.hosts[host].services.len()];
        if !wanted.is_unit() || wanted.unit.job.is_some() || wanted.stopped_at.is_none() {
            return;
        }
        let unit = self.ill(at, service);
        unit.stopped_at = None;
        unit.unit.queue(JobKind::Other);
        let (at, then) = (self.host(at), self.within(1_000, 10_000));
        let service = service % self.hosts[at].services.len();
        self.queue.put(then, Happening::Service(at, service, Turn::Job(Job::OperatorStarts)));
        self.unit_changed(at, service);
    }

    /// Whoever listens hears that the bus is gone.
    fn bus_breaks(&mut self, at: usize) {
        self.hosts[at].services.iter_mut().for_each(|service| service.unseen |= service.process.is_none());
        if let Some(shell) = &self.hosts[at].agent {
            let (life, soon) = (shell.life, self.now + 500);
            self.queue.put(soon, Happening::Agent(at, life, AgentIn::Unit(unit::Fact::Lost)));
        }
    }
}
