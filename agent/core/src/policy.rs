//! Remedies: how often, and when to rest.
//!
//! Times are [`Mono`], so that no clock step of a host without NTP freezes a budget. Nothing here retries for ever
//! and nothing gives up for ever: a breaker opens, rests, and tries once. Which service, and what is done, is the
//! [`crate::service`] room's.

mod kept;

pub(crate) use kept::{KeptBudget, KeptDeaths};

use heapless::Deque;
use picket_proto::event::{Cause, Exit};
use picket_proto::{Mono, Span};

use crate::check::CheckIx;
use crate::timer::Dice;

/// Most remedies that a budget can remember; a larger budget counts as this. 32 restarts in one window are no
/// supervision any more, and 256 bytes per service are what that memory may cost.
pub const BUDGET_MAX: usize = 32;
/// Most doublings of a breaker's rest: 2^8 tries of a minute are four hours, which [`REST_MAX`] cuts anyway.
const DOUBLINGS_MAX: u8 = 8;
/// Longest rest, unless the configuration's own is longer: an hour, so that a cause that someone removed at noon
/// does not keep a service down till the evening.
const REST_MAX: Span = Span::from_secs(3600);

/// When the latest remedies began.
#[derive(Debug, Default)]
pub(crate) struct Budget(Deque<Mono, BUDGET_MAX>);

impl Budget {
    /// Whether one more remedy is allowed: fewer than `allowed` began within the last `window`.
    pub(crate) fn allows(&self, now: Mono, allowed: u16, window: Span) -> bool {
        usize::from(self.spent(now, window)) < usize::from(allowed).min(BUDGET_MAX)
    }

    /// How many remedies began within the last `window`.
    pub(crate) fn spent(&self, now: Mono, window: Span) -> u16 {
        self.0.iter().fold(0, |spent, began| spent + u16::from(now.since(*began) < window))
    }

    /// After what time one more is allowed; nothing where it is now.
    pub(crate) fn again(&self, now: Mono, allowed: u16, window: Span) -> Span {
        let behind = usize::from(allowed).min(BUDGET_MAX);
        let oldest = self.0.len().checked_sub(behind).and_then(|at| self.0.iter().nth(at));
        oldest.map_or(Span::ZERO, |began| began.plus(window).since(now))
    }

    /// A remedy begins.
    pub(crate) fn spend(&mut self, now: Mono) {
        if self.0.is_full() {
            self.0.pop_front();
        }
        let _there_is_room_now = self.0.push_back(now);
    }

    /// None of them counts any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The latest was none.
    pub(crate) fn take_back(&mut self) {
        self.0.pop_back();
    }
}

/// The gist of words that did not come, or of none: a journal may be late.
const UNHEARD: u32 = 0;

/// What makes two deaths the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    /// The same exit after the same words, by their gist; [`UNHEARD`] where there were none in time.
    Exit(Exit, u32),
    /// The same check for the same cause.
    Check(CheckIx, Cause),
}

/// Deaths in a row, and how many of them were the same.
#[derive(Debug, Default)]
pub(crate) struct Deaths {
    last: Option<Signature>,
    same: u16,
    unexplained: Option<(u32, Exit)>,
}

impl Deaths {
    /// A process ended; its last words are still to come, unless they would tell nothing.
    pub(crate) fn ended(&mut self, pid: u32, exit: Exit) {
        self.explain_without_words();
        if exit.is_from_outside() {
            // What stands last in a log when a signal comes is chance.
            self.count(Signature::Exit(exit, UNHEARD));
        } else {
            self.unexplained = Some((pid, exit));
        }
    }

    /// The last words of `pid`, if they were waited for.
    pub(crate) fn explained(&mut self, pid: u32, words: &str) {
        if let Some((dead, exit)) = self.unexplained
            && dead == pid
        {
            self.unexplained = None;
            self.count(Signature::Exit(exit, if words.is_empty() { UNHEARD } else { gist(words) }));
        }
    }

    /// Whether the last death still waits for its words.
    pub(crate) const fn waits(&self) -> bool {
        self.unexplained.is_some()
    }

    /// The words did not come in time: the exit alone must tell.
    pub(crate) fn explain_without_words(&mut self) {
        if let Some((_, exit)) = self.unexplained.take() {
            self.count(Signature::Exit(exit, UNHEARD));
        }
    }

    /// A check made an end of it.
    pub(crate) fn failed(&mut self, check: CheckIx, cause: Cause) {
        self.explain_without_words();
        self.count(Signature::Check(check, alike(cause)));
    }

    /// All checks passed: what comes next is another death.
    pub(crate) fn passed(&mut self) {
        *self = Self::default();
    }

    /// How many in a row were the same.
    pub(crate) const fn same(&self) -> u16 {
        self.same
    }

    fn count(&mut self, death: Signature) {
        let same = self.last.and_then(|last| last.joined(death));
        self.same = if same.is_some() { self.same.saturating_add(1) } else { 1 };
        self.last = same.or(Some(death));
    }
}

impl Signature {
    /// Both as one, if they may be the same: words that were not heard may have been any.
    fn joined(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Exit(one, UNHEARD), Self::Exit(exit, gist))
            | (Self::Exit(exit, gist), Self::Exit(one, UNHEARD))
                if one == exit =>
            {
                Some(Self::Exit(exit, gist))
            }
            (one, other) => (one == other).then_some(one),
        }
    }
}

/// Causes that differ only in a number that moves are one cause.
const fn alike(cause: Cause) -> Cause {
    match cause {
        Cause::Above { limit, .. } => Cause::Above { level: 0, limit },
        Cause::Beyond { limit, .. } => Cause::Beyond { level: 0, limit },
        Cause::TooFew { wanted, .. } => Cause::TooFew { found: 0, wanted },
        Cause::TooSmall { wanted, .. } => Cause::TooSmall { bytes: 0, wanted },
        Cause::Refused
        | Cause::TimedOut
        | Cause::Unreachable
        | Cause::Closed
        | Cause::Mismatch
        | Cause::Status(_)
        | Cause::Unresolved
        | Cause::Tls
        | Cause::NoProcess
        | Cause::Frozen
        | Cause::Stuck
        | Cause::Local(_)
        | Cause::Plugin(_)
        | Cause::Absent
        | Cause::Present
        | Cause::ReadOnly
        | Cause::NoLink
        | Cause::Ended(_)
        | Cause::Overdue
        | Cause::Unhealthy => cause,
        Cause::Filling { .. } => Cause::Filling { left: 0, rate: 0, grown: 0 },
        Cause::Unusual { .. } => Cause::Unusual { level: 0, usual: 0, lasts: 0 },
    }
}

/// A hash of a line in which every run of digits counts as one `#`: times, process ids and ports move from death to
/// death. FNV-1a, 32 bits: it only has to tell apart the few lines that one service dies with.
/// Never [`UNHEARD`].
fn gist(line: &str) -> u32 {
    let mut hash = 0x811C_9DC5_u32;
    let mut in_digits = false;
    for byte in line.bytes() {
        let digit = byte.is_ascii_digit();
        if !(digit && in_digits) {
            let told = if digit { b'#' } else { byte };
            hash = (hash ^ u32::from(told)).wrapping_mul(0x0100_0193);
        }
        in_digits = digit;
    }
    hash.max(UNHEARD + 1)
}

/// A service's breaker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Breaker {
    /// How often it opened without a remedy that held.
    openings: u8,
}

impl Breaker {
    /// Whether it has opened and not closed since.
    pub(crate) const fn is_closed(self) -> bool {
        self.openings == 0
    }

    /// Opens it: how long to rest. Each time twice as long, with the jitter of every wait.
    pub(crate) fn open(&mut self, first: Span, dice: &mut Dice) -> Span {
        let rest = first.times(1 << self.openings.min(DOUBLINGS_MAX)).min(REST_MAX.max(first));
        self.openings = self.openings.saturating_add(1);
        dice.around(rest, 25)
    }

    /// A remedy held.
    pub(crate) fn close(&mut self) {
        self.openings = 0;
    }
}

#[cfg(test)]
mod tests;
