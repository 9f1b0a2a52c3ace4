//! `fleet SCENARIO..|all|smoke|soak|list [--hosts N] [--keep] [--hours H]`: real hosts with systemd as PID 1, real services, real faults, see
//! `picket_tests::fleet` and docs/testing.md. It needs root.
//!
//! Prints a JSON line per scenario and one for all. The exit status is 1 if anything did not hold, or if the machine has a mount,
//! a link or a network namespace more than before; what a scenario leaves that did not hold is in the folder that its line names.
//! Where it can't run, it says so by name and ends with 0.

use picket_tests::fleet::machine::Machine;
use picket_tests::fleet::{self, HOSTS, SCENARIOS, SOAK, Scenario, Wishes};
use picket_tests::rig::cannot_run_here;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "say fleet SCENARIO..|all|smoke [--hosts N (5 to 30)] [--keep], fleet soak --hours H [--hosts N (3 to 30)], or \
                     fleet list";
/// The collector's host and one of each service: a soak asks for long, not for many.
const SOAK_HOSTS: usize = 3;

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
    let wishes = Wishes { hosts: 0, lasts: Duration::ZERO, keep: false };
    let mut asked = Asked { scenarios: Vec::new(), wishes };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "list" => return Err(None),
            "all" => asked.scenarios.extend(SCENARIOS),
            "smoke" => asked.scenarios.extend(SCENARIOS.iter().filter(|scenario| scenario.smoke)),
            "--help" | "-h" => return Err(Some(String::new())),
            "--keep" => asked.wishes.keep = true,
            "--hosts" => asked.wishes.hosts = hosts(words.next())?,
            "--hours" => asked.wishes.lasts = hours(words.next())?,
            word if word.starts_with('-') => return Err(Some(format!("{word} is no word of this program"))),
            name => {
                let found = fleet::scenarios::find(name);
                asked.scenarios.push(found.ok_or_else(|| Some(format!("no scenario is called {name:?}")))?);
            }
        }
    }
    if let Some(agent) = fleet::missing_agent() {
        return Err(Some(agent));
    }
    fits_together(asked).map_err(|wrong| Some(wrong.to_owned()))
}

/// Whether the words make sense beside each other; hosts that nobody counted are as many as is usual.
fn fits_together(mut asked: Asked) -> Result<Asked, &'static str> {
    let is_soak = asked.scenarios.iter().any(|scenario| scenario.name == SOAK.name);
    let least = if is_soak { SOAK_HOSTS } else { HOSTS };
    match (asked.scenarios.len(), asked.wishes) {
        (0, _) => return Err("nothing was asked for"),
        (2.., _) if is_soak => return Err("soak is for itself"),
        (2.., Wishes { keep: true, .. }) => return Err("--keep is for one scenario"),
        (_, wishes) if is_soak == wishes.lasts.is_zero() => {
            return Err("--hours is for soak, which needs it");
        }
        (_, wishes) if (1..least).contains(&wishes.hosts) => return Err("these are too few hosts"),
        (_, Wishes { hosts: 0, .. }) => asked.wishes.hosts = least,
        _ => {}
    }
    Ok(asked)
}

fn hosts(word: Option<&String>) -> Result<usize, Option<String>> {
    let number = word.and_then(|word| word.parse().ok());
    let fits = number.filter(|number| (SOAK_HOSTS..=Wishes::HOSTS_MAX).contains(number));
    fits.ok_or_else(|| Some(format!("--hosts takes a number up to {}", Wishes::HOSTS_MAX)))
}

fn hours(word: Option<&String>) -> Result<Duration, Option<String>> {
    let number: Option<f64> = word.and_then(|word| word.parse().ok());
    let fits = number.filter(|hours| (0.01..=1000.0).contains(hours));
    let fits = fits.map(|hours| Duration::from_secs_f64((hours * 3600.0).round()));
    fits.ok_or_else(|| Some("--hours takes a number from 0.01 to 1000".to_owned()))
}

fn list() -> ExitCode {
    for scenario in SCENARIOS.iter().chain([SOAK]) {
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
