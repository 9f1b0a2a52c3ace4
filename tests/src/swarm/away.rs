//! The fourth phase: the collector is killed and stays away, hosts really die meanwhile, and the others come back with
//! a backlog.
//!
//! The dead are gone with no goodbye. After its start the collector gives every host 60 s; then exactly the dead must be
//! silent, and none of the others may ever be called so.

use super::World;
use super::agent::Deed;
use super::connect::{STORM_LIMIT, is_calm, none_open};
use super::crew::Crew;
use super::eyes::{Eyes, pause, until};
use super::plan::Plan;
use crate::rig::clock::Since;
use picket_rpc::v1::HostState;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Between two troubles of a host while the collector is away.
const TROUBLE_EVERY: Duration = Duration::from_secs(300);
/// What the collector gives every host after its start (60 s), and some more.
const SILENT_LIMIT: Duration = Duration::from_secs(100);
/// A host that was there is silent after 25 s: so long it is watched whether one is called so.
const WATCHED: Duration = Duration::from_secs(30);

/// See the module.
pub(super) async fn run(world: &mut World, plan: &Plan) {
    let known = world.eyes.incidents(false).await.first().map_or(0, |newest| newest.id);
    world.crew.losses();
    world.collector.process.kill();
    away(world, plan).await;
    let survivors = world.crew.count() - world.dead.len();
    let waiting = world.crew.count_of(|mark| mark.waiting.load(Ordering::Acquire) > 0);
    world.report.count("away_hosts_with_backlog", waiting);
    world.collector.again();
    world.collector.process.mute();
    let since = Since::now();
    world.eyes = Eyes::of(&world.collector).await;
    let crew = &world.crew;
    let all =
        until(STORM_LIMIT, || crew.count_of(|mark| mark.open.load(Ordering::Acquire)) == survivors).await;
    world.report.took("away_all_back", all.map(|_| since.elapsed()));
    let told = until(STORM_LIMIT, || crew.count_of(is_calm) == survivors).await;
    world.report.took("away_backlog_drained", told.map(|_| since.elapsed()));
    let losses = world.crew.losses();
    world.report.counts("away_links_lost", &losses);
    judge(world, since, known).await;
    none_open(world, "after the collector was away").await;
}

/// Hosts die, and the others have something to tell.
async fn away(world: &mut World, plan: &Plan) {
    let since = Since::now();
    while world.dead.len() < plan.deaths() {
        let at = usize::try_from(world.dice.below(world.crew.count() as u64)).unwrap_or(0);
        if !world.dead.contains(&at) {
            world.dead.push(at);
            world.crew.die(at);
        }
    }
    let mut rounds = 0;
    while since.elapsed() < plan.away || rounds == 0 {
        if since.elapsed() >= TROUBLE_EVERY * rounds {
            (0..world.crew.count()).for_each(|at| world.crew.suffer(at, Deed::Kill));
            rounds += 1;
        }
        pause().await;
    }
}

/// Exactly the dead are silent.
async fn judge(world: &mut World, since: Since, known: u64) {
    let dead: BTreeSet<String> = world.dead.iter().map(|at| Crew::host(*at)).collect();
    let mut ever = BTreeSet::new();
    let mut found = None;
    while found.map_or_else(|| since.elapsed() < SILENT_LIMIT, |at: Since| at.elapsed() < WATCHED) {
        let silent = world.eyes.hosts_that_are(HostState::Silent).await;
        if found.is_none() && silent.is_superset(&dead) {
            world.report.took("away_dead_found", Some(since.elapsed()));
            found = Some(Since::now());
        }
        ever.extend(silent);
        pause().await;
    }
    for incident in world.eyes.incidents(false).await.iter().filter(|incident| incident.id > known) {
        ever.extend(world.eyes.called_silent(incident).await);
    }
    let (true_ones, false_ones) = (ever.intersection(&dead).count(), ever.difference(&dead).count());
    world.report.count("away_dead_found_of_all", true_ones);
    world.report.count("away_false", false_ones);
    let missed = dead.len() - true_ones;
    world.report.must(missed == 0, || format!("{missed} of {} dead hosts were not found", dead.len()));
    world.report.must(false_ones == 0, || format!("{false_ones} hosts were called silent and live"));
    let there = world.eyes.hosts_that_are(HostState::Connected).await.len();
    let survivors = world.crew.count() - dead.len();
    world.report.must(there == survivors, || format!("{survivors} live, the collector says {there}"));
}
