//! Benches that print figures: one JSON line each, with the yardstick measured in the same run.
//!
//! Machines are shared and noisy, so what counts is the ratio to the yardstick; the budget stands beside it. No
//! figure passes or fails here but the static size (in `cross/size.sh`): behaviour is the tests' business.

pub mod idle;
pub mod ingest;
pub mod metered;
pub mod respawn;
pub mod restart;
pub mod storm;
pub mod units;
pub mod watch;

use std::time::Duration;

/// One figure.
#[derive(Debug)]
pub struct Figure<'a> {
    /// Its stable name.
    pub name: &'a str,
    /// The value, in `unit`.
    pub value: f64,
    /// The unit.
    pub unit: &'a str,
    /// What it is held against, measured in the same run, in the same unit: name and value.
    pub yardstick: Option<(&'a str, f64)>,
    /// What it must stay under, or over where more is better.
    pub budget: Option<Budget>,
}

/// Where a figure should stand.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

impl Figure<'_> {
    /// Prints it.
    pub fn print(&self) {
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        let mut line = serde_json::json!({
            "figure": self.name, "value": rounded(self.value), "unit": self.unit,
        });
        if let Some((name, value)) = self.yardstick {
            line["yardstick"] = serde_json::json!({ "name": name, "value": rounded(value) });
            line["ratio"] = serde_json::json!(rounded(self.value / value));
        }
        if let Some(budget) = self.budget {
            let (limit, word, met) = match budget {
                Budget::AtMost(limit) => (limit, "at_most", self.value <= limit),
                Budget::AtLeast(limit) => (limit, "at_least", self.value >= limit),
            };
            line["budget"] = serde_json::json!({ word: rounded(limit), "met": met });
            line["distance"] = serde_json::json!(rounded(self.value / limit));
        }
        println!("{line}");
    }
}

/// A sorted sample of durations.
#[derive(Debug)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Sorts `durations`.
    pub fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The value that `percent` of the sample do not exceed, in milliseconds; 0 of an empty sample.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
    }
}
