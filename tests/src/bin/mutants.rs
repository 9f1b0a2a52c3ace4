//! `mutants [NAME...|all] [--seeds N] [--first N] [--list]`: does the simulator find the bugs of `tests/mutants`? See
//! `picket_tests::mutants`.
//!
//! NAME may be the beginning of a patch's name. Each is tried with the first `--first` seeds (100), then with four
//! times as many, and so on to `--seeds` (4,000). One JSON line per bug, a summary last. The exit status is 1 where
//! one was not found, where a patch does not fit the sources any more, or where the sources fail without a bug. 64: a
//! wrong word.

use picket_tests::mutants::{self, Failed, Found, Mutant, Tree, Trial};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Seeds that must pass without any bug: ten rounds of all scenarios.
const CONTROL: u64 = 300;

struct Asked {
    names: Vec<String>,
    trial: Trial,
    list: bool,
}

fn main() -> ExitCode {
    let all = Mutant::all(mutants::workspace()).map_err(|why| format!("tests/mutants: {why}"));
    match all.and_then(|all| asked(std::env::args().skip(1)).map(|asked| (all, asked))) {
        Ok((all, asked)) if asked.list => {
            for mutant in &all {
                println!("{:<32} {}", mutant.name, mutant.sentence);
            }
            ExitCode::SUCCESS
        }
        Ok((all, asked)) => trials(&all, &asked),
        Err(why) => {
            eprintln!("error: {why}");
            eprintln!("say mutants [NAME...|all] [--seeds N] [--first N] [--list]");
            ExitCode::from(64)
        }
    }
}

fn trials(all: &[Mutant], asked: &Asked) -> ExitCode {
    let tree = Tree::of(mutants::workspace());
    let control = Trial { first: CONTROL, most: CONTROL.min(asked.trial.most) };
    if let Some(trouble) = one(&tree, None, control).1 {
        eprintln!("error: without any bug: {trouble}; mend that first");
        return ExitCode::FAILURE;
    }
    let wanted = |mutant: &&Mutant| {
        asked.names.is_empty() || asked.names.iter().any(|name| mutant.name.starts_with(name))
    };
    let (mut tried, mut missed) = (0, Vec::new());
    for mutant in all.iter().filter(wanted) {
        tried += 1;
        if let Some(trouble) = one(&tree, Some(mutant), asked.trial).1 {
            eprintln!("error: {}: {trouble}", mutant.name);
            missed.push(mutant.name.clone());
        }
    }
    println!("{}", json!({ "mutants": tried, "found": tried - missed.len(), "missed": missed }));
    if missed.is_empty() && tried > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One trial and its line; what is wrong, where it did not come out as it must.
fn one(tree: &Tree, mutant: Option<&Mutant>, trial: Trial) -> (Option<Found>, Option<String>) {
    let (built, build) = timed(|| Trial::build(tree, mutant));
    let (ran, run) = timed(|| built.and_then(|sim| trial.run(sim)));
    let trouble = trouble(mutant, &ran);
    let found = ran.unwrap_or_default();
    println!("{}", line(mutant, found.as_ref(), (build, run)));
    (found, trouble)
}

fn trouble(mutant: Option<&Mutant>, ran: &Result<Option<Found>, Failed>) -> Option<String> {
    match (ran, mutant) {
        (Ok(Some(_)), Some(_)) | (Ok(None), None) => None,
        (Ok(None), Some(_)) => Some("not found; which invariant should have seen it?".to_owned()),
        (Ok(Some(found)), None) => {
            Some(format!("{}, seed {}: {}", found.scenario, found.seeds, found.violation))
        }
        (Err(Failed::Stale(why)), _) => {
            Some(format!("it does not fit the sources any more; plant it anew where the code is now: {why}"))
        }
        (Err(Failed::Unbuilt(why)), _) => Some(format!("it can't be built; mend the patch: {why}")),
        (Err(Failed::Io(why)), _) => Some(format!("target/mutants: {why}")),
    }
}

fn line(mutant: Option<&Mutant>, found: Option<&Found>, (build, run): (Duration, Duration)) -> Value {
    json!({
        "mutant": mutant.map_or("none", |mutant| &mutant.name),
        "sentence": mutant.map_or("The sources as they are.", |mutant| &mutant.sentence),
        "found": found.is_some(),
        "seeds": found.map(|found| found.seeds),
        "scenario": found.map(|found| &found.scenario),
        "violation": found.map(|found| found.violation.chars().take(200).collect::<String>()),
        "build_s": Trial::seconds(build), "run_s": Trial::seconds(run),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a figure of this program about itself; nothing is decided by it"
)]
fn timed<T>(step: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = step();
    (done, begun.elapsed())
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { names: Vec::new(), trial: Trial { first: 100, most: 4_000 }, list: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => asked.trial.most = number(&word, words.next())?,
            "--first" => asked.trial.first = number(&word, words.next())?,
            "--list" => asked.list = true,
            "all" => {}
            other if other.starts_with('-') => {
                return Err(format!("{other:?} is not a word of this program"));
            }
            name => asked.names.push(name.to_owned()),
        }
    }
    Ok(asked)
}

fn number(word: &str, given: Option<String>) -> Result<u64, String> {
    let given = given.unwrap_or_default();
    match given.parse() {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) | Err(_) => Err(format!("{word} wants a whole number above 0, not {given:?}")),
    }
}
