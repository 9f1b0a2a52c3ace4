//! What an agent does to services and asks of systemd, and what services do by themselves.

use super::happening::{AgentIn, Happening, Job, Known, Turn};
use super::host::Shell;
use super::service::Keeper;
use super::world::World;
use picket_agent_core::check::{self, Reading};
use picket_agent_core::service::{self, Act};
use picket_agent_core::unit::{self, Active, Answer, JobEnd, JobKind, Verb, Wake};
use picket_proto::event::{Cause, Exit};

/// ENOTCONN and EAGAIN: what the shell says of a unit that it can't judge.
const UNREAD: Cause = Cause::Local(107);
const BETWEEN: Cause = Cause::Local(11);

impl<'a> World<'a> {
    /// Probes a check; what `/proc` tells is known at once.
    pub(super) fn probe(&mut self, at: usize, shell: &mut Shell<'a>, check: u16) {
        let number = usize::from(check) / 2;
        if check.is_multiple_of(2) {
            let reading = self.process_reading(at, shell, number);
            shell.known.push_back(Known::Reading(check::Fact::new(check, reading)));
            return;
        }
        let service = &self.hosts[at].services[number];
        let (wait, reading) = match service.process {
            Some(process) if process.frozen => (1_000_000, Reading::Bad(Cause::TimedOut)),
            Some(process) if process.listens > self.now => (200, Reading::Bad(Cause::Refused)),
            Some(_) if service.sick => (400, Reading::Bad(Cause::Mismatch)),
            Some(_) => (300, Reading::Good),
            None => (150, Reading::Bad(Cause::Refused)),
        };
        let there = self.within(wait, wait + 200);
        shell.probing.insert(check);
        let answer = AgentIn::Answer(check::Fact::new(check, reading));
        self.queue.put(there, Happening::Agent(at, shell.life, answer));
    }

    fn process_reading(&self, at: usize, shell: &Shell<'a>, number: usize) -> Reading {
        let service = &self.hosts[at].services[number];
        let by_pid = |pid: u32| match service.process {
            Some(process) if process.pid == pid && process.frozen => Reading::Bad(Cause::Frozen),
            Some(process) if process.pid == pid => Reading::Good,
            Some(_) | None => Reading::Bad(Cause::NoProcess),
        };
        if !service.is_unit() {
            return service.saved.map_or(Reading::Bad(Cause::NoProcess), by_pid);
        }
        match shell.units[number] {
            None => Reading::Bad(UNREAD),
            Some((Active::Active | Active::Activating | Active::Deactivating, pid)) if pid > 0 => by_pid(pid),
            Some((Active::Active, _)) => Reading::Good,
            Some((Active::Activating | Active::Deactivating | Active::Other, _)) => Reading::Bad(BETWEEN),
            Some((Active::Inactive | Active::Failed, _)) => Reading::Bad(Cause::NoProcess),
        }
    }

    /// Does to a service what the core says.
    pub(super) fn act(&mut self, at: usize, shell: &mut Shell<'a>, act: Act) {
        self.trace.say(self.now, &format!("  agent {at} {act:?}"));
        match act {
            Act::Start { service } => {
                let known = self.spawn(at, usize::from(service), service);
                shell.known.push_back(known);
            }
            Act::Stop { service } => self.signal(at, usize::from(service), 15),
            Act::Kill { service } => self.signal(at, usize::from(service), 9),
            Act::Reload { .. } => unreachable!("no ladder of the simulator has a reload"),
            Act::Reboot { .. } => unreachable!("no ladder of the simulator has a reboot"),
            Act::Files { .. } => unreachable!("no service of the simulator names its files"),
            Act::Unit { service, verb } => self.call(at, shell, usize::from(service), verb),
            Act::Read { service, token, of: _, lives: _ } => {
                let printed = AgentIn::Known(Known::Printed(service, token));
                let then = self.within(5_000, 900_000);
                self.queue.put(then, Happening::Agent(at, shell.life, printed));
            }
            Act::Collect { service, of } => {
                let words = AgentIn::Known(Known::Evidence(service, of.pid));
                let then = self.within(5_000, 900_000);
                self.queue.put(then, Happening::Agent(at, shell.life, words));
            }
        }
    }

    fn spawn(&mut self, at: usize, number: usize, service: u16) -> Known {
        self.truth.started(self.now, (at, &self.hosts[at]), number);
        let pid = self.new_pid(at);
        let now = self.now;
        let target = &mut self.hosts[at].services[number];
        target.starts.push(now);
        if let Some((_, exit @ Exit::NotStarted(_))) = target.broken {
            return Known::Exited { service, pid: 0, exit };
        }
        target.born(now, pid);
        target.saved = Some(pid);
        self.dies_if_broken(at, number);
        Known::Started { service, pid, adopted: false }
    }

    pub(super) fn dies_if_broken(&mut self, at: usize, number: usize) {
        let service = &self.hosts[at].services[number];
        if let (Some((after, exit)), Some(process)) = (service.broken, service.process) {
            let turn = Turn::Dies { pid: process.pid, exit };
            self.queue.put(self.now + after, Happening::Service(at, number, turn));
        }
    }

    fn signal(&mut self, at: usize, number: usize, signal: i32) {
        self.truth.ended(self.now, &self.hosts[at], number);
        let wait = if signal == 9 { 100 } else { 1_000 + self.dice.below(20_000) };
        let service = &mut self.hosts[at].services[number];
        if let Some(process) = &mut service.process {
            process.frozen = false;
            let exit = if signal == 9 { Exit::Signal(9) } else { Exit::Code(0) };
            let turn = Turn::Dies { pid: process.pid, exit };
            if signal == 9 || !service.ignores_stop {
                self.queue.put(self.now + wait, Happening::Service(at, number, turn));
            }
        }
    }

    /// Connects to the bus, or reads every unit.
    pub(super) fn bus(&mut self, at: usize, shell: &mut Shell<'a>, order: unit::Order) {
        let soon = self.within(500, 3_000);
        match order {
            unit::Order::Connect => {
                let fact = if self.hosts[at].bus_away { unit::Fact::Lost } else { unit::Fact::Opened };
                self.hosts[at].services.iter_mut().for_each(|service| service.unit.forget_done());
                self.queue.put(soon, Happening::Agent(at, shell.life, AgentIn::Unit(fact)));
            }
            unit::Order::Look => {
                let units =
                    (0..shell.units.len()).filter(|number| self.hosts[at].services[*number].is_unit());
                for number in units.collect::<Vec<_>>() {
                    let then = self.within(300, 3_000);
                    self.queue.put(then, Happening::ReadUnit(at, shell.life, number, Wake::Look));
                }
            }
        }
    }

    fn call(&mut self, at: usize, shell: &mut Shell<'a>, number: usize, verb: Verb) {
        let unit = u16::try_from(number).unwrap_or(u16::MAX);
        let answered = |answer| AgentIn::Unit(unit::Fact::Answered { unit, answer });
        let then = self.within(300, 900);
        let host = &mut self.hosts[at];
        let answer = if host.bus_away || !shell.bus {
            Answer::Unheard
        } else if host.services[number].unit.job.is_some() {
            Answer::Busy
        } else {
            if verb == Verb::ResetAndStart {
                host.services[number].unit.reset();
            }
            let job = if verb == Verb::Restart { Job::Restart } else { Job::Start };
            let id = host.services[number].unit.queue(JobKind::Other);
            let works = self.within(300, 1_500);
            self.queue.put(works, Happening::Service(at, number, Turn::Job(job)));
            Answer::Job(id)
        };
        self.queue.put(then, Happening::Agent(at, shell.life, answered(answer)));
    }

    /// Something is heard of a unit, or of the bus, on its way to the core.
    pub(super) fn unit_passes(shell: &mut Shell<'a>, fact: &unit::Fact) {
        match fact {
            unit::Fact::Read { unit, seen, .. } => {
                shell.units[usize::from(*unit)] = Some((seen.active, seen.pid));
            }
            unit::Fact::Opened => shell.bus = true,
            unit::Fact::Lost => shell.bus = false,
            unit::Fact::Answered { .. } => {}
        }
    }

    /// An agent reads a unit: now, whatever the signal said.
    pub(super) fn read_unit(&mut self, at: usize, life: u64, number: usize, wake: Wake) {
        let host = &mut self.hosts[at];
        let service = &mut host.services[number];
        service.unit.reading = false;
        if host.bus_away || host.agent.as_ref().is_none_or(|shell| shell.life != life || !shell.bus) {
            return;
        }
        let (seen, done) = service.unit.read(service.keeper == Keeper::Always);
        let unit = u16::try_from(number).unwrap_or(u16::MAX);
        self.agent_hears(at, life, AgentIn::Unit(unit::Fact::Read { unit, wake, seen, done }));
    }

    /// A unit has changed: whoever listens reads it soon.
    pub(super) fn unit_changed(&mut self, at: usize, number: usize) {
        let then = self.within(300, 2_500);
        let host = &mut self.hosts[at];
        let service = &mut host.services[number];
        let Some(shell) = host.agent.as_ref().filter(|shell| service.is_unit() && shell.bus) else { return };
        if !std::mem::replace(&mut service.unit.reading, true) {
            self.queue.put(then, Happening::ReadUnit(at, shell.life, number, Wake::Signal));
        }
    }

    /// A service does something by itself.
    pub(super) fn service_turns(&mut self, at: usize, number: usize, turn: Turn) {
        match turn {
            Turn::Dies { pid, exit } => self.dies(at, number, pid, exit),
            Turn::AutoRestart => {
                let is_due = self.hosts[at].services[number].unit.is_auto_restarting();
                if is_due {
                    self.unit_starts(at, number);
                }
            }
            Turn::Job(job) => self.job_runs(at, number, job),
        }
    }

    fn dies(&mut self, at: usize, number: usize, pid: u32, exit: Exit) {
        let now = self.now;
        let heard = self.hears_of(at, number);
        let service = &mut self.hosts[at].services[number];
        if service.process.is_none_or(|process| process.pid != pid) {
            return;
        }
        service.unseen |= !heard;
        if service.died(now, exit) {
            self.queue
                .put(now + super::service::AUTO_RESTART, Happening::Service(at, number, Turn::AutoRestart));
        }
        self.unit_changed(at, number);
        let host = &self.hosts[at];
        if let Some(shell) = host.agent.as_ref().filter(|_| !host.services[number].is_unit()) {
            let service = u16::try_from(number).unwrap_or(u16::MAX);
            let (life, seen) = (shell.life, self.now + 100);
            self.queue.put(seen, Happening::Agent(at, life, AgentIn::Exited { service, pid, exit }));
        }
    }

    /// Whether an agent listens, and has seen the service run.
    fn hears_of(&self, at: usize, number: usize) -> bool {
        let host = &self.hosts[at];
        let Some(shell) = host.agent.as_ref().filter(|shell| shell.bus && !shell.stopped) else {
            return false;
        };
        let view = shell.agent.service_at(u16::try_from(number).unwrap_or(u16::MAX));
        !host.bus_away && view.is_some_and(|view| view.phase() != service::Phase::Unknown)
    }

    fn unit_starts(&mut self, at: usize, number: usize) {
        let pid = self.new_pid(at);
        let now = self.now;
        self.hosts[at].services[number].born(now, pid);
        self.dies_if_broken(at, number);
        self.unit_changed(at, number);
    }

    fn job_runs(&mut self, at: usize, number: usize, job: Job) {
        let now = self.now;
        let service = &self.hosts[at].services[number];
        let (runs, limited) = (service.process.is_some(), service.unit.is_limited(now));
        let mut end = JobEnd::Done;
        match job {
            Job::Start | Job::OperatorStarts if runs => {}
            Job::Start | Job::OperatorStarts if limited && job == Job::Start => {
                end = JobEnd::Failed;
                self.hosts[at].services[number].unit.limited(now);
            }
            Job::Start | Job::OperatorStarts => {
                self.count_unit_start(at, number, job);
                self.unit_starts(at, number);
            }
            Job::Restart if runs => {
                self.truth.ended(now, &self.hosts[at], number);
                self.hosts[at].services[number].process = None;
                self.count_unit_start(at, number, job);
                self.unit_starts(at, number);
            }
            Job::Restart => {}
            Job::Stop => {
                self.hosts[at].services[number].process = None;
                self.hosts[at].services[number].unit.stopped(now);
            }
        }
        self.hosts[at].services[number].unit.finish(end);
        self.unit_changed(at, number);
    }

    fn count_unit_start(&mut self, at: usize, number: usize, job: Job) {
        let now = self.now;
        if matches!(job, Job::Start | Job::Restart) {
            self.truth.started(now, (at, &self.hosts[at]), number);
            self.hosts[at].services[number].starts.push(now);
        }
    }

    pub(super) fn new_pid(&mut self, at: usize) -> u32 {
        self.hosts[at].pids += 1;
        self.hosts[at].pids
    }
}
