//! What links do: they are cut, half, slow, lossy, and for so long that spools run over.

use super::{Scenario, USUAL, changes, with_deaths};
use crate::sim::deed::{Deed, Plan};
use crate::sim::happening::Place;
use crate::sim::plan::{self, Mood, host};
use crate::sim::shape::Size;

pub(super) const CUT_LINKS: Scenario = Scenario {
    name: "cut-links",
    says: "Links are cut and healed while services die: what happened meanwhile comes late, and each frame once.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let (at, lasts) = (host(dice), 200 + dice.below(40_000));
            vec![(0, Deed::Cut(at)), (lasts, Deed::Heal(at))]
        })
    },
    about: |counts| counts.backlog,
};

pub(super) const ONE_WAY: Scenario = Scenario {
    name: "one-way",
    says: "A link carries one way only: acks are lost and everything is sent again, or nothing arrives.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let (at, lasts) = (host(dice), 200 + dice.below(40_000));
            vec![(0, Deed::OneWay(at, dice.below(2) == 0)), (lasts, Deed::Heal(at))]
        })
    },
    about: |counts| counts.backlog,
};

pub(super) const BAD_LINKS: Scenario = Scenario {
    name: "bad-links",
    says: "Links are slow, lose packets, deliver twice and let streams overtake each other, and crash in between.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let (at, lasts) = (host(dice), 5_000 + dice.below(60_000));
            let bad = match dice.below(5) {
                0 => Deed::Delay(at, 100 + dice.below(2_000)),
                1 => Deed::Reorder(at, 100 + dice.below(5_000)),
                2 => Deed::Duplicate(at, 200 + dice.below(800)),
                3 => Deed::Lose(at, 50 + dice.below(500)),
                _ => return vec![(0, Deed::Crash(Place::Host(at)))],
            };
            vec![(0, bad), (lasts, Deed::Heal(at))]
        })
    },
    about: |counts| counts.repeated,
};

pub(super) const FLEET_SILENT: Scenario = Scenario {
    name: "fleet-silent",
    says: "The collector is cut off from everybody, for longer than a host may be silent, while services die.",
    size: USUAL,
    plan: |dice| {
        let many = Mood { deeds: (12, 6), pause: 3_000 };
        let mut plan = Plan::of(many, dice, plan::death);
        for _ in 0..2 {
            let (from, lasts) = (dice.below(30_000_000), 5_000_000 + dice.below(60_000_000));
            plan.deeds.push((from, Deed::Isolate(Place::Collector(0))));
            plan.deeds.push((from + lasts, Deed::HealAll));
        }
        plan.sorted()
    },
    about: |counts| changes(counts, "incident-severity") + changes(counts, "host-back"),
};

pub(super) const SMALL_RING: Scenario = Scenario {
    name: "small-ring",
    says: "The spool's ring and disk are tiny and links are away for long: what is lost is named, the least important first.",
    size: Size { ring: 8 * 1024, segments: 4, services: 4, ..USUAL },
    plan: |dice| flood(dice.below(8), dice),
    about: |counts| counts.backlog,
};

pub(super) const NO_DISK: Scenario = Scenario {
    name: "no-disk",
    says: "Spools live in memory alone, links are away for long: what the ring can't hold is lost and named.",
    size: Size { ring: 8 * 1024, segments: 0, services: 4, ..USUAL },
    plan: |dice| flood(dice.below(8), dice),
    about: |counts| counts.named,
};

pub(super) const LATE_ACKS: Scenario = Scenario {
    name: "late-acks",
    says: "A collector acknowledges so late that rings overflow in the midst of sessions: what is lost there stands right all the same.",
    size: Size { ring: 8 * 1024, segments: 0, services: 4, ..USUAL },
    plan: |dice| {
        let at = usize::try_from(dice.below(8)).unwrap_or(0);
        let slow = Place::Collector(0);
        let mut plan = Plan::default().then(0, Deed::SlowDisk(slow, 4_000 + dice.below(8_000)));
        for _ in 0..60 {
            let number = usize::try_from(dice.below(4)).unwrap_or(0);
            plan = plan.then(100 + dice.below(900), Deed::KillService(at, number, 9));
        }
        plan.then(dice.below(10_000), Deed::SlowDisk(slow, 0)).sorted()
    },
    about: |counts| counts.named,
};

/// Services of one host crash in loops while its link is cut, but for moments in which it is slow.
fn flood(at: u64, dice: &mut crate::dice::Dice) -> Plan {
    let at = usize::try_from(at).unwrap_or(0);
    let mut plan = Plan::default().then(0, Deed::Cut(at));
    for round in 0..40 {
        let number = usize::try_from(dice.below(4)).unwrap_or(0);
        plan = plan.then(
            300 + dice.below(2_500),
            Deed::KillService(at, number, if round % 3 == 0 { 15 } else { 9 }),
        );
        if dice.below(12) == 0 {
            plan = plan.then(dice.below(500), Deed::Crash(Place::Host(at)));
        }
        // Long enough to say what is lost, too short to hear that it arrived.
        if dice.below(5) == 0 {
            plan = plan.then(0, Deed::Heal(at)).then(1 + dice.below(3), Deed::Delay(at, dice.below(1_500)));
            plan = plan.then(dice.below(4_000), Deed::Cut(at));
        }
    }
    plan.then(dice.below(20_000), Deed::Heal(at)).sorted()
}
