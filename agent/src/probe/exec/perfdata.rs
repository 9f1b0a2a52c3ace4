//! What a plugin prints: words, and behind `|` its performance data.
//!
//! The first line is the words, up to its first `|`; behind that, and behind the first `|` of all later lines together,
//! stand figures: `'label'=value[unit];[warn];[crit];[min];[max]`, separated by spaces. A quote in a quoted label is
//! written twice. What can't be read is passed over: a plugin's words and status count in any case.
//!
//! Limits: 16 figures of one plugin (the rest is dropped), a label of 64 bytes, a value of 24, a threshold of 32. They
//! stay in text: nobody here calculates with them.

use crate::probe::Figure;

const FIGURES: usize = 16;
const LABEL: usize = 64;
const VALUE: usize = 24;
const UNIT: usize = 8;
const RANGE: usize = 32;

/// The words and the figures.
pub(super) fn split(printed: &str) -> (String, Vec<Figure>) {
    let (first, rest) = printed.split_once('\n').unwrap_or((printed, ""));
    let (words, data) = first.split_once('|').unwrap_or((first, ""));
    let (_, more) = rest.split_once('|').unwrap_or(("", ""));
    let figures = [data, more].into_iter().flat_map(Figures).take(FIGURES).collect();
    (words.trim().to_owned(), figures)
}

/// The figures of a text, one by one.
struct Figures<'t>(&'t str);

impl Iterator for Figures<'_> {
    type Item = Figure;

    fn next(&mut self) -> Option<Figure> {
        loop {
            self.0 = self.0.trim_start();
            if self.0.is_empty() {
                return None;
            }
            let (label, rest) = label(self.0);
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (values, rest) = rest.split_at(end);
            self.0 = rest;
            if let Some(figure) = values.strip_prefix('=').and_then(|values| figure(label, values)) {
                return Some(figure);
            }
        }
    }
}

/// The label before `=`, and what follows it.
fn label(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('\'') else {
        let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut label = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        if char == '\'' {
            let rest = &quoted[at + 1..];
            if !rest.starts_with('\'') {
                return (label, rest);
            }
            chars.next();
        }
        label.push(char);
    }
    (label, "")
}

fn figure(label: String, values: &str) -> Option<Figure> {
    let mut parts = values.split(';');
    let first = parts.next()?;
    let unit_at = first.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(first.len());
    let (value, unit) = first.split_at(unit_at);
    let is_sound = !label.is_empty()
        && label.len() <= LABEL
        && !label.chars().any(char::is_control)
        && is_number(value)
        && unit.len() <= UNIT
        && unit.chars().all(|c| c.is_alphabetic() || c == '%');
    let mut range = || parts.next().filter(|range| is_range(range)).unwrap_or_default().to_owned();
    is_sound.then(|| Figure {
        label,
        value: value.to_owned(),
        unit: unit.to_owned(),
        warn: range(),
        crit: range(),
        min: range(),
        max: range(),
    })
}

fn is_number(text: &str) -> bool {
    text.len() <= VALUE && text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// A range such as `10`, `10:`, `~:10`, `@10:20`.
fn is_range(text: &str) -> bool {
    text.len() <= RANGE && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.:~@".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(printed: &str) -> Vec<String> {
        let figure = |one: &Figure| {
            format!(
                "{}={}{};{};{};{};{}",
                one.label, one.value, one.unit, one.warn, one.crit, one.min, one.max
            )
        };
        split(printed).1.iter().map(figure).collect()
    }

    #[test]
    fn figures_of_real_plugins_are_read() {
        assert_eq!(
            told("DISK OK - free space: / 1 MB (9%);| /=6412MB;9000;10000;0;12000"),
            ["/=6412MB;9000;10000;0;12000"]
        );
        assert_eq!(
            told("LOAD OK - total load average: 0.1|load1=0.100;5.000;10.000;0; load5=-.5;;;0;"),
            ["load1=0.100;5.000;10.000;0;", "load5=-.5;;;0;"]
        );
        assert_eq!(
            told("HTTP OK|time=0.000217s;;;0.000000;10.000000 size=0B;;;0"),
            ["time=0.000217s;;;0.000000;10.000000", "size=0B;;;0;"]
        );
    }

    #[test]
    fn labels_may_be_quoted_and_later_lines_add_to_the_first() {
        let printed = "OK | 'a b''s = x'=1%;@10:20;~:5\nlong words\nmore | c=2\nd=3c\n";
        assert_eq!(told(printed), ["a b's = x=1%;@10:20;~:5;;", "c=2;;;;", "d=3c;;;;"]);
        assert_eq!(split(printed).0, "OK");
    }

    #[test]
    fn what_can_not_be_read_is_passed_over() {
        for nonsense in
            ["", "OK", "OK |", "OK | x", "OK | =1", "OK | a=U", "OK | a=", "OK | 'a", "OK | a=1.2.3"]
        {
            assert_eq!(told(nonsense), Vec::<String>::new(), "{nonsense}");
        }
        assert_eq!(told("OK | a=U b=1;<script>;2 c"), ["b=1;;2;;"]);
        assert_eq!(told(&format!("OK | {}=1 k=1", "l".repeat(65))), ["k=1;;;;"]);
    }

    #[test]
    fn there_is_an_end_to_them() {
        let many: String = (0..100).map(|n| format!(" f{n}={n}")).collect();
        assert_eq!(told(&format!("OK |{many}")).len(), FIGURES);
    }
}
