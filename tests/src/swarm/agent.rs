//! One agent of the swarm: a real core and a real link, a simulated host between them.
//!
//! One input, then every effect, then what the host knows at once: the order of `agent/src/run`. Its Mono is the
//! machine's plus [`UPTIME`], so that a host can have lived for days before this process began.

use super::machine::{Known, Machine, Places};
use super::past::Past;
use crate::dice::Dice;
use picket_agent::config::Config;
use picket_agent::entry::{self, News, Wire};
use picket_agent_core::session::{self, Order, Phase, Trouble};
use picket_agent_core::{Agent, Effect, Ending, Identity, Input};
use picket_proto::{BootId, Mono, Now, Run, Span, Stamp, Text};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How much longer a host is up than the machine that it is simulated on.
pub(super) const UPTIME: Span = Span::from_secs(4 * 86_400);
/// What an agent without a deadline waits for its timer.
const LONG: Duration = Duration::from_secs(3600);

/// What is done to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Its first service is killed once.
    Kill,
    /// Its first service is killed and can't be started.
    Break,
    /// It can be started again.
    Mend,
    /// The agent is asked to end.
    Stop,
}

/// How an agent stands, for the ground truth: it is the agent's own word, never the collector's.
#[derive(Debug, Default)]
pub(super) struct Mark {
    /// Whether the collector took its session and that stands.
    pub(super) open: AtomicBool,
    /// Frames that wait for their ack.
    pub(super) waiting: AtomicU32,
    /// Frames that this run made.
    pub(super) made: AtomicU64,
    /// Frames that this run lost.
    pub(super) lost: AtomicU64,
    /// Whether it has ended.
    pub(super) ended: AtomicBool,
    /// Whether the past that it was to live through is behind it.
    pub(super) ready: AtomicBool,
}

/// What an agent begins with.
pub(super) struct Birth {
    pub(super) config: Config,
    pub(super) seed: u64,
    pub(super) ring: usize,
    /// What it lives through before it connects, and what then lets it.
    pub(super) past: Option<(Past, oneshot::Receiver<()>)>,
    pub(super) mark: Arc<Mark>,
    /// Where the code of every lost link goes.
    pub(super) losses: mpsc::UnboundedSender<&'static str>,
}

/// What an agent waits for besides its timer.
enum Came {
    Deed(Option<Deed>),
    News(News),
}

/// Runs one agent until it ends.
///
/// # Panics
/// If its configuration is not enough for a link.
pub(super) async fn live(birth: Birth, mut deeds: mpsc::UnboundedReceiver<Deed>) {
    let wire = Wire::new(birth.config.clone()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let mut places = Places::new(&birth.config, birth.ring);
    let mut body = Body::new(&birth, wire, &mut places);
    match birth.past {
        Some((past, released)) => {
            past.live_through(&mut body).await;
            birth.mark.ready.store(true, Ordering::Release);
            let _released_or_not_wanted_any_more = released.await;
            body.catch_up();
        }
        None => body.begin(),
    }
    while !body.ended {
        body.tell();
        let wait = body.wait();
        let came = async {
            tokio::select! {
                biased;
                deed = deeds.recv() => Came::Deed(deed),
                news = body.wire.next() => Came::News(news),
            }
        };
        match timeout(wait, came).await {
            Ok(Came::Deed(Some(deed))) => body.suffer(deed),
            Ok(Came::Deed(None)) => break,
            Ok(Came::News(news)) => body.hear(&news),
            Err(_due) => body.hand(Input::Time),
        }
        body.settle();
    }
    body.tell();
    body.wire.finish().await;
    birth.mark.open.store(false, Ordering::Release);
    birth.mark.ended.store(true, Ordering::Release);
}

/// The core with what is around it.
pub(super) struct Body<'s> {
    agent: Agent<'s>,
    pub(super) machine: Machine,
    wire: Wire,
    run: Run,
    boot: BootId,
    ahead: Span,
    /// The moment that it lives in while that is not the present one.
    moment: Option<Now>,
    mark: Arc<Mark>,
    losses: mpsc::UnboundedSender<&'static str>,
    ended: bool,
}

impl<'s> Body<'s> {
    fn new(birth: &Birth, wire: Wire, places: &'s mut Places) -> Self {
        let mut dice = Dice::new(birth.seed);
        let (run, boot) = (Run(dice.throw().max(1)), BootId(u128::from(dice.throw().max(1))));
        let identity = Identity { run, boot, previous: None, version: Text::new("swarm") };
        Self {
            agent: Agent::new(dice.throw(), identity, places.lend()),
            machine: Machine::new(&birth.config, dice),
            wire,
            run,
            boot,
            ahead: UPTIME,
            moment: None,
            mark: Arc::clone(&birth.mark),
            losses: birth.losses.clone(),
            ended: false,
        }
    }

    /// The host's clocks.
    pub(super) fn now(&self) -> Now {
        let present = entry::now();
        self.moment.unwrap_or_else(|| Now { mono: present.mono.plus(self.ahead), ..present })
    }

    /// Lives in this moment instead of the present one; there is no collector in it.
    pub(super) const fn live_in(&mut self, moment: Now) {
        self.moment = Some(moment);
    }

    /// What was thought to be the past reaches the present.
    fn catch_up(&mut self) {
        if let Some(moment) = self.moment.take() {
            self.ahead = moment.mono.since(entry::now().mono);
        }
    }

    /// The agent begins, and looks for its services.
    pub(super) fn begin(&mut self) {
        self.hand(Input::Time);
        self.settle();
    }

    /// When something is due.
    pub(super) fn due(&self) -> Mono {
        self.agent.deadline().map_or(Mono::NEVER, |(due, _)| due)
    }

    /// Whether a try to connect is what comes next.
    pub(super) fn is_about_to_connect(&self) -> bool {
        matches!(self.agent.link(), Phase::Resting { until } if until <= self.due())
    }

    fn wait(&self) -> Duration {
        self.due().since(self.now().mono).to_duration().min(LONG)
    }

    fn suffer(&mut self, deed: Deed) {
        match deed {
            Deed::Kill => self.machine.kill(0),
            Deed::Break => self.machine.break_down(0),
            Deed::Mend => self.machine.mend(),
            Deed::Stop => self.hand(Input::Stop(Ending::LeaveServices)),
        }
    }

    fn hear(&mut self, news: &News) {
        if let Some(code) = news.lost() {
            let _swarm_is_ending = self.losses.send(code);
        }
        self.hand(Input::Session(news.as_fact()));
    }

    /// Hands in what is known until nothing more follows from it.
    pub(super) fn settle(&mut self) {
        while let Some(known) = self.machine.known.pop_front() {
            self.hand(match known {
                Known::Reading(fact) => Input::Check(fact),
                Known::Service(fact) => Input::Service(fact),
                Known::Unreachable => Input::Session(session::Fact::Lost { trouble: Trouble::Refused }),
            });
        }
        self.wire.flush();
    }

    pub(super) fn hand(&mut self, input: Input<'_>) {
        let now = self.now();
        self.agent.handle(now, input);
        while let Some(effect) = self.agent.poll() {
            match effect {
                Effect::Probe(probe) => self.machine.probe(probe.check),
                Effect::Act(act) => self.machine.act(act),
                Effect::Link(order) => self.order(now, order),
                Effect::Ended => self.ended = true,
                // There is no systemd, no disk, no state file and no log here.
                Effect::Unit(_)
                | Effect::Baseline(_)
                | Effect::Keep(_)
                | Effect::Disk(_)
                | Effect::Told(_) => {}
            }
        }
    }

    fn order(&mut self, now: Now, order: Order) {
        if self.moment.is_some() {
            if order == Order::Connect {
                self.machine.known.push_back(Known::Unreachable);
            }
            return;
        }
        let frames = if let Order::Send { bytes, .. } = order { self.agent.bytes(bytes) } else { &[] };
        let stamp = Stamp { run: self.run, boot: self.boot, mono: now.mono, wall: now.wall, synced: true };
        self.wire.obey(order, stamp, frames);
    }

    /// Tells the swarm how it stands.
    pub(super) fn tell(&self) {
        let spool = self.agent.spool_view();
        let is_open = matches!(self.agent.link(), Phase::Open { .. });
        self.mark.made.store(spool.last.0, Ordering::Release);
        self.mark.lost.store(spool.lost, Ordering::Release);
        self.mark.waiting.store(spool.frames, Ordering::Release);
        self.mark.open.store(is_open, Ordering::Release);
    }
}
