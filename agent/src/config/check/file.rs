//! `kind = "file"`: a file that should be there, or should not, and how it should be.
//!
//! Of several matches of a pattern one is judged: the newest, or the oldest where `of` says so. With
//! `state = "absent"` and `max_age` a file may be there for that long: a lock, a spool that is emptied.

use super::{Limits, Read, Side, Target};
use crate::config::read::{Keys, Sheet};
use picket_proto::Span;
use std::fmt;
use std::path::PathBuf;

/// Longest text that is looked for.
const TEXT_MAX: usize = 1024;
const YEARS: Span = Span::from_secs(10 * 366 * 86_400);
/// What a size may be written with, and what it stands for.
const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

/// A file and how it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Where; its last parts may be patterns of `*`, `?` and `[..]`.
    pub path: PathBuf,
    /// It should not be there.
    pub absent: bool,
    /// Its age is the reading.
    pub has_age: bool,
    /// Of several matches the oldest is judged, not the newest.
    pub oldest: bool,
    /// Bytes that it has at least.
    pub min_size: u64,
    /// Bytes that it has at most.
    pub max_size: u64,
    /// Its permissions, the lower twelve bits.
    pub mode: Option<u32>,
    /// Whose it is: a name or number.
    pub owner: Option<String>,
    /// Whose group it has: a name or number.
    pub group: Option<String>,
    /// A text that is in it; empty: none is looked for.
    pub contains: Vec<u8>,
    /// What its content sums up to.
    pub sha256: Option<[u8; 32]>,
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.absent, self.has_age) {
            (false, false) => write!(f, "{} is as it should be", self.path.display()),
            (false, true) => write!(f, "age of {}", self.path.display()),
            (true, false) => write!(f, "{} is not there", self.path.display()),
            (true, true) => write!(f, "{} is not there for long", self.path.display()),
        }
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let absent = choice(keys, sheet, "state", ["present", "absent"]);
    let oldest = choice(keys, sheet, "of", ["newest", "oldest"]);
    let age = keys.span(sheet, "max_age", &(Span::from_secs(1)..=YEARS), Span::ZERO);
    let (min_size, max_size) = (size(keys, sheet, "min_size"), size(keys, sheet, "max_size"));
    let (owner, group) = (short(keys, sheet, "owner"), short(keys, sheet, "group"));
    let (mode, sha256, contains) = (mode(keys, sheet), sha256(keys, sheet), short(keys, sheet, "contains"));
    let (written, _) = keys.needed(sheet, "path")?;
    let watched = Watched {
        path: sheet.beside(written),
        absent,
        has_age: age > Span::ZERO,
        oldest: oldest || absent,
        min_size: min_size.unwrap_or(0),
        max_size: max_size.unwrap_or(u64::MAX),
        mode,
        owner,
        group,
        contains: contains.unwrap_or_default().into_bytes(),
        sha256,
    };
    consistent(&watched, keys, sheet);
    let seconds = i64::try_from(age.secs()).unwrap_or(i64::MAX);
    let limits = Limits { degraded: seconds, down: seconds, bad: Side::Above };
    let limits = watched.has_age.then_some(limits);
    Some(Read { target: Target::File(Box::new(watched)), limits, name: format!("file:{written}") })
}

fn consistent(watched: &Watched, keys: &Keys<'_>, sheet: &mut Sheet<'_>) {
    let has_more = watched.min_size > 0
        || watched.max_size < u64::MAX
        || watched.mode.is_some()
        || watched.owner.is_some()
        || watched.group.is_some()
        || watched.sha256.is_some()
        || !watched.contains.is_empty();
    if watched.absent && has_more {
        let better = Some("of a file that should not be there only max_age can be said".to_owned());
        sheet.wrong(&keys.place(), "says how an absent file should be", better);
    }
    if watched.min_size > watched.max_size {
        sheet.wrong(&keys.place(), "min_size is more than max_size", None);
    }
}

/// Whether the second word stands there; the first is the default.
fn choice(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str, words: [&str; 2]) -> bool {
    let Some((word, place)) = keys.text(sheet, key) else { return false };
    if !words.contains(&word) {
        sheet.wrong(&place, format!("must be \"{}\" or \"{}\"", words[0], words[1]), None);
    }
    word == words[1]
}

fn short(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> Option<String> {
    let (text, place) = keys.text(sheet, key)?;
    if text.is_empty() || text.len() > TEXT_MAX {
        sheet.wrong(&place, format!("must have 1 to {TEXT_MAX} bytes"), None);
    }
    Some(text.to_owned())
}

/// A number of bytes, or a text with its unit.
pub(in crate::config) fn size(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> Option<u64> {
    let (value, place) = keys.take(key)?;
    let bytes = match (value.as_integer(), value.as_str()) {
        (Some(number), _) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
        (None, Some(text)) => parse_size(text),
        (None, None) => None,
    };
    if bytes.is_none() {
        let better = Some(format!("write bytes, or e.g. {key} = \"10MiB\""));
        sheet.wrong(&place, "is no size", better);
    }
    bytes
}

fn parse_size(text: &str) -> Option<u64> {
    let (unit, bytes) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    text.strip_suffix(unit)?.trim_end().parse::<u64>().ok()?.checked_mul(*bytes)
}

/// As chmod takes it, in a text: a number would be decimal.
fn mode(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<u32> {
    let (text, place) = keys.text(sheet, "mode")?;
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    if mode.is_none() {
        sheet.wrong(&place, "is no mode", Some("write it as chmod takes it: mode = \"0640\"".to_owned()));
    }
    mode
}

fn sha256(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<[u8; 32]> {
    let (text, place) = keys.text(sheet, "sha256")?;
    let digits = text.as_bytes().as_chunks::<2>().0;
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.iter().map(byte).collect();
    let sum = bytes.and_then(|bytes| bytes.try_into().ok()).filter(|_| text.len() == 64);
    if sum.is_none() {
        sheet.wrong(
            &place,
            "must have 64 hexadecimal digits",
            Some("`sha256sum FILE` prints them".to_owned()),
        );
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Check, Mistakes, parse};
    use std::path::Path;

    fn read(keys: &str) -> Result<Check, Mistakes> {
        let text = format!("[host]\nenabled = false\n[[check]]\nkind = \"file\"\n{keys}");
        let config = parse(Path::new("/etc/picket/agent.toml"), &text)?;
        let [check] = config.checks() else { panic!("one check") };
        Ok(check.clone())
    }

    #[test]
    fn what_is_left_out_is_not_looked_at() {
        let check = read("path = \"motd\"").unwrap();
        let Target::File(file) = &check.target else { panic!("a file") };
        assert_eq!(
            (file.path.as_path(), file.min_size, file.max_size),
            (Path::new("/etc/picket/motd"), 0, u64::MAX)
        );
        assert_eq!((file.absent, file.has_age, check.spec.limits), (false, false, None));
    }

    #[test]
    fn everything_that_can_be_said_is_taken() {
        let sum = "ab".repeat(32);
        let check = read(&format!(
            "path = \"/srv/dump-*.gz\"\nmax_age = \"26h\"\nof = \"oldest\"\nmin_size = \"10MiB\"\nmax_size = 20000000\n\
             mode = \"0640\"\nowner = \"root\"\ngroup = \"adm\"\ncontains = \"x\"\nsha256 = \"{sum}\""
        ))
        .unwrap();
        let Target::File(file) = &check.target else { panic!("a file") };
        assert_eq!((file.min_size, file.max_size, file.mode), (10 << 20, 20_000_000, Some(0o640)));
        assert_eq!((file.sha256, file.oldest), (Some([0xab; 32]), true));
        assert_eq!(check.spec.limits.unwrap().down, 26 * 3600);
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (keys, told) in [
            ("", "add path"),
            ("path = \"a\"\nstate = \"gone\"", "must be \"present\" or \"absent\""),
            ("path = \"a\"\nmode = \"9\"", "write it as chmod takes it"),
            ("path = \"a\"\nmin_size = \"10 MB\"", "is no size; write bytes, or e.g. min_size = \"10MiB\""),
            ("path = \"a\"\nmin_size = 2\nmax_size = 1", "min_size is more than max_size"),
            ("path = \"a\"\nsha256 = \"12\"", "must have 64 hexadecimal digits"),
            ("path = \"a\"\nstate = \"absent\"\nmode = \"0600\"", "says how an absent file should be"),
        ] {
            let mistakes = read(keys).unwrap_err().to_string();
            assert!(mistakes.contains(told), "{keys}: {mistakes}");
        }
    }
}
