//! One run of a scenario with a seed: the world comes up, the plan is carried out, everything is mended, the fleet
//! comes to rest, and the books are checked.

use super::deed::Plan;
use super::happening::Happening;
use super::scenarios::Scenario;
use super::shape::Shape;
use super::trace::Trace;
use super::truth::Counts;
use super::world::World;
use crate::dice::Dice;
use bumpalo::Bump;

/// How long a world has to come up before its plan begins.
const UP: u64 = 30_000_000;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What did not hold; nothing after the first is worth much.
    pub violations: Vec<String>,
    /// Happenings.
    pub steps: u64,
    /// Faults that the plan named.
    pub faults: u64,
    /// Simulated microseconds.
    pub simulated: u64,
    /// Over all that decides the run.
    pub hash: u64,
    /// Deeds while frames waited for their ack.
    pub overlapped: u64,
    /// What the scenario is about, and how often it happened.
    pub about: u64,
    /// The plan that was carried out.
    pub plan: Plan,
    /// The last lines of the trace, where it was kept.
    pub lines: Vec<String>,
}

/// How loud a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// It only counts.
    Silent,
    /// It keeps the last lines of its trace.
    Kept,
    /// It says every step.
    Aloud,
}

/// Runs a scenario with a seed, by its own plan or by another one.
pub fn run(scenario: &Scenario, seed: u64, plan: Option<&Plan>, voice: Voice) -> Outcome {
    let arena = Bump::new();
    let mut dice = Dice::new(seed ^ scenario.salt());
    let shape = Shape::of(&scenario.size(), &mut dice);
    let own = scenario.plan(&mut dice);
    let plan = plan.cloned().unwrap_or(own);
    let trace = match voice {
        Voice::Silent => Trace::silent(),
        Voice::Kept => Trace::words(false),
        Voice::Aloud => Trace::words(true),
    };
    let mut world = World::new(&arena, &shape, dice, trace);
    world.diaries = plan.deeds.iter().any(|(_, deed)| matches!(deed, super::Deed::TakeSnapshot(_)));
    for (at, deed) in &plan.deeds {
        world.queue.put(UP + at, Happening::Deed(*deed));
    }
    let end = UP + plan.deeds.last().map_or(0, |(at, _)| *at) + 1;
    if world.run(end) {
        world.mend();
        if world.come_to_rest() {
            world.check_rest();
        }
    }
    outcome(scenario, seed, plan, world)
}

fn outcome(scenario: &Scenario, seed: u64, plan: Plan, world: World<'_>) -> Outcome {
    let counts: &Counts = &world.truth.counts;
    Outcome {
        seed,
        violations: world.truth.violations().to_vec(),
        steps: world.steps,
        faults: plan.faults(),
        simulated: world.now,
        hash: world.trace.hash(),
        overlapped: counts.overlapped,
        about: scenario.about(counts),
        plan,
        lines: world.trace.lines().cloned().collect(),
    }
}
