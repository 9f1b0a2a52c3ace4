//! Ranges against a plain set of numbers, the model that can't be wrong.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::vec::Vec as StdVec;

fn range(first: u64, last: u64) -> SeqRange {
    SeqRange::new(Seq(first), Seq(last)).unwrap()
}

proptest! {
    #[test]
    fn insert_and_remove_agree_with_a_set_or_refuse_and_change_nothing(
        steps in prop::collection::vec((any::<bool>(), 1u64..60, 0u64..8), 1..60),
    ) {
        let mut ranges = Ranges::new();
        let mut model = BTreeSet::new();
        for (add, first, extra) in steps {
            let step = range(first, first + extra);
            let before = ranges.clone();
            let done = if add { ranges.insert(step) } else { ranges.remove(step) };
            if done.is_ok() {
                for seq in first..=first + extra {
                    if add { model.insert(seq); } else { model.remove(&seq); }
                }
            } else {
                prop_assert_eq!(&ranges, &before);
            }
            let members: StdVec<u64> = (0..80).filter(|seq| ranges.contains(Seq(*seq))).collect();
            prop_assert_eq!(members, model.iter().copied().collect::<StdVec<_>>());
            prop_assert_eq!(ranges.count(), model.len() as u64);
            let apart = ranges.0.windows(2).all(|pair| pair[0].last.0 + 1 < pair[1].first.0);
            prop_assert!(apart, "neighbours must be merged: {}", ranges);
        }
    }
}

#[test]
fn a_ninth_range_is_refused() {
    let mut ranges = Ranges::new();
    for at in 0..8 {
        ranges.insert(range(1 + at * 10, 2 + at * 10)).unwrap();
    }
    assert_eq!(ranges.insert(range(1000, 1000)), Err(Full));
    assert!(ranges.insert(range(3, 10)).is_ok(), "what joins two ranges frees one");
    assert_eq!(ranges.iter().count(), 7);
}

#[test]
fn the_largest_number_does_not_wrap() {
    let mut ranges = Ranges::new();
    ranges.insert(range(u64::MAX, u64::MAX)).unwrap();
    ranges.insert(range(1, u64::MAX - 1)).unwrap();
    assert_eq!(ranges.iter().count(), 1);
    ranges.remove(range(5, u64::MAX)).unwrap();
    assert_eq!(ranges.last(), Some(Seq(4)));
}

#[test]
fn number_0_is_no_range_and_any_other_number_alone_is_one() {
    assert_eq!((SeqRange::one(Seq(0)), SeqRange::new(Seq(0), Seq(3))), (None, None));
    assert_eq!(SeqRange::one(Seq(7)), Some(range(7, 7)));
    assert_eq!(SeqRange::new(Seq(8), Seq(7)), None);
}

#[test]
fn ranges_are_empty_until_something_is_known() {
    let mut ranges = Ranges::new();
    assert!(ranges.is_empty());
    ranges.insert(range(3, 4)).unwrap();
    assert!(!ranges.is_empty());
    ranges.remove(range(1, 9)).unwrap();
    assert!(ranges.is_empty());
}

/// What `ranges`, encoded as they stand, are decoded as.
fn decoded(ranges: &[SeqRange]) -> Option<StdVec<SeqRange>> {
    let mut bytes = [0; 64];
    let raw = postcard::to_slice(&ranges, &mut bytes).unwrap();
    postcard::from_bytes::<Ranges>(raw).ok().map(|ranges| ranges.iter().collect())
}

#[test]
fn ranges_out_of_order_or_touching_are_not_decoded() {
    let apart = [range(1, 4), range(6, 6), range(9, u64::MAX)];
    assert_eq!(decoded(&apart), Some(apart.to_vec()));
    assert_eq!(decoded(&[range(1, 4), range(5, 6)]), None);
    assert_eq!(decoded(&[range(6, 7), range(1, 3)]), None);
    assert_eq!(decoded(&[range(1, u64::MAX), range(1, 3)]), None);
    let mut reversed = [0; 64];
    let raw = postcard::to_slice(&(Seq(5), Seq(4)), &mut reversed).unwrap();
    assert!(postcard::from_bytes::<SeqRange>(raw).is_err());
}
