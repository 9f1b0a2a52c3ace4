//! Reads TOML tables key by key and keeps every mistake with its place, so that a person sees all of them at once.
//!
//! A key that nobody asked for is a mistake with a suggestion (edit distance at most 2). At most 100 mistakes are
//! kept: beyond that the file is no configuration. What keys mean is not known here.

use super::files::Texts;
use super::mistake::{Mistake, Mistakes};
pub(super) use super::words::nearest;
use super::words::parse_span;
use picket_proto::Span;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const MISTAKES_MAX: usize = 100;

/// The texts being read and what was wrong so far.
pub(super) struct Sheet<'t> {
    texts: &'t Texts,
    /// The folder of the main file, absolute.
    pub(super) here: PathBuf,
    /// Each with its place, by which they are told.
    mistakes: Vec<(usize, Mistake)>,
    /// Every key that was asked for, by its table.
    #[cfg(test)]
    pub(super) asked: std::collections::BTreeSet<(String, &'static str)>,
}

/// A mistake's text with its place, before the line is known.
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) key: String,
}

impl<'t> Sheet<'t> {
    /// Another one for the same texts, without mistakes.
    pub(super) fn blank(&self) -> Self {
        Self { here: self.here.clone(), ..Self::new(self.texts) }
    }

    pub(super) const fn new(texts: &'t Texts) -> Self {
        Self {
            texts,
            here: PathBuf::new(),
            mistakes: Vec::new(),
            #[cfg(test)]
            asked: std::collections::BTreeSet::new(),
        }
    }

    pub(super) fn wrong(&mut self, place: &Place, problem: impl Into<String>, suggestion: Option<String>) {
        if self.mistakes.len() < MISTAKES_MAX {
            let (file, line) = self.at(place);
            let key = place.key.clone();
            self.mistakes.push((place.at, Mistake { file, line, key, problem: problem.into(), suggestion }));
        }
    }

    /// A path that is written in the file: relative ones are relative to the main file's folder.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.here.join(path)
    }

    /// The file and the line, from 1, where a place is.
    pub(super) fn at(&self, place: &Place) -> (PathBuf, usize) {
        self.texts.at(place.at).map_or_else(|| (PathBuf::new(), 0), |(text, line)| (text.path.clone(), line))
    }

    /// A mistake about a file as a whole.
    pub(super) fn wrong_file(&mut self, file: &Path, problem: impl Into<String>) {
        let (file, key) = (file.to_path_buf(), String::new());
        let mistake = Mistake { file, line: 0, key, problem: problem.into(), suggestion: None };
        self.mistakes.push((0, mistake));
    }

    /// What is no TOML in the text that begins at `from`.
    pub(super) fn syntax(&mut self, from: usize, errors: &[toml::de::Error]) {
        for error in errors {
            let at = from + error.span().map_or(0, |span| span.start);
            self.wrong(&Place { at, key: String::new() }, error.message(), None);
        }
    }

    pub(super) const fn is_clean(&self) -> bool {
        self.mistakes.is_empty()
    }

    pub(super) fn finish(mut self) -> Mistakes {
        self.mistakes.sort_by_key(|(at, _)| *at);
        Mistakes(self.mistakes.into_iter().map(|(_, mistake)| mistake).collect())
    }
}

/// One table while its keys are taken out of it.
pub(super) struct Keys<'t> {
    table: &'t DeTable<'t>,
    path: String,
    at: usize,
    asked: Vec<&'static str>,
}

impl<'t> Keys<'t> {
    pub(super) const fn new(table: &'t DeTable<'t>, path: String, at: usize) -> Self {
        Self { table, path, at, asked: Vec::new() }
    }

    /// Where the table stands.
    pub(super) fn place(&self) -> Place {
        Place { at: self.at, key: self.path.clone() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value under `key`, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<(&'t DeValue<'t>, Place)> {
        self.asked.push(key);
        let value: &'t Spanned<DeValue<'t>> = self.table.get(key)?;
        Some((value.get_ref(), Place { at: value.span().start, key: self.path_of(key) }))
    }

    /// Whether `key` is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// `key` is known, and not there.
    pub(super) fn knows(&mut self, key: &'static str) {
        self.asked.push(key);
    }

    /// Whether `key` is `false`, where it may also be a table.
    pub(super) fn is_off(&mut self, key: &'static str) -> bool {
        let is_off = self.table.get(key).is_some_and(|value| value.get_ref().as_bool() == Some(false));
        if is_off {
            self.knows(key);
        }
        is_off
    }

    /// A string.
    pub(super) fn text(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Option<(&'t str, Place)> {
        let (value, place) = self.take(key)?;
        if let Some(text) = value.as_str() {
            return Some((text, place));
        }
        sheet.wrong(
            &place,
            format!("is {} where text is expected", with_article(value)),
            Some(format!("write {key} = \"..\"")),
        );
        None
    }

    /// A string that must be there.
    pub(super) fn needed(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Option<(&'t str, Place)> {
        if !self.has(key) {
            self.missing(sheet, key, format!("add {key} = \"..\""));
        }
        self.text(sheet, key)
    }

    /// `key` must be there, and is not.
    pub(super) fn missing(&self, sheet: &mut Sheet<'_>, key: &str, better: String) {
        let place = Place { at: self.at, key: self.path_of(key) };
        sheet.wrong(&place, "is missing", Some(better));
    }

    /// A truth value.
    pub(super) fn flag(&mut self, sheet: &mut Sheet<'_>, key: &'static str, default: bool) -> bool {
        let Some((value, place)) = self.take(key) else { return default };
        value.as_bool().unwrap_or_else(|| {
            sheet.wrong(&place, format!("is {} where true or false is expected", with_article(value)), None);
            default
        })
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &mut self,
        sheet: &mut Sheet<'_>,
        key: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> u32 {
        let Some((value, place)) = self.take(key) else { return default };
        let parsed = value.as_integer().and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok());
        match parsed {
            Some(number) if range.contains(&number) => number,
            Some(_) | None => {
                let limits = format!("must be a whole number from {} to {}", range.start(), range.end());
                sheet.wrong(&place, limits, Some(format!("the default is {default}")));
                default
            }
        }
    }

    /// A length of time within `range`, such as "500ms", "10s", "5m", "1h", "14d".
    pub(super) fn span(
        &mut self,
        sheet: &mut Sheet<'_>,
        key: &'static str,
        range: &RangeInclusive<Span>,
        default: Span,
    ) -> Span {
        let Some((value, place)) = self.take(key) else { return default };
        let form = "write a number and ms, s, m, h or d, such as \"500ms\", \"10s\", \"5m\"";
        let Some(span) = value.as_str().and_then(parse_span) else {
            sheet.wrong(&place, "is not a length of time", Some(form.to_owned()));
            return default;
        };
        if !range.contains(&span) {
            let problem = format!("must lie between {} and {}", range.start(), range.end());
            sheet.wrong(&place, problem, Some(format!("the default is {default}")));
            return default;
        }
        span
    }

    /// A list of strings.
    pub(super) fn texts(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Option<(Vec<String>, Place)> {
        let (value, place) = self.take(key)?;
        let all: Option<Vec<String>> = value
            .as_array()
            .and_then(|list| list.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect());
        if all.is_none() {
            let better = format!("write {key} = [\"program\", \"argument\"]");
            sheet.wrong(&place, "must be a list of strings", Some(better));
        }
        all.map(|all| (all, place))
    }

    /// A table under `key`.
    pub(super) fn table(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Option<Self> {
        let (value, place) = self.take(key)?;
        if let Some(table) = value.as_table() {
            return Some(Self::new(table, place.key, place.at));
        }
        sheet.wrong(&place, format!("is {} where a table is expected", with_article(value)), None);
        None
    }

    /// The tables of a `[[key]]` list.
    pub(super) fn tables(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Vec<Self> {
        let Some((value, place)) = self.take(key) else { return Vec::new() };
        let Some(list) = value.as_array() else {
            let better = format!("write [[{}]] with double brackets", place.key);
            sheet.wrong(&place, "must be a list of tables", Some(better));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in list.iter() {
            let Range { start: at, .. } = item.span();
            match item.get_ref().as_table() {
                Some(table) => tables.push(Self::new(table, place.key.clone(), at)),
                None => sheet.wrong(&Place { at, key: place.key.clone() }, "must be a table", None),
            }
        }
        tables
    }

    /// Each key with its text, for tables whose keys are the user's own.
    pub(super) fn pairs(&self, sheet: &mut Sheet<'_>) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (key, value) in self.table {
            let name = key.get_ref().to_string();
            match value.get_ref().as_str() {
                Some(text) => pairs.push((name, text.to_owned())),
                None => {
                    let place = Place { at: value.span().start, key: self.path_of(&name) };
                    sheet.wrong(&place, "must be text", Some("put the value in quotes".to_owned()));
                }
            }
        }
        pairs
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self, sheet: &mut Sheet<'_>) {
        #[cfg(test)]
        sheet.asked.extend(self.asked.iter().map(|key| (self.path.clone(), *key)));
        for (key, _value) in self.table {
            let name: &str = key.get_ref();
            if !self.asked.contains(&name) {
                let near = nearest(name, &self.asked).map(|known| format!("did you mean `{known}`?"));
                let known = || Some(format!("known here: {}", self.asked.join(", ")));
                let place = Place { at: key.span().start, key: self.path_of(name) };
                sheet.wrong(&place, "is not a known key", near.or_else(known));
            }
        }
    }
}

fn with_article(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    if kind.starts_with(['a', 'i']) { format!("an {kind}") } else { format!("a {kind}") }
}
