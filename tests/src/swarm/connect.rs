//! The first phase: every host gets its certificate, then all connect at once; and the account at the very end.

use super::World;
use super::agent::Mark;
use super::crew::Crew;
use super::eyes::{pause, until};
use crate::rig::clock::Since;
use crate::rig::files::{Memory, memory};
use picket_rpc::v1::HostState;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long all may take to be in session: the longest pause between two tries is 30 s.
pub(super) const STORM_LIMIT: Duration = Duration::from_secs(180);

/// Memory of collector and swarm before the first session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Empty {
    pub(super) collector: Memory,
    pub(super) swarm: Memory,
}

/// In session, and nothing waits.
pub(super) fn is_calm(mark: &Mark) -> bool {
    mark.open.load(Ordering::Acquire) && mark.waiting.load(Ordering::Acquire) == 0
}

/// Enrols and connects all.
pub(super) async fn run(world: &mut World) -> Empty {
    let empty = Empty { collector: memory(world.collector.process.pid()), swarm: memory(std::process::id()) };
    let (count, since) = (world.crew.count(), Since::now());
    world.crew.enrol(&world.eyes.0).await;
    world.report.took("enrol_all", Some(since.elapsed()));
    let since = Since::now();
    (0..count).for_each(|at| world.crew.start(at, None));
    let crew = &world.crew;
    let all = until(STORM_LIMIT, || crew.count_of(|mark| mark.open.load(Ordering::Acquire)) == count).await;
    world.report.took("connect_storm_all_in_session", all.map(|_| since.elapsed()));
    let told = until(STORM_LIMIT, || crew.count_of(is_calm) == count).await;
    world.report.took("connect_storm_all_told", told.map(|_| since.elapsed()));
    let losses = world.crew.losses();
    world.report.counts("connect_storm_links_lost", &losses);
    let seen = world.eyes.hosts_that_are(HostState::Connected).await.len();
    world.report.must(seen == count, || format!("{count} are in session, the collector says {seen}"));
    none_open(world, "after the connect storm").await;
    empty
}

/// Nothing failed so far, so no incident is open but of hosts that are dead.
pub(super) async fn none_open(world: &mut World, when: &str) {
    let dead: Vec<String> = world.dead.iter().map(|at| Crew::host(*at)).collect();
    let open = world.eyes.incidents(true).await;
    let others: Vec<_> =
        open.iter().filter(|incident| !incident.hosts.iter().all(|host| dead.contains(host))).collect();
    let example = others.first().map(|incident| incident.title.clone()).unwrap_or_default();
    let count = others.len();
    world.report.must(count == 0, || format!("{when} {count} incidents are open, such as: {example}"));
}

/// The account: of every host that lives, all frames that it ever made are journaled, and none twice.
pub(super) async fn account(world: &mut World) {
    let since = Since::now();
    let mut wrong = difference(world).await;
    while !wrong.is_empty() && since.elapsed() < STORM_LIMIT {
        pause().await;
        wrong = difference(world).await;
    }
    let (count, example) = (wrong.len(), wrong.first().cloned().unwrap_or_default());
    world
        .report
        .must(count == 0, || format!("{count} hosts have other frames than the collector: {example}"));
    let lost = world.crew.lost();
    world.report.must(lost == 0, || format!("{lost} frames were given up"));
    let frames = world.crew.made().values().map(|(_, most)| most).sum::<u64>();
    world.report.count("frames_accounted_for", usize::try_from(frames).unwrap_or(usize::MAX));
    let losses = world.crew.losses();
    world.report.counts("links_lost_since", &losses);
}

async fn difference(world: &mut World) -> Vec<String> {
    let seen = world.eyes.hosts().await.into_iter().map(|host| (host.host, host.frames + host.frames_lost));
    let seen: BTreeMap<String, u64> = seen.collect();
    let wrong = world.crew.made().into_iter().filter_map(|(host, (least, most))| {
        let held = seen.get(&host).copied().unwrap_or(0);
        let is_wrong = !(least..=most).contains(&held);
        is_wrong.then(|| format!("{host} made {least} to {most}, the collector has {held}"))
    });
    wrong.collect()
}
