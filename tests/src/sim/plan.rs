//! Plans at random: any deed, at any time, so dense that faults meet each other and frames that wait.

use super::deed::{Deed, Plan};
use super::happening::Place;
use crate::dice::Dice;

/// How a random plan is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mood {
    /// Fewest deeds, and how many more there may be.
    pub(super) deeds: (u64, u64),
    /// Most milliseconds between two deeds.
    pub(super) pause: u64,
}

impl Default for Mood {
    fn default() -> Self {
        Self { deeds: (16, 20), pause: 6_000 }
    }
}

impl Plan {
    /// Any deeds.
    pub(super) fn random(mood: Mood, dice: &mut Dice) -> Self {
        Self::of(mood, dice, any)
    }

    /// Deeds of one kind. Each may be one after the other at once, or seconds apart.
    pub(super) fn of(
        mood: Mood,
        dice: &mut Dice,
        mut deed: impl FnMut(&mut Dice) -> Vec<(u64, Deed)>,
    ) -> Self {
        let count = mood.deeds.0 + dice.below(mood.deeds.1 + 1);
        let (mut plan, mut at) = (Self::default(), 0);
        while (plan.faults()) < count {
            at += match dice.below(4) {
                0 => dice.below(2_000),
                1 => dice.below(300_000),
                _ => dice.below(mood.pause * 1_000),
            };
            plan.deeds.extend(deed(dice).into_iter().map(|(after, deed)| (at + after * 1_000, deed)));
        }
        plan.sorted()
    }
}

/// A host's number.
pub(super) fn host(dice: &mut Dice) -> usize {
    usize::try_from(dice.below(8)).unwrap_or(0)
}

fn service(dice: &mut Dice) -> usize {
    usize::try_from(dice.below(4)).unwrap_or(0)
}

pub(super) fn place(dice: &mut Dice) -> Place {
    if dice.below(4) == 0 { Place::Collector(0) } else { Place::Host(host(dice)) }
}

/// Any deed, and what ends it: milliseconds after.
pub(super) fn any(dice: &mut Dice) -> Vec<(u64, Deed)> {
    match dice.below(10) {
        0 | 1 => link(dice),
        2 | 3 => process(dice),
        4 => machine(dice),
        5 => disk(dice),
        6 => unit(dice),
        _ => death(dice),
    }
}

/// Something happens to a link.
pub(super) fn link(dice: &mut Dice) -> Vec<(u64, Deed)> {
    let (at, most) = (host(dice), if dice.below(3) == 0 { 60_000 } else { 5_000 });
    let lasts = 50 + dice.below(most);
    let heal = (lasts, Deed::Heal(at));
    match dice.below(8) {
        0 | 1 => vec![(0, Deed::Cut(at)), heal],
        2 => vec![(0, Deed::OneWay(at, dice.below(2) == 0)), heal],
        3 => vec![(0, Deed::Delay(at, 1 + dice.below(800))), heal],
        4 => vec![(0, Deed::Reorder(at, 1 + dice.below(3_000))), heal],
        5 => vec![(0, Deed::Duplicate(at, 100 + dice.below(800))), heal],
        6 => vec![(0, Deed::Lose(at, 20 + dice.below(400))), heal],
        _ => vec![(0, Deed::Isolate(place(dice))), (lasts, Deed::HealAll)],
    }
}

/// A process of ours is killed, stopped, or replaced.
pub(super) fn process(dice: &mut Dice) -> Vec<(u64, Deed)> {
    let place = place(dice);
    match dice.below(7) {
        0..=2 => vec![(0, Deed::Crash(place))],
        6 => vec![(0, Deed::Halt(place)), (50 + dice.below(40_000), Deed::Restart(place))],
        3 => vec![(0, Deed::Pause(place)), (50 + dice.below(8_000), Deed::Continue(place))],
        4 => vec![(0, Deed::Pause(place)), (50 + dice.below(60_000), Deed::Continue(place))],
        _ => vec![(0, Deed::Upgrade(place))],
    }
}

/// A machine loses power, stands still, or its clocks lie.
pub(super) fn machine(dice: &mut Dice) -> Vec<(u64, Deed)> {
    let place = place(dice);
    match dice.below(5) {
        0 | 1 => vec![(0, Deed::PowerCut(place, 1 + dice.below(40)))],
        2 => vec![(0, Deed::Freeze(place, dice.below(2) == 0)), (20 + dice.below(50_000), Deed::Thaw(place))],
        3 => vec![(0, Deed::Skew(place, spread(dice, 40_000))), (dice.below(60_000), Deed::Skew(place, 0))],
        _ => vec![(0, Deed::JumpWall(place, spread(dice, 100_000_000)))],
    }
}

fn spread(dice: &mut Dice, most: u64) -> i64 {
    i64::try_from(dice.below(2 * most)).unwrap_or(0) - i64::try_from(most).unwrap_or(0)
}

/// A disk is slow, full, broken, or lies.
pub(super) fn disk(dice: &mut Dice) -> Vec<(u64, Deed)> {
    let (place, at, lasts) = (place(dice), host(dice), 100 + dice.below(20_000));
    let free = (lasts, Deed::FreeDisk(place));
    match dice.below(6) {
        0 => vec![(0, Deed::SlowDisk(place, 1 + dice.below(3_000))), (lasts, Deed::SlowDisk(place, 0))],
        1 => vec![(0, Deed::FillDisk(place)), free],
        2 => vec![(0, Deed::BreakDisk(at)), (lasts, Deed::FreeDisk(Place::Host(at)))],
        3 => vec![
            (0, Deed::LieAboutFsync(at)),
            (dice.below(5_000), Deed::PowerCut(Place::Host(at), 1 + dice.below(5))),
        ],
        4 => vec![
            (0, Deed::TearLastWrite(at)),
            (dice.below(5_000), Deed::PowerCut(Place::Host(at), 1 + dice.below(5))),
        ],
        _ => vec![(0, Deed::Snapshot(0))],
    }
}

/// A unit, its operator, its bus.
pub(super) fn unit(dice: &mut Dice) -> Vec<(u64, Deed)> {
    let (at, number, lasts) = (host(dice), service(dice), 100 + dice.below(30_000));
    match dice.below(5) {
        0 | 1 => vec![(0, Deed::OperatorStops(at, number)), (lasts, Deed::OperatorStarts(at, number))],
        2 => vec![(0, Deed::LoseBus(at)), (lasts, Deed::RestoreBus(at))],
        3 => vec![(0, Deed::Hold(at, 60)), (lasts, Deed::Hold(at, 0))],
        _ => vec![(0, Deed::Operate(0, dice.below(2) == 0))],
    }
}

/// A service dies, freezes, is sick or can't start.
pub(super) fn death(dice: &mut Dice) -> Vec<(u64, Deed)> {
    let (at, number, lasts) = (host(dice), service(dice), 100 + dice.below(25_000));
    let cure = (lasts, Deed::Cure(at, number));
    match dice.below(8) {
        0..=3 => vec![(0, Deed::KillService(at, number, 9))],
        4 => vec![(0, Deed::KillService(at, number, 15))],
        5 => vec![(0, Deed::FreezeService(at, number))],
        6 => vec![(0, Deed::Sicken(at, number)), cure],
        _ => vec![(0, Deed::Break(at, number, dice.below(200))), cure],
    }
}
