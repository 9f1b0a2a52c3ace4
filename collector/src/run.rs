//! The one task that owns the core: takes an input, hands it in, brings the effects to their ports without waiting,
//! and arms one timer.
//!
//! Hosts that are heard are gathered and handed in once per 250 ms, so that 10,000 heartbeats in 10 s cost four
//! inputs a second. When it is told to stop it refuses what comes, lets the server end, and flushes the journal;
//! what was acknowledged is durable at any moment, so kill -9 loses nothing either.

use crate::clock::{Alarm, Clock};
use crate::error::Failure;
use crate::ports::{Inlet, Ports};
use crate::store::Store;
use picket_collector_core::ingest::{Heard, Report};
use picket_collector_core::{Collector, Input};
use picket_proto::{HostId, Mono};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

const HEARD_EVERY: Duration = Duration::from_millis(250);
/// Inputs of a kind taken at once: few enough that answers are never later than some milliseconds.
const AT_ONCE: usize = 64;
/// How long the server may take to end its connections.
const END_TIME: Duration = Duration::from_secs(3);

/// The inputs' ends that belong to the core's task.
pub(crate) struct Inlets {
    pub(crate) sessions: mpsc::Receiver<Inlet>,
    pub(crate) asks: mpsc::Receiver<Inlet>,
}

impl Inlets {
    /// What waits already, a bounded number of each kind: the timer is armed once for all of it.
    fn waiting(&mut self) -> impl Iterator<Item = Inlet> + '_ {
        let asks = std::iter::from_fn(|| self.asks.try_recv().ok()).take(AT_ONCE);
        let sessions = std::iter::from_fn(|| self.sessions.try_recv().ok()).take(AT_ONCE);
        asks.chain(sessions)
    }
}

/// The running server, and how to end it.
pub(crate) struct Serving {
    pub(crate) task: JoinHandle<Result<(), tonic::transport::Error>>,
    pub(crate) stop: watch::Sender<bool>,
}

/// The core with everything its task owns.
pub(crate) struct Keeper {
    pub(crate) core: Collector,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) ports: Ports,
    /// Who was heard since the last look, with the newest heartbeat of each.
    heard: BTreeMap<HostId, Option<Report>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    Ending,
}

impl Keeper {
    /// Takes the replayed core.
    pub(crate) fn new(core: Collector, clock: Clock, store: Store) -> Self {
        Self { core, clock, store, ports: Ports::default(), heard: BTreeMap::new() }
    }

    /// Brings what the core has to say to its ports.
    pub(crate) fn drain(&mut self) {
        while let Some(effect) = self.core.poll() {
            if let Some(order) = self.ports.bring(effect) {
                self.store.append(order);
            }
        }
    }

    fn handle(&mut self, input: Input) {
        self.core.handle(self.clock.now(), input);
        self.drain();
    }

    fn take(&mut self, inlet: Inlet) {
        match self.ports.take(inlet) {
            Some(Input::Heard(hosts)) => self.gather(hosts),
            Some(input) => self.handle(input),
            None => {}
        }
    }

    fn take_with(&mut self, first: Inlet, inlets: &mut Inlets) {
        self.take(first);
        inlets.waiting().for_each(|inlet| self.take(inlet));
    }

    fn gather(&mut self, hosts: Vec<Heard>) {
        for Heard { host, report } in hosts {
            let newest = self.heard.entry(host).or_default();
            *newest = report.or(*newest);
        }
    }

    fn hear(&mut self) {
        let heard = std::mem::take(&mut self.heard).into_iter();
        self.handle(Input::Heard(heard.map(|(host, report)| Heard { host, report }).collect()));
    }

    fn deadline(&self) -> Option<Mono> {
        self.core.deadline().map(|(at, _reason)| at)
    }
}

/// Runs until `stop` comes or the server ends by itself, then ends in order. Returns the core as it was at the end.
pub(crate) async fn run(
    mut keeper: Keeper,
    mut inlets: Inlets,
    mut serving: Serving,
    stop: impl Future<Output = ()>,
) -> Result<Collector, Failure> {
    let ended = serve(&mut keeper, &mut inlets, &mut serving, stop).await;
    serving.task.abort();
    keeper.drain();
    ended.and(keeper.store.flush().await).map(|()| keeper.core)
}

async fn serve(
    keeper: &mut Keeper,
    inlets: &mut Inlets,
    serving: &mut Serving,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut alarm = Alarm::new()?;
    let mut stop = std::pin::pin!(stop);
    let mut end = std::pin::pin!(tokio::time::sleep(Duration::MAX));
    let mut phase = Phase::Serving;
    let mut heard_every = tokio::time::interval(HEARD_EVERY);
    heard_every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let armed = alarm.set(&keeper.clock, keeper.deadline());
        armed.map_err(|source| Failure::System { doing: "arm the timer", source })?;
        tokio::select! {
            fact = keeper.store.facts.recv() => {
                keeper.handle(Input::Store(fact.ok_or(Failure::Unflushed)?));
            }
            Some(inlet) = inlets.asks.recv() => keeper.take_with(inlet, inlets),
            Some(inlet) = inlets.sessions.recv() => keeper.take_with(inlet, inlets),
            due = alarm.due() => {
                due.map_err(|source| Failure::System { doing: "read the timer", source })?;
                keeper.handle(Input::Time);
            }
            _tick = heard_every.tick(), if !keeper.heard.is_empty() => keeper.hear(),
            () = &mut stop, if phase == Phase::Serving => {
                tracing::info!("ending");
                phase = Phase::Ending;
                end.set(tokio::time::sleep(END_TIME));
                keeper.ports.end();
                serving.stop.send_replace(true);
            }
            () = &mut end, if phase == Phase::Ending => return Ok(()),
            result = &mut serving.task => return match phase {
                Phase::Serving => served(result),
                Phase::Ending => Ok(()),
            },
        }
    }
}

fn served(
    result: Result<Result<(), tonic::transport::Error>, tokio::task::JoinError>,
) -> Result<(), Failure> {
    match result {
        Ok(Ok(())) => Err(Failure::Served("no reason was given".into())),
        Ok(Err(failure)) => Err(Failure::Served(failure.to_string())),
        Err(failure) => Err(Failure::Served(failure.to_string())),
    }
}
