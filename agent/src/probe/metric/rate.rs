//! What counters were at the look before: a cursor, which decides nothing.
//!
//! A look that follows sooner than half an interval (a person asks, or a recovery is watched) makes no rate: of a few
//! milliseconds it would say nothing. It gets what the look before was given, and moves no cursor.

use super::page::Series;
use crate::clock;
use crate::probe::Seen;
use picket_proto::{Mono, Span};
use std::collections::BTreeMap;

/// Series that are remembered, of which some may be away for a look. Beyond them those that are away are forgotten.
const REMEMBERED: usize = 20_000;
/// A series that is new has grown from 0 if it is not beyond this, as after a first error; a larger one may have been
/// counting for long where nobody looked.
const BORN: f64 = 100.0;

/// The look before.
#[derive(Debug, Default)]
pub(crate) struct Last {
    at: Option<Mono>,
    values: [BTreeMap<u64, f64>; 2],
    given: Option<Seen>,
}

impl Last {
    /// What the look before was given, if it is too near to measure from.
    pub(super) fn given(&self, interval: Span) -> Option<Seen> {
        let since = clock::now().mono.since(self.at?);
        if since.micros() < interval.micros() / 2 { self.given.clone() } else { None }
    }

    pub(super) fn give(&mut self, seen: &Seen) {
        self.given = Some(seen.clone());
    }

    /// The growth of each series per second since the look before; nothing if there was none, or none of these series.
    pub(super) fn growth(&mut self, found: [Series; 2]) -> Option<[Series; 2]> {
        let now = clock::now().mono;
        let since = self.at.replace(now).map(|at| now.since(at).max(Span::from_millis(1)));
        let seconds = since.map_or(1.0, |since| since.micros() as f64 / 1_000_000.0);
        let mut has_all = true;
        let both = std::array::from_fn(|at| {
            let grown = grow(&mut self.values[at], &found[at], seconds);
            has_all &= found[at].is_empty() || !grown.is_empty();
            grown
        });
        since.filter(|_| has_all).map(|_| both)
    }
}

/// The growth per second of those that can have grown since then.
fn grow(values: &mut BTreeMap<u64, f64>, found: &Series, seconds: f64) -> Series {
    if values.len() > REMEMBERED {
        values.retain(|series, _| found.iter().any(|(seen, _)| seen == series));
    }
    let mut grown = Series::new();
    for (series, value) in found {
        let before = match values.insert(*series, *value) {
            None if *value > BORN => continue,
            // It began anew.
            Some(before) if *value < before => 0.0,
            before => before.unwrap_or(0.0),
        };
        grown.push((*series, (*value - before) / seconds));
    }
    grown
}
