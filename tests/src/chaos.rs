//! Chaos: a real collector, a real agent with real services, and a link between, hit by faults at random moments.
//!
//! One run is a seed: it says which service, program or link is hit and when. At its end everything is whole again,
//! and three things must hold. Every frame that the agent told in its log is at the collector exactly once or in a
//! named gap, and so is every number below the highest one. The final state is that of a run with the same deaths of
//! services and no other fault. A straight replay of the journal gives the very state that the collector ended with.
//! Moments are real time, so a seed gives the same faults but not the same interleaving; what failed is printed whole.

mod plan;
mod world;

pub use plan::{Fault, Plan};

use crate::rig::account::Account;
use std::ffi::OsStr;
use world::World;

/// What one run did and found.
#[derive(Debug, Default)]
pub struct Report {
    /// Faults done, by kind, in the order of [`Plan::KINDS`].
    pub faults: [u64; 4],
    /// Frames that the agents told.
    pub told: u64,
    /// Of those, the ones that came in the backlog.
    pub late: u64,
    /// Numbers that gaps named.
    pub lost: u64,
    /// What did not hold; empty if all did.
    pub violations: Vec<String>,
}

/// Runs the plan of `seed` with `program`, a binary whose main calls [`crate::rig::role`] first.
///
/// # Panics
/// If a program can't be started or does not answer in time.
pub async fn run(program: &OsStr, seed: u64) -> Report {
    let plan = Plan::of(seed);
    let (plain, _, _) = played(program, &plan.only_deaths()).await;
    let (state, account, mut report) = played(program, &plan).await;
    if state != plain {
        report.violations.push(format!("final state {state:#?}, uninterrupted {plain:#?}"));
    }
    (report.told, report.late, report.lost) = account.figures();
    report.violations.extend(account.violations());
    if !report.violations.is_empty() {
        report.violations.insert(0, format!("seed {seed}, plan {:?}", plan.faults));
    }
    report
}

async fn played(program: &OsStr, plan: &Plan) -> (world::State, Account, Report) {
    let mut report = Report::default();
    let mut world = World::begin(program).await;
    for (pause, fault) in &plan.faults {
        crate::rig::clock::pass(*pause);
        world.suffer(*fault);
        report.faults[fault.kind()] += 1;
    }
    let (state, account) = world.settle().await;
    report.violations.extend(world.end());
    (state, account, report)
}
