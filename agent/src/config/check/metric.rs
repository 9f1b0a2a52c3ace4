//! `kind = "metric"`: a value that a Prometheus text page shows, its rate, or its share of another one.
//!
//! Limits are decimals with up to three places and stand in `above` or `below`. Without either the metric must be
//! there, no more.

use super::labels::labels;
use super::{Limits, Read, Side, Target};
use crate::config::read::{Keys, Place, Sheet};
use std::fmt;
use toml::de::DeValue;

/// Longest selector.
const SELECTOR_MAX: usize = 512;

/// A value to scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The page.
    pub url: reqwest::Url,
    /// Which series.
    pub metric: Selector,
    /// What it is divided by.
    pub per: Option<Selector>,
    /// It is a counter: its growth per second is the reading.
    pub rate: bool,
    /// What is made of several series.
    pub combine: Combine,
}

/// Series of one name, with the labels that they must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The metric's name.
    pub name: String,
    /// Labels and their values; a label that is not there has an empty one.
    pub labels: Vec<(String, String)>,
}

/// What is made of several series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// There must be one only.
    One,
    /// All together.
    Sum,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The first on the page.
    First,
}

const COMBINE: [(&str, Combine); 4] =
    [("sum", Combine::Sum), ("max", Combine::Max), ("min", Combine::Min), ("first", Combine::First)];

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let labels: Vec<String> =
            self.labels.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
        if labels.is_empty() { Ok(()) } else { write!(f, "{{{}}}", labels.join(",")) }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric)?;
        if let Some(per) = &self.per {
            write!(f, " per {per}")?;
        }
        write!(f, "{} at {}", if self.rate { ", growth per second," } else { "" }, self.url)
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let limits = limits(keys, sheet);
    let rate = keys.flag(sheet, "rate", false);
    let combine = combine(keys, sheet);
    let per = keys.text(sheet, "per").and_then(|written| selector(written, sheet));
    let url = super::http::url(keys, sheet);
    let metric = keys.needed(sheet, "metric").and_then(|written| selector(written, sheet))?;
    let name = format!("metric:{}", metric.name);
    Some(Read {
        target: Target::Metric(Box::new(Metric { url: url?, metric, per, rate, combine })),
        limits,
        name,
    })
}

fn combine(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Combine {
    let Some((word, place)) = keys.text(sheet, "combine") else { return Combine::One };
    let known = COMBINE.iter().find(|(name, _)| *name == word);
    if known.is_none() {
        sheet.wrong(&place, format!("`{word}` is none"), Some("known: sum, max, min, first".to_owned()));
    }
    known.map_or(Combine::One, |(_, combine)| *combine)
}

fn selector((text, place): (&str, Place), sheet: &mut Sheet<'_>) -> Option<Selector> {
    let parsed = if text.len() > SELECTOR_MAX { None } else { parse(text) };
    if parsed.is_none() {
        let better = "write a name and maybe labels: 'http_requests_total{code=\"500\"}'".to_owned();
        sheet.wrong(&place, "selects no series", Some(better));
    }
    parsed
}

fn parse(text: &str) -> Option<Selector> {
    let (name, labels) = match text.trim().split_once('{') {
        Some((name, inside)) => match labels(inside)? {
            (labels, "") => (name.trim_end(), labels),
            (_, _) => return None,
        },
        None => (text.trim(), Vec::new()),
    };
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:.".contains(&byte));
    is_name.then(|| Selector { name: name.to_owned(), labels })
}

/// From `above = { degraded, down }` or `below = { .. }`.
fn limits(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Limits> {
    let (above, below) = (keys.table(sheet, "above"), keys.table(sheet, "below"));
    match (above, below) {
        (None, None) => None,
        (Some(table), None) => side(table, sheet, Side::Above),
        (None, Some(table)) => side(table, sheet, Side::Below),
        (Some(_), Some(_)) => {
            let better = Some("make two checks of it".to_owned());
            sheet.wrong(&keys.place(), "has limits above and below", better);
            None
        }
    }
}

fn side(mut table: Keys<'_>, sheet: &mut Sheet<'_>, bad: Side) -> Option<Limits> {
    let degraded = thousandths(&mut table, sheet, "degraded");
    let down = thousandths(&mut table, sheet, "down");
    let place = table.place();
    table.finish(sheet);
    let never = match bad {
        Side::Above => i64::MAX,
        Side::Below => i64::MIN,
    };
    let (degraded, down) = match (degraded, down) {
        (Some(degraded), down) => (degraded, down.unwrap_or(never)),
        (None, Some(down)) => (down, down),
        (None, None) => {
            sheet.wrong(&place, "has no limit", Some("write { degraded = 10, down = 20.5 }".to_owned()));
            return None;
        }
    };
    let is_before = match bad {
        Side::Above => degraded <= down,
        Side::Below => degraded >= down,
    };
    if !is_before {
        sheet.wrong(&place, "degraded must be reached before down", None);
    }
    Some(Limits { degraded, down, bad })
}

/// A decimal as thousandths, without rounding: what has more places is a mistake.
fn thousandths(table: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> Option<i64> {
    let (value, place) = table.take(key)?;
    let text = match value {
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
        DeValue::Float(number) => Some(number.as_str()),
        _ => None,
    };
    let parsed = text.and_then(decimal);
    if parsed.is_none() {
        let better = "write a decimal with up to three places, such as 0.05".to_owned();
        sheet.wrong(&place, "is no limit", Some(better));
    }
    parsed
}

fn decimal(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(rest) || rest.len() > 3 {
        return None;
    }
    let rest: i64 = format!("{rest:0<3}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(rest)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Check, Mistakes, parse as file};
    use std::path::Path;

    fn read(keys: &str) -> Result<Check, Mistakes> {
        let text = format!(
            "[host]\nenabled = false\n[[check]]\nkind = \"metric\"\nurl = \"http://127.0.0.1:9100/metrics\"\n{keys}"
        );
        let config = file(Path::new("/etc/picket/agent.toml"), &text)?;
        let [check] = config.checks() else { panic!("one check") };
        Ok(check.clone())
    }

    #[test]
    fn a_selector_has_a_name_and_labels() {
        let it = parse("http_total{code=\"500\", path=\"a\\\"b\\\\c\\nd\",}").unwrap();
        assert_eq!(it.name, "http_total");
        assert_eq!(
            it.labels,
            [("code".to_owned(), "500".to_owned()), ("path".to_owned(), "a\"b\\c\nd".to_owned())]
        );
        assert_eq!(it.to_string(), "http_total{code=\"500\",path=\"a\\\"b\\\\c\\nd\"}");
        assert_eq!(parse("up").unwrap().labels, []);
        for bad in ["", "{}", "a{b}", "a{b=c}", "a{b=\"c}", "a{b=\"c\"", "a b", "a{b=\"c\"x}"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn limits_are_decimals_on_one_side() {
        let limits = |keys: &str| read(&format!("metric = \"up\"\n{keys}")).unwrap().spec.limits;
        assert_eq!(limits(""), None);
        let both = Limits { degraded: 50, down: 1500, bad: Side::Above };
        assert_eq!(limits("above = { degraded = 0.05, down = 1.5 }"), Some(both));
        let one = Limits { degraded: 1000, down: 1000, bad: Side::Below };
        assert_eq!(limits("below = { down = 1 }"), Some(one));
        let never = Limits { degraded: -2500, down: i64::MIN, bad: Side::Below };
        assert_eq!(limits("below = { degraded = -2.5 }"), Some(never));
    }

    #[test]
    fn for_is_as_many_readings_as_it_takes() {
        let fall = |keys: &str| read(&format!("metric = \"up\"\n{keys}")).unwrap().spec.fall;
        assert_eq!(fall("for = \"5m\"\ninterval = \"10s\""), 31);
        assert_eq!(fall("for = \"4s\"\ninterval = \"5s\""), 2);
        let mistakes = read("metric = \"up\"\nfor = \"1h\"\ninterval = \"1s\"").unwrap_err().to_string();
        assert!(mistakes.contains("is more than 254 intervals"), "{mistakes}");
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (keys, told) in [
            ("", "metric: is missing"),
            ("metric = \"a b\"", "selects no series"),
            ("metric = \"a\"\ncombine = \"avg\"", "known: sum, max, min, first"),
            ("metric = \"a\"\nabove = { down = 0.0001 }", "is no limit"),
            ("metric = \"a\"\nabove = { down = inf }", "is no limit"),
            ("metric = \"a\"\nabove = {}", "has no limit"),
            ("metric = \"a\"\nabove = { degraded = 2, down = 1 }", "degraded must be reached before down"),
            ("metric = \"a\"\nabove = { down = 2 }\nbelow = { down = 1 }", "make two checks of it"),
            ("metric = \"a\"\nfor = \"1m\"\nfall = 3", "says fall and for"),
        ] {
            let mistakes = read(keys).unwrap_err().to_string();
            assert!(mistakes.contains(told), "{keys}: {mistakes}");
        }
    }
}
