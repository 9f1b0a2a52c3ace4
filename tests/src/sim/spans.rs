//! Sets of numbers as spans, without a limit: what the world itself knows, beside the eight ranges of the cores.

use std::collections::BTreeMap;

/// Numbers, kept as closed spans that neither touch nor overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spans(BTreeMap<u64, u64>);

impl Spans {
    /// Whether all numbers from `first` to `last` are in it.
    pub(super) fn covers(&self, first: u64, last: u64) -> bool {
        self.0.range(..=first).next_back().is_some_and(|(_, end)| *end >= last)
    }

    /// Puts a number in; false if it was there.
    pub(super) fn put(&mut self, number: u64) -> bool {
        if self.covers(number, number) {
            return false;
        }
        self.put_all(number, number);
        true
    }

    /// Puts all numbers from `first` to `last` in.
    pub(super) fn put_all(&mut self, first: u64, last: u64) {
        let (mut first, mut last) = (first, last);
        let touching = |(_, end): &(&u64, &u64)| **end >= first.saturating_sub(1);
        if let Some((start, end)) = self.0.range(..=first).next_back().filter(touching) {
            (first, last) = (*start, last.max(*end));
        }
        while let Some((start, end)) = self.0.range(first..=last.saturating_add(1)).next_back() {
            let (start, end) = (*start, *end);
            last = last.max(end);
            self.0.remove(&start);
            if start == first {
                break;
            }
        }
        self.0.insert(first, last);
    }

    /// The lowest number in it that is in neither of the others.
    pub(super) fn beyond_both(&self, one: &Self, other: &Self) -> Option<u64> {
        let is_in = |number: u64| one.covers(number, number) || other.covers(number, number);
        self.0.iter().find_map(|(start, end)| (*start..=*end).find(|number| !is_in(*number)))
    }

    /// The lowest number from 1 to `last` that is not in it.
    pub(super) fn lacks(&self, last: u64) -> Option<u64> {
        let mut next = 1;
        for (start, end) in &self.0 {
            if *start > next {
                break;
            }
            next = next.max(end + 1);
        }
        (next <= last).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use std::collections::BTreeSet;

    #[test]
    fn they_say_what_a_plain_set_says() {
        let mut dice = Dice::new(5);
        for _ in 0..300 {
            let (mut spans, mut plain) = (Spans::default(), BTreeSet::new());
            for _ in 0..12 {
                let (first, len) = (1 + dice.below(40), dice.below(9));
                spans.put_all(first, first + len);
                plain.extend(first..=first + len);
                let one = 1 + dice.below(50);
                assert_eq!(spans.put(one), plain.insert(one));
                assert_eq!(spans.lacks(50), (1..=50).find(|number| !plain.contains(number)));
                let (from, to) = (1 + dice.below(50), dice.below(5));
                assert_eq!(spans.covers(from, from + to), (from..=from + to).all(|at| plain.contains(&at)));
                let half = Spans(spans.0.iter().take(1).map(|(start, end)| (*start, *end)).collect());
                let next = spans.0.iter().nth(1).map(|(start, _)| *start);
                let none = Spans::default();
                assert_eq!(spans.beyond_both(&half, &none), next);
                assert_eq!((half.beyond_both(&none, &spans), spans.beyond_both(&spans, &half)), (None, None));
                assert!(spans.0.iter().zip(spans.0.iter().skip(1)).all(|(low, high)| low.1 + 1 < *high.0));
            }
        }
    }
}
