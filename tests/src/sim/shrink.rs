//! A failing plan, cut down: deeds are left out, half of them, a quarter, one by one, as long as it still fails.
//!
//! Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), without complements: removing is
//! enough where most deeds have nothing to do with the failure. Any violation counts as the same failure: what a
//! smaller plan shows is a bug too.

use super::deed::Plan;
use super::drive::{Outcome, Voice, run};
use super::scenarios::Scenario;

/// Most runs that are spent on it.
const RUNS: usize = 400;

/// A plan that fails with this seed and has as few deeds as could be found, and its outcome with its trace.
pub fn shrink(scenario: &Scenario, seed: u64, plan: &Plan) -> Outcome {
    let fails = |plan: &Plan| !run(scenario, seed, Some(plan), Voice::Silent).violations.is_empty();
    run(scenario, seed, Some(&less(plan, fails)), Voice::Kept)
}

fn less(plan: &Plan, fails: impl Fn(&Plan) -> bool) -> Plan {
    let (mut best, mut runs) = (plan.clone(), 0);
    let mut size = best.deeds.len().div_ceil(2);
    while size > 0 && runs < RUNS {
        let mut from = 0;
        while from < best.deeds.len() && runs < RUNS {
            let mut tried = best.clone();
            tried.deeds.drain(from..best.deeds.len().min(from + size));
            runs += 1;
            if fails(&tried) {
                best = tried;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::sim::Deed;
    use crate::sim::plan::Mood;

    #[test]
    fn what_has_nothing_to_do_with_a_failure_is_left_out() {
        for seed in 1..20 {
            let mut plan = Plan::random(Mood::default(), &mut Dice::new(seed));
            let needed = [Deed::Cut(77), Deed::Heal(77)];
            for (at, deed) in needed.into_iter().enumerate() {
                plan.deeds.insert(plan.deeds.len() * (at + 1) / 3, (0, deed));
            }
            let has = |plan: &Plan, deed| plan.deeds.iter().any(|(_, one)| *one == deed);
            let small = less(&plan, |plan| needed.into_iter().all(|deed| has(plan, deed)));
            assert_eq!(small.deeds.len(), 2, "seed {seed}: {small:?}");
        }
    }
}
