//! A small simulated host: two services, their ports, and levels. What its probes see is what the swarm decided.
//!
//! A start takes no time and a probe answers at once: what is measured is links and collector. It has no disk: frames
//! wait in the ring, which is as large as the backlog that a phase is about.

use crate::dice::Dice;
use picket_agent::config::{Config, parse};
use picket_agent_core::check::{self, Reading};
use picket_agent_core::service::{self, Act};
use picket_agent_core::{Storage, spool};
use picket_proto::event::{Cause, CheckKind, Exit};
use std::collections::VecDeque;
use std::path::Path;

/// Services of a host, by their place.
pub(super) const SERVICES: [&str; 2] = ["web", "db"];
const SIGKILL: i32 = 9;
const ENOENT: i32 = 2;

/// The file of a host: two services with a port each, and the host's levels, probed as often as `interval` says.
///
/// # Panics
/// If it is no good configuration.
pub(super) fn config(folder: &Path, host: &str, address: &str, interval: &str) -> Config {
    let mut text = format!(
        "[agent]\nhost = \"{host}\"\nstate = \"{host}\"\n[collector]\naddress = \"{address}\"\n\
         token_file = \"{host}.token\"\n[host]\ninterval = \"{interval}\"\n"
    );
    for service in SERVICES {
        text += &format!(
            "[[service]]\nname = \"{service}\"\ncommand = [\"{service}\"]\nretry_after = \"2s\"\n\
             [[service.check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\ninterval = \"{interval}\"\n"
        );
    }
    parse(&folder.join("agent.toml"), &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The memory that a core works in.
pub(super) struct Places {
    checks: Vec<check::Slot>,
    services: Vec<service::Slot>,
    ring: Vec<u8>,
    index: Vec<spool::Entry>,
}

impl Places {
    /// A place per check and service, and a ring of so many bytes.
    pub(super) fn new(config: &Config, ring: usize) -> Self {
        Self {
            checks: config.checks().iter().map(|check| check::Slot::new(check.spec.clone())).collect(),
            services: config.services().iter().map(|known| service::Slot::new(known.spec.clone())).collect(),
            ring: vec![0; ring],
            index: vec![spool::Entry::default(); ring / 64],
        }
    }

    /// Lends them to a core.
    pub(super) fn lend(&mut self) -> Storage<'_> {
        Storage {
            checks: &mut self.checks,
            trends: &mut [],
            usuals: &mut [],
            services: &mut self.services,
            ring: &mut self.ring,
            index: &mut self.index,
            baseline: Default::default(),
            disk: spool::Lent::none(),
        }
    }
}

/// What the host knows without waiting, for the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// A probe's answer.
    Reading(check::Fact<'static>),
    /// Something happened to a service.
    Service(service::Fact<'static>),
    /// There was no collector to connect to.
    Unreachable,
}

/// The host.
#[derive(Debug)]
pub(super) struct Machine {
    kinds: Vec<(CheckKind, Option<u16>)>,
    /// The process of each service, if it lives.
    pids: [Option<u32>; SERVICES.len()],
    /// No start succeeds.
    broken: [bool; SERVICES.len()],
    /// Its processor has more to do than is good.
    busy: bool,
    last_pid: u32,
    dice: Dice,
    /// What happened and was not handed in yet.
    pub(super) known: VecDeque<Known>,
}

impl Machine {
    /// A host just after boot: nothing runs.
    pub(super) fn new(config: &Config, dice: Dice) -> Self {
        let kinds = config.checks().iter().map(|check| (check.spec.kind, check.spec.service)).collect();
        let absent = (0..).zip(SERVICES).map(|(service, _)| service::Fact::Absent { service });
        Self {
            kinds,
            pids: [None; SERVICES.len()],
            broken: [false; SERVICES.len()],
            busy: false,
            last_pid: 100,
            dice,
            known: absent.map(Known::Service).collect(),
        }
    }

    /// A service's process is killed.
    pub(super) fn kill(&mut self, service: u16) {
        if let Some(pid) = self.pids[usize::from(service)].take() {
            self.exited(service, pid, Exit::Signal(SIGKILL));
        }
    }

    /// A service's process is killed, and its program is gone: no start succeeds until [`Self::mend`].
    pub(super) fn break_down(&mut self, service: u16) {
        self.broken[usize::from(service)] = true;
        self.kill(service);
    }

    /// Starts succeed again.
    pub(super) fn mend(&mut self) {
        self.broken = [false; SERVICES.len()];
    }

    /// Its processor is busy, or is not.
    pub(super) const fn busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    /// Does what the core says; what comes of it is known at once.
    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::Start { service } if self.broken[usize::from(service)] => {
                self.exited(service, 0, Exit::NotStarted(ENOENT));
            }
            Act::Start { service } => {
                self.last_pid += 1;
                let pid = self.last_pid;
                self.pids[usize::from(service)] = Some(pid);
                let started = service::Fact::Started { service, pid, adopted: false };
                self.known.push_back(Known::Service(started));
            }
            Act::Stop { service } | Act::Kill { service } => self.kill(service),
            // No service here is a unit.
            Act::Unit { .. }
            | Act::Collect { .. }
            | Act::Read { .. }
            | Act::Reload { .. }
            | Act::Reboot { .. }
            | Act::Files { .. } => {}
        }
    }

    /// Answers a probe.
    pub(super) fn probe(&mut self, check: u16) {
        let (kind, service) = self.kinds[usize::from(check)];
        let lives = service.is_some_and(|service| self.pids[usize::from(service)].is_some());
        let reading = match kind {
            CheckKind::Process if !lives => Reading::Bad(Cause::NoProcess),
            CheckKind::Tcp | CheckKind::Http if !lives => Reading::Bad(Cause::Refused),
            CheckKind::Process | CheckKind::Tcp | CheckKind::Http => Reading::Good,
            CheckKind::Cpu if self.busy => Reading::Level(950),
            _ => Reading::Level(100 + i64::try_from(self.dice.below(200)).unwrap_or(0)),
        };
        self.known.push_back(Known::Reading(check::Fact::new(check, reading)));
    }

    fn exited(&mut self, service: u16, pid: u32, exit: Exit) {
        let facts = [
            service::Fact::Exited { service, pid, exit },
            service::Fact::Evidence { service, pid, last_line: "" },
        ];
        self.known.extend(facts.map(Known::Service));
    }
}
