//! The swarm as a test: a small one, through the phases that take seconds. `docs/testing.md` says how to run a large one.

use picket_tests::rig::cannot_run_here;
use picket_tests::swarm::{self, Plan};
use std::ffi::OsStr;

/// Enough that shares of a fleet mean something, few enough for a debug build.
const WORDS: [&str; 7] = ["--quick", "--agents", "60", "--rest", "1", "--phases", "connect,rest,failure"];

#[test]
fn many_agents_of_one_process_connect_fail_and_are_whole_again() {
    let plan = Plan::of(&WORDS.map(str::to_owned)).expect("these words are known");
    match swarm::run(OsStr::new(env!("CARGO_BIN_EXE_picket-rig")), &plan) {
        Ok(held) => assert!(held, "the lines above say what did not hold"),
        Err(reason) => cannot_run_here("swarm", &reason),
    }
}
