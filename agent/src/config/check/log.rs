//! `kind = "log"`: lines of a file or of a unit's journal that match, since the last look.

use super::{Limits, Read, Side, Target};
use crate::config::read::{Keys, Place, Sheet};
use regex_lite::Regex;
use std::fmt;
use std::path::PathBuf;

/// Longest expression.
const PATTERN_MAX: usize = 512;
/// Most expressions of lines that don't count.
const IGNORED_MAX: usize = 16;
/// What has a meaning of its own in an expression.
const SPECIAL: &str = "\\.+*?()[]{}^$";

/// A log and the lines of it that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Where it is.
    pub source: LogSource,
    /// Lines that count.
    pub wanted: Pattern,
    /// Lines that don't, although they match.
    pub ignored: Vec<Pattern>,
}

/// Where lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSource {
    /// A file that grows.
    File(PathBuf),
    /// What a unit of systemd has in the journal.
    Unit(String),
}

/// An expression. One that is only texts with `|` between them is looked for as those, which is ten times as fast.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    texts: Vec<String>,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, String> {
        let regex = Regex::new(text).map_err(|error| error.to_string())?;
        let texts = if text.contains(|c| SPECIAL.contains(c)) {
            Vec::new()
        } else {
            text.split('|').map(str::to_owned).collect()
        };
        Ok(Self { regex, texts })
    }

    /// Whether it is somewhere in the line.
    pub fn is_in(&self, line: &str) -> bool {
        if self.texts.is_empty() {
            return self.regex.is_match(line);
        }
        self.texts.iter().any(|text| line.contains(text.as_str()))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}

impl Eq for Pattern {}

impl Log {
    /// Whether this line counts.
    pub fn counts(&self, line: &str) -> bool {
        self.wanted.is_in(line) && !self.ignored.iter().any(|ignored| ignored.is_in(line))
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lines with \"{}\" in ", self.wanted.regex.as_str())?;
        match &self.source {
            LogSource::File(path) => write!(f, "{}", path.display()),
            LogSource::Unit(unit) => write!(f, "the journal of {unit}"),
        }
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let limits = limits(keys, sheet);
    let ignored = ignored(keys, sheet);
    let wanted = keys.needed(sheet, "match").and_then(|(text, place)| pattern(text, &place, sheet));
    let (file, unit) = (keys.text(sheet, "file"), keys.text(sheet, "unit"));
    let (source, name) = match (file, unit) {
        (Some((file, _)), None) => (LogSource::File(sheet.beside(file)), file),
        (None, Some((unit, place))) => {
            if unit.starts_with('-') || !unit.contains('.') || unit.contains(['/', ' ', '*']) {
                let better = Some("write its whole name, such as \"nginx.service\"".to_owned());
                sheet.wrong(&place, "is no name of a unit", better);
            }
            (LogSource::Unit(unit.to_owned()), unit)
        }
        (Some(_), Some(_)) | (None, None) => {
            let better = "write file = \"..\", or unit = \"NAME.service\"".to_owned();
            sheet.wrong(&keys.place(), "needs either a file or a unit", Some(better));
            return None;
        }
    };
    let log = Log { source, wanted: wanted?, ignored };
    Some(Read { name: format!("log:{name}"), target: Target::Log(Box::new(log)), limits: Some(limits) })
}

fn limits(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Limits {
    const MOST: u32 = 1_000_000_000;
    let degraded = keys.number(sheet, "degraded", 1..=MOST, MOST);
    let usual = if degraded == MOST { 1 } else { MOST };
    let down = keys.number(sheet, "down", 1..=MOST, usual);
    let degraded = if degraded == MOST { down } else { degraded };
    if degraded > down {
        let problem = format!("degraded ({degraded}) must be below down ({down})");
        sheet.wrong(&keys.place(), problem, None);
    }
    Limits { degraded: i64::from(degraded), down: i64::from(down), bad: Side::Above }
}

fn ignored(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Vec<Pattern> {
    let Some((texts, place)) = keys.texts(sheet, "ignore") else { return Vec::new() };
    if texts.len() > IGNORED_MAX {
        sheet.wrong(&place, format!("has {} expressions, more than {IGNORED_MAX}", texts.len()), None);
    }
    texts.iter().filter_map(|text| pattern(text, &place, sheet)).collect()
}

fn pattern(text: &str, place: &Place, sheet: &mut Sheet<'_>) -> Option<Pattern> {
    if text.is_empty() || text.len() > PATTERN_MAX {
        sheet.wrong(place, format!("must have 1 to {PATTERN_MAX} bytes"), None);
        return None;
    }
    match Pattern::new(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let better = Some("put it in single quotes: match = '\\bfailed\\b'".to_owned());
            sheet.wrong(place, format!("`{text}` is no expression: {error}"), better);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Check, Mistakes, parse};
    use std::path::Path;

    fn read(keys: &str) -> Result<Check, Mistakes> {
        let text = format!("[host]\nenabled = false\n[[check]]\nkind = \"log\"\n{keys}");
        let config = parse(Path::new("/etc/picket/agent.toml"), &text)?;
        let [check] = config.checks() else { panic!("one check") };
        Ok(check.clone())
    }

    #[test]
    fn one_line_is_down_at_once_unless_it_is_said_otherwise() {
        let limits = |keys: &str| {
            let check = read(&format!("file = \"/a\"\nmatch = \"x\"\n{keys}")).unwrap();
            let limits = check.spec.limits.unwrap();
            (limits.degraded, limits.down, check.spec.fall)
        };
        assert_eq!(limits(""), (1, 1, 1));
        assert_eq!(limits("degraded = 2\ndown = 10\nfall = 3"), (2, 10, 3));
        assert_eq!(limits("degraded = 2"), (2, 1_000_000_000, 1));
    }

    #[test]
    fn texts_and_expressions_find_the_same() {
        for (text, yes, no) in [
            ("ERROR|FATAL", &["an ERROR", "FATAL"][..], &["error"][..]),
            ("(?i)error", &["Error"], &["err"]),
            ("fail(ed|ure)$", &["it failed"], &["failed it"]),
            ("a|", &["anything", ""], &[]),
        ] {
            let pattern = Pattern::new(text).unwrap();
            for line in yes {
                assert!(pattern.is_in(line) && pattern.regex.is_match(line), "{text} {line}");
            }
            for line in no {
                assert!(!pattern.is_in(line) && !pattern.regex.is_match(line), "{text} {line}");
            }
        }
        let check =
            read("unit = \"a.service\"\nmatch = \"error\"\nignore = [\"no error\", '0 errors']").unwrap();
        let Target::Log(log) = check.target else { panic!("a log") };
        assert!(log.counts("error 5") && !log.counts("no error") && !log.counts("10 errors"));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (keys, told) in [
            ("match = \"a\"", "needs either a file or a unit"),
            ("file = \"a\"\nunit = \"b.service\"\nmatch = \"a\"", "needs either a file or a unit"),
            ("file = \"a\"", "add match"),
            ("file = \"a\"\nmatch = \"(\"", "`(` is no expression"),
            ("unit = \"nginx\"\nmatch = \"a\"", "such as \"nginx.service\""),
            ("unit = \"--x.y\"\nmatch = \"a\"", "is no name of a unit"),
            ("file = \"a\"\nmatch = \"a\"\ndegraded = 5\ndown = 2", "must be below down"),
        ] {
            let mistakes = read(keys).unwrap_err().to_string();
            assert!(mistakes.contains(told), "{keys}: {mistakes}");
        }
    }
}
