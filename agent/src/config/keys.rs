//! Every key of the configuration, once: what `schema` prints, what `explain` shows, what docs/config.md says.
//!
//! The parser asks for its keys itself; tests hold the two together: each key here is accepted with its example, each
//! key that the parser asks for stands here, and each default here is what the parser takes (`tests/keys.rs`).

mod all;
mod checks;
mod host;
mod kinds;
mod programs;

pub(crate) use all::TABLES;

/// A table of keys.
pub(crate) struct Table {
    /// Its place, such as `service.check`.
    pub(crate) path: &'static str,
    /// How it is written, such as `[[service.check]]`.
    pub(crate) head: &'static str,
    pub(crate) about: &'static str,
    pub(crate) keys: &'static [Key],
}

/// One key.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// What may be written, in words.
    pub(crate) range: &'static str,
    pub(crate) usual: Usual,
    /// What it is for; ends without a full stop.
    pub(crate) about: &'static str,
    /// A value as TOML.
    pub(crate) example: &'static str,
    /// The kinds of checks that have it; all where none is named.
    pub(crate) kinds: &'static [&'static str],
    pub(crate) is_secret: bool,
}

/// What a value looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    /// One of these.
    OneOf(&'static [&'static str]),
    Flag,
    Number {
        least: u32,
        most: u32,
    },
    /// A length of time.
    Span,
    /// Such a length, or a table of two that is described at this path.
    SpanOrTable(&'static str),
    /// A number with or without places.
    Decimal,
    /// A number of bytes, or a text with its unit.
    Size,
    Texts,
    TextOrTexts,
    /// A table whose keys are the user's own.
    Pairs,
    /// A table that is described at this path.
    Table(&'static str),
    /// Such a table, or `false`.
    TableOrOff(&'static str),
    /// A list of such.
    Tables(&'static str),
}

/// What counts where nothing is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual {
    /// It must be written.
    Needed,
    /// This, as TOML.
    Value(&'static str),
    /// This, in words.
    Said(&'static str),
}

impl Key {
    const fn new(name: &'static str, shape: Shape, about: &'static str) -> Self {
        let (range, usual, example) = ("", Usual::Said("none"), "");
        Self { name, shape, range, usual, about, example, kinds: &[], is_secret: false }
    }

    const fn needed(mut self) -> Self {
        self.usual = Usual::Needed;
        self
    }

    const fn usual(mut self, value: &'static str) -> Self {
        self.usual = Usual::Value(value);
        if self.example.is_empty() {
            self.example = value;
        }
        self
    }

    const fn else_(mut self, said: &'static str) -> Self {
        self.usual = Usual::Said(said);
        self
    }

    const fn range(mut self, range: &'static str) -> Self {
        self.range = range;
        self
    }

    const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    const fn of(mut self, kinds: &'static [&'static str]) -> Self {
        self.kinds = kinds;
        self
    }

    const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// Whether a check of this kind has it; any other table has all of its keys.
    pub(crate) fn is_of(&self, kind: Option<&str>) -> bool {
        self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.contains(&kind))
    }
}

/// The table at this path.
pub(crate) fn table(path: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.path == path)
}
