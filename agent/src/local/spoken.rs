//! What the last probe of each check said: its words, and what a plugin measured.
//!
//! Nothing is made room for before one has spoken. Words are bounded by their probe (mostly 160 bytes), figures are 16
//! of a check at most.

use crate::probe::{Figure, Seen};
use picket_agent_core::check::CheckIx;

/// By check, up to the last one that has spoken.
#[derive(Debug, Default)]
pub(crate) struct Spoken(Vec<(String, Vec<Figure>)>);

impl Spoken {
    /// Keeps what this check's probe said, in the place of what it said before.
    pub(super) fn keep(&mut self, check: CheckIx, seen: &Seen) {
        let at = usize::from(check);
        let is_silent = seen.said.is_empty() && seen.figures.is_empty();
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
