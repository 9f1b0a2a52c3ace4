//! Text for people: columns that fit 100 characters, ages in words, byte counts in round numbers. Colour for what is
//! not as it should be, on a terminal only and not where NO_COLOR is set.

use picket_proto::Span;
use serde_json::Value;
use std::io::IsTerminal;

/// Widest line.
const WIDTH: usize = 100;

/// Rows of cells; the last column takes what is left of the line.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table under these heads.
    pub(super) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(ToString::to_string).collect()] }
    }

    /// One more row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Whether there is more than the heads.
    pub(super) const fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The lines, each at most 100 characters.
    pub(super) fn lines(&self) -> Vec<String> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).min(WIDTH / 3)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let mut line = String::new();
            for (at, cell) in row.iter().enumerate() {
                let used = line.chars().count();
                let room = if at + 1 == columns { WIDTH.saturating_sub(used) } else { widths[at] };
                line.push_str(&cut(cell, room));
                if at + 1 < columns {
                    let pad = (widths[at] + 2 + used).saturating_sub(line.chars().count());
                    line.extend(std::iter::repeat_n(' ', pad));
                }
            }
            line.trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// `text` in at most `room` characters.
pub(super) fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(room.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// A number of milliseconds under `key`, in words.
pub(super) fn age(document: &Value, key: &str) -> Option<String> {
    document.get(key)?.as_u64().map(span)
}

/// Milliseconds in words; above one second the nearest one.
pub(super) fn span(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ => Span::from_secs((ms + 500) / 1000).to_string(),
    }
}

/// Bytes in words.
pub(super) fn bytes(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..1_048_576 => format!("{}.{} KiB", bytes / KIB, bytes % KIB * 10 / KIB),
        _ => format!("{}.{} MiB", bytes / KIB / KIB, bytes / KIB % KIB * 10 / KIB),
    }
}

/// Text under `key`; empty where there is none.
pub(super) fn text<'d>(document: &'d Value, key: &str) -> &'d str {
    document.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A number under `key`; 0 where there is none.
pub(super) fn number(document: &Value, key: &str) -> u64 {
    document.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// Whether colour is wanted.
pub(super) fn coloured() -> bool {
    let quiet = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !quiet && std::io::stdout().is_terminal()
}

/// Bold red on a terminal.
pub(super) fn alarming(line: &str, coloured: bool) -> String {
    if coloured { format!("\x1b[1;31m{line}\x1b[0m") } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_columns_stand_under_their_heads() {
        let mut table = Table::new(&["check", "verdict", "cause"]);
        table.row(vec!["web.tcp".into(), "down".into(), "connection refused ".repeat(9)]);
        table.row(vec!["x".repeat(64), "up".into(), String::new()]);
        let lines = table.lines();
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:#?}");
        assert_eq!(lines[0].find("verdict"), lines[1].find("down"), "{lines:#?}");
        assert!(lines[1].ends_with('…') && lines[2].contains('…'), "{lines:#?}");
    }

    #[test]
    fn sizes_and_ages_are_short() {
        assert_eq!(
            (bytes(512), bytes(1536), bytes(5 * 1_048_576)),
            ("512 B".into(), "1.5 KiB".into(), "5.0 MiB".into())
        );
        assert_eq!(
            (span(12), span(12_345), span(3_600_000)),
            ("12 ms".into(), "12 s".into(), "1 h 0 min".into())
        );
    }
}
