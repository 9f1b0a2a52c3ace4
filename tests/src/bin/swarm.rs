//! `swarm`: thousands of agents' sessions from one process against a real collector, see `picket_tests::swarm` and
//! docs/testing.md.
//!
//! `--agents N` (20 to 10,000; 5,000), `--quick` (100 agents, seconds instead of minutes), `--seed S`, `--rest SECONDS`,
//! `--away SECONDS`, `--drains HOSTS`, `--phases LIST`. Prints a JSON line per figure and one for all. The exit status
//! is 1 if something that must be true was not (a budget that is missed is none of that), 64 for a wrong word, 69 where this machine can't carry so many.

use picket_tests::swarm::{self, PHASES, Plan};
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = picket_tests::rig::role() {
        return code;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let usage = format!(
        "say swarm [--agents N] [--quick] [--seed S] [--rest SECONDS] [--away SECONDS] [--drains HOSTS] [--phases {}]",
        PHASES.join(",")
    );
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{usage}");
        return ExitCode::SUCCESS;
    }
    let plan = match Plan::of(&words) {
        Ok(plan) => plan,
        Err(wrong) => {
            eprintln!("error: {wrong}; {usage}");
            return ExitCode::from(64);
        }
    };
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    match swarm::run(program.as_os_str(), &plan) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            picket_tests::rig::cannot_run_here("swarm", &reason);
            ExitCode::from(69)
        }
    }
}
