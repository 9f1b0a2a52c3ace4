//! Many seeds: shared out to threads, added up, and the first failures cut down.

use super::drive::{Outcome, Voice, run};
use super::scenarios::Scenario;
use super::shrink::shrink;
use std::collections::BTreeMap;
use std::thread;

/// Failures that are cut down and shown whole.
const SHOWN: usize = 3;
/// More of them are named in a line each, as many as a person reads.
const NAMED: usize = 100;

/// What many runs came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Runs.
    pub runs: u64,
    /// Happenings, by run.
    pub steps: Vec<u64>,
    /// Faults.
    pub faults: u64,
    /// Fewest faults of a run.
    pub faults_least: u64,
    /// Deeds while frames waited for their ack.
    pub overlapped: u64,
    /// Simulated microseconds.
    pub simulated: u64,
    /// Each scenario's runs, and how often what it is about happened in all of them.
    pub about: BTreeMap<&'static str, (u64, u64)>,
    /// Failures: the scenario and the seed.
    pub failed: Vec<(&'static str, u64, String)>,
}

impl Report {
    fn add(&mut self, scenario: &Scenario, outcome: &Outcome) {
        self.runs += 1;
        self.steps.push(outcome.steps);
        self.faults += outcome.faults;
        self.faults_least =
            if self.runs == 1 { outcome.faults } else { self.faults_least.min(outcome.faults) };
        self.overlapped += outcome.overlapped;
        self.simulated += outcome.simulated;
        let about = self.about.entry(scenario.name).or_default();
        *about = (about.0 + 1, about.1 + outcome.about);
        if let Some(first) = outcome.violations.first() {
            self.failed.push((scenario.name, outcome.seed, first.clone()));
        }
    }

    fn join(&mut self, other: Self) {
        if other.runs == 0 {
            return;
        }
        let least = self.faults_least.min(other.faults_least);
        self.faults_least = if self.runs == 0 { other.faults_least } else { least };
        self.runs += other.runs;
        self.steps.extend(other.steps);
        self.faults += other.faults;
        self.overlapped += other.overlapped;
        self.simulated += other.simulated;
        for (name, (runs, about)) in other.about {
            let sum = self.about.entry(name).or_default();
            *sum = (sum.0 + runs, sum.1 + about);
        }
        self.failed.extend(other.failed);
    }

    /// The median of the runs' steps.
    pub fn steps_median(&self) -> u64 {
        let mut steps = self.steps.clone();
        steps.sort_unstable();
        steps.get(steps.len() / 2).copied().unwrap_or_default()
    }
}

/// Runs `seeds`, each with the next of the scenarios, on so many threads.
pub fn campaign(scenarios: &[&'static Scenario], seeds: std::ops::Range<u64>, jobs: u64) -> Report {
    let jobs = jobs.clamp(1, 64);
    let step = usize::try_from(jobs).unwrap_or(1);
    let workers = (0..jobs).map(|job| {
        let (scenarios, seeds) = (scenarios.to_vec(), seeds.clone());
        thread::spawn(move || {
            let mut report = Report::default();
            for seed in seeds.skip(usize::try_from(job).unwrap_or(0)).step_by(step) {
                let scenario = scenarios[usize::try_from(seed).unwrap_or(0) % scenarios.len()];
                report.add(scenario, &run(scenario, seed, None, Voice::Silent));
            }
            report
        })
    });
    let mut all = Report::default();
    for worker in workers.collect::<Vec<_>>() {
        all.join(worker.join().expect("a run that panics has said why"));
    }
    all.failed.sort_unstable_by_key(|(_, seed, _)| *seed);
    all
}

/// The first failures, each with as few deeds as could be found and the end of its trace.
pub fn explain(scenarios: &[&'static Scenario], report: &Report, lines: usize) {
    for (name, seed, what) in report.failed.iter().take(SHOWN) {
        println!("violation: {name}, seed {seed}: {what}");
        let Some(scenario) = scenarios.iter().find(|scenario| scenario.name == *name) else { continue };
        let outcome = shrink(scenario, *seed, &run(scenario, *seed, None, Voice::Silent).plan);
        for line in outcome.lines.iter().skip(outcome.lines.len().saturating_sub(lines)) {
            println!("{line}");
        }
        println!(
            "with these deeds alone, times in microseconds after the first 30 s: {:?}",
            outcome.plan.deeds
        );
        println!("{name}, seed {seed}: {}", outcome.violations.join("; "));
        println!("see all of it: sim --scenario {name} --seed {seed}");
    }
    for (name, seed, what) in report.failed.iter().skip(SHOWN).take(NAMED) {
        println!("violation: {name}, seed {seed}: {what}");
    }
}
