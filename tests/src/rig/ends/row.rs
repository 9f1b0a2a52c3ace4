//! A row of the table, as people read it.

use super::{Case, Counted};
use std::fmt;

/// See the module.
#[derive(Debug)]
pub struct Row {
    cells: [String; 8],
    /// Whether what was seen is what was expected; none where it can't be tried here.
    pub is_good: Option<bool>,
}

/// Why a case was not tried.
pub(super) const NOT_HERE: &str = "not here: see fleet table";

const HEAD: [&str; 8] =
    ["case", "Restart=", "cause, expected", "cause, seen", "systemd", "seen", "Picket", "seen"];

impl Row {
    pub(super) fn new(case: &Case, counted: Counted, why_not: Option<String>) -> Self {
        // A remedy that systemd refuses starts nothing.
        let by_systemd = (counted.starts + case.refused).saturating_sub(1 + counted.remedies);
        let told = counted.causes.len() == case.causes.len()
            && counted.causes.iter().zip(case.causes).all(|(seen, wanted)| seen.contains(wanted));
        let is_state = counted.active == case.ends();
        let is_good = told && (by_systemd, counted.remedies) == (case.by_systemd, case.by_picket) && is_state;
        let impossible = why_not.as_deref().is_some_and(|why| why == NOT_HERE);
        let mut seen =
            if counted.causes.is_empty() { "nothing".to_owned() } else { counted.causes.join("; ") };
        if !is_state {
            seen += &format!(" ({}, not {})", counted.active, case.ends());
        }
        if let Some(why) = &why_not {
            seen += &format!(" [{why}]");
        }
        let expected = if case.causes.is_empty() { "nothing".to_owned() } else { case.causes.join("; ") };
        let cells = [
            case.name.to_owned(),
            case.restart.word().to_owned(),
            expected,
            seen,
            case.by_systemd.to_string(),
            by_systemd.to_string(),
            case.by_picket.to_string(),
            counted.remedies.to_string(),
        ];
        Self { cells, is_good: (!impossible).then_some(is_good && why_not.is_none()) }
    }
}

/// All rows below their head, each column as wide as it must be.
pub fn table(rows: &[Row]) -> String {
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|at| rows.iter().map(|row| row.cells[at].len()).chain([HEAD[at].len()]).max().unwrap_or(0))
        .collect();
    let line = |cells: &[String], last: &str| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("| {} | {last} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let mut text = line(&HEAD.map(str::to_owned), "ok ");
    text += &line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>(), "---");
    text + &rows.iter().map(|row| line(&row.cells, row.verdict())).collect::<String>()
}

impl Row {
    const fn verdict(&self) -> &'static str {
        match self.is_good {
            Some(true) => "yes",
            Some(false) => "NO ",
            None => "-  ",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.verdict(), self.cells)
    }
}
