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
    let (mut best, mut runs) = (plan.clone(), 0);
    let mut size = best.deeds.len().div_ceil(2);
    while size > 0 && runs < RUNS {
        let mut from = 0;
        while from < best.deeds.len() && runs < RUNS {
            let mut less = best.clone();
            less.deeds.drain(from..best.deeds.len().min(from + size));
            runs += 1;
            if run(scenario, seed, Some(&less), Voice::Silent).violations.is_empty() {
                from += size;
            } else {
                best = less;
            }
        }
        size /= 2;
    }
    run(scenario, seed, Some(&best), Voice::Kept)
}
