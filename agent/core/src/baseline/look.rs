//! When to look, and when to write what was learned.
//!
//! At rest ports and mounts are listed every minute, which tells nobody when they change (mounts do), and units every
//! ten; what stirs is looked at after 300 ms, but no more than every 2 s. While something is gone and not told, or
//! changed just now, all is listed a few times per settling time, or every 5 s where that is a long wait.

use super::{Baseline, Order, Rules};
use picket_proto::{Mono, Span};

/// Between two looks at rest.
const REST: Span = Span::from_secs(60);
/// Of so many looks at rest one lists the units, whose changes stir.
const UNITS_EVERY: u16 = 10;
/// After a stir: what follows it within that is seen by the same look.
const STIR: Span = Span::from_millis(300);
/// Between two looks that a stir asked for: a listing costs systemd some milliseconds.
const LEAST: Span = Span::from_secs(2);
/// Between two looks while something is waited for.
const WAITING: Span = Span::from_secs(5);
/// Between two looks while the state settles, at most.
const SETTLING: Span = Span::from_secs(1);
/// What was learned may wait so long for the disk; a loss does not wait.
const LEARNED: Span = Span::from_secs(10);

/// How soon the next look is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Rest,
    Waiting,
    Settling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle { due: Mono },
    Wanted,
    Out,
}

/// The looks.
#[derive(Debug)]
pub(super) struct Looks {
    state: State,
    /// When the last one was over.
    last: Mono,
    /// Something stirred since the one that is out began.
    stirred: bool,
    /// Whether the next one lists the units.
    units: bool,
    rests: u16,
}

impl Looks {
    pub(super) const fn new() -> Self {
        let state = State::Idle { due: Mono::NEVER };
        Self { state, last: Mono::from_micros(0), stirred: false, units: true, rests: 0 }
    }

    pub(super) fn at(&mut self, due: Mono) {
        self.state = State::Idle { due };
    }

    pub(super) fn stirred(&mut self, now: Mono) {
        match &mut self.state {
            State::Idle { due } => {
                self.units = true;
                *due = (*due).min(now.plus(STIR).max(self.last.plus(LEAST)));
            }
            State::Wanted | State::Out => self.stirred = true,
        }
    }

    pub(super) fn due(&mut self, now: Mono) {
        if matches!(self.state, State::Idle { due } if due <= now) {
            self.state = State::Wanted;
        }
    }

    pub(super) fn next(&mut self, units: bool) -> Option<Order> {
        if self.state != State::Wanted {
            return None;
        }
        self.state = State::Out;
        Some(Order::Look { units: units && core::mem::take(&mut self.units) })
    }

    /// One is over; the next comes after `pace`.
    pub(super) fn over(&mut self, now: Mono, (pace, rules): (Pace, Rules)) {
        let wait = match pace {
            Pace::Rest => REST.min(rules.learn),
            Pace::Waiting => WAITING.min(rules.packages).min(rules.settle.times(2)),
            Pace::Settling => SETTLING.min(Span::from_micros(rules.settle.micros() / 3)),
        };
        self.rests = if pace == Pace::Rest { self.rests + 1 } else { 0 };
        self.units = pace != Pace::Rest || self.rests >= UNITS_EVERY;
        if self.units {
            self.rests = 0;
        }
        (self.state, self.last) = (State::Idle { due: now.plus(wait) }, now);
        if core::mem::take(&mut self.stirred) {
            self.stirred(now);
        }
    }

    pub(super) const fn deadline(&self) -> Mono {
        match self.state {
            State::Idle { due } => due,
            State::Wanted | State::Out => Mono::NEVER,
        }
    }
}

impl Baseline<'_> {
    /// Does not wait any longer with what was learned: the agent ends.
    pub(crate) fn keep_in_time(&mut self, now: Mono) {
        self.keep.hurry(now);
    }

    /// How soon to look again.
    pub(super) fn pace(&self, now: Mono) -> Pace {
        if now.since(self.changed) < self.rules.settle {
            Pace::Settling
        } else if self.things().any(|thing| thing.is_untold() && !thing.may_wait()) {
            Pace::Waiting
        } else {
            Pace::Rest
        }
    }
}

/// Whether the file is behind.
#[derive(Debug, Default)]
pub(super) struct Keep {
    due: Option<Mono>,
}

impl Keep {
    pub(super) fn soon(&mut self, now: Mono) {
        self.due = self.due.or_else(|| Some(now.plus(LEARNED)));
    }

    pub(super) fn hurry(&mut self, now: Mono) {
        self.due = self.due.map(|_| now);
    }

    pub(super) const fn at_once(&mut self, now: Mono) {
        self.due = Some(now);
    }

    pub(super) fn is_due(&mut self, now: Mono) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }

    pub(super) fn deadline(&self) -> Mono {
        self.due.unwrap_or(Mono::NEVER)
    }
}
