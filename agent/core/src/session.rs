//! The session with the collector: when to connect, what to say, what was heard.
//!
//! After the welcome comes what stands (every check that is not up), then frames: those made since the stream opened
//! go live, older ones in the backlog, live first, as long as the collector's 8 ranges allow. At most 8 batches and 256 KiB wait for their ack. When the stream
//! is lost, everything unacknowledged is sent again. A heartbeat goes out every 10 s, or as often as the collector grants it
//! to a link that costs money, whatever else is said: it carries a look at the host, and its answer measures the collector's clock. Whether the peer lives is the transport's to notice; only a
//! welcome that does not come is noticed here.

mod farewell;
mod look;
mod meter;
mod offset;
mod talk;
mod words;

pub use meter::Terms;
pub use words::{Fact, Lane, Order, Phase, Trouble};

use crate::check::Checks;
use crate::spool::Spool;
use crate::timer::{Backoff, Dice, Reason};
use farewell::Farewell;
use heapless::Deque;
use meter::Meter;
use picket_proto::beat::Trip;
use picket_proto::{Mono, Now, Sample, Seq, Span};
use talk::Talk;

/// Most orders that may be with the shell before it says [`Fact::Sent`]: Standing and Send wait for a place, and
/// the few others (Hello, Heartbeat, Answer, Goodbye, one each) need none. A channel of this many never fills.
/// `Sent` counts every order but Connect and Close, not messages on the wire: several Standing may travel in one
/// message and count each.
pub const ORDERS_MAX: u16 = 40;
/// Of those, places for Standing and Send.
const PLACES: u16 = 32;
/// Between tries to connect.
const RETRY: Backoff = Backoff { first: Span::from_millis(250), most: Span::from_secs(30) };
/// The same where tries cost money: one reaches a dead collector's balancer for 1 to 3 KB. A host is called silent after
/// 2.5 of its intervals, 37 min by default.
const RETRY_METERED: Backoff = Backoff { first: Span::from_millis(250), most: Span::from_secs(600) };
/// The same where the collector said no: a person has to act first.
const RETRY_DENIED: Backoff = Backoff { first: Span::from_secs(30), most: Span::from_secs(600) };
/// A session that lived this long was a good one: the next try starts from the first wait again.
const GOOD_SESSION: Span = Span::from_secs(10);
/// A welcome that takes longer does not come.
const WELCOME_WAIT: Span = Span::from_secs(30);
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one link per agent and no allocator to box with")]
enum Link {
    Resting { until: Mono },
    Connecting,
    Greeting { boundary: Seq, until: Mono, named: Option<u32> },
    Talking(Talk),
}

/// The link machine.
pub(crate) struct Session {
    link: Link,
    dice: Dice,
    tries: u16,
    farewell: Farewell,
    /// Orders with the shell.
    out: u16,
    /// What to order next: one input makes at most two (a welcome that did not come: Close; a lost link: Connect;
    /// a beat and a goodbye at once: two), and `poll` empties it.
    orders: Deque<Order, 8>,
    meter: Meter,
    /// What the collector lists as watched here, by the last welcome.
    watched: Option<u32>,
    refused: u32,
}

impl Session {
    /// A session that connects at once.
    pub(crate) const fn new(dice: Dice) -> Self {
        let link = Link::Resting { until: Mono::from_micros(0) };
        Self {
            link,
            dice,
            tries: 0,
            farewell: Farewell::No,
            out: 0,
            orders: Deque::new(),
            meter: Meter::new(),
            watched: None,
            refused: 0,
        }
    }

    /// Something happened to the link. Whether it shows that another life of this run went on.
    pub(crate) fn on(&mut self, now: Now, fact: Fact<'_>, spool: &mut Spool<'_>) -> bool {
        let mut is_resumed = false;
        match (fact, &mut self.link) {
            (Fact::Opened, Link::Connecting) => self.greet(now.mono, spool),
            (Fact::Welcomed { known, .. }, Link::Greeting { .. }) if known.last() > Some(talk::SEQ_MAX) => {
                self.disbelieve(now.mono);
            }
            // Who does not know lists by their digest took it for an empty one.
            (Fact::Welcomed { watched, .. }, Link::Greeting { named: named @ Some(_), .. })
                if watched != *named && self.farewell == Farewell::No =>
            {
                self.greet_anew(now.mono);
            }
            (Fact::Welcomed { heartbeat, known, watched }, Link::Greeting { boundary, .. }) => {
                let boundary = *boundary;
                self.watched = watched;
                is_resumed = spool.welcomed(now, known);
                self.link = Link::Talking(Talk::new(now.mono, heartbeat, boundary, known));
            }
            (Fact::Acked { run, ranges }, Link::Talking(_)) if run == spool.identity().run => {
                spool.acked(now.mono, ranges);
            }
            (Fact::Acked { run, ranges }, Link::Talking(_)) if spool.acked_past(now.mono, run, ranges) => {}
            (Fact::Beat { echo, received, answered }, Link::Talking(talk)) => {
                talk.offsets.on(Trip { sent: echo, received, answered, heard: now.mono });
            }
            (Fact::Challenged { nonce }, Link::Greeting { .. } | Link::Talking(_)) => {
                self.order(Order::Answer { nonce });
            }
            (Fact::Lost { trouble }, Link::Connecting | Link::Greeting { .. } | Link::Talking(_)) => {
                self.rest(now.mono, trouble);
            }
            (Fact::Carried { bytes }, _) => self.meter.add(bytes),
            (Fact::Sent { messages }, _) => self.out = self.out.saturating_sub(messages),
            (
                Fact::Opened
                | Fact::Welcomed { .. }
                | Fact::Acked { .. }
                | Fact::Beat { .. }
                | Fact::Challenged { .. }
                | Fact::Ordered { .. }
                | Fact::Lost { .. },
                Link::Resting { .. } | Link::Connecting | Link::Greeting { .. } | Link::Talking(_),
            ) => self.refused = self.refused.saturating_add(1),
        }
        is_resumed
    }

    /// What a Hello says is not so any more: a session that stands or is about to begins anew, at once.
    pub(crate) fn greet_anew(&mut self, now: Mono) {
        let greeted = matches!(self.link, Link::Greeting { .. } | Link::Talking(_));
        if greeted && self.farewell == Farewell::No {
            self.out = 0;
            self.orders.clear();
            self.link = Link::Resting { until: now };
            self.order(Order::Close);
        }
    }

    /// Does what the time and the acks have made due; after every input.
    pub(crate) fn settle(&mut self, now: Now, spool: &mut Spool<'_>) {
        self.meter.turn(now.mono);
        if let Link::Talking(talk) = &mut self.link {
            talk.settle(now, spool, self.meter.is_over());
        } else {
            spool.hold_back();
        }
        self.time(now.mono, spool.last());
        self.part(now.mono, spool);
    }

    /// The next thing to do on the link.
    pub(crate) fn next_order(
        &mut self,
        now: Mono,
        spool: &mut Spool<'_>,
        checks: &Checks<'_>,
    ) -> Option<Order> {
        let mut order = self.orders.pop_front().or_else(|| self.speak(spool, checks))?;
        if !matches!(order, Order::Connect | Order::Close) {
            self.out = self.out.saturating_add(1);
        }
        if let (Order::Heartbeat { sample, offset }, Link::Talking(talk)) = (&mut order, &mut self.link) {
            let (waiting, lost, carried) = (spool.waiting(), spool.given_up(), self.meter.carried());
            *sample = Sample { waiting, lost, carried, ..checks.levels() };
            *offset = talk.offsets.news(now);
            talk.next_beat = now.plus(self.dice.around(talk.beat, 10));
        }
        Some(order)
    }

    /// When something is due, and why.
    pub(crate) fn deadline(&self) -> (Mono, Reason) {
        let link = match &self.link {
            Link::Resting { until } | Link::Greeting { until, .. } => (*until, Reason::Connect),
            Link::Connecting => (Mono::NEVER, Reason::Connect),
            Link::Talking(talk) => (talk.next_beat, Reason::Heartbeat),
        };
        match self.farewell {
            Farewell::No => link,
            Farewell::Flushing(until) => link.min((until, Reason::Farewell)),
            Farewell::Said(until) => (until, Reason::Farewell),
            Farewell::Over => (Mono::NEVER, Reason::Farewell),
        }
    }

    fn greet(&mut self, now: Mono, spool: &Spool<'_>) {
        self.out = 0;
        // A collector that does not know that list after all refuses, and the next Hello says the whole one.
        let known = self.watched.take();
        self.link = Link::Greeting { boundary: spool.last(), until: now.plus(WELCOME_WAIT), named: known };
        self.order(Order::Hello { report: self.meter.terms.report, known });
    }

    fn rest(&mut self, now: Mono, trouble: Trouble) {
        if let Link::Talking(talk) = &self.link
            && now.since(talk.welcomed) >= GOOD_SESSION
        {
            self.tries = 0;
        }
        let usual = if self.meter.terms.is_metered() { RETRY_METERED } else { RETRY };
        let backoff = if trouble == Trouble::Denied { RETRY_DENIED } else { usual };
        let wait = backoff.wait(self.tries, &mut self.dice);
        self.tries = self.tries.saturating_add(1);
        self.out = 0;
        self.orders.clear();
        self.link = Link::Resting { until: now.plus(wait) };
    }

    fn time(&mut self, now: Mono, last: Seq) {
        match &mut self.link {
            Link::Resting { until } if *until <= now && self.farewell == Farewell::No => {
                self.link = Link::Connecting;
                self.order(Order::Connect);
            }
            Link::Greeting { until, .. } if *until <= now => {
                self.rest(now, Trouble::TimedOut);
                self.order(Order::Close);
            }
            Link::Talking(talk) if talk.next_beat <= now => {
                talk.next_beat = now.plus(talk.beat);
                if self.meter.is_over() {
                    talk.restate(now, (last, self.meter.terms.report));
                }
                self.order(Order::Heartbeat { sample: Sample::default(), offset: None });
            }
            Link::Resting { .. } | Link::Connecting | Link::Greeting { .. } | Link::Talking(_) => {}
        }
    }

    /// What the open session says next, if there is a place for it.
    fn speak(&mut self, spool: &mut Spool<'_>, checks: &Checks<'_>) -> Option<Order> {
        let open = matches!(self.farewell, Farewell::No | Farewell::Flushing(_)) && self.out < PLACES;
        match &mut self.link {
            Link::Talking(talk) if open => {
                talk.stand(checks).or_else(|| talk.send(spool, self.meter.is_over()))
            }
            Link::Talking(_) | Link::Resting { .. } | Link::Connecting | Link::Greeting { .. } => None,
        }
    }

    fn order(&mut self, order: Order) {
        if self.orders.push_back(order).is_err() {
            self.refused = self.refused.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
