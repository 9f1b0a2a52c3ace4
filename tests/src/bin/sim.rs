//! `sim --seeds N [--seed S] [--scenario NAME] [--jobs J] [--quick]`: the fleet in one thread, seeds S (1 unless said) to S+N-1,
//! each with one scenario after the other in turn, or with the one that is named. `sim --seed S [--scenario NAME]` does
//! one seed and says every step. `sim --list` names the scenarios. See `picket_tests::sim` and docs/testing.md.
//!
//! The seeds are printed first, a JSON line last. The exit status is 1 if anything did not hold; the first failing
//! plans are cut down and printed with the end of their traces; `--quick` only names the first. 64: a wrong word.

use picket_tests::sim::{self, BY_NAME, Report, SCENARIOS, Scenario, Voice};
use serde_json::json;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Lines of a failing run's trace that are printed.
const LINES: usize = 120;
const USAGE: &str = "say sim --seeds N [--seed S] [--scenario NAME] [--jobs J] [--quick], sim --seed S [--scenario NAME], or \
                     sim --list";

/// Most seeds of a campaign: some two years of one core.
const SEEDS_MAX: u64 = 10_000_000_000;
/// The last seed: a campaign's last one still fits 64 bits.
const SEED_MAX: u64 = u64::MAX - SEEDS_MAX;

/// What is wanted.
struct Asked {
    seed: u64,
    /// Nothing: only one, step by step.
    seeds: Option<u64>,
    jobs: u64,
    scenarios: Vec<&'static Scenario>,
    list: bool,
    quick: bool,
    help: bool,
}

fn main() -> ExitCode {
    let asked = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("error: {why}\n{USAGE}");
            return ExitCode::from(64);
        }
    };
    match asked.seeds {
        _ if asked.help => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ if asked.list => list(),
        Some(seeds) => campaign(&asked, seeds),
        None => trace(&asked),
    }
}

fn list() -> ExitCode {
    for scenario in SCENARIOS.iter().chain(BY_NAME) {
        println!("{:<20} {}", scenario.name, scenario.says);
    }
    ExitCode::SUCCESS
}

fn trace(asked: &Asked) -> ExitCode {
    let scenario = asked.scenarios[usize::try_from(asked.seed).unwrap_or(0) % asked.scenarios.len()];
    println!("sim: {}, seed {}", scenario.name, asked.seed);
    let outcome = sim::run(scenario, asked.seed, None, Voice::Aloud);
    for violation in &outcome.violations {
        println!("violation: {violation}");
    }
    let hash = format!("{:016x}", outcome.hash);
    println!(
        "{}",
        json!({
            "sim": scenario.name, "seed": outcome.seed, "steps": outcome.steps, "faults": outcome.faults,
            "trace_hash": hash, "violations": outcome.violations.len(),
            "simulated_s": outcome.simulated / 1_000_000,
        })
    );
    if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a figure of this program about itself; nothing is decided by it"
)]
fn campaign(asked: &Asked, seeds: u64) -> ExitCode {
    let (first, scenarios) = (asked.seed, &asked.scenarios);
    println!("sim: seeds {first} to {}, {} scenarios", first + seeds - 1, scenarios.len());
    let begun = Instant::now();
    let report = sim::campaign(scenarios, first..first + seeds, asked.jobs);
    let took = begun.elapsed();
    if asked.quick {
        let first = report.failed.first();
        first.into_iter().for_each(|(name, seed, what)| println!("violation: {name}, seed {seed}: {what}"));
    } else {
        sim::explain(scenarios, &report, LINES);
    }
    let is_idle = |about: &(u64, u64)| about.1 == 0;
    for (name, _) in report.about.iter().filter(|(_, about)| is_idle(about)) {
        println!("violation: {name} never did what it is about");
    }
    println!("{}", line(&report, took));
    let holds = report.failed.is_empty() && !report.about.values().any(is_idle);
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(report: &Report, took: Duration) -> serde_json::Value {
    let about: serde_json::Map<_, _> =
        report.about.iter().map(|(name, (_, about))| ((*name).to_owned(), (*about).into())).collect();
    let hours = report.simulated as f64 / 3.6e9;
    let round = |figure: f64| (figure * 100.0).round() / 100.0;
    json!({
        "seeds": report.runs, "steps": report.steps.iter().sum::<u64>(), "steps_median": report.steps_median(),
        "faults": report.faults, "faults_least": report.faults_least, "overlapped": report.overlapped,
        "violations": report.failed.len(), "simulated_hours": round(hours), "seconds": round(took.as_secs_f64()),
        "simulated_hours_per_second": round(hours / took.as_secs_f64()), "about": about,
    })
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let scenarios = SCENARIOS.iter().collect();
    let mut asked =
        Asked { seed: 1, seeds: None, jobs: 2, scenarios, list: false, quick: false, help: false };
    let mut said = 0;
    while let Some(word) = words.next() {
        said += 1;
        match word.as_str() {
            "--seed" => asked.seed = number(&word, words.next(), 0..=SEED_MAX)?,
            "--seeds" => asked.seeds = Some(number(&word, words.next(), 1..=SEEDS_MAX)?),
            "--jobs" => asked.jobs = number(&word, words.next(), 1..=64)?,
            "--scenario" => asked.scenarios = vec![scenario(&words.next().unwrap_or_default())?],
            "--list" => asked.list = true,
            "--quick" => asked.quick = true,
            "--help" | "-h" => asked.help = true,
            other => return Err(format!("{other:?} is not a word of this program")),
        }
    }
    if said == 0 { Err("nothing was asked for".to_owned()) } else { Ok(asked) }
}

fn scenario(name: &str) -> Result<&'static Scenario, String> {
    let found = SCENARIOS.iter().chain(BY_NAME).find(|scenario| scenario.name == name);
    found.ok_or_else(|| format!("no scenario is called {name:?}; --list names them"))
}

fn number(word: &str, given: Option<String>, range: RangeInclusive<u64>) -> Result<u64, String> {
    let given = given.unwrap_or_default();
    let number = given.parse().ok().filter(|number| range.contains(number));
    let (least, most) = range.into_inner();
    number.ok_or_else(|| format!("{word} wants a whole number from {least} to {most}, not {given:?}"))
}
