//! Lays drop-ins over a file: tables key by key, services and checks by name, everything else whole.
//!
//! | what | how |
//! |---|---|
//! | `[[service]]` | by `name`: a later table replaces the keys that it has; another name is added |
//! | `[[service.check]]` | by `name`, or by what it is called without one, `SERVICE:KIND` |
//! | `[[check]]` | by `name`; one without is added |
//! | other tables | key by key |
//! | values, lists | the later one |
//!
//! Names are compared across texts only: two of one name in one text are looked at by whoever reads the whole. Places
//! are moved to where the text stands in the long one, so that a mistake is told where it was written.

use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Tables within tables that are looked into. No key that is known stands deeper than four, and what is deeper may be
/// thousands deep: short keys with dots in them, in tables within tables.
const DEEPEST: usize = 8;

/// Moves every place in `table` on by `by`, as deep as anybody looks.
pub(super) fn moved(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    if by == 0 { table } else { moved_within(table, by, DEEPEST) }
}

fn moved_within(table: DeTable<'_>, by: usize, levels: usize) -> DeTable<'_> {
    let key = |key: Spanned<Cow<'_, str>>| {
        let span = key.span();
        let name = key.into_inner().into_owned();
        Spanned::new(span.start + by..span.end + by, Cow::Owned(name))
    };
    let mut moved = DeTable::new();
    for (name, value) in table {
        moved.insert(key(name), moved_value(value, by, levels));
    }
    moved
}

fn moved_value(value: Spanned<DeValue<'_>>, by: usize, levels: usize) -> Spanned<DeValue<'_>> {
    let span = value.span();
    let inner = match (value.into_inner(), levels.checked_sub(1)) {
        (DeValue::Table(table), Some(left)) => DeValue::Table(moved_within(table, by, left)),
        (DeValue::Array(array), Some(left)) => {
            let mut all = DeArray::new();
            array.into_iter().for_each(|item| all.push(moved_value(item, by, left)));
            DeValue::Array(all)
        }
        (other, _) => other,
    };
    Spanned::new(span.start + by..span.end + by, inner)
}

/// Lays `over` on `base`.
pub(super) fn lay<'t>(base: &mut DeTable<'t>, over: DeTable<'t>) {
    lay_within(base, over, DEEPEST);
}

/// Deeper than so many levels the later one counts whole.
fn lay_within<'t>(base: &mut DeTable<'t>, over: DeTable<'t>, levels: usize) {
    let owner = text(base, "name").to_owned();
    for (key, value) in over {
        let name = key.get_ref().clone();
        let value = match base.remove(name.as_ref()) {
            Some(there) => join(there, value, (name.as_ref(), &owner), levels),
            None => value,
        };
        base.insert(key, value);
    }
}

fn join<'t>(
    there: Spanned<DeValue<'t>>,
    over: Spanned<DeValue<'t>>,
    (key, owner): (&str, &str),
    levels: usize,
) -> Spanned<DeValue<'t>> {
    let (place, later) = (there.span(), over.span());
    match (there.into_inner(), over.into_inner(), levels.checked_sub(1)) {
        (DeValue::Table(mut table), DeValue::Table(over), Some(left)) => {
            lay_within(&mut table, over, left);
            Spanned::new(place, DeValue::Table(table))
        }
        (DeValue::Array(list), DeValue::Array(over), Some(left)) if matches!(key, "service" | "check") => {
            Spanned::new(place, DeValue::Array(join_lists(list, over, owner, left)))
        }
        (_, over, _) => Spanned::new(later, over),
    }
}

/// Joins lists of tables by what each is called; several of one name are all changed.
fn join_lists<'t>(mut list: DeArray<'t>, over: DeArray<'t>, owner: &str, levels: usize) -> DeArray<'t> {
    let known = list.len();
    for item in over {
        let called = item.get_ref().as_table().and_then(|table| called(table, owner));
        let is_same = |there: &Spanned<DeValue<'_>>| {
            let table = there.get_ref().as_table();
            called.is_some() && table.and_then(|table| self::called(table, owner)) == called
        };
        let mut found = false;
        for there in list.iter_mut().take(known).filter(|there| is_same(there)) {
            found = true;
            if let (DeValue::Table(table), DeValue::Table(over)) = (there.get_mut(), item.get_ref()) {
                lay_within(table, over.clone(), levels);
            }
        }
        if !found {
            list.push(item);
        }
    }
    list
}

/// What a table of a list is called: its name, or what a service's check is called without one.
fn called(table: &DeTable<'_>, owner: &str) -> Option<String> {
    let (name, kind) = (text(table, "name"), text(table, "kind"));
    match (name, owner, kind) {
        ("", "", _) | ("", _, "") => None,
        ("", owner, kind) => Some(format!("{owner}:{kind}")),
        (name, _, _) => Some(name.to_owned()),
    }
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> &'t str {
    table.get(key).and_then(|value| value.get_ref().as_str()).unwrap_or_default()
}
