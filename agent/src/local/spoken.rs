//! What the last probe of each check said: its words, and what a plugin measured.
//!
//! Nothing is made room for before one has spoken. Words are bounded by their probe (mostly 160 bytes), figures are 16
//! of a check at most.

use crate::probe::{Figure, Seen};
use picket_agent_core::check::CheckIx;
use serde::Serialize;

/// By check, up to the last one that has spoken.
#[derive(Debug, Default)]
pub(crate) struct Spoken(Vec<(String, Vec<Figure>)>);

impl Spoken {
    /// Keeps what this check's probe said, in the place of what it said before. Where that `stands`, only other words take
    /// its place.
    pub(super) fn keep(&mut self, check: CheckIx, seen: &Seen, stands: bool) {
        let at = usize::from(check);
        let is_silent = seen.said.is_empty() && seen.figures.is_empty();
        if is_silent && stands {
            return;
        }
        if self.0.len() <= at && !is_silent {
            self.0.resize(at + 1, <(String, Vec<Figure>)>::default());
        }
        if let Some((said, figures)) = self.0.get_mut(at) {
            said.clone_from(&seen.said);
            figures.clone_from(&seen.figures);
        }
    }

    /// Its words; empty where it has none.
    pub(super) fn said(&self, check: CheckIx) -> &str {
        self.0.get(usize::from(check)).map_or("", |(said, _)| said)
    }

    /// What it measured.
    pub(crate) fn figures(&self, check: CheckIx) -> &[Figure] {
        self.0.get(usize::from(check)).map_or(&[], |(_, figures)| figures)
    }
}

/// One thing that a plugin measured. Ranges are as the plugin protocol writes them.
#[derive(Serialize)]
pub(super) struct FigureDoc<'d> {
    label: &'d str,
    /// A number, as near as one of 64 bits comes to it.
    value: f64,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'d str,
    #[serde(skip_serializing_if = "str::is_empty")]
    warn: &'d str,
    #[serde(skip_serializing_if = "str::is_empty")]
    crit: &'d str,
    #[serde(skip_serializing_if = "str::is_empty")]
    min: &'d str,
    #[serde(skip_serializing_if = "str::is_empty")]
    max: &'d str,
}

/// As a document.
pub(super) fn figure(figure: &Figure) -> FigureDoc<'_> {
    let Figure { label, value, unit, warn, crit, min, max } = figure;
    FigureDoc { label, value: value.parse().unwrap_or_default(), unit, warn, crit, min, max }
}
