//! What services and their people do.

use super::{Scenario, USUAL, changes, facts};
use crate::sim::deed::{Deed, Plan};
use crate::sim::happening::Place;
use crate::sim::plan::{self, Mood, host};
use crate::sim::shape::Size;

fn number(dice: &mut crate::dice::Dice) -> usize {
    usize::try_from(dice.below(4)).unwrap_or(0)
}

pub(super) const CRASH_LOOPS: Scenario = Scenario {
    name: "crash-loops",
    says: "Services can't start for a while: a breaker and not a loop, one try at a time, healed once they can.",
    size: USUAL,
    plan: |dice| {
        Plan::of(Mood::default(), dice, |dice| {
            let (at, number) = (host(dice), number(dice));
            if dice.below(4) == 0 {
                return vec![(0, Deed::Crash(plan::place(dice)))];
            }
            let breaks = Deed::Break(at, number, dice.below(1_500));
            vec![(0, breaks), (2_000 + dice.below(60_000), Deed::Cure(at, number))]
        })
    },
    about: |counts| facts(counts, "breaker-open"),
};

pub(super) const SICK: Scenario = Scenario {
    name: "sick-services",
    says: "Services live and answer wrongly, or are frozen; some are well again before or after a remedy.",
    size: USUAL,
    plan: |dice| {
        Plan::of(Mood::default(), dice, |dice| {
            let (at, number) = (host(dice), number(dice));
            let cure = (1_000 + dice.below(90_000), Deed::Cure(at, number));
            match dice.below(5) {
                0 => vec![(0, Deed::FreezeService(at, number))],
                1 => vec![(0, Deed::Crash(Place::Host(at)))],
                2 => vec![
                    (0, Deed::Sicken(at, number)),
                    (dice.below(20_000), Deed::KillService(at, number, 9)),
                    cure,
                ],
                _ => vec![(0, Deed::Sicken(at, number)), cure],
            }
        })
    },
    about: |counts| facts(counts, "remedy-not-held"),
};

pub(super) const UNITS: Scenario = Scenario {
    name: "units",
    says: "Units die with and without Restart=always while the bus comes and goes: one death, one start, whoever makes it.",
    size: Size { services: 4, ..USUAL },
    plan: |dice| {
        Plan::of(Mood::default(), dice, |dice| {
            let (at, number, lasts) =
                (host(dice), 1 + 2 * usize::from(dice.below(2) == 0), dice.below(20_000));
            match dice.below(6) {
                0 => vec![(0, Deed::LoseBus(at)), (lasts, Deed::RestoreBus(at))],
                1 => vec![(0, Deed::KillService(at, number, 15))],
                2 => vec![(0, Deed::Crash(Place::Host(at)))],
                _ => vec![(0, Deed::KillService(at, number, 9))],
            }
        })
    },
    about: |counts| facts(counts, "service-died") + facts(counts, "blind-systemd"),
};

pub(super) const OPERATORS: Scenario = Scenario {
    name: "operators",
    says: "Operators stop and start units, let remedies rest, take and end incidents: nobody fights them.",
    size: Size { services: 4, ..USUAL },
    plan: |dice| {
        Plan::of(Mood::default(), dice, |dice| {
            let (at, number, lasts) = (host(dice), number(dice), 100 + dice.below(30_000));
            match dice.below(7) {
                0 => vec![(0, Deed::Hold(at, 60)), (lasts, Deed::Hold(at, 0))],
                1 => vec![(0, Deed::KillService(at, number, 9)), (200, Deed::Operate(0, dice.below(2) == 0))],
                2 => vec![
                    (0, Deed::KillService(at, number, 9)),
                    (dice.below(20), Deed::OperatorStops(at, number)),
                    (lasts, Deed::OperatorStarts(at, number)),
                ],
                3 => vec![(0, Deed::Crash(Place::Host(at)))],
                4 => vec![
                    (0, Deed::Break(at, number, 20)),
                    (lasts, Deed::Try(at, number, false)),
                    (lasts + 200, Deed::Cure(at, number)),
                    (lasts + 220, Deed::Try(at, number, dice.below(2) == 0)),
                ],
                _ => vec![(0, Deed::OperatorStops(at, number)), (lasts, Deed::OperatorStarts(at, number))],
            }
        })
    },
    about: |counts| facts(counts, "service-left-stopped"),
};

pub(super) const MASS_FAILURE: Scenario = Scenario {
    name: "mass-failure",
    says: "Every service of every host dies within a second, again and again.",
    size: USUAL,
    plan: |dice| {
        let mut plan = Plan::default();
        for _ in 0..3 {
            let from = dice.below(60_000_000);
            for at in 0..8 {
                for number in 0..4 {
                    plan.deeds.push((from + dice.below(1_000_000), Deed::KillService(at, number, 9)));
                }
            }
            plan.deeds.push((from + dice.below(1_000_000), Deed::Crash(Place::Collector(0))));
        }
        plan.sorted()
    },
    about: |counts| changes(counts, "incident-opened"),
};
