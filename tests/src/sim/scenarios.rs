//! Named scenarios: what a world is put through, and what must have happened for the run to have been about it.

use super::deed::Plan;
use super::plan::Mood;
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

/// All of them.
pub const SCENARIOS: &[Scenario] = &[Scenario {
    name: "anything",
    says: "Whatever can happen happens, and meets each other.",
    size: USUAL,
    plan: |dice| Plan::random(Mood::default(), dice),
    about: |counts| counts.overlapped,
}];
