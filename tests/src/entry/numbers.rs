//! Sets of numbers in as many stretches as it takes: what the product keeps in at most 8 ranges is held against them.

use picket_proto::SeqRange;
use std::collections::BTreeMap;

/// Numbers of one run as first and last of stretches that are apart.
#[derive(Debug, Clone, Default)]
pub struct Numbers(BTreeMap<u64, u64>);

impl Numbers {
    /// These too.
    pub fn add(&mut self, range: SeqRange) {
        let (mut first, mut last) = (range.first().0, range.last().0);
        let touches = |(_, end): &(&u64, &u64)| end.saturating_add(1) >= first;
        let old: Vec<u64> =
            self.0.range(..=last.saturating_add(1)).filter(touches).map(|(start, _)| *start).collect();
        for start in old {
            let end = self.0.remove(&start).unwrap_or(start);
            (first, last) = (first.min(start), last.max(end));
        }
        self.0.insert(first, last);
    }

    /// Whether all of these are among them.
    pub fn covers(&self, range: SeqRange) -> bool {
        let below = self.0.range(..=range.first().0).next_back();
        below.is_some_and(|(_, end)| *end >= range.last().0)
    }
}
