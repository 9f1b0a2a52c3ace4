//! What counts, key by key, and where it was written: `file:line`, or that it is the default.
//!
//! Secrets are never shown: tokens, passwords in addresses, values of the environment, and what a check says first.

use super::check::{self, Owner};
use super::draft;
use super::files::Texts;
use super::keys::{Key, Shape, Table, Usual, table};
use super::proxy::Proxy;
use super::read::{Keys, Place, Sheet};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys of a service that its unit's own file says.
const UNITS_OWN: [&str; 4] = ["command", "env", "cwd", "stop_timeout"];

/// What is explained together: a table, a service, a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// Such as `agent`, `service web`, `check web:http`.
    pub(crate) what: String,
    /// The service that a check belongs to.
    pub(crate) of: Option<String>,
    pub(crate) rows: Vec<Row>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) value: String,
    /// `file:line`, or `default`.
    pub(crate) from: String,
}

impl Section {
    /// Whether it is meant by this name: its own, or its service's.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.what == name
            || self.what.split_once(' ').is_some_and(|(_, own)| own == name)
            || self.of.as_deref() == Some(name)
    }
}

/// Explains all that these texts say together.
pub(super) fn parts(texts: &Texts, here: &Path) -> Vec<Section> {
    let mut sheet = Sheet::new(texts);
    sheet.here = here.to_path_buf();
    let whole = draft::tables(texts, &mut sheet);
    let mut parts = Vec::new();
    for path in ["agent", "collector", "metrics", "baseline", "host"] {
        let there = whole.get(path).and_then(|value| value.get_ref().as_table());
        let nothing = DeTable::new();
        let rows = rows(&sheet, path, there.unwrap_or(&nothing), None);
        if there.is_some() || !matches!(path, "metrics" | "collector") {
            parts.push(Section { what: path.to_owned(), of: None, rows });
        }
    }
    for service in list(&whole, "service") {
        let name = text(service, "name").to_owned();
        parts.push(Section {
            what: format!("service {name}"),
            of: None,
            rows: rows(&sheet, "service", service, None),
        });
        parts.extend(list(service, "check").map(|table| check(&sheet, "service.check", table, Some(&name))));
    }
    parts.extend(list(&whole, "check").map(|table| check(&sheet, "check", table, None)));
    parts
}

/// The place of one key such as `agent.host`, as `file:line`; nothing where it is not written.
pub(super) fn place(texts: &Texts, table: &str, key: &str) -> Option<(std::path::PathBuf, usize)> {
    let mut sheet = Sheet::new(texts);
    let whole = draft::tables(texts, &mut sheet);
    let table = whole.get(table)?.get_ref().as_table()?;
    let at = table.get(key)?.span().start;
    Some(sheet.at(&Place { at, key: String::new() }))
}

fn check<'d>(sheet: &Sheet<'_>, path: &str, table: &'d DeTable<'d>, of: Option<&str>) -> Section {
    let kind = text(table, "kind");
    let owner = of.map(|name| Owner { ix: 0, name });
    // Mistakes are told by whoever reads the whole.
    let read = check::read(Keys::new(table, path.to_owned(), 0), &mut sheet.blank(), owner.as_ref());
    let name = read.map_or_else(|| text(table, "name").to_owned(), |check| check.name().to_string());
    let rows = rows(sheet, path, table, Some(kind));
    Section { what: format!("check {name}"), of: of.map(str::to_owned), rows }
}

fn rows(sheet: &Sheet<'_>, path: &str, there: &DeTable<'_>, kind: Option<&str>) -> Vec<Row> {
    let mut all = Vec::new();
    if let Some(table) = table(path) {
        walk(sheet, table, (there, kind), "", &mut all);
    }
    all
}

fn walk(
    sheet: &Sheet<'_>,
    table: &Table,
    (there, kind): (&DeTable<'_>, Option<&str>),
    before: &str,
    all: &mut Vec<Row>,
) {
    let is_unit = table.path == "service" && there.contains_key("unit");
    for key in table.keys.iter().filter(|key| key.is_of(kind) && key.shape != Shape::Tables("service.check"))
    {
        let name = format!("{before}{}", key.name);
        match (there.get(key.name), key.shape, key.usual) {
            (Some(value), Shape::Table(path) | Shape::TableOrOff(path) | Shape::SpanOrTable(path), _)
                if value.get_ref().is_table() =>
            {
                if let (Some(below), Some(there)) = (self::table(path), value.get_ref().as_table()) {
                    walk(sheet, below, (there, None), &format!("{name}."), all);
                }
            }
            (Some(value), _, _) => {
                let (file, line) = sheet.at(&Place { at: value.span().start, key: String::new() });
                let from = format!("{}:{line}", file.display());
                all.push(Row { key: name, value: shown(key, value), from });
            }
            (None, _, _) if is_unit && UNITS_OWN.contains(&key.name) => {}
            (None, _, Usual::Needed) => {}
            (None, _, Usual::Value(value)) => {
                all.push(Row { key: name, value: value.to_owned(), from: "default".to_owned() });
            }
            (None, _, Usual::Said(said)) => {
                all.push(Row { key: name, value: format!("({said})"), from: "default".to_owned() });
            }
        }
    }
}

fn shown(key: &Key, value: &Spanned<DeValue<'_>>) -> String {
    let value = value.get_ref();
    let has_password = || value.as_str().is_some_and(Proxy::has_password);
    match (key.name, value) {
        ("proxy" | "url", _) if !has_password() => toml(value),
        ("env", DeValue::Table(table)) => {
            let names: Vec<_> = table.keys().map(|name| format!("{} = ..", name.get_ref())).collect();
            format!("{{ {} }} (values are not shown)", names.join(", "))
        }
        ("send", _) => format!("({} bytes, not shown)", value.as_str().map_or(0, str::len)),
        ("proxy" | "url", _) => "(has a password, not shown)".to_owned(),
        _ if key.is_secret => "(a secret, not shown)".to_owned(),
        _ => toml(value),
    }
}

fn toml(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(list) => {
            let items: Vec<_> = list.iter().map(|item| toml(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            let pairs =
                table.iter().map(|(key, value)| format!("{} = {}", key.get_ref(), toml(value.get_ref())));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn list<'d>(table: &'d DeTable<'d>, key: &str) -> impl Iterator<Item = &'d DeTable<'d>> {
    let list = table.get(key).and_then(|value| value.get_ref().as_array());
    list.into_iter().flat_map(|list| list.iter()).filter_map(|item| item.get_ref().as_table())
}

fn text<'d>(table: &'d DeTable<'_>, key: &str) -> &'d str {
    table.get(key).and_then(|value| value.get_ref().as_str()).unwrap_or_default()
}
