//! Prometheus' text format, version 0.0.4: HELP and TYPE before the samples, label values escaped.

use std::fmt::Write;

/// The text as it grows.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    /// A metric's head.
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _a_string_takes_it = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let _a_string_takes_it = write!(self.0, "{open}{label}=\"{}\"", escape(text));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _a_string_takes_it = writeln!(self.0, "{close} {value}");
    }

    /// A metric with one sample and no label.
    pub fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.sample(name, &[], value);
    }

    /// A histogram without labels: how many were at most each bound, in all, and their sum; bounds and sum come in
    /// microseconds and are told in seconds.
    pub fn histogram(
        &mut self,
        name: &str,
        help: &str,
        upto: impl Iterator<Item = (u64, u64)>,
        (count, sum): (u64, u64),
    ) {
        self.head(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in upto {
            self.sample(&bucket, &[("le", &seconds(bound))], count);
        }
        self.sample(&bucket, &[("le", "+Inf")], count);
        self.sample(&format!("{name}_sum"), &[], seconds(sum));
        self.sample(&format!("{name}_count"), &[], count);
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.0
    }
}

/// Microseconds as seconds, exactly.
pub fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_can_not_break_out() {
        let mut text = Text::default();
        text.sample("m", &[("a", "x\"} 1\n\\"), ("b", "y")], 7);
        assert_eq!(text.finish(), "m{a=\"x\\\"} 1\\n\\\\\",b=\"y\"} 7\n");
    }

    #[test]
    fn seconds_are_exact() {
        assert_eq!((seconds(0), seconds(1_000_001)), ("0.000000".to_owned(), "1.000001".to_owned()));
    }
}
