//! Every entry on the inputs that are kept for it, and on some that are made.
//!
//! The seed is printed; `PICKET_SEED=N` makes the same cases again, and the program `entries` runs an entry for long.

use picket_tests::entry::cases::{Cases, attempt};
use picket_tests::entry::{self, Entry};
use std::hash::{BuildHasher as _, RandomState};

fn holds(entry: Entry, cases: u64) {
    let given = std::env::var("PICKET_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(entry.name));
    println!("{}: to make these cases again: PICKET_SEED={seed}", entry.name);
    let corpus = entry.corpus();
    assert!(!corpus.is_empty(), "{} has no corpus", entry.name);
    for (path, input) in corpus {
        if let Err(why) = attempt(entry, &input) {
            panic!("{}: {why}", path.display());
        }
    }
    let made = Cases::new(entry, seed);
    for number in 0..cases {
        if let Err(failure) = made.run(number, || {}) {
            let hex: String = failure.input.iter().map(|byte| format!("{byte:02x}")).collect();
            panic!("case {number} of seed {seed}: {}\nentries --hex {hex} {}", failure.why, entry.name);
        }
    }
}

fn named(name: &str) -> Entry {
    entry::find(name).expect("an entry")
}

#[test]
fn whatever_bytes_come_as_frames_they_are_taken_whole_or_refused() {
    holds(named("frame"), 2_000);
}

#[test]
fn whatever_stands_in_the_state_folder_an_agent_starts_and_accounts_for_it() {
    holds(named("spool"), 150);
}

#[test]
fn whatever_text_is_the_agents_file_it_is_a_configuration_or_a_list_of_mistakes() {
    holds(named("config"), 400);
}

#[test]
fn whatever_comes_over_the_wire_is_what_it_said_or_is_refused() {
    holds(named("rpc"), 400);
}

#[test]
fn whatever_agents_do_only_what_is_journaled_is_acknowledged_and_a_replay_is_the_same() {
    holds(named("ingest"), 300);
}

#[test]
fn whatever_stands_in_a_snapshot_it_is_refused_or_can_be_gone_on_from() {
    holds(named("snapshot"), 300);
}
