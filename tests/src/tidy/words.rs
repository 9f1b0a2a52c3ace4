//! Words: what every module says first, and what no file may say.
//!
//! Code is searched by tokens, so a mention in a string or a comment is not a finding; text is searched by line. The
//! clippy bans see through renames, which tokens do not; tokens see code that clippy does not build on this machine.

use super::tree::{File, Rust, Tree};
use super::{Finding, house};

/// Ways to read a clock or to draw entropy. `Instant` as a type of std is one: whoever holds it has read a clock.
const CLOCKS: &[&[&str]] = &[
    &["Instant", "::", "now"],
    &["SystemTime", "::", "now"],
    &["std", "::", "time", "::", "Instant"],
    &["std", "::", "time", "::", "SystemTime"],
    &["Timestamp", "::", "now"],
    &["Zoned", "::", "now"],
    &["clock_gettime"],
    &["getrandom"],
    &["rand", "::"],
];

/// Phrases that belong to a tracker, to one machine or to one's own list, each with what to do instead. They are
/// written in two halves, so that this file does not contain them.
const PHRASES: &[(&str, &str, &str)] = &[
    ("FIX", "ME", "fix it, or say in a sentence what does not work and where it shows"),
    ("TO", "DO", "do it, or say in a sentence what is left out and why"),
    ("XX", "X", "say in a sentence what is wrong"),
    ("issue", " #", "say the reason itself: the reader has no tracker at hand"),
    ("/wo", "rk/", "no machine's own paths: use a path inside the repository"),
    ("crates", ".io", "name the crate; where it comes from is deny.toml's matter"),
];

/// The one file that must name the registry.
const NAMES_THE_REGISTRY: &str = "deny.toml";

/// Rust files that do not open with `//!`.
pub fn module_docs(tree: &Tree) -> Vec<Finding> {
    let rust = tree.files.iter().filter(|file| file.rust.is_some());
    let silent = rust.filter(|file| {
        let first = file.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!/"));
        !first.is_some_and(|line| line.starts_with("//!") && line.trim().len() > "//! x".len())
    });
    silent
        .map(|file| {
            let advice = "open with `//!`: what the module is for, its limits, what it leaves out";
            Finding::new(&file.path, 1, "module-docs", advice.to_owned())
        })
        .collect()
}

/// Unsafe code outside its one file.
pub fn unsafe_in_one_file(tree: &Tree) -> Vec<Finding> {
    let advice = format!("unsafe code lives in {}: add a safe function there", house::UNSAFE_FILE);
    in_code(tree, |file, code| match file.path == house::UNSAFE_FILE {
        true => Vec::new(),
        false => findings(file, "unsafe", code.lines_with(&["unsafe"]), &advice),
    })
}

/// Clocks and entropy outside `clock.rs` and the test crate; in a pure crate everywhere.
pub fn clocks_in_one_file(tree: &Tree) -> Vec<Finding> {
    in_code(tree, |file, code| {
        let pure = house::PURE_FOLDERS.iter().any(|folder| file.path.starts_with(&format!("{folder}/src/")));
        let exempt = file.path.ends_with("/src/clock.rs") || file.path.starts_with("tests/");
        if exempt && !pure {
            return Vec::new();
        }
        let advice =
            if pure { "take `now` and a seed as arguments" } else { "only clock.rs reads: take a Now" };
        let mut lines: Vec<usize> = CLOCKS.iter().flat_map(|words| code.lines_with(words)).collect();
        lines.extend(grouped_std_time(code));
        lines.sort_unstable();
        lines.dedup();
        findings(file, "clocks", lines, advice)
    })
}

/// Benches let time pass on purpose: what a program costs at rest is measured over a span.
const BENCHES: &str = "tests/src/bench/";

/// Tests that wait for time instead of an event, and tests that never run.
pub fn tests_neither_sleep_nor_hide(tree: &Tree) -> Vec<Finding> {
    in_code(tree, |file, code| {
        let hidden = code.lines_with(&["#", "[", "ignore"]);
        let mut found =
            findings(file, "ignored-test", hidden, "run it or delete it; say `cannot run here` at run time");
        let mut slept = code.lines_with(&["thread", "::", "sleep"]);
        slept.extend(code.lines_with(&["time", "::", "sleep"]));
        slept.extend(grouped(code, &["tokio", "time"], &["sleep"]));
        slept.retain(|line| (file.is_test() && !file.path.starts_with(BENCHES)) || code.in_tests(*line));
        slept.dedup();
        found.extend(findings(
            file,
            "sleeping-test",
            slept,
            "wait for the event itself, with a deadline that fails",
        ));
        found
    })
}

/// Phrases that no file of the repository may contain.
pub fn text(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        for (at, line) in file.text.lines().enumerate() {
            let hits = PHRASES.iter().filter(|phrase| says(line, phrase));
            for (head, tail, advice) in
                hits.filter(|(_, tail, _)| *tail != ".io" || file.path != NAMES_THE_REGISTRY)
            {
                found.push(Finding::new(&file.path, at + 1, "text", format!("no `{head}{tail}`: {advice}")));
            }
        }
    }
    found
}

fn in_code(tree: &Tree, rule: impl Fn(&File, &Rust) -> Vec<Finding>) -> Vec<Finding> {
    tree.rust().flat_map(|(file, code)| rule(file, code)).collect()
}

fn findings(file: &File, rule: &'static str, lines: Vec<usize>, advice: &str) -> Vec<Finding> {
    lines.into_iter().map(|line| Finding::new(&file.path, line, rule, advice.to_owned())).collect()
}

/// `use std::time::{Duration, Instant}` names a clock in a group.
fn grouped_std_time(code: &Rust) -> Vec<usize> {
    grouped(code, &["std", "time"], &["Instant", "SystemTime"])
}

/// Lines on which a path of `stem`, written with or without a group, ends in one of `names`.
fn grouped(code: &Rust, stem: &[&str], names: &[&str]) -> Vec<usize> {
    let paths = code.paths(&stem[..1]).into_iter();
    let named = |path: &Vec<String>| {
        path.len() > stem.len()
            && path.iter().zip(stem).all(|(part, wanted)| part == wanted)
            && names.contains(&path[stem.len()].as_str())
    };
    paths.filter(|(_, path)| named(path)).map(|(line, _)| line).collect()
}

/// Whether a line contains the phrase as words of its own: an upper-case word inside a longer one is none.
fn says(line: &str, (head, tail, _): &(&str, &str, &str)) -> bool {
    let phrase = format!("{head}{tail}");
    let upper = phrase.chars().all(|c| c.is_ascii_uppercase());
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(&phrase).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(joins);
        let after = line[at + phrase.len()..].chars().next();
        match phrase.ends_with('#') {
            true => after.is_some_and(|c| c.is_ascii_digit()),
            false => !(upper && (before || after.is_some_and(joins))),
        }
    })
}
