//! `fleet SCENARIO..|all|smoke|list [--hosts N] [--keep]`: real hosts with systemd as PID 1, real services, real faults, see
//! `picket_tests::fleet` and docs/testing.md. It needs root.
//!
//! Prints a JSON line per scenario and one for all. The exit status is 1 if anything did not hold, or if the machine has a mount,
//! a link or a network namespace more than before; what a scenario leaves that did not hold is in the folder that its line names.
//! Where it can't run, it says so by name and ends with 0.

use picket_tests::fleet::machine::Machine;
use picket_tests::fleet::{self, HOSTS, SCENARIOS, Scenario, Wishes};
use picket_tests::rig::cannot_run_here;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "say fleet SCENARIO..|all|smoke [--hosts N (5 to 30)] [--keep], or fleet list";

struct Asked {
    scenarios: Vec<&'static Scenario>,
    wishes: Wishes,
}

fn main() -> ExitCode {
    if let Some(status) = fleet::role().or_else(picket_tests::rig::role) {
        return status;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    match asked(&words) {
        Ok(asked) => campaign(&asked),
        Err(None) => list(),
        Err(Some(wrong)) if wrong.is_empty() => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Err(Some(wrong)) => {
            eprintln!("error: {wrong}; {USAGE}");
            ExitCode::from(64)
        }
    }
}

fn asked(words: &[String]) -> Result<Asked, Option<String>> {
    let mut asked = Asked { scenarios: Vec::new(), wishes: Wishes { hosts: HOSTS, keep: false } };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "list" => return Err(None),
            "all" => asked.scenarios.extend(SCENARIOS),
            "smoke" => asked.scenarios.extend(SCENARIOS.iter().filter(|scenario| scenario.smoke)),
            "--help" | "-h" => return Err(Some(String::new())),
            "--keep" => asked.wishes.keep = true,
            "--hosts" => asked.wishes.hosts = hosts(words.next())?,
            word if word.starts_with('-') => return Err(Some(format!("{word} is no word of this program"))),
            name => {
                let found = fleet::scenarios::find(name);
                asked.scenarios.push(found.ok_or_else(|| Some(format!("no scenario is called {name:?}")))?);
            }
        }
    }
    match asked.scenarios.len() {
        0 => Err(Some("nothing was asked for".to_owned())),
        1 => Ok(asked),
        _ if asked.wishes.keep => Err(Some("--keep is for one scenario".to_owned())),
        _ => Ok(asked),
    }
}

fn hosts(word: Option<&String>) -> Result<usize, Option<String>> {
    let number = word.and_then(|word| word.parse().ok());
    let fits = number.filter(|number| (HOSTS..=Wishes::HOSTS_MAX).contains(number));
    fits.ok_or_else(|| Some(format!("--hosts takes a number from {HOSTS} to {}", Wishes::HOSTS_MAX)))
}

fn list() -> ExitCode {
    for scenario in SCENARIOS {
        println!("{:<18} {}{}", scenario.name, scenario.says, if scenario.smoke { " [smoke]" } else { "" });
    }
    ExitCode::SUCCESS
}

fn campaign(asked: &Asked) -> ExitCode {
    let lacks = fleet::anchor::lacks();
    let mut scenarios = asked.scenarios.clone();
    scenarios.retain(|scenario| {
        let reason = lacks.clone().or_else(|| scenario.lacks());
        reason.iter().for_each(|reason| cannot_run_here(&format!("fleet {}", scenario.name), reason));
        reason.is_none()
    });
    if scenarios.is_empty() {
        return ExitCode::SUCCESS;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let out = std::path::absolute(target.join("fleet")).unwrap_or(target);
    let before = Machine::now();
    let failed: Vec<&str> = scenarios
        .iter()
        .filter(|scenario| !fleet::anchor::play(scenario, asked.wishes, &out.join(scenario.name)))
        .map(|scenario| scenario.name)
        .collect();
    let left = Machine::now().new_since(&before);
    println!("{}", json!({ "scenarios": scenarios.len(), "failed": failed, "left_on_machine": left }));
    if failed.is_empty() && left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
