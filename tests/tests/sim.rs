//! The simulator as a test: a few seeds of every scenario, and that a seed is a whole report. `docs/testing.md` says how
//! to run many.

use picket_tests::sim::{self, BY_NAME, SCENARIOS, Voice};

/// The first seed; a campaign of `--bin sim` has them as well.
const FIRST: u64 = 1;
/// Seeds of each scenario: seconds in a debug build.
const SEEDS: u64 = 3;

#[test]
fn whatever_goes_wrong_the_fleet_keeps_its_promises() {
    let all: Vec<_> = SCENARIOS.iter().collect();
    let last = FIRST + SEEDS * all.len() as u64;
    println!("seeds {FIRST} to {}", last - 1);
    let report = sim::campaign(&all, FIRST..last, 2);
    sim::explain(&all, &report, 60);
    assert_eq!(report.failed, []);
    assert!(report.steps_median() >= 2_000, "a run is too short: {} steps", report.steps_median());
    assert!(report.faults_least >= 10, "a run has {} faults", report.faults_least);
    let idle: Vec<_> = report.about.iter().filter(|(_, (_, about))| *about == 0).collect();
    assert!(idle.is_empty(), "these never did what they are about: {idle:?}");
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    for scenario in SCENARIOS {
        let hash = |seed| sim::run(scenario, seed, None, Voice::Silent).hash;
        assert_eq!(hash(5), hash(5), "{}", scenario.name);
        assert_ne!(hash(5), hash(6), "{}", scenario.name);
    }
}

#[test]
fn listening_to_a_run_does_not_change_it() {
    let scenario = &SCENARIOS[0];
    let [silent, kept] = [Voice::Silent, Voice::Kept].map(|voice| sim::run(scenario, 9, None, voice));
    assert_eq!((silent.hash, silent.steps), (kept.hash, kept.steps));
    assert!(!kept.lines.is_empty() && silent.lines.is_empty());
}

#[test]
fn every_scenario_has_a_name_of_its_own_and_says_what_it_is() {
    let names: std::collections::BTreeSet<_> =
        SCENARIOS.iter().chain(BY_NAME).map(|scenario| scenario.name).collect();
    assert_eq!(names.len(), SCENARIOS.len() + BY_NAME.len());
    assert!(SCENARIOS.iter().chain(BY_NAME).all(|scenario| scenario.says.ends_with('.')));
}
