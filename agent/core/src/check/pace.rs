//! When to look again: every interval, faster after a start, evenly while a recovery is watched.
//!
//! Probes of one check never overlap: while one is out nothing is due, and one that is answered late keeps its phase.
//! After a start the waits grow from 5 ms to 500 ms until a probe passes, and never beyond the interval.
//!
//! A wake-up costs more than a probe, so whenever the agent is awake the probes of the regular pace go out that are due
//! soon: within half their interval, 5 s at most, or within an eighth where a probe is a program or asks another, which
//! should not come in crowds. So many a wake-up at most, or it would keep the loop. None is later for it, and the phase
//! stays.

use super::slot::Slot;
use super::{Reading, Sight};
use crate::shelf::Place;
use picket_proto::event::{Cause, CheckKind, Verdict};
use picket_proto::{Mono, Span};

/// From one probe to the next after a start, milliseconds. A server that listens within 5 ms is seen within 10, and
/// one that takes a minute costs two probes a second.
const RAMP: [u64; 7] = [5, 10, 20, 50, 100, 200, 500];
/// Shortest time between probes while a recovery is watched.
const WATCH_MIN: Span = Span::from_millis(20);

/// The part of its interval by which a probe of the regular pace may go out early, and the most. At rest waking up is
/// what costs: 0.4 to 1.5 ms of a core each time, with caches that others have filled, whatever is then done, and a probe of
/// the host's own 0.03. Half an interval: 50 checks every second wake the agent three times in it and not eleven times.
const EARLY: (u64, Span) = (2, Span::from_secs(5));
/// The same for what costs much more than a wake-up: programs, and pages of other hosts.
const EARLY_DEAR: (u64, Span) = (8, Span::from_millis(1250));
/// So many probes go out early after one timer, 1 to 2 ms of work: a death that comes meanwhile waits for them.
pub(super) const EARLY_MOST: u8 = 32;

/// For systemd's word on a process that is gone a check waits so long, so many times: within 5 s all units are read.
const WITHHELD_FOR: Span = Span::from_secs(1);
const WITHHELD_MOST: u8 = 6;

/// By how much an answer or a deadline must be late to tell of a pause: ten times what a loaded host makes of it.
pub(crate) const LATE: Span = Span::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flight {
    /// No probe is out.
    Home,
    /// A probe is out.
    Asked,
    /// A probe is out, since the answer before it came too late to tell anything: this one counts in any case.
    Again,
    /// A probe is out, about a process that is gone by now.
    Stale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Every interval.
    Steady,
    /// After a start: fast, slowing down, until it passes. Failures are no verdict yet.
    Ramp(u8),
    /// While a recovery is watched: every so many milliseconds.
    Watch(u32),
    /// Never, until its service runs again.
    Rest,
}

impl Slot {
    pub(super) fn interval(&self) -> Span {
        self.spec.interval.max(Span::from_millis(1))
    }

    /// Sets when to look again after an answer.
    pub(super) fn pace_on(&mut self, now: Mono, sight: Option<Sight>) {
        let good = matches!(sight, Some(Sight::FirstPass | Sight::Passes));
        match self.pace {
            Pace::Ramp(_) if good && matches!(self.base, Verdict::Up | Verdict::Degraded) => {
                self.pace = Pace::Steady;
                self.beat = now;
                self.due = now.plus(self.interval());
            }
            Pace::Ramp(step) => {
                let wait = Span::from_millis(RAMP[usize::from(step).min(RAMP.len() - 1)]);
                self.due = now.plus(wait.min(self.interval()));
                self.pace = Pace::Ramp(if good { 0 } else { step.saturating_add(1) });
            }
            Pace::Watch(ms) => self.due = now.plus(Span::from_millis(u64::from(ms)).min(self.interval())),
            Pace::Rest => self.due = Mono::NEVER,
            Pace::Steady => {
                let missed = now.since(self.beat).micros() / self.interval().micros();
                self.beat = self.beat.plus(self.interval().times(missed));
                self.due = self.beat.plus(self.interval());
            }
        }
    }

    /// Until when an answer that is out tells of what was asked.
    pub(super) fn answer_by(&self) -> Mono {
        self.asked.plus(self.spec.timeout).plus(LATE)
    }

    /// Takes the probe home: whether its answer is worthless. An answer that took more than a second longer than it
    /// may was held up by a pause of the agent or of the whole host, not by what was probed. But a second one in a
    /// row counts, or a host that is always slow would never be judged.
    pub(super) fn is_worthless(&mut self, now: Mono) -> bool {
        let is_late = self.flight == Flight::Asked && now > self.answer_by();
        let is_stale = self.flight == Flight::Stale;
        self.flight = Flight::Home;
        self.late = is_late;
        is_late || is_stale
    }

    /// From when on a probe may go out, if the agent is awake anyway.
    pub(super) fn ripe(&self) -> Mono {
        let (part, most) = if self.is_dear() { EARLY_DEAR } else { EARLY };
        let early = match self.pace {
            Pace::Steady if self.withheld == 0 => {
                Span::from_micros(self.interval().micros() / part).min(most)
            }
            Pace::Steady | Pace::Ramp(_) | Pace::Watch(_) | Pace::Rest => Span::ZERO,
        };
        Mono::from_micros(self.due.micros().saturating_sub(early.micros()))
    }

    /// Whether its probe is a program, or makes another one work for it.
    const fn is_dear(&self) -> bool {
        match self.spec.kind {
            CheckKind::Exec
            | CheckKind::Http
            | CheckKind::Tls
            | CheckKind::Metric
            | CheckKind::Log
            | CheckKind::Job
            | CheckKind::Backup
            | CheckKind::Container => true,
            CheckKind::Process
            | CheckKind::Tcp
            | CheckKind::Cpu
            | CheckKind::Memory
            | CheckKind::Load
            | CheckKind::Space
            | CheckKind::Expires
            | CheckKind::File
            | CheckKind::Pressure
            | CheckKind::Swap
            | CheckKind::Inodes
            | CheckKind::Mount
            | CheckKind::Net
            | CheckKind::Temperature => false,
        }
    }

    /// A probe goes out, maybe before it is due: the next one keeps to when this one was.
    pub(super) fn ask(&mut self, now: Mono) {
        if self.pace == Pace::Steady && self.due > now {
            self.beat = self.due;
        }
        self.flight = if self.late { Flight::Again } else { Flight::Asked };
        (self.asked, self.due) = (now, Mono::NEVER);
    }

    /// It is not probed until its service runs again, and nothing is known of it.
    pub(super) fn suspend(&mut self, now: Mono) {
        self.distrust_flight();
        self.withheld = 0;
        (self.pace, self.due) = (Pace::Rest, Mono::NEVER);
        (self.base, self.cause, self.streak, self.bad) = (Verdict::Unknown, None, None, 0);
        self.blind = false;
        if self.told != Verdict::Unknown {
            (self.told, self.since) = (Verdict::Unknown, now);
        }
    }

    /// Whether the answer that comes now can wait for another's word.
    pub(super) fn may_withhold(&self, now: Mono) -> bool {
        let is_timely = matches!(self.flight, Flight::Asked | Flight::Again) && now <= self.answer_by();
        let is_one = self.place == Place::Taken && self.spec.kind == CheckKind::Process;
        is_one && is_timely && self.withheld < WITHHELD_MOST
    }

    /// It does, and the next look comes soon.
    pub(super) fn withhold(&mut self, now: Mono, reading: Reading) {
        self.flight = Flight::Home;
        self.withheld += 1;
        // No verdict, but a doubt: nothing is proven by what passed before.
        (self.bad, self.cause) = (self.bad.max(1), Some(Cause::NoProcess));
        self.last = Some((now, reading));
        self.due = if self.pace == Pace::Rest { Mono::NEVER } else { now.plus(WITHHELD_FOR) };
    }

    /// An answer that is still out tells of the past.
    pub(super) fn distrust_flight(&mut self) {
        if matches!(self.flight, Flight::Asked | Flight::Again) {
            self.flight = Flight::Stale;
        }
    }

    pub(super) fn look_at(&mut self, when: Mono) {
        if self.pace == Pace::Rest {
            return;
        }
        self.beat = when;
        self.due = if self.flight == Flight::Home { when } else { Mono::NEVER };
    }

    /// A recovery is watched: at least four looks within `hold`, none sooner than 20 ms after the last.
    pub(super) fn watch(&mut self, now: Mono, hold: Span) {
        if self.pace == Pace::Rest {
            return;
        }
        let every = Span::from_micros(hold.micros() / 4).max(WATCH_MIN);
        self.pace = Pace::Watch(u32::try_from(every.millis()).unwrap_or(u32::MAX));
        self.look_at(now.plus(every.min(self.interval())));
    }

    /// Back to every interval.
    pub(super) fn relax(&mut self, now: Mono) {
        if self.pace == Pace::Rest {
            return;
        }
        self.pace = Pace::Steady;
        self.look_at(now.plus(self.interval()));
    }
}
