//! What happens in a run, and when: decided by the seed before anything starts.

use crate::dice::Dice;
use std::time::Duration;

/// How many services the world has.
pub(super) const SERVICES: u64 = 2;
/// Longest pause before a fault: some are hit while another is still being mended, some after.
const PAUSE_MAX: Duration = Duration::from_millis(120);

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This service is killed by SIGKILL.
    Service(u64),
    /// The agent is killed by SIGKILL and started again.
    Agent,
    /// The collector is killed by SIGKILL and started again.
    Collector,
    /// The link is cut if it is whole, and healed if it is cut.
    Link,
}

impl Fault {
    /// Its place in [`Plan::KINDS`].
    pub const fn kind(self) -> usize {
        match self {
            Self::Service(_) => 0,
            Self::Agent => 1,
            Self::Collector => 2,
            Self::Link => 3,
        }
    }
}

/// The faults of one run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long after the one before, and what.
    pub faults: Vec<(Duration, Fault)>,
}

impl Plan {
    /// The kinds of faults.
    pub const KINDS: [&str; 4] = ["service killed", "agent killed", "collector killed", "link cut or healed"];

    /// The plan of a seed: 8 to 15 faults.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let count = 8 + dice.below(8);
        Self { faults: (0..count).map(|_| (dice.span(PAUSE_MAX), fault(&mut dice))).collect() }
    }

    /// The same without what the programs and the link suffer.
    #[must_use]
    pub fn only_deaths(&self) -> Self {
        let deaths = self.faults.iter().filter(|(_, fault)| matches!(fault, Fault::Service(_)));
        Self { faults: deaths.copied().collect() }
    }
}

fn fault(dice: &mut Dice) -> Fault {
    match dice.below(8) {
        0..=2 => Fault::Service(dice.below(SERVICES)),
        3 | 4 => Fault::Agent,
        5 => Fault::Collector,
        _ => Fault::Link,
    }
}
