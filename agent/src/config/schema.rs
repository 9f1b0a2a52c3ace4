//! The table of keys as a JSON schema (draft 2020-12), for editors and generators, and as the page docs/config.md.
//!
//! The schema says what can be said of a key by itself. What only the whole tells (names that repeat, a first backoff that
//! is longer than the last, a file that is not there) is the parser's: `check --config FILE`.

use super::keys::{Key, Shape, TABLES, Table, Usual, table};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// For what a schema is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// A file that stands alone.
    File,
    /// A drop-in, which leaves out what stands elsewhere.
    DropIn,
}

/// The schema.
pub(crate) fn json(whole: Whole) -> String {
    let top = TABLES.iter().filter(|table| !table.path.contains('.') && table.head.starts_with('['));
    let properties: Map<String, Value> =
        top.map(|table| (table.path.to_owned(), under(table, whole))).collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": if whole == Whole::File { "picket-agent's file" } else { "a drop-in of picket-agent's file" },
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    format!("{schema:#}\n")
}

/// One table, or a list of them.
fn under(table: &Table, whole: Whole) -> Value {
    let mut one = of(table, whole);
    one["description"] = json!(table.about);
    if table.head.starts_with("[[") { json!({ "type": "array", "items": one }) } else { one }
}

fn of(table: &Table, whole: Whole) -> Value {
    let kinds = table.keys.iter().find_map(|key| match key.shape {
        Shape::OneOf(kinds) if key.name == "kind" => Some(kinds),
        Shape::OneOf(_)
        | Shape::Text
        | Shape::Flag
        | Shape::Number { .. }
        | Shape::Span
        | Shape::SpanOrTable(_)
        | Shape::Decimal
        | Shape::Size
        | Shape::Texts
        | Shape::TextOrTexts
        | Shape::Pairs
        | Shape::Table(_)
        | Shape::TableOrOff(_)
        | Shape::Tables(_) => None,
    });
    match (kinds, whole, table.path) {
        (Some(kinds), Whole::File, _) => {
            json!({ "oneOf": kinds.iter().map(|kind| object(table, Some(kind), whole)).collect::<Vec<_>>() })
        }
        (None, Whole::File, "service") => {
            let mut object = object(table, None, whole);
            object["oneOf"] = json!([{ "required": ["command"] }, { "required": ["unit"] }]);
            object
        }
        (None, Whole::File, "when") => {
            let mut object = object(table, None, whole);
            object["minProperties"] = json!(1);
            object
        }
        (_, Whole::File | Whole::DropIn, _) => object(table, None, whole),
    }
}

fn object(table: &Table, kind: Option<&str>, whole: Whole) -> Value {
    let keys = || table.keys.iter().filter(|key| whole == Whole::DropIn || key.is_of(kind));
    let mut properties = Map::new();
    keys().for_each(|key| add(&mut properties, key.name, value(key, whole)));
    if let Some(kind) = kind {
        properties.insert("kind".to_owned(), json!({ "const": kind }));
    }
    let needed: Vec<_> = keys().filter(|key| key.usual == Usual::Needed).map(|key| key.name).collect();
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if whole == Whole::File && !needed.is_empty() {
        object["required"] = json!(needed);
    }
    object
}

/// Adds a key; one that means something else to another kind may have either value.
fn add(properties: &mut Map<String, Value>, name: &str, value: Value) {
    let Some(there) = properties.get_mut(name) else {
        properties.insert(name.to_owned(), value);
        return;
    };
    if let Some(list) = there.get_mut("anyOf").and_then(Value::as_array_mut) {
        if !list.contains(&value) {
            list.push(value);
        }
    } else if *there != value {
        *there = json!({ "anyOf": [there.take(), value] });
    }
}

fn value(key: &Key, whole: Whole) -> Value {
    let mut value = match key.shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::OneOf(words) => json!({ "enum": words }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Number { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Span => span(),
        Shape::SpanOrTable(path) => either(span(), path, whole),
        Shape::Decimal => json!({ "type": "number" }),
        Shape::Size => {
            json!({ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+ *(B|KiB|MiB|GiB)$" })
        }
        Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::TextOrTexts => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
        Shape::Pairs => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Shape::Table(path) => table(path).map(|table| of(table, whole)).unwrap_or_default(),
        Shape::TableOrOff(path) => either(json!({ "const": false }), path, whole),
        Shape::Tables(path) => table(path).map(|table| under(table, whole)).unwrap_or_default(),
    };
    let range = if key.range.is_empty() { String::new() } else { format!(" ({})", key.range) };
    value["description"] = json!(format!("{}{range}", key.about));
    value
}

fn span() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]+ *(ms|s|m|min|h|d)$" })
}

/// A value, or the table at this path.
fn either(value: Value, path: &str, whole: Whole) -> Value {
    json!({ "anyOf": [value, table(path).map(|table| of(table, whole)).unwrap_or_default()] })
}

/// The page.
pub(crate) fn page() -> String {
    let mut page = String::from(HEAD);
    for table in TABLES {
        let _text_takes_all = write!(
            page,
            "\n## `{}`\n\n{}\n\n| key | what | unit, range | default | example |\n|---|---|---|---|---|\n",
            table.head, table.about
        );
        for key in table.keys {
            let of =
                if key.kinds.is_empty() { String::new() } else { format!(" ({})", key.kinds.join(", ")) };
            let usual = match key.usual {
                Usual::Needed => "must be written".to_owned(),
                Usual::Value(value) => format!("`{value}`"),
                Usual::Said(said) => said.to_owned(),
            };
            let example = if key.example.len() > 80 { "" } else { key.example };
            let example = if example.is_empty() { String::new() } else { format!("`{example}`") };
            let range = range(key);
            let _text_takes_all =
                writeln!(page, "| `{}`{of} | {} | {range} | {usual} | {example} |", key.name, key.about);
        }
    }
    page
}

/// What may be written, in words.
pub(super) fn range(key: &Key) -> String {
    match key.shape {
        Shape::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::Flag => "true, false".to_owned(),
        Shape::Table(path) => format!("table, see `{path}`"),
        Shape::TableOrOff(path) => format!("table, see `{path}`; or false"),
        Shape::SpanOrTable(path) => format!("{}; or a table, see `{path}`", key.range),
        Shape::Tables(path) => format!("list of tables, see `{path}`"),
        Shape::Texts if key.range.is_empty() => "list of texts".to_owned(),
        Shape::Pairs => "table of texts".to_owned(),
        Shape::Texts
        | Shape::Text
        | Shape::Number { .. }
        | Shape::Span
        | Shape::Decimal
        | Shape::Size
        | Shape::TextOrTexts => key.range.to_owned(),
    }
}

const HEAD: &str = "# The agent's configuration, key by key

Made by `picket-agent schema --page` from the table that the agent's own tests hold its parser to; `picket-agent schema` prints
it as a JSON schema, `picket-agent explain` shows what counts on a host and where it was written. How the file, its drop-ins
and a reload work stands in [operating.md](operating.md#the-agents-configuration).

Lengths of time are texts: `\"500ms\"`, `\"10s\"`, `\"5m\"`, `\"1h\"`, `\"14d\"`. Relative paths are relative to the main file's folder.
";
