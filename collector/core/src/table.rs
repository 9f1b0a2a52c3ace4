//! A table of named things that keeps each at a stable slot and finds it by name in O(log n).
//!
//! Slots are handed out in order of arrival and never move, so that signals and incidents can name a thing in 4
//! bytes instead of 64. Nothing is ever taken out; the caller bounds what goes in and may reuse a slot's content.

use alloc::string::String;
use alloc::vec::Vec;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A stable code as durable state holds it. The alias keeps serde from borrowing it out of a snapshot's bytes.
pub(crate) type Code = &'static str;

/// Reads a code back as the one of the table. One that the table does not have is an error: the snapshot is another
/// version's and cannot be taken.
pub(crate) fn code<'de, D: Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
    let text = String::deserialize(from)?;
    let known = picket_proto::code::find(&text);
    known.map(|known| known.code).ok_or_else(|| D::Error::custom("no stable code of this version"))
}

/// What can stand in a table.
pub(crate) trait Named {
    /// Its name: unique in the table, never changed while it stands there.
    fn name(&self) -> &str;
}

/// See the module.
#[derive(Debug, Serialize)]
pub(crate) struct Table<T> {
    items: Vec<T>,
    /// Slots in order of their names.
    order: Vec<u32>,
}

impl<T: Named> Table<T> {
    /// Nothing in it.
    pub(crate) const fn new() -> Self {
        Self { items: Vec::new(), order: Vec::new() }
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The slot of a name.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.place(name).ok().map(|at| self.order[at])
    }

    /// What stands at a slot.
    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        self.items.get(slot as usize)
    }

    /// What stands at a slot, to change all but its name.
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.items.get_mut(slot as usize)
    }

    /// Adds a thing whose name is new, and returns its slot; the slot that already has the name if it is not.
    pub(crate) fn add(&mut self, item: T) -> u32 {
        match self.place(item.name()) {
            Ok(at) => self.order[at],
            Err(at) => {
                // Every table has a limit far below 2^32, held by its owner.
                let slot = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
                self.order.insert(at, slot);
                self.items.push(item);
                slot
            }
        }
    }

    /// Puts another thing into a slot.
    pub(crate) fn replace(&mut self, slot: u32, item: T) {
        self.order.retain(|other| *other != slot);
        let at = self.place(item.name()).unwrap_or_else(|at| at);
        if let Some(place) = self.items.get_mut(slot as usize) {
            *place = item;
            self.order.insert(at, slot);
        }
    }

    /// All with their slots, by slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.items)
    }

    /// All, to change all but their names, by slot.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        (0..).zip(&mut self.items)
    }

    /// All with their slots by name, from behind `after`.
    pub(crate) fn by_name<'a>(&'a self, after: Option<&str>) -> impl Iterator<Item = (u32, &'a T)> {
        let start = after.map_or(0, |name| self.place(name).map_or_else(|at| at, |at| at + 1));
        self.order[start..].iter().filter_map(|slot| self.get(*slot).map(|item| (*slot, item)))
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.order.binary_search_by(|slot| self.items[*slot as usize].name().cmp(name))
    }

    /// Whether the order names every slot once, by ascending names: what all lookups rely on.
    fn is_ordered(&self) -> bool {
        let names = self.order.iter().map(|slot| self.items.get(*slot as usize).map(T::name));
        self.order.len() == self.items.len()
            && names.clone().all(|name| name.is_some())
            && names.clone().zip(names.skip(1)).all(|(one, next)| one < next)
    }
}

impl<'de, T: Named + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Unchecked<T> {
            items: Vec<T>,
            order: Vec<u32>,
        }
        let Unchecked { items, order } = Unchecked::deserialize(from)?;
        let table = Self { items, order };
        if table.is_ordered() {
            Ok(table)
        } else {
            Err(D::Error::custom("a table's order is not its names'"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[derive(Debug, Serialize, Deserialize)]
    struct Thing(String);

    impl Named for Thing {
        fn name(&self) -> &str {
            &self.0
        }
    }

    fn read_back(order: &[u32]) -> Result<Table<Thing>, postcard::Error> {
        let items = vec![Thing("b".into()), Thing("a".into()), Thing("c".into())];
        let bytes = postcard::to_allocvec(&Table { items, order: order.to_vec() }).unwrap();
        postcard::from_bytes(&bytes)
    }

    #[test]
    fn a_table_whose_order_is_not_that_of_its_names_is_refused() {
        assert_eq!(read_back(&[1, 0, 2]).unwrap().find("b"), Some(0));
        for order in [&[0, 1, 2][..], &[1, 0], &[1, 0, 0], &[1, 0, 3], &[1, 1, 2], &[1, 0, 2, 2], &[]] {
            assert!(read_back(order).is_err(), "{order:?}");
        }
    }
}
