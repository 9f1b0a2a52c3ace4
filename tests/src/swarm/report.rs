//! What a run prints: a JSON line for each figure, and what did not hold.

use crate::bench::{Budget, Figure};
use std::collections::BTreeMap;
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub(super) struct Report {
    /// Below some thousand agents, what collector and swarm do anyhow outweighs what they do for each.
    judges: bool,
    violations: Vec<String>,
}

/// Fewest agents whose figures are held against budgets.
const JUDGED: usize = 1_000;

impl Report {
    pub(super) const fn new(agents: usize) -> Self {
        Self { judges: agents >= JUDGED, violations: Vec::new() }
    }

    /// A budget, where it says something.
    pub(super) fn budget(&self, budget: Option<Budget>) -> Option<Budget> {
        budget.filter(|_| self.judges)
    }

    /// A figure.
    pub(super) fn figure(&self, name: &str, value: f64, unit: &str, budget: Option<Budget>) {
        Figure { name, value, unit, yardstick: None, budget: self.budget(budget) }.print();
    }

    /// A span in seconds; what did not come in time is a violation.
    pub(super) fn took(&mut self, name: &str, span: Option<Duration>) {
        match span {
            Some(span) => self.figure(name, span.as_secs_f64(), "s", None),
            None => self.violated(format!("{name}: it did not come in time")),
        }
    }

    /// A count.
    pub(super) fn count(&self, name: &str, count: usize) {
        self.figure(name, count as f64, "1", None);
    }

    /// How often what came.
    pub(super) fn counts(&self, name: &str, counts: &BTreeMap<&'static str, u64>) {
        println!("{}", serde_json::json!({ "counts": name, "of": counts }));
    }

    /// Something must hold.
    pub(super) fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violated(what());
        }
    }

    fn violated(&mut self, what: String) {
        println!("{}", serde_json::json!({ "violation": what }));
        self.violations.push(what);
    }

    /// The last line; whether all held.
    pub(super) fn end(&self, agents: usize, seed: u64) -> bool {
        let held = self.violations.is_empty();
        println!(
            "{}",
            serde_json::json!({
                "swarm": "run", "agents": agents, "seed": seed, "held": held, "violations": self.violations,
            })
        );
        held
    }
}
