//! What counters were at the look before: a cursor, which decides nothing.

use super::page::Series;
use crate::clock;
use picket_proto::{Mono, Span};
use std::collections::BTreeMap;

/// Series that are remembered, of which some may be away for a look. Beyond them those that are away are forgotten.
const REMEMBERED: usize = 20_000;

/// The look before.
#[derive(Debug, Default)]
pub(crate) struct Last {
    at: Option<Mono>,
    values: [BTreeMap<u64, f64>; 2],
}

impl Last {
    /// The growth of each series per second since the look before; nothing if there was none.
    pub(super) fn growth(&mut self, found: [Series; 2]) -> Option<[Series; 2]> {
        let now = clock::now().mono;
        let since = self.at.replace(now).map(|at| now.since(at).max(Span::from_millis(1)));
        let mut both = found;
        for (found, values) in both.iter_mut().zip(&mut self.values) {
            if values.len() > REMEMBERED {
                values.retain(|series, _| found.iter().any(|(seen, _)| seen == series));
            }
            for (series, value) in found {
                let before = values.insert(*series, *value).unwrap_or(0.0);
                let grown = if *value < before { *value } else { *value - before };
                *value = grown / since.map_or(1.0, |since| since.micros() as f64 / 1_000_000.0);
            }
        }
        since.map(|_| both)
    }
}
