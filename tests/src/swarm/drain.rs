//! The fifth phase: what an operator waits for a live event while hosts drain days of backlog.
//!
//! The hosts with the backlog live on one thread of the swarm, those whose deaths are timed on the others. A death is
//! timed from the deed to the change in the operator's stream. The yardstick is the same before the drain begins.

use super::World;
use super::agent::Deed;
use super::connect::{STORM_LIMIT, is_calm};
use super::crew::{Crew, THREADS};
use super::eyes::{Told, Watch, until};
use super::past::Past;
use super::plan::Plan;
use crate::bench::{Budget, Figure, Sample};
use crate::rig::clock::Since;
use picket_proto::Span;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::timeout;

/// How long the hosts had no collector.
const DAYS: u64 = 3;
/// Between two deaths.
const DEATH_EVERY: Duration = Duration::from_millis(20);
/// Deaths before the drain.
const CALM_DEATHS: usize = 100;
/// Fewer timed deaths than this say nothing.
const FEW: usize = 10;
/// How long a change may take to be shown before it counts as missing.
const LATEST: Duration = Duration::from_secs(30);
/// How long days take to be lived through, and then to be told.
const DRAIN_LIMIT: Duration = Duration::from_secs(600);
/// What a death may take to a watcher, p99, in milliseconds.
const BUDGET: f64 = 150.0;

/// See the module.
pub(super) async fn run(world: &mut World, plan: &Plan) {
    let living = (0..world.crew.count()).filter(|at| !world.dead.contains(at));
    let (busy, mut others): (Vec<usize>, Vec<usize>) = living.partition(|at| at % THREADS == 0);
    let busy: Vec<usize> = busy.into_iter().take(plan.drains).collect();
    let backlog = live_apart(world, &busy).await;
    world.report.count("drain_hosts", busy.len());
    world.report.count("drain_frames", usize::try_from(backlog).unwrap_or(usize::MAX));
    let mut watch = world.eyes.watch().await;
    let calm = others.split_off(others.len() - CALM_DEATHS.min(others.len() / 2));
    let before = Trial::run(world, &mut watch, &calm, |_, deaths| deaths < calm.len()).await;
    let since = Since::now();
    busy.iter().for_each(|at| world.crew.release(*at));
    let drains = |crew: &Crew| busy.iter().any(|at| crew.mark(*at).is_some_and(|mark| !is_calm(mark)));
    let during = Trial::run(world, &mut watch, &others, |crew, _| drains(crew)).await;
    let crew = &world.crew;
    let drained = until(DRAIN_LIMIT, || !drains(crew)).await;
    world.report.took("drain_all", drained.map(|_| since.elapsed()));
    world.report.figure(
        "drain_frames_per_second",
        backlog as f64 / since.elapsed().as_secs_f64(),
        "1/s",
        None,
    );
    print(world, &before, &during);
}

/// The hosts stop in order, and live through days without a collector; how many frames that makes.
async fn live_apart(world: &mut World, busy: &[usize]) -> u64 {
    busy.iter().for_each(|at| world.crew.suffer(*at, Deed::Stop));
    let crew = &world.crew;
    let all = |is: &dyn Fn(&super::agent::Mark) -> bool| busy.iter().all(|at| crew.mark(*at).is_none_or(is));
    let ended = until(STORM_LIMIT, || all(&|mark| mark.ended.load(Ordering::Acquire))).await;
    world.report.must(ended.is_some(), || "agents that are asked to end do not".to_owned());
    let day = Span::from_secs(86_400);
    for at in busy {
        let phase = Span::from_millis(world.dice.below(300_000));
        world.crew.start(*at, Some(Past { span: day.times(DAYS), phase }));
    }
    let since = Since::now();
    let crew = &world.crew;
    let all = |is: &dyn Fn(&super::agent::Mark) -> bool| busy.iter().all(|at| crew.mark(*at).is_some_and(is));
    let lived = until(DRAIN_LIMIT, || all(&|mark| mark.ready.load(Ordering::Acquire))).await;
    world.report.took("drain_days_lived_in", lived.map(|_| since.elapsed()));
    let waiting = busy.iter().filter_map(|at| crew.mark(*at));
    waiting.map(|mark| u64::from(mark.waiting.load(Ordering::Acquire))).sum()
}

/// Deaths, one after the other, and how long each took to be shown.
#[derive(Default)]
struct Trial {
    times: Vec<Duration>,
    missing: usize,
    cuts: usize,
    lost: usize,
    told: usize,
}

impl Trial {
    /// Kills a service on one host after the other while `more` says so, and waits for the last to be shown.
    async fn run(
        world: &World,
        watch: &mut Watch,
        victims: &[usize],
        more: impl Fn(&Crew, usize) -> bool,
    ) -> Self {
        let (mut trial, mut waiting) = (Self::default(), BTreeMap::new());
        let mut victims = victims.iter();
        let mut last = Since::now();
        loop {
            let more = more(&world.crew, trial.times.len() + waiting.len());
            let next = if more && last.elapsed() >= DEATH_EVERY { victims.next() } else { None };
            if let Some(at) = next {
                last = Since::now();
                waiting.insert(Crew::host(*at), last);
                world.crew.suffer(*at, Deed::Kill);
            }
            let is_over = !more || victims.len() == 0;
            if is_over && (waiting.is_empty() || last.elapsed() > LATEST) {
                trial.missing = waiting.len();
                return trial;
            }
            if let Ok(Some(told)) = timeout(DEATH_EVERY / 4, watch.0.recv()).await {
                trial.hear(told, &mut waiting);
            }
            while let Ok(told) = watch.0.try_recv() {
                trial.hear(told, &mut waiting);
            }
        }
    }

    fn hear(&mut self, told: Told, waiting: &mut BTreeMap<String, Since>) {
        self.told += 1;
        let (came, hosts) = match told {
            Told::Shown(came, hosts) => (came, hosts),
            Told::Cut => return self.cuts += 1,
            Told::Lost => return self.lost += 1,
        };
        for since in hosts.iter().filter_map(|host| waiting.remove(host)) {
            self.times.push(since.elapsed().saturating_sub(came.elapsed()));
        }
    }
}

fn print(world: &mut World, before: &Trial, during: &Trial) {
    let (calm, busy) = (Sample::new(before.times.clone()), Sample::new(during.times.clone()));
    for (name, percent, budget) in [
        ("drain_live_event_p50", 50, None),
        ("drain_live_event_p99", 99, Some(Budget::AtMost(BUDGET))),
        ("drain_live_event_max", 100, None),
    ] {
        let budget = world.report.budget(budget);
        let yardstick = Some(("the same before the drain", calm.percentile_ms(percent)));
        Figure { name, value: busy.percentile_ms(percent), unit: "ms", yardstick, budget }.print();
    }
    let events = during.times.len();
    world.report.count("drain_live_events", events);
    world.report.must(events >= FEW, || format!("{events} live events are no sample: take more agents"));
    world.report.count("drain_watcher_told", during.told);
    world.report.count("drain_watcher_cut", before.cuts + during.cuts);
    world.report.count("drain_watcher_lost_its_place", before.lost + during.lost);
    let missing = before.missing + during.missing;
    world.report.must(missing == 0, || format!("{missing} deaths were never shown to the watcher"));
}
