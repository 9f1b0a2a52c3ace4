//! The third phase: a service of every third host dies at once and can't be started; then it can again.

use super::World;
use super::agent::Deed;
use super::connect::none_open;
use super::crew::Crew;
use super::eyes::pause;
use crate::rig::clock::Since;
use picket_rpc::v1;
use std::collections::BTreeSet;
use std::time::Duration;

/// Every host whose number is a multiple of it fails.
const SHARE: usize = 3;
/// How long what fails may take to be shown, and what is whole again to be believed.
const LIMIT: Duration = Duration::from_secs(120);

/// Breaks, waits until all is shown, mends, waits until nothing is.
pub(super) async fn run(world: &mut World) {
    let failing: Vec<usize> = (0..world.crew.count()).step_by(SHARE).collect();
    let hosts: BTreeSet<String> = failing.iter().map(|at| Crew::host(*at)).collect();
    world.report.count("failure_hosts", failing.len());
    let since = Since::now();
    failing.iter().for_each(|at| world.crew.suffer(*at, Deed::Break));
    let shown = shown(world, |open| hosts_of(open).is_superset(&hosts), since).await;
    let open = world.eyes.incidents(true).await;
    world.report.took("failure_all_shown", shown);
    world.report.count("failure_incidents", open.len());
    let others = hosts_of(&open).difference(&hosts).count();
    world.report.must(others == 0, || format!("{others} hosts are in incidents and did not fail"));
    let since = Since::now();
    failing.iter().for_each(|at| world.crew.suffer(*at, Deed::Mend));
    let over = self::shown(world, <[v1::Incident]>::is_empty, since).await;
    world.report.took("failure_none_open", over);
    none_open(world, "after the mass failure").await;
}

fn hosts_of(open: &[v1::Incident]) -> BTreeSet<String> {
    open.iter().flat_map(|incident| incident.hosts.iter().cloned()).collect()
}

async fn shown(world: &mut World, is: impl Fn(&[v1::Incident]) -> bool, since: Since) -> Option<Duration> {
    while since.elapsed() < LIMIT {
        if is(&world.eyes.incidents(true).await) {
            return Some(since.elapsed());
        }
        pause().await;
    }
    None
}
