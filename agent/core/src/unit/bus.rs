//! The connection to systemd: when to try again, when to compare everything, for how long nothing was seen.
//!
//! Every 120 s all units are read without a signal having asked for it. What differs then no signal had told: the
//! count is the proof that the signals work, and is told only where it is not zero.

use super::Order;
use crate::facts::Facts;
use crate::timer::{Backoff, Dice, Reason};
use picket_proto::event::{self, BlindSource};
use picket_proto::{Mono, Span};

/// Between two comparisons: a lost signal hides nothing for longer than this, at two calls per unit.
const LOOK_EVERY: Span = Span::from_secs(120);
/// Between two where there is reason for one: a check of a unit that is gone says so at every reading.
const LOOK_AGAIN: Span = Span::from_secs(5);
/// A bus that was restarted is back within a second; one that is gone costs a connect per 5 s.
const RECONNECT: Backoff = Backoff { first: Span::from_millis(100), most: Span::from_secs(5) };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody wants it: no service is a unit.
    Idle,
    /// Gone; tried again at this time.
    Away { retry_at: Mono },
    /// Being connected.
    Connecting,
    /// There; all are compared at this time.
    Open { look_at: Mono },
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Bus {
    state: State,
    tries: u16,
    /// Since when nothing is seen, where something was seen before.
    blind: Option<Mono>,
    /// Units whose reading a comparison waits for.
    left: u16,
    differences: u16,
    order: Option<Order>,
    /// When they were compared last.
    looked_at: Mono,
    /// Whether every unit was read once.
    synced: bool,
}

impl Bus {
    /// No connection yet, and none wanted.
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Idle,
            tries: 0,
            blind: None,
            left: 0,
            differences: 0,
            order: None,
            looked_at: Mono::from_micros(0),
            synced: false,
        }
    }

    /// There are units: connect at once.
    pub(crate) fn begin(&mut self, now: Mono) {
        self.state = State::Away { retry_at: now };
    }

    /// There are other units than before; whether all are read now.
    pub(crate) fn anew(&mut self, now: Mono, units: u16) -> bool {
        match self.state {
            State::Idle if units > 0 => self.begin(now),
            State::Open { .. } if units > 0 => self.look(now, units),
            State::Open { .. } => (self.left, self.order) = (0, None),
            State::Idle | State::Away { .. } | State::Connecting => {}
        }
        matches!(self.state, State::Open { .. })
    }

    /// It is there; all units are read, so many of them.
    pub(crate) fn opened(&mut self, now: Mono, units: u16) {
        self.tries = 0;
        self.look(now, units);
    }

    /// It is gone.
    pub(crate) fn lost(&mut self, now: Mono, dice: &mut Dice) {
        if matches!(self.state, State::Open { .. }) && self.synced {
            self.blind = self.blind.or(Some(now));
        }
        let wait = RECONNECT.wait(self.tries, dice);
        self.tries = self.tries.saturating_add(1);
        (self.left, self.differences, self.order) = (0, 0, None);
        self.state = State::Away { retry_at: now.plus(wait) };
    }

    /// A reading came that a comparison waited for, or that no signal had told of.
    pub(crate) fn compared(&mut self, now: Mono, compared: super::memory::Compared, out: &mut Facts) {
        if compared.differs {
            self.differences = self.differences.saturating_add(1);
        }
        if !compared.was_awaited {
            return;
        }
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return;
        }
        self.synced = true;
        let (differences, blind) = (core::mem::take(&mut self.differences), self.blind.take());
        if blind.is_some() || differences > 0 {
            let lasted = blind.map_or(Span::ZERO, |since| now.since(since));
            out.tell(event::Fact::Blind(event::Blind { source: BlindSource::Systemd, lasted, differences }));
        }
    }

    /// Its deadline may have come; how many units there are.
    pub(crate) fn due(&mut self, now: Mono, units: u16) -> bool {
        match self.state {
            State::Away { retry_at } if retry_at <= now => {
                self.order = Some(Order::Connect);
                self.state = State::Connecting;
                false
            }
            State::Open { look_at } if look_at <= now => {
                self.look(now, units);
                true
            }
            State::Idle | State::Connecting | State::Away { .. } | State::Open { .. } => false,
        }
    }

    /// Whether systemd is heard.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// What is seen of a unit is not what systemd has told: all are read soon.
    pub(crate) fn doubt(&mut self, now: Mono) {
        if let State::Open { look_at } = &mut self.state {
            *look_at = (*look_at).min(now.max(self.looked_at.plus(LOOK_AGAIN)));
        }
    }

    fn look(&mut self, now: Mono, units: u16) {
        (self.left, self.differences, self.order) = (units, 0, Some(Order::Look));
        self.synced |= units == 0;
        self.looked_at = now;
        self.state = State::Open { look_at: now.plus(LOOK_EVERY) };
    }

    /// The next thing to do.
    pub(crate) fn next_order(&mut self) -> Option<Order> {
        self.order.take()
    }

    /// When it is due, and why.
    pub(crate) fn deadline(&self) -> (Mono, Reason) {
        match self.state {
            State::Away { retry_at } => (retry_at, Reason::Connect),
            State::Open { look_at } => (look_at, Reason::Probe),
            State::Idle | State::Connecting => (Mono::NEVER, Reason::Connect),
        }
    }

    /// Whether there is nothing to wait for: every unit was read, or there is no bus to read them from.
    pub(crate) fn is_settled(&self) -> bool {
        self.synced || self.tries > 0 || self.state == State::Idle
    }
}
