//! `doctor`: what this machine offers an agent, a line per thing. Status 1 where a person should mend something.

use super::socket::{Failure, PACKAGE_STATE};
use super::status::Page;
use super::table::{alarming, coloured};
use crate::offers::{self, Finding, Word};
use clap::Args;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct Doctor {
    /// Where the state would be kept
    #[arg(long, value_name = "DIR", default_value = PACKAGE_STATE)]
    state: PathBuf,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

/// Looks.
///
/// # Errors
/// The runtime can't be made.
pub(super) fn doctor(given: &Doctor) -> Result<Page, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("the runtime can't be made: {error}")))?;
    let state = std::path::absolute(&given.state).unwrap_or_else(|_| given.state.clone());
    let found = runtime.block_on(offers::all(&state));
    let well = count(&found, Word::Problem) == 0;
    Ok(Page { text: if given.json { document(&found) } else { page(&found, coloured()) }, well })
}

fn count(found: &[Finding], word: Word) -> usize {
    found.iter().filter(|one| one.word == word).count()
}

fn document(found: &[Finding]) -> String {
    let all: Vec<_> = found
        .iter()
        .map(|one| json!({ "what": one.what, "word": one.word.text(), "seen": one.seen, "costs": one.costs }))
        .collect();
    format!("{}\n", json!({ "v": 1, "problems": count(found, Word::Problem), "findings": all }))
}

fn page(found: &[Finding], colour: bool) -> String {
    let mut out = String::new();
    for one in found {
        let mut line = format!("{:<7}  {:<10}  {}", one.word.text(), one.what, one.seen);
        if !one.costs.is_empty() {
            let _text_takes_all = write!(line, ": {}", one.costs);
        }
        out.push_str(&alarming(&line, colour && one.word == Word::Problem));
        out.push('\n');
    }
    let [ok, without, problem] = [Word::Ok, Word::Without, Word::Problem].map(|word| count(found, word));
    let _text_takes_all = writeln!(out, "{ok} ok, {without} without, {problem} to mend");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_has_its_line_and_the_end_counts() {
        let one = |what, word, costs: &str| Finding {
            what,
            word,
            seen: "seen".to_owned(),
            costs: costs.to_owned(),
        };
        let found = [
            one("kernel", Word::Ok, ""),
            one("cgroup", Word::Without, "less"),
            one("clock", Word::Problem, "set it"),
        ];
        let said = page(&found, false);
        let wanted = "ok       kernel      seen\nwithout  cgroup      seen: less\nproblem  clock       seen: set it\n\
                      1 ok, 1 without, 1 to mend\n";
        assert_eq!(said, wanted);
        let document: serde_json::Value = serde_json::from_str(&document(&found)).unwrap();
        assert_eq!((&document["problems"], &document["findings"][2]["word"]), (&json!(1), &json!("problem")));
    }
}
