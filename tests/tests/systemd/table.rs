//! The table of all ways to end; see `picket_tests::rig::ends`. With `--nocapture` it is printed. `fleet table` has it under a real PID 1,
//! where memory can be limited too.

use super::host::{Files, Host};
use picket_tests::rig::ends::{CASES, Case, carry_out, table};
use std::path::Path;

fn texts(nth: usize, case: &Case, files: &Files) -> Vec<(String, String)> {
    let paths = files.clone().with_unit(Path::new(""), nth);
    vec![(format!("web-{nth}.service"), case.unit(&paths))]
}

/// Purpose: each way to end has its cause told, and is followed by as many starts as it should be, by whom it should be.
#[test]
fn every_end_has_its_cause_and_its_restarts() {
    let test = "every_end_has_its_cause_and_its_restarts";
    let Some(mut host) = Host::with_keys(test, CASES, texts, |case| case.keys()) else { return };
    let rows = carry_out(&mut host);
    println!("{}", table(&rows));
    let wrong: Vec<String> =
        rows.iter().filter(|row| row.is_good == Some(false)).map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", host.agent.said());
}
