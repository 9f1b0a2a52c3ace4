//! Layout for people: aligned tables and wrapped text, both within the screen's width.
//!
//! Columns are as wide as their longest cell. Where that is wider than the terminal, the widest column gives way
//! first and its cells are cut; what a person needs whole stands in `incident show` or in `--json`. A character is
//! taken as one column wide: names are ASCII by their type.

use crate::screen::{Ink, Screen};

/// Columns between columns.
const GAP: usize = 2;

/// One cell.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::inked(Ink::Plain, text)
    }

    pub(crate) fn inked(ink: Ink, text: impl Into<String>) -> Self {
        Self { text: text.into(), ink }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Which side a column leans to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lean {
    Left,
    Right,
}

/// A table with its heading.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Lean)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Lean)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a row has a cell for every column");
        self.rows.push(cells);
    }

    pub(crate) fn render(&self, screen: &Screen) -> String {
        let widths = self.widths(screen.width());
        let heading: Vec<Cell> =
            self.columns.iter().map(|(title, _)| Cell::inked(Ink::Faint, *title)).collect();
        let mut text = String::new();
        for row in std::iter::once(&heading).chain(&self.rows) {
            self.line(row, &widths, screen, &mut text);
        }
        text
    }

    /// Whether cells of this column would be cut on the screen.
    pub(crate) fn cuts(&self, column: usize, screen: &Screen) -> bool {
        self.widths(screen.width()).get(column) < self.widths(None).get(column)
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|(title, _)| title.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let Some(limit) = limit else { return widths };
        let room = limit.saturating_sub(GAP * widths.len().saturating_sub(1)).max(widths.len());
        while widths.iter().sum::<usize>() > room {
            let Some(widest) = widths.iter_mut().max() else { break };
            *widest -= 1;
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize], screen: &Screen, text: &mut String) {
        let last = row.len().saturating_sub(1);
        for (at, ((cell, width), (_, lean))) in row.iter().zip(widths).zip(&self.columns).enumerate() {
            let shown = screen.cut(&cell.text, *width);
            let pad = " ".repeat(width.saturating_sub(shown.chars().count()));
            let painted = screen.paint(cell.ink, &shown);
            match lean {
                Lean::Left if at == last => text.push_str(&painted),
                Lean::Left => text.extend([painted, pad]),
                Lean::Right => text.extend([pad, painted]),
            }
            if at < last {
                text.push_str(&" ".repeat(GAP));
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
}

/// `text` in lines of at most `width` characters, the second and later ones indented by `indent`, which also counts
/// for the first (whatever stands before it is written by the caller).
pub(crate) fn wrap(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let mut wrapped = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let long = word.chars().count();
        if used > 0 && used + 1 + long > room {
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(indent));
            used = 0;
        } else if used > 0 {
            wrapped.push(' ');
            used += 1;
        }
        wrapped.push_str(word);
        used += long;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[("HOST", Lean::Left), ("CHECKS", Lean::Right), ("WHY", Lean::Left)]);
        table.row(vec![
            Cell::plain("web-1"),
            Cell::plain("4"),
            Cell::plain("connection refused: nothing listens"),
        ]);
        table.row(vec![Cell::plain("a"), Cell::plain("12"), Cell::plain("")]);
        table
    }

    #[test]
    fn columns_align_and_lines_end_without_spaces() {
        let text = table().render(&Screen::still(80, "2026-03-01T12:00:00Z"));
        assert_eq!(
            text,
            "HOST   CHECKS  WHY\nweb-1       4  connection refused: nothing listens\na          12\n"
        );
    }

    #[test]
    fn the_widest_column_gives_way_and_no_line_is_wider_than_the_terminal() {
        for width in [10, 20, 40, 48] {
            let text = table().render(&Screen::still(width, "2026-03-01T12:00:00Z"));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
        }
        let text = table().render(&Screen::still(40, "2026-03-01T12:00:00Z"));
        assert!(text.contains("web-1       4  connection refused: noth…"), "{text}");
    }

    #[test]
    fn wrapped_text_hangs_under_its_first_line() {
        assert_eq!(wrap("one two three four five six", 4, 24), "one two three four\n    five six");
    }
}
