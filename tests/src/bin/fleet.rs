//! `fleet SCENARIO..|all|smoke|list`: real hosts with systemd as PID 1, real services, real faults, see
//! `picket_tests::fleet` and docs/testing.md. It needs root.
//!
//! Prints a JSON line per scenario and one for all. The exit status is 1 if anything did not hold; what such a scenario
//! leaves is in the folder that its line names. Where it can't run, it says so by name and ends with 0.

use picket_tests::fleet::{self, SCENARIOS, Scenario};
use picket_tests::rig::cannot_run_here;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(status) = fleet::role().or_else(picket_tests::rig::role) {
        return status;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    match asked(&words) {
        Ok(scenarios) => campaign(&scenarios),
        Err(None) => list(),
        Err(Some(wrong)) => {
            eprintln!("error: {wrong}; say fleet SCENARIO..|all|smoke, or fleet list");
            ExitCode::from(64)
        }
    }
}

fn asked(words: &[String]) -> Result<Vec<&'static Scenario>, Option<String>> {
    let mut scenarios = Vec::new();
    for word in words {
        match word.as_str() {
            "list" => return Err(None),
            "all" => scenarios.extend(SCENARIOS),
            "smoke" => scenarios.extend(SCENARIOS.iter().filter(|scenario| scenario.smoke)),
            name => scenarios.push(
                fleet::scenarios::find(name)
                    .ok_or_else(|| Some(format!("no scenario is called {name:?}")))?,
            ),
        }
    }
    if scenarios.is_empty() { Err(Some("nothing was asked for".to_owned())) } else { Ok(scenarios) }
}

fn list() -> ExitCode {
    for scenario in SCENARIOS {
        println!("{:<18} {}", scenario.name, scenario.says);
    }
    ExitCode::SUCCESS
}

fn campaign(scenarios: &[&'static Scenario]) -> ExitCode {
    if let Some(reason) = fleet::anchor::lacks() {
        scenarios.iter().for_each(|scenario| cannot_run_here(&format!("fleet {}", scenario.name), &reason));
        return ExitCode::SUCCESS;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let out = std::path::absolute(target.join("fleet")).unwrap_or(target);
    let failed: Vec<&str> = scenarios
        .iter()
        .filter(|scenario| !fleet::anchor::play(scenario, &out.join(scenario.name)))
        .map(|scenario| scenario.name)
        .collect();
    println!("{}", json!({ "scenarios": scenarios.len(), "failed": failed }));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
