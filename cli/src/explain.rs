//! `picket explain`: what a code means and what to do, from the table in picket-proto; no collector needed.
//!
//! A code that is not in the table (a typo, a newer collector) gets the nearest ones by edit distance, and exit
//! status 4.

use crate::failure::{Exit, Failure};
use crate::json;
use crate::page::wrap;
use crate::screen::{Ink, Reader, Screen};
use picket_proto::code::{self, Code};
use serde_json::json;
use std::fmt::Write;

/// How many codes are offered for one that is unknown.
const OFFERED: usize = 3;

pub(crate) fn explain(code: Option<&str>, screen: &Screen) -> Result<String, Failure> {
    match (code, screen.reader) {
        (None, Reader::Person) => Ok(all(screen)),
        (None, Reader::Program) => {
            Ok(json::document(&json!({"codes": code::ALL.iter().map(value).collect::<Vec<_>>()})))
        }
        (Some(asked), reader) => {
            let known = code::find(asked).ok_or_else(|| unknown(asked))?;
            Ok(match reader {
                Reader::Person => one(known, screen),
                Reader::Program => json::document(&value(known)),
            })
        }
    }
}

fn value(code: &Code) -> serde_json::Value {
    json!({"code": code.code, "meaning": code.meaning, "next": code.next})
}

fn one(code: &Code, screen: &Screen) -> String {
    let mut text = format!("{}\n", screen.paint(Ink::Strong, code.code));
    for (label, said) in [("What happened", code.meaning), ("What to do", code.next)] {
        let _infallible = writeln!(text, "  {label:<13}  {}", wrap(said, 17, screen.paper()));
    }
    text
}

fn all(screen: &Screen) -> String {
    let longest = code::ALL.iter().map(|code| code.code.len()).max().unwrap_or(0);
    let mut text = String::new();
    for code in code::ALL {
        let pad = " ".repeat(longest - code.code.len() + 2);
        let said = wrap(code.meaning, longest + 2, screen.paper());
        let _infallible = writeln!(text, "{}{pad}{said}", screen.paint(Ink::Strong, code.code));
    }
    text
}

fn unknown(asked: &str) -> Failure {
    let asked = crate::words::plain(asked);
    let near: Vec<&str> = nearest(&asked).into_iter().map(|code| code.code).collect();
    Failure::new(
        Exit::NotFound,
        format!("there is no code {asked:?}"),
        format!("Near it: {}. `picket explain` lists all.", near.join(", ")),
    )
}

/// The codes nearest to `asked`: those that share a whole word first, then by edit distance.
fn nearest(asked: &str) -> Vec<&'static Code> {
    let asked = asked.to_ascii_lowercase().replace([' ', '_'], "-");
    let mut codes: Vec<&Code> = code::ALL.iter().collect();
    codes.sort_by_key(|code| {
        let shared = code.code.split('-').filter(|word| asked.split('-').any(|other| other == *word)).count();
        let far = distance(&asked, code.code);
        far.saturating_sub(3 * shared)
    });
    codes.truncate(OFFERED);
    codes
}

/// Levenshtein's distance in bytes; codes are ASCII. The asked text is cut at 64 bytes: no code is longer.
fn distance(one: &str, other: &str) -> usize {
    let one = &one.as_bytes()[..one.len().min(64)];
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let best = if *a == b { corner } else { 1 + corner.min(row[j]).min(row[j + 1]) };
            corner = row[j + 1];
            row[j + 1] = best;
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("gap", "gap"), 0);
    }

    #[test]
    fn a_typo_finds_its_code() {
        for (typo, meant) in
            [("braker-open", "breaker-open"), ("service died", "service-died"), ("gapp", "gap")]
        {
            assert_eq!(nearest(typo)[0].code, meant);
        }
    }

    #[test]
    fn every_code_explains_itself() {
        let screen = Screen::still(80, "2026-03-01T12:00:00Z");
        for code in code::ALL {
            let text = explain(Some(code.code), &screen).unwrap();
            assert!(text.contains("What to do"), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
    }
}
