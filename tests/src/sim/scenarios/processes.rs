//! What our own processes do: they are killed, stopped, replaced.

use super::{Scenario, USUAL, facts, with_deaths};
use crate::sim::deed::Deed;
use crate::sim::happening::Place;
use crate::sim::plan::{host, place};
use crate::sim::shape::Size;

pub(super) const AGENTS_CRASH: Scenario = Scenario {
    name: "agents-crash",
    says: "Agents are killed over and over while services die: what lives is adopted, what died is told, nothing twice.",
    size: USUAL,
    plan: |dice| with_deaths(dice, |dice| vec![(0, Deed::Crash(Place::Host(host(dice))))]),
    about: |counts| facts(counts, "service-adopted"),
};

pub(super) const COLLECTOR_CRASHES: Scenario = Scenario {
    name: "collector-crashes",
    says: "The collector is killed over and over, between applying and committing: its journal gives the same state.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            if dice.below(3) == 0 {
                return vec![(0, Deed::Snapshot(0))];
            }
            vec![(0, Deed::Crash(Place::Collector(0)))]
        })
    },
    about: |counts| counts.replays.saturating_sub(1),
};

pub(super) const BOTH_CRASH: Scenario = Scenario {
    name: "both-crash",
    says: "Agents and the collector are killed, and links cut, at once.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let (at, lasts) = (host(dice), 10 + dice.below(5_000));
            match dice.below(3) {
                0 => vec![(0, Deed::Crash(place(dice)))],
                1 => vec![
                    (0, Deed::Crash(Place::Host(at))),
                    (dice.below(50), Deed::Crash(Place::Collector(0))),
                ],
                _ => vec![(0, Deed::Cut(at)), (1, Deed::Crash(Place::Host(at))), (lasts, Deed::Heal(at))],
            }
        })
    },
    about: |counts| counts.overlapped,
};

pub(super) const STOPPED: Scenario = Scenario {
    name: "stopped-processes",
    says: "Agents and the collector are stopped (SIGSTOP) for up to a minute: what waited comes, nobody is judged by it.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let place = place(dice);
            vec![(0, Deed::Pause(place)), (100 + dice.below(60_000), Deed::Continue(place))]
        })
    },
    about: |counts| counts.overlapped,
};

pub(super) const UPGRADES: Scenario = Scenario {
    name: "upgrades",
    says: "Agents and the collector are replaced in order, one after the other: no service is touched.",
    size: USUAL,
    plan: |dice| with_deaths(dice, |dice| vec![(0, Deed::Upgrade(place(dice)))]),
    about: |counts| facts(counts, "service-adopted"),
};

pub(super) const TWO_COLLECTORS: Scenario = Scenario {
    name: "two-collectors",
    says: "Two collectors have half of the fleet each; either is killed, the other one is not touched by it.",
    size: Size { collectors: 2, ..USUAL },
    plan: |dice| {
        with_deaths(dice, |dice| {
            let at = usize::try_from(dice.below(2)).unwrap_or(0);
            vec![(0, Deed::Crash(Place::Collector(at)))]
        })
    },
    about: |counts| counts.replays.saturating_sub(2),
};
