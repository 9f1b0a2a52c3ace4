//! What a run is asked to do, from the command line.

use std::time::Duration;

/// The phases, in their order. Each leaves the swarm so that the next can follow.
pub const PHASES: [&str; 5] = ["connect", "rest", "failure", "away", "drain"];
/// Most agents: what collectors are made for.
pub const AGENTS_MAX: usize = 10_000;
/// Fewest: below that, shares of the fleet mean nothing.
const AGENTS_MIN: usize = 20;

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Agents.
    pub agents: usize,
    /// For all that is left to chance.
    pub seed: u64,
    /// How long new sessions get until they are at rest.
    pub settle: Duration,
    /// How long CPU at rest is measured.
    pub rest: Duration,
    /// How long the collector is away.
    pub away: Duration,
    /// Hosts that drain a backlog.
    pub drains: usize,
    /// The phases to go through; `connect` is always one.
    pub phases: Vec<&'static str>,
}

impl Plan {
    /// What the words ask for.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of(words: &[String]) -> Result<Self, String> {
        let is_quick = words.iter().any(|word| word == "--quick");
        let [settle, rest, away] = if is_quick { [0, 5, 5] } else { [30, 30, 900] };
        let mut plan = Self {
            agents: if is_quick { 100 } else { 5_000 },
            seed: 1,
            settle: Duration::from_secs(settle),
            rest: Duration::from_secs(rest),
            away: Duration::from_secs(away),
            drains: 300,
            phases: PHASES.to_vec(),
        };
        let mut left = words.iter().filter(|word| *word != "--quick");
        while let Some(word) = left.next() {
            let value = left.next().ok_or_else(|| format!("{word} needs a value"))?;
            plan.take(word, value)?;
        }
        if !(AGENTS_MIN..=AGENTS_MAX).contains(&plan.agents) {
            return Err(format!("--agents is {AGENTS_MIN} to {AGENTS_MAX}"));
        }
        plan.drains = plan.drains.min(plan.agents / 4);
        Ok(plan)
    }

    fn take(&mut self, word: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|_| format!("{word} {value} is no whole number"));
        let count = || number().map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        match word {
            "--agents" => self.agents = count()?,
            "--seed" => self.seed = number()?,
            "--rest" => self.rest = Duration::from_secs(number()?.max(1)),
            "--away" => self.away = Duration::from_secs(number()?),
            "--drains" => self.drains = count()?,
            "--phases" => self.phases = phases(value)?,
            other => return Err(format!("{other} is no word of this program")),
        }
        Ok(())
    }

    /// Whether a phase is asked for.
    pub fn has(&self, phase: &str) -> bool {
        self.phases.contains(&phase)
    }

    /// Hosts that really die while the collector is away: 50, of a small swarm a tenth.
    pub const fn deaths(&self) -> usize {
        let tenth = self.agents / 10;
        if tenth < 50 { tenth } else { 50 }
    }
}

fn phases(list: &str) -> Result<Vec<&'static str>, String> {
    let known = |name: &str| {
        let phase = PHASES.into_iter().find(|phase| *phase == name);
        phase.ok_or_else(|| format!("{name} is no phase; there are {}", PHASES.join(", ")))
    };
    list.split(',').map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Result<Plan, String> {
        Plan::of(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_make_a_plan_and_wrong_ones_are_named() {
        let usual = of("").expect("nothing is needed");
        assert_eq!((usual.agents, usual.away.as_secs(), usual.deaths()), (5_000, 900, 50));
        let quick = of("--away 7 --quick --agents 200").expect("in any order");
        assert_eq!((quick.agents, quick.away.as_secs(), quick.deaths(), quick.drains), (200, 7, 20, 50));
        assert!(of("--phases connect,rest").is_ok_and(|plan| plan.has("rest") && !plan.has("drain")));
        for (words, said) in [
            ("--agents 10001", "--agents is"),
            ("--agents many", "no whole number"),
            ("--phases dance", "no phase"),
            ("--agents", "needs a value"),
            ("--loud 1", "no word"),
        ] {
            assert!(of(words).is_err_and(|why| why.contains(said)), "{words}");
        }
    }
}
