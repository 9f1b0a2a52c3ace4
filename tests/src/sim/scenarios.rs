//! Named scenarios: what a world is put through, and what must have happened for the run to have been about it.
//!
//! A scenario is a size, a plan made by dice, and a count. The count comes from the ground truth; where it stays 0
//! over all runs of a campaign, the scenario tested nothing and the campaign fails.

mod copies;
mod links;
mod machines;
mod processes;
mod services;

use super::deed::{Deed, Plan};
use super::plan::{self, Mood};
use super::shape::Size;
use super::truth::Counts;
use crate::dice::Dice;

/// One scenario.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// By this it is called.
    pub name: &'static str,
    /// One sentence.
    pub says: &'static str,
    size: Size,
    plan: fn(&mut Dice) -> Plan,
    about: fn(&Counts) -> u64,
}

impl Scenario {
    pub(super) const fn size(&self) -> Size {
        self.size
    }

    pub(super) fn plan(&self, dice: &mut Dice) -> Plan {
        (self.plan)(dice)
    }

    pub(super) fn about(&self, counts: &Counts) -> u64 {
        (self.about)(counts)
    }

    /// Two scenarios make different things of one seed.
    pub(super) fn salt(&self) -> u64 {
        self.name.bytes().fold(0, |salt, byte| salt.rotate_left(7) ^ u64::from(byte))
    }
}

const USUAL: Size = Size { hosts: 0, collectors: 1, services: 0, interval: 0, segments: 16, ring: 16 * 1024 };

/// All that a campaign takes in turn.
pub const SCENARIOS: &[Scenario] = &[
    ANYTHING,
    links::CUT_LINKS,
    links::ONE_WAY,
    links::BAD_LINKS,
    links::FLEET_SILENT,
    links::SMALL_RING,
    links::NO_DISK,
    links::LATE_ACKS,
    processes::AGENTS_CRASH,
    processes::COLLECTOR_CRASHES,
    processes::BOTH_CRASH,
    processes::STOPPED,
    processes::UPGRADES,
    processes::TWO_COLLECTORS,
    machines::POWER_CUTS,
    machines::LYING_DISKS,
    machines::TORN_WRITES,
    machines::BAD_DISKS,
    machines::FULL_COLLECTOR,
    machines::SLOW_JOURNAL,
    machines::FROZEN,
    machines::LYING_CLOCKS,
    services::CRASH_LOOPS,
    services::SICK,
    services::UNITS,
    services::OPERATORS,
    services::MASS_FAILURE,
    copies::CLONES,
    copies::SNAPSHOTS,
    copies::BACKUPS,
];

/// Those that are run by name only.
pub const BY_NAME: &[Scenario] = &[THOUSAND];

const ANYTHING: Scenario = Scenario {
    name: "anything",
    says: "Whatever can happen happens, and meets each other.",
    size: USUAL,
    plan: |dice| Plan::random(Mood::default(), dice),
    about: |counts| counts.overlapped,
};

const THOUSAND: Scenario = Scenario {
    name: "thousand",
    says: "A thousand agents: services die everywhere, a third of the links is cut, the collector is killed.",
    size: Size { hosts: 1_000, services: 2, interval: 30, segments: 4, ring: 8 * 1024, ..USUAL },
    plan: |dice| {
        let mut plan = Plan::default();
        for _ in 0..300 {
            let at = usize::try_from(dice.below(1_000)).unwrap_or(0);
            let when = dice.below(30_000_000);
            plan.deeds.push((when, Deed::KillService(at, usize::try_from(dice.below(2)).unwrap_or(0), 9)));
            plan.deeds.push((dice.below(10_000_000), Deed::Cut(at)));
            plan.deeds.push((20_000_000 + dice.below(20_000_000), Deed::Heal(at)));
        }
        plan.deeds.push((15_000_000, Deed::Crash(super::happening::Place::Collector(0))));
        plan.sorted()
    },
    about: |counts| counts.backlog,
};

/// Deeds of a kind, and deaths of services among them: something to tell of while it goes on.
fn with_deaths(dice: &mut Dice, deed: fn(&mut Dice) -> Vec<(u64, Deed)>) -> Plan {
    Plan::of(Mood::default(), dice, |dice| if dice.below(5) < 2 { plan::death(dice) } else { deed(dice) })
}

/// How often a fact was told.
fn facts(counts: &Counts, code: &str) -> u64 {
    counts.facts.get(code).copied().unwrap_or_default()
}

/// How often a change of incidents was told.
fn changes(counts: &Counts, code: &str) -> u64 {
    counts.changes.get(code).copied().unwrap_or_default()
}

/// How often a session was refused so.
fn refusals(counts: &Counts, code: &str) -> u64 {
    counts.refusals.get(code).copied().unwrap_or_default()
}
