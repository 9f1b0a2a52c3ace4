//! `kind = "expires"`: a date that comes: the end of a certificate in a file, or one that is written here.
//!
//! A day without a time begins at midnight UTC: a domain that ends on a day is not counted on for any hour of it.

use super::{Read, Target, left};
use crate::config::read::{Keys, Sheet};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt;
use std::path::PathBuf;

/// Longest text of what it is that ends.
const WHAT_MAX: usize = 100;

/// What ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expires {
    /// The certificates in a file: the one that ends first.
    File(PathBuf),
    /// Something that has no file.
    Date {
        /// Seconds after 1970.
        at: i64,
        /// As it was written.
        written: String,
        /// What it is, for people.
        what: String,
    },
}

impl fmt::Display for Expires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{} holds certificates", path.display()),
            Self::Date { written, what, .. } => write!(f, "{what} ends {written}"),
        }
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let limits = Some(left::limits(keys, sheet));
    let (file, date, what) = (keys.text(sheet, "file"), keys.text(sheet, "date"), keys.text(sheet, "what"));
    match (file, date, what) {
        (Some((file, _)), None, None) => {
            let target = Target::Expires(Expires::File(sheet.beside(file)));
            Some(Read { target, limits, name: format!("expires:{file}") })
        }
        (None, Some((written, place)), what) => {
            let Some(at) = moment(written) else {
                let better =
                    "write a day, or a moment with its zone: \"2027-03-01\", \"2027-03-01T12:00:00Z\"";
                sheet.wrong(&place, "is no date", Some(better.to_owned()));
                return None;
            };
            let (what, place) = what.map_or(("it", place), |what| what);
            if what.is_empty() || what.len() > WHAT_MAX {
                sheet.wrong(&place, format!("must have 1 to {WHAT_MAX} bytes"), None);
            }
            let (written, what) = (written.to_owned(), what.to_owned());
            let name = format!("expires:{written}");
            Some(Read { target: Target::Expires(Expires::Date { at, written, what }), limits, name })
        }
        (Some(_) | None, _, _) => {
            let better = "write file = \"..\", or date = \"..\" with what = \"..\"".to_owned();
            sheet.wrong(&keys.place(), "needs either a file or a date", Some(better));
            None
        }
    }
}

/// A day or a moment as seconds after 1970.
fn moment(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_second());
    }
    let day = (text.len() == "2027-03-01".len()).then(|| text.parse::<Date>().ok()).flatten()?;
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok().map(jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mistakes, parse};
    use std::path::Path;

    fn read(keys: &str) -> Result<Expires, Mistakes> {
        let text = format!("[host]\nenabled = false\n[[check]]\nkind = \"expires\"\n{keys}");
        let config = parse(Path::new("/etc/picket/agent.toml"), &text)?;
        let [check] = config.checks() else { panic!("one check") };
        let Target::Expires(expires) = &check.target else { panic!("a date") };
        Ok(expires.clone())
    }

    #[test]
    fn days_begin_at_midnight_utc_and_moments_name_their_zone() {
        for (written, wanted) in [
            ("2027-03-01", 1_803_859_200),
            ("2027-03-01T12:00:00Z", 1_803_902_400),
            ("2027-03-01T12:00:00+02:00", 1_803_895_200),
        ] {
            let Expires::Date { at, what, .. } =
                read(&format!("date = \"{written}\"\nwhat = \"example.org\"")).unwrap()
            else {
                panic!("a date")
            };
            assert_eq!((at, what.as_str()), (wanted, "example.org"));
        }
        assert_eq!(read("file = \"web.pem\"").unwrap(), Expires::File("/etc/picket/web.pem".into()));
    }

    #[test]
    fn it_is_either_a_file_or_a_date() {
        for (keys, told) in [
            ("", "needs either a file or a date"),
            ("date = \"2027-03-01\"\nfile = \"a\"", "needs either a file or a date"),
            ("file = \"a\"\nwhat = \"b\"", "needs either a file or a date"),
            ("date = \"2027-02-30\"", "is no date"),
            ("date = \"1.3.2027\"", "is no date"),
            ("date = \"2027-03-01\"\nwhat = \"\"", "must have 1 to 100 bytes"),
        ] {
            let mistakes = read(keys).unwrap_err().to_string();
            assert!(mistakes.contains(told), "{keys}: {mistakes}");
        }
    }
}
