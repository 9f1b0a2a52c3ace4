//! `sim [--seeds N] [--seed S] [--scenario NAME] [--jobs J] [--trace] [--list]`: the fleet in one thread, seed after
//! seed. See `picket_tests::sim` and docs/testing.md.
//!
//! Runs seeds S to S+N-1 (S is 1 unless said), each with one scenario after the other in turn, or with the one that is
//! named; prints the seeds first, and a JSON line last. `--trace` says every step. The exit status is 1 if anything
//! did not hold; the first failing plans are cut down and printed with the end of their traces. 64: a wrong word.

use picket_tests::sim::{self, BY_NAME, Report, SCENARIOS, Scenario, Voice};
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// Lines of a failing run's trace that are printed.
const LINES: usize = 120;

struct Asked {
    seed: u64,
    seeds: u64,
    jobs: u64,
    scenarios: Vec<&'static Scenario>,
    trace: bool,
    list: bool,
}

fn main() -> ExitCode {
    let asked = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("error: {why}");
            eprintln!("say sim [--seeds N] [--seed S] [--scenario NAME] [--jobs J] [--trace] [--list]");
            return ExitCode::from(64);
        }
    };
    if asked.list {
        for scenario in SCENARIOS.iter().chain(BY_NAME) {
            println!("{:<24} {}", scenario.name, scenario.says);
        }
        return ExitCode::SUCCESS;
    }
    if asked.trace { trace(&asked) } else { campaign(&asked) }
}

fn trace(asked: &Asked) -> ExitCode {
    let scenario = asked.scenarios[usize::try_from(asked.seed).unwrap_or(0) % asked.scenarios.len()];
    println!("sim: {}, seed {}", scenario.name, asked.seed);
    let outcome = sim::run(scenario, asked.seed, None, Voice::Aloud);
    for violation in &outcome.violations {
        println!("violation: {violation}");
    }
    println!(
        "{}",
        json!({
            "sim": scenario.name, "seed": outcome.seed, "steps": outcome.steps, "faults": outcome.faults,
            "trace_hash": format!("{:016x}", outcome.hash), "violations": outcome.violations.len(),
            "simulated_s": outcome.simulated / 1_000_000,
        })
    );
    if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a figure of this program about itself; nothing is decided by it"
)]
fn campaign(asked: &Asked) -> ExitCode {
    println!(
        "sim: seeds {} to {}, {} scenarios",
        asked.seed,
        asked.seed + asked.seeds - 1,
        asked.scenarios.len()
    );
    let begun = std::time::Instant::now();
    let report = sim::campaign(&asked.scenarios, asked.seed..asked.seed + asked.seeds, asked.jobs);
    let took = begun.elapsed();
    sim::explain(&asked.scenarios, &report, LINES);
    let idle: Vec<_> =
        report.about.iter().filter(|(_, (_, about))| *about == 0).map(|(name, _)| *name).collect();
    for name in &idle {
        println!("violation: {name} never did what it is about");
    }
    println!("{}", line(&report, took));
    if report.failed.is_empty() && idle.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(report: &Report, took: Duration) -> serde_json::Value {
    let about: serde_json::Map<_, _> =
        report.about.iter().map(|(name, (_, about))| ((*name).to_owned(), (*about).into())).collect();
    let hours = report.simulated as f64 / 3.6e9;
    json!({
        "seeds": report.runs, "steps": report.steps.iter().sum::<u64>(), "steps_median": report.steps_median(),
        "faults": report.faults, "faults_least": report.faults_least, "overlapped": report.overlapped,
        "violations": report.failed.len(), "simulated_hours": (hours * 10.0).round() / 10.0,
        "seconds": took.as_secs_f64().round(),
        "simulated_hours_per_second": (hours / took.as_secs_f64() * 100.0).round() / 100.0, "about": about,
    })
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        seed: 1,
        seeds: 100,
        jobs: 2,
        scenarios: SCENARIOS.iter().collect(),
        trace: false,
        list: false,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seed" => asked.seed = number(&word, words.next())?,
            "--seeds" => asked.seeds = number(&word, words.next())?.max(1),
            "--jobs" => asked.jobs = number(&word, words.next())?.clamp(1, 64),
            "--scenario" => {
                let name = words.next().unwrap_or_default();
                let found = SCENARIOS.iter().chain(BY_NAME).find(|scenario| scenario.name == name);
                asked.scenarios =
                    vec![found.ok_or_else(|| format!("no scenario is called {name:?}; --list names them"))?];
            }
            "--trace" => asked.trace = true,
            "--list" => asked.list = true,
            other => return Err(format!("{other:?} is not a word of this program")),
        }
    }
    Ok(asked)
}

fn number(word: &str, given: Option<String>) -> Result<u64, String> {
    let given = given.unwrap_or_default();
    given.parse().map_err(|_not_a_number| format!("{word} wants a whole number, not {given:?}"))
}
