//! What goes wrong now and then in a soak: one thing at a time, as an operator's week has it.

use super::super::super::net;
use super::super::super::world::World;
use super::workers::units;
use crate::dice::Dice;
use std::time::Duration;

/// Between two of them there are 2 to 6 minutes: enough for a service to be proven, and for a silence to be over.
const REST: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(240));
/// A link is cut for so long: longer than silence takes to be told.
const CUT: Duration = Duration::from_secs(30);
/// An operator has a service stopped for less than this and the same again; its next fault is later.
const STOPPED: Duration = Duration::from_secs(25);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ServiceKilled,
    OperatorStops,
    DaemonReload,
    DaemonReexec,
    BusKilled,
    AgentKilled,
    CollectorRestarted,
    LinkCut,
    LogRotated,
}

/// Each with its share of 24.
const KINDS: [(Kind, u64); 9] = [
    (Kind::ServiceKilled, 8),
    (Kind::OperatorStops, 4),
    (Kind::DaemonReload, 2),
    (Kind::DaemonReexec, 2),
    (Kind::BusKilled, 2),
    (Kind::AgentKilled, 1),
    (Kind::CollectorRestarted, 1),
    (Kind::LinkCut, 2),
    (Kind::LogRotated, 2),
];

/// One of them, on a host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    kind: Kind,
    pub(super) host: usize,
    pub(super) unit: &'static str,
    /// How long it lasts; nothing where it is over at once.
    pub(super) lasts: Duration,
}

/// How long all is left alone.
pub(super) fn rest(dice: &mut Dice) -> Duration {
    REST.0 + dice.span(REST.1)
}

impl Fault {
    /// The next one.
    pub(super) fn next(dice: &mut Dice, agents: std::ops::RangeInclusive<usize>) -> Self {
        let mut share = dice.below(KINDS.iter().map(|(_, share)| share).sum());
        let found = KINDS.iter().find(|(_, own)| {
            let is_here = share < *own;
            share = share.saturating_sub(*own);
            is_here
        });
        let (kind, _) = *found.expect("the shares are all there is");
        let hosts: Vec<usize> = agents.collect();
        let host = hosts[below(dice, hosts.len())];
        let of_host = units(host);
        let unit = of_host[below(dice, of_host.len())];
        let stopped = STOPPED + dice.span(STOPPED);
        let lasts = match kind {
            Kind::LinkCut => CUT,
            Kind::OperatorStops => stopped,
            Kind::ServiceKilled | Kind::DaemonReload | Kind::DaemonReexec | Kind::BusKilled => Duration::ZERO,
            Kind::AgentKilled | Kind::CollectorRestarted | Kind::LogRotated => Duration::ZERO,
        };
        Self { kind, host, unit, lasts }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::ServiceKilled => "service-killed",
            Kind::OperatorStops => "operator-stops",
            Kind::DaemonReload => "daemon-reload",
            Kind::DaemonReexec => "daemon-reexec",
            Kind::BusKilled => "bus-killed",
            Kind::AgentKilled => "agent-killed",
            Kind::CollectorRestarted => "collector-restarted",
            Kind::LinkCut => "link-cut",
            Kind::LogRotated => "log-rotated",
        }
    }

    /// It begins.
    ///
    /// # Errors
    /// What could not be done, which may be the fault of what came before.
    pub(super) fn begin(&self, world: &World) -> Result<(), String> {
        let host = world.host(self.host);
        match self.kind {
            Kind::ServiceKilled => host.kill(self.unit, "KILL"),
            Kind::OperatorStops => host.does(&["systemctl", "stop", self.unit]).map(drop),
            Kind::DaemonReload => host.does(&["systemctl", "daemon-reload"]).map(drop),
            Kind::DaemonReexec => host.does(&["systemctl", "daemon-reexec"]).map(drop),
            Kind::BusKilled => host.kill("dbus", "KILL"),
            Kind::AgentKilled => host.kill("picket-agent", "KILL"),
            Kind::CollectorRestarted => {
                world.host(1).does(&["systemctl", "restart", "picket-collector"]).map(drop)
            }
            Kind::LinkCut => {
                net::set(&host.name, false);
                Ok(())
            }
            Kind::LogRotated => {
                let log = if self.host.is_multiple_of(2) { "nginx" } else { "redis-server" };
                host.does(&["logrotate", "--force", &format!("/etc/logrotate.d/{log}")]).map(drop)
            }
        }
    }

    /// It is over.
    ///
    /// # Errors
    /// What could not be done.
    pub(super) fn end(&self, world: &World) -> Result<(), String> {
        let host = world.host(self.host);
        match self.kind {
            Kind::OperatorStops => host.does(&["systemctl", "start", self.unit]).map(drop),
            Kind::LinkCut => {
                net::set(&host.name, true);
                Ok(())
            }
            Kind::ServiceKilled | Kind::DaemonReload | Kind::DaemonReexec | Kind::BusKilled => Ok(()),
            Kind::AgentKilled | Kind::CollectorRestarted | Kind::LogRotated => Ok(()),
        }
    }
}

fn below(dice: &mut Dice, end: usize) -> usize {
    usize::try_from(dice.below(end as u64)).unwrap_or(0)
}
