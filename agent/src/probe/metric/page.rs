//! The page, line by line: only the series that are wanted are kept.

use crate::config::{Selector, labels};

const PAGE_MAX: usize = 4 * 1024 * 1024;
/// Longest line: labels of some hundred bytes, and an exemplar's.
const LINE_MAX: usize = 64 * 1024;
const SERIES_MAX: usize = 10_000;

/// Series by the hash of their labels as they are written, with their values, in the order of the page.
pub(super) type Series = Vec<(u64, f64)>;

/// A page while it comes.
pub(super) struct Page {
    wanted: [Option<Selector>; 2],
    pub(super) found: [Series; 2],
    /// The line that is not whole yet.
    line: Vec<u8>,
    read: usize,
}

impl Page {
    pub(super) fn of(wanted: [Option<Selector>; 2]) -> Self {
        Self { wanted, found: [Vec::new(), Vec::new()], line: Vec::new(), read: 0 }
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// In words, which limit it is beyond.
    pub(super) fn take(&mut self, part: &[u8]) -> Result<(), &'static str> {
        self.read += part.len();
        if self.read > PAGE_MAX {
            return Err("the page has more than 4 MiB");
        }
        for piece in part.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + piece.len() > LINE_MAX {
                return Err("a line of the page has more than 64 KiB");
            }
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.end()?;
            }
        }
        Ok(())
    }

    /// The line is whole.
    ///
    /// # Errors
    /// There are too many series.
    pub(super) fn end(&mut self) -> Result<(), &'static str> {
        let line = std::mem::take(&mut self.line);
        if let Ok(line) = str::from_utf8(&line) {
            for (wanted, found) in self.wanted.iter().zip(&mut self.found) {
                found.extend(wanted.as_ref().and_then(|wanted| series(line, wanted)));
            }
        }
        self.line = line;
        self.line.clear();
        let is_full = self.found.iter().any(|found| found.len() > SERIES_MAX);
        if is_full { Err("more than 10,000 series are wanted") } else { Ok(()) }
    }
}

/// The series of a line, if it is wanted.
fn series(line: &str, wanted: &Selector) -> Option<(u64, f64)> {
    let rest = line.trim_start().strip_prefix(wanted.name.as_str())?;
    let (has, values) = match rest.trim_start().strip_prefix('{') {
        Some(inside) => labels(inside)?,
        // Without labels a space ends the name: it is no longer one.
        None if rest.starts_with([' ', '\t']) => (Vec::new(), rest),
        None => return None,
    };
    let fits = |(label, value): &(String, String)| {
        let found = has.iter().find(|(name, _)| name == label);
        found.map_or(value.is_empty(), |(_, found)| found == value)
    };
    if !wanted.labels.iter().all(fits) {
        return None;
    }
    let value = values.split_ascii_whitespace().next()?.parse().ok()?;
    Some((hash(&rest[..rest.len() - values.len()]), value))
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, labels: &[(&str, &str)]) -> Selector {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        Selector { name: name.to_owned(), labels }
    }

    fn value(line: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        series(line, &wanted(name, labels)).map(|(_, value)| value)
    }

    #[test]
    fn values_stand_behind_names_and_labels_whatever_else_stands_there() {
        for (line, read) in [
            ("up 1", 1.0),
            ("up\t1 1395066363000", 1.0),
            ("up{} 1.5e3", 1500.0),
            ("up { a = \"b\" , } -3", -3.0),
            ("up{a=\"b}\\\"\\\\,x=\"} 0x", f64::NAN),
            ("up{le=\"+Inf\"} 7 # {trace_id=\"1\"} 0.67 1", 7.0),
            ("up +Inf", f64::INFINITY),
            ("up -Inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(value(line, "up", &[]), Some(read).filter(|read| !read.is_nan()), "{line}");
        }
        assert!(value("up NaN", "up", &[]).unwrap().is_nan());
        for other in ["# HELP up 1", "upper 1", "up_total 1", "up", "up{a=\"b\" 1", "up{a=b} 1", ""] {
            assert_eq!(value(other, "up", &[]), None, "{other}");
        }
    }

    #[test]
    fn labels_are_matched_and_one_that_is_not_there_is_empty() {
        let line = r#"http{code="500",path="a\"b\\c\nd"} 4"#;
        for (labels, fits) in [
            (&[("code", "500")][..], true),
            (&[("path", "a\"b\\c\nd"), ("code", "500")], true),
            (&[("code", "50")], false),
            (&[("host", "")], true),
            (&[("code", "")], false),
            (&[("host", "a")], false),
        ] {
            assert_eq!(value(line, "http", labels).is_some(), fits, "{labels:?}");
        }
    }

    #[test]
    fn a_page_comes_in_any_parts_and_its_last_line_may_lack_an_end() {
        let text = "# TYPE a counter\na{b=\"1\"} 1\na{b=\"2\"} 2\r\n\nc 3\na{b=\"3\"} 4";
        for size in 1..text.len() {
            let mut page = Page::of([Some(wanted("a", &[])), Some(wanted("c", &[]))]);
            text.as_bytes().chunks(size).for_each(|part| page.take(part).unwrap());
            page.end().unwrap();
            let values = |at: usize| page.found[at].iter().map(|(_, value)| *value).collect::<Vec<_>>();
            assert_eq!((values(0), values(1)), (vec![1.0, 2.0, 4.0], vec![3.0]), "in parts of {size}");
            assert_ne!(page.found[0][0].0, page.found[0][1].0, "series are told apart");
        }
    }

    #[test]
    fn what_is_beyond_a_limit_is_refused() {
        let mut page = Page::of([Some(wanted("a", &[])), None]);
        assert!(page.take(&vec![b'x'; LINE_MAX + 1]).is_err());
        let mut page = Page::of([Some(wanted("a", &[])), None]);
        let line = "b 1\n".repeat(PAGE_MAX / 4);
        page.take(line.as_bytes()).unwrap();
        assert!(page.take(b"a").is_err());
        let mut page = Page::of([Some(wanted("a", &[])), None]);
        assert!(page.take("a 1\n".repeat(SERIES_MAX + 1).as_bytes()).is_err());
    }
}
