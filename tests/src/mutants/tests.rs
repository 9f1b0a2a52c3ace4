//! The patches on the real tree, and what is read from a report.

use super::run::failure;
use super::{Mutant, Ran, workspace};
use std::process::Command;

#[test]
fn every_patch_says_what_is_wrong_in_one_sentence_and_touches_nothing_but_cores() {
    let all = Mutant::all(workspace()).expect("the patches can be read");
    assert!(all.len() >= 22, "{} patches are too few to tell a simulator from luck", all.len());
    for mutant in all {
        let Mutant { name, sentence, files, .. } = &mutant;
        let is_one = sentence.ends_with('.') && !sentence[..sentence.len() - 1].contains(". ");
        assert!(is_one, "{name}: begin it with `# ` and one sentence that says what is wrong: {sentence:?}");
        let is_core = |file: &String| {
            ["proto/src/", "agent/core/src/", "collector/core/src/"].iter().any(|core| file.starts_with(core))
        };
        assert!(!files.is_empty() && files.iter().all(is_core), "{name} changes {files:?}");
    }
}

#[test]
fn every_patch_fits_the_tree() {
    if let Err(why) = Command::new("git").arg("--version").output() {
        println!("cannot run here: mutants: git: {why}");
        return;
    }
    let all = Mutant::all(workspace()).expect("the patches can be read");
    let stale = all.iter().filter_map(|mutant| Some((&mutant.name, mutant.fits(workspace()).err()?)));
    let stale: Vec<_> = stale.collect();
    assert!(stale.is_empty(), "plant these anew where the code is now (tests/mutants/README.md): {stale:#?}");
}

#[test]
fn the_first_violation_of_a_report_is_read() {
    let said = "sim: seeds 1 to 9\nviolation: one-way, seed 7: at 3.1 s: a: b\nviolation: none, never\n{}\n";
    let failed =
        Ran::Failed { seed: 7, scenario: "one-way".to_owned(), violation: "at 3.1 s: a: b".to_owned() };
    assert_eq!(failure(said), Some(failed));
    assert_eq!(failure("violation: small-ring never did what it is about\n{}\n"), None);
}
