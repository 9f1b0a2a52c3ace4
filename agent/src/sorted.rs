//! Sets and maps, filled one by one.
//!
//! `collect` would sort first, and the standard library's sort is 3 KB of machine code for every type; what the agent
//! collects is short and often sorted already. For the size of the static agent (`cross/size.sh`).

use std::collections::{BTreeMap, BTreeSet};

/// A set of these.
pub(crate) fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    items.into_iter().for_each(|item| drop(set.replace(item)));
    set
}

/// A map of these; the last one of a key counts.
pub(crate) fn map<K: Ord, V>(items: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    items.into_iter().for_each(|(key, value)| drop(map.insert(key, value)));
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_hold_what_collecting_would_and_the_last_one_counts() {
        let pairs = [(2, 'b'), (1, 'a'), (2, 'c')];
        assert_eq!(map(pairs), pairs.into_iter().collect::<BTreeMap<_, _>>());
        assert_eq!(map(pairs)[&2], 'c');
        assert_eq!(set([2, 1, 2]), BTreeSet::from([1, 2]));
    }
}
