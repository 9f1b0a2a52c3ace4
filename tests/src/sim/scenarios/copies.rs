//! What copies do: of a machine's disk, of a whole machine, of the collector's journal.

use super::{Scenario, USUAL, refusals, with_deaths};
use crate::sim::deed::{Deed, Plan};
use crate::sim::happening::Place;
use crate::sim::plan::{self, Mood, host};

pub(super) const CLONES: Scenario = Scenario {
    name: "clones",
    says: "A second machine comes up from a copy of a host's disk: both are quarantined, nobody else is touched.",
    size: USUAL,
    plan: |dice| {
        let clone = (5_000_000 + dice.below(20_000_000), Deed::Clone(host(dice)));
        let mut plan = Plan::of(Mood { deeds: (14, 8), pause: 4_000 }, dice, |dice| {
            if dice.below(3) == 0 { plan::link(dice) } else { plan::death(dice) }
        });
        plan.deeds.push(clone);
        plan.sorted()
    },
    about: |counts| refusals(counts, "quarantined"),
};

pub(super) const SNAPSHOTS: Scenario = Scenario {
    name: "resumed-snapshots",
    says: "A host goes on from a snapshot of itself, same run and numbers: what differs is a conflict and named, never a repeat.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| {
            let (at, number) = (host(dice), usize::try_from(dice.below(4)).unwrap_or(0));
            let later = 500 + dice.below(20_000);
            // A life that ends with an open breaker, of which the snapshot knows nothing, or with a death.
            let (other, again) = if dice.below(2) == 0 {
                (Deed::Break(at, number, 20), Deed::Cure(at, number))
            } else {
                (Deed::KillService(at, number, 9), Deed::KillService(at, number, 15))
            };
            let after = if matches!(again, Deed::Cure(..)) { 0 } else { dice.below(3_000) };
            vec![
                (0, Deed::TakeSnapshot(at)),
                (dice.below(later), other),
                (later, Deed::ResumeSnapshot(at)),
                (later + after, again),
            ]
        })
    },
    about: |counts| counts.conflicts + counts.shadowed,
};

pub(super) const BACKUPS: Scenario = Scenario {
    name: "restored-backups",
    says: "The collector gets an older backup of its journal: what agents hold comes again, what they no longer have is named.",
    size: USUAL,
    plan: |dice| {
        with_deaths(dice, |dice| match dice.below(4) {
            0 => vec![(0, Deed::RestoreBackup(0, 1 + dice.below(600)))],
            1 => vec![(0, Deed::Snapshot(0))],
            2 => vec![(0, Deed::Crash(Place::Host(host(dice))))],
            _ => plan::link(dice),
        })
    },
    about: |counts| counts.unbooked,
};
