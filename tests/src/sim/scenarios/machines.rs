//! What machines do: they lose power, lie about their disks, stand still, and their clocks go wrong.

use super::{Scenario, USUAL, refusals, with_deaths};
use crate::sim::deed::Deed;
use crate::sim::happening::Place;
use crate::sim::plan::{host, place};

pub(super) const POWER_CUTS: Scenario = Scenario {
    name: "power-cuts",
    says: "Hosts and the collector lose power: what was synced is there again, what was not is named.",
    size: USUAL,
    plan: |dice| with_deaths(dice, |dice| vec![(0, Deed::PowerCut(place(dice), 1 + dice.below(30)))]),
    about: |counts| counts.power_cuts,
};

pub(super) const LYING_DISKS: Scenario = Scenario {
    name: "lying-disks",
    says: "Disks say that they have synced and have not; then the power goes.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let at = host(dice);
            let cut = Deed::PowerCut(Place::Host(at), 1 + dice.below(8));
            vec![
                (0, Deed::LieAboutFsync(at)),
                (dice.below(2_000), Deed::KillService(at, 0, 9)),
                (2_000 + dice.below(4_000), cut),
            ]
        })
    },
    about: |counts| counts.power_cuts,
};

pub(super) const TORN_WRITES: Scenario = Scenario {
    name: "torn-writes",
    says: "The power goes in the middle of a write, with the link cut so that there is something to write.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let at = host(dice);
            vec![
                (0, Deed::Cut(at)),
                (1, Deed::TearLastWrite(at)),
                (2, Deed::KillService(at, 0, 9)),
                (100 + dice.below(110), Deed::PowerCut(Place::Host(at), 1 + dice.below(8))),
                (dice.below(9_000), Deed::Heal(at)),
            ]
        })
    },
    about: |counts| counts.backlog,
};

pub(super) const BAD_DISKS: Scenario = Scenario {
    name: "bad-disks",
    says: "Agents' disks are full, broken or hang, with the link cut now and then.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let (at, lasts) = (host(dice), 100 + dice.below(30_000));
            let place = Place::Host(at);
            let free = (lasts, Deed::FreeDisk(place));
            match dice.below(4) {
                0 => vec![(0, Deed::FillDisk(place)), free],
                1 => vec![(0, Deed::BreakDisk(at)), free],
                2 => vec![
                    (0, Deed::SlowDisk(place, 100 + dice.below(30_000))),
                    (lasts, Deed::SlowDisk(place, 0)),
                ],
                _ => vec![(0, Deed::Cut(at)), (lasts, Deed::Heal(at))],
            }
        })
    },
    about: |counts| counts.overlapped,
};

pub(super) const FULL_COLLECTOR: Scenario = Scenario {
    name: "full-collector",
    says: "The collector's disk is full for a while: nothing is acknowledged, nothing is lost, questions are answered.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let full = Place::Collector(0);
            if dice.below(4) == 0 {
                return vec![(0, Deed::Crash(full))];
            }
            vec![(0, Deed::FillDisk(full)), (500 + dice.below(40_000), Deed::FreeDisk(full))]
        })
    },
    about: |counts| counts.overlapped,
};

pub(super) const SLOW_JOURNAL: Scenario = Scenario {
    name: "slow-journal",
    says: "Every commit of the collector takes seconds: acks come late, what is refused is sent again.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let slow = Place::Collector(0);
            vec![
                (0, Deed::SlowDisk(slow, 200 + dice.below(8_000))),
                (dice.below(20_000), Deed::Crash(place(dice))),
                (5_000 + dice.below(30_000), Deed::SlowDisk(slow, 0)),
            ]
        })
    },
    about: |counts| counts.overlapped + refusals(counts, "too-many"),
};

pub(super) const FROZEN: Scenario = Scenario {
    name: "frozen-machines",
    says: "Whole machines stand still for up to a minute, with or without their BOOTTIME: no pause restarts anything.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let place = place(dice);
            vec![(0, Deed::Freeze(place, dice.below(2) == 0)), (100 + dice.below(60_000), Deed::Thaw(place))]
        })
    },
    about: |counts| counts.overlapped,
};

pub(super) const LYING_CLOCKS: Scenario = Scenario {
    name: "lying-clocks",
    says: "Clocks run up to 5 % off and wall clocks jump by years: order and incidents do not depend on them.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let place = place(dice);
            let way = if dice.below(2) == 0 { 1 } else { -1 };
            let most =
                |most: u64, dice: &mut crate::dice::Dice| way * i64::try_from(dice.below(most)).unwrap_or(0);
            if dice.below(2) == 0 {
                let ppm = most(50_000, dice);
                return vec![(0, Deed::Skew(place, ppm)), (5_000 + dice.below(60_000), Deed::Skew(place, 0))];
            }
            vec![(0, Deed::JumpWall(place, most(100_000_000, dice)))]
        })
    },
    about: |counts| counts.deeds,
};
