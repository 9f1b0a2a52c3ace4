//! Faults that begin and end: a host has one at a time, and several hosts may have theirs together.

use super::agents::service;
use super::net;
use super::world::World;
use crate::dice::Dice;
use std::ops::RangeInclusive;

/// The collector's host.
const COLLECTOR: usize = 1;

/// What may go wrong, on a host each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ServiceKilled,
    StraySigterm,
    StoppedProcess,
    OperatorStops,
    AgentKilled,
    LinkDown,
    OneWay,
    Loss,
    Narrow,
    PowerCut,
    Frozen,
    Starved,
    FullDisk,
    CollectorKilled,
    CollectorOut,
}

/// All kinds; those of services and links come as often as those of machines together.
const KINDS: [Kind; 15] = [
    Kind::ServiceKilled,
    Kind::StraySigterm,
    Kind::StoppedProcess,
    Kind::OperatorStops,
    Kind::AgentKilled,
    Kind::LinkDown,
    Kind::OneWay,
    Kind::Loss,
    Kind::Narrow,
    Kind::PowerCut,
    Kind::Frozen,
    Kind::Starved,
    Kind::FullDisk,
    Kind::CollectorKilled,
    Kind::CollectorOut,
];

/// A fault of one host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    kind: Kind,
    host: usize,
}

impl Fault {
    /// One to three faults on different hosts.
    pub(super) fn some(dice: &mut Dice, hosts: RangeInclusive<usize>) -> Vec<Self> {
        let mut free: Vec<usize> = hosts.collect();
        let mut faults: Vec<Self> = Vec::new();
        for _ in 0..=dice.below(3) {
            let kind = KINDS[below(dice, KINDS.len())];
            let is_central = matches!(kind, Kind::CollectorKilled | Kind::CollectorOut);
            let host = if is_central { COLLECTOR } else { free.swap_remove(below(dice, free.len())) };
            if faults.iter().all(|fault| fault.host != host) {
                faults.push(Self { kind, host });
            }
        }
        faults
    }

    /// What it is called.
    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::ServiceKilled => "service-killed",
            Kind::StraySigterm => "stray-sigterm",
            Kind::StoppedProcess => "stopped-process",
            Kind::OperatorStops => "operator-stops",
            Kind::AgentKilled => "agent-killed",
            Kind::LinkDown => "link-down",
            Kind::OneWay => "one-way",
            Kind::Loss => "loss",
            Kind::Narrow => "narrow-link",
            Kind::PowerCut => "power-cut",
            Kind::Frozen => "frozen-machine",
            Kind::Starved => "starved",
            Kind::FullDisk => "full-disk",
            Kind::CollectorKilled => "collector-killed",
            Kind::CollectorOut => "collector-out",
        }
    }

    /// It begins.
    pub(super) fn begin(&self, world: &mut World) -> Result<(), String> {
        let (name, unit) = (format!("h{}", self.host), service(self.host));
        let host = world.host_mut(self.host);
        // What an earlier round left down can't be killed.
        let kill = |unit: &str, signal: &str| drop(host.kill(unit, signal));
        match self.kind {
            Kind::ServiceKilled => kill(unit, "KILL"),
            Kind::StraySigterm => kill(unit, "TERM"),
            Kind::StoppedProcess => kill(unit, "STOP"),
            Kind::AgentKilled => kill("picket-agent", "KILL"),
            Kind::CollectorKilled => kill("picket-collector", "KILL"),
            Kind::OperatorStops => drop(host.does(&["systemctl", "stop", unit])?),
            Kind::LinkDown => net::set(&name, false),
            Kind::OneWay => net::cut("h1", &name),
            Kind::Loss => net::lose(&name, 200),
            Kind::Narrow => net::narrow(&name, 64),
            Kind::PowerCut | Kind::CollectorOut => host.power_off(),
            Kind::Frozen => host.freeze(true),
            Kind::Starved => host.starve(20),
            Kind::FullDisk => host.fill(true),
        }
        Ok(())
    }

    /// It is over; what it did may not be.
    pub(super) fn end(&self, world: &mut World) -> Result<(), String> {
        let (name, unit) = (format!("h{}", self.host), service(self.host));
        let host = world.host_mut(self.host);
        match self.kind {
            Kind::ServiceKilled | Kind::StraySigterm | Kind::StoppedProcess => {}
            Kind::AgentKilled | Kind::CollectorKilled => {}
            Kind::OperatorStops => drop(host.does(&["systemctl", "start", unit])?),
            Kind::LinkDown => net::set(&name, true),
            Kind::OneWay | Kind::Loss => net::heal(),
            Kind::Narrow => net::widen(&name),
            Kind::PowerCut | Kind::CollectorOut => {
                host.boot();
                host.up()?;
            }
            Kind::Frozen => host.freeze(false),
            Kind::Starved => host.starve(0),
            Kind::FullDisk => host.fill(false),
        }
        Ok(())
    }
}

fn below(dice: &mut Dice, end: usize) -> usize {
    usize::try_from(dice.below(end as u64)).unwrap_or(0)
}
