//! `sim [--seeds N] [--seed S] [--scenario NAME] [--jobs J] [--trace]`: the fleet in one thread, seed after seed. See
//! `picket_tests::sim`.
//!
//! `--seeds N` runs seeds S to S+N-1, each with one scenario after the other in turn, or with the one that is named;
//! the last line is JSON. `--seed S` alone runs one seed of one scenario and says what happened. The exit status is 1
//! if anything did not hold; a failing plan is cut down and printed with its trace.

use picket_tests::sim::{self, Outcome, SCENARIOS, Scenario, Voice};
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let seed: u64 = args.get(1).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let seeds: u64 = args.get(3).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let scenario = &SCENARIOS[0];
    let begun = std::time::Instant::now();
    let (mut steps, mut simulated) = (0, 0);
    for seed in seed..seed + seeds {
        let outcome = sim::run(scenario, seed, None, if seeds == 1 && args.len() > 4 { Voice::Aloud } else { Voice::Silent });
        steps += outcome.steps;
        simulated += outcome.simulated;
        if !outcome.violations.is_empty() {
            println!("seed {seed}: {:?}", outcome.violations);
            let small = sim::shrink(scenario, seed, &outcome.plan);
            for line in small.lines.iter().rev().take(400).collect::<Vec<_>>().into_iter().rev() { println!("{line}"); }
            println!("{:#?} {:?}", small.plan, small.violations);
            return ExitCode::FAILURE;
        }
    }
    println!("{steps} steps, {} s simulated, {:?}", simulated / 1_000_000, begun.elapsed());
    ExitCode::SUCCESS
}
