//! What a world is made of before anything happens: hosts, their services and checks, sizes and paces. By the seed.

use super::service::Keeper;
use crate::dice::Dice;
use picket_agent_core::{check, service};
use picket_proto::Span;
use picket_proto::event::CheckKind;

/// A whole world.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) hosts: Vec<HostShape>,
    pub(super) collectors: usize,
}

/// One host.
#[derive(Debug, Clone)]
pub(super) struct HostShape {
    pub(super) checks: Vec<check::Spec>,
    pub(super) services: Vec<service::Spec>,
    pub(super) keepers: Vec<Keeper>,
    pub(super) boots: Vec<u64>,
    pub(super) ring: usize,
    /// 0: it has no disk for the spool.
    pub(super) segments: usize,
    pub(super) flash: u64,
    pub(super) runs: usize,
}

/// How a world differs from the usual one.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Hosts; 0: 5 to 8.
    pub hosts: usize,
    /// Collectors.
    pub collectors: usize,
    /// Services per host; 0: 2 to 4.
    pub services: usize,
    /// Seconds between two readings of a check; 0: 3 to 8.
    pub interval: u64,
    /// Most segments of a spool's disk; 0: none have a disk; 1: some have none.
    pub segments: usize,
    /// Bytes of a spool's ring.
    pub ring: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { hosts: 0, collectors: 1, services: 0, interval: 0, segments: 16, ring: 16 * 1024 }
    }
}

impl Shape {
    pub(super) fn of(size: &Size, dice: &mut Dice) -> Self {
        let or = |given: usize, low: u64, more: u64, dice: &mut Dice| {
            if given > 0 { given } else { usize::try_from(low + dice.below(more)).unwrap_or(1) }
        };
        let hosts = or(size.hosts, 5, 4, dice);
        let hosts = (0..hosts).map(|_| {
            let services = or(size.services, 2, 3, dice);
            HostShape::of(size, services, dice)
        });
        Self { hosts: hosts.collect(), collectors: size.collectors }
    }
}

impl HostShape {
    fn of(size: &Size, services: usize, dice: &mut Dice) -> Self {
        let interval = if size.interval > 0 { size.interval } else { 3 + dice.below(6) };
        let (mut checks, mut specs, mut keepers) = (Vec::new(), Vec::new(), Vec::new());
        for (at, number) in (0..services).zip(0..) {
            let keeper = [Keeper::Agent, Keeper::Unit, Keeper::Agent, Keeper::Always][at % 4];
            let name = format!("svc-{at}");
            checks.push(check_spec(&format!("{name}:process"), CheckKind::Process, number, interval));
            checks.push(check_spec(&format!("{name}:tcp"), CheckKind::Tcp, number, interval));
            specs.push(service_spec(&name, keeper));
            keepers.push(keeper);
        }
        let segments = match size.segments {
            0 => 0,
            1 => usize::try_from(dice.below(2)).unwrap_or(0) * 8,
            most => most.max(4),
        };
        Self {
            checks,
            services: specs,
            keepers,
            boots: (0..services).map(|_| 1_000 + dice.below(400_000)).collect(),
            ring: size.ring,
            segments,
            flash: u64::MAX,
            runs: 32,
        }
    }
}

fn check_spec(name: &str, kind: CheckKind, service: u16, interval: u64) -> check::Spec {
    check::Spec {
        name: name.parse().expect("a short name"),
        kind,
        service: Some(service),
        interval: Span::from_secs(interval),
        timeout: Span::from_millis(1_000),
        fall: 2,
        rise: 1,
        limits: None,
        full_within: Span::ZERO,
        unusual: Span::ZERO,
    }
}

fn service_spec(name: &str, keeper: Keeper) -> service::Spec {
    let driver = match keeper {
        Keeper::Agent => service::Driver::Spawn,
        Keeper::Unit | Keeper::Always => service::Driver::Systemd,
    };
    service::Spec {
        name: name.parse().expect("a short name"),
        driver,
        observes: false,
        needs: Default::default(),
        ladder: Default::default(),
        good: None,
        packages: None,
        reboots: None,
        stop_timeout: Span::from_millis(2_000),
        start_timeout: Span::from_millis(10_000),
        hold: Span::from_millis(3_000),
        backoff_first: Span::from_millis(1_000),
        backoff_max: Span::from_millis(20_000),
        budget: 6,
        budget_window: Span::from_secs(300),
        same_deaths: 3,
        retry_after: Span::from_secs(20),
    }
}
