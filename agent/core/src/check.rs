//! Checks: from what a probe saw to what the check's history says, and when to look again.
//!
//! A verdict changes after `fall` or `rise` readings in a row, so that one lost packet is no failure; from Unknown
//! the first good reading is enough, since nothing speaks against it. A process check goes down at once when the
//! process ends. Probes of one check never overlap: a slow one delays the next, and an answer about a process that
//! is gone by now is thrown away. What to do about a verdict is not decided here.

use crate::timer::{self, Dice, Seat, Timed};
use heapless::Vec;
use picket_proto::event::{self, Cause, CheckKind, Verdict, VerdictChanged};
use picket_proto::{Mono, Name, Span};

/// A check's place in the configuration; at most 1,024 by default.
pub type CheckIx = u16;

/// What one check is. Parsed and validated by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Unique among checks.
    pub name: Name,
    /// What it watches.
    pub kind: CheckKind,
    /// The service it belongs to.
    pub service: Option<u16>,
    /// From one probe to the next; 100 ms to 1 day. The first comes at a seeded random point of it.
    pub interval: Span,
    /// How long one probe may take; at most the interval.
    pub timeout: Span,
    /// Readings in a row that make it down; 1 to 10.
    pub fall: u8,
    /// Readings in a row that make it up again; 1 to 10.
    pub rise: u8,
    /// For kinds that read a level: from where it is degraded and from where it is down, in the kind's unit.
    pub limits: Option<Limits>,
}

/// Limits of a level. A level at or above one has reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From here on the check is degraded.
    pub degraded: u32,
    /// From here on it is down; above `degraded`.
    pub down: u32,
}

/// What a probe saw. Thresholds are not its business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad(Cause),
    /// A level in the kind's unit.
    Level(u32),
}

/// A probe's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Which check.
    pub check: CheckIx,
    /// What was seen.
    pub reading: Reading,
}

/// Run this check's probe once and answer within its timeout. One at a time per check: no second comes before the
/// answer to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Which check.
    pub check: CheckIx,
}

/// One check with all that is remembered of it.
#[derive(Debug)]
pub struct Slot {
    spec: Spec,
    /// When to probe; never while an answer is awaited.
    due: Mono,
    /// The last due time of the regular pace: keeps the check's phase when an answer takes long.
    beat: Mono,
    /// The last good reading since its service started.
    good_at: Option<Mono>,
    /// Since when it is what was told.
    since: Mono,
    streak: Option<Streak>,
    /// Why the last reading was bad; nothing after a good one.
    cause: Option<Cause>,
    pace: Pace,
    /// The latest changes in whole seconds, newest first.
    flips: [u32; FLAPS],
    flipped: u8,
    seat: Seat,
    /// What the readings say.
    base: Verdict,
    /// What was told: the base, or that it flaps.
    told: Verdict,
    flight: Flight,
    /// Bad readings in a row.
    bad: u8,
}

/// So many changes within [`FLAP_WINDOW`] are flapping: three full ups and downs, which no single fault makes.
const FLAPS: usize = 6;
/// 10 minutes: three failures in less are not three independent ones.
const FLAP_WINDOW: Span = Span::from_secs(600);
/// 5 minutes without a change end it: half the window, so that it can't end and begin within one.
const CALM: Span = Span::from_secs(300);
/// From one probe to the next after a start, milliseconds. A server that listens within 5 ms is seen within 10, and
/// one that takes a minute costs two probes a second.
const RAMP: [u64; 7] = [5, 10, 20, 50, 100, 200, 500];
/// Shortest time between probes while a recovery is watched.
const WATCH_MIN: Span = Span::from_millis(20);

/// What a room tells: at most 8 facts from one call. The most that one brings is four (a process ends during the
/// hold: verdict, exit, outcome, and the breaker or the next remedy).
pub(crate) type Facts = Vec<event::Fact, 8>;

/// Adds a fact; see [`Facts`] for why there is room.
pub(crate) fn tell(out: &mut Facts, fact: event::Fact) {
    let kept = out.push(fact);
    debug_assert!(kept.is_ok(), "one call tells at most 8 facts");
}

/// Where a check's facts go, and the service that they name.
pub(crate) struct Voice<'a> {
    /// The name of the service that the check belongs to.
    pub(crate) owner: Option<&'a Name>,
    /// The facts so far.
    pub(crate) out: &'a mut Facts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flight {
    /// No probe is out.
    Home,
    /// A probe is out.
    Asked,
    /// A probe is out, about a process that is gone by now.
    Stale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Every interval.
    Steady,
    /// After a start: fast, slowing down, until it passes. Failures are no verdict yet.
    Ramp(u8),
    /// While a recovery is watched: every so many milliseconds.
    Watch(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Better,
    Worse,
    Blind,
}

/// Readings in a row that speak against the verdict.
#[derive(Debug, Clone, Copy)]
struct Streak {
    way: Way,
    count: u8,
    /// The mildest change that all of them agree on.
    to: Verdict,
    first: Mono,
}

/// What a reading means for the check's service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The first good one since the start.
    FirstPass,
    /// A good one.
    Passes,
    /// A bad one, which is not enough to say that it fails.
    Doubt,
    /// Enough bad ones in a row.
    Fails(Cause),
}

/// A reading of a service's check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Which check.
    pub(crate) check: CheckIx,
    /// Which service.
    pub(crate) service: u16,
    /// What it means.
    pub(crate) sight: Sight,
}

impl Slot {
    /// A check of which nothing is known yet.
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            due: Mono::NEVER,
            beat: Mono::NEVER,
            good_at: None,
            since: Mono::NEVER,
            streak: None,
            cause: None,
            pace: Pace::Steady,
            flips: [0; FLAPS],
            flipped: 0,
            seat: Seat::default(),
            base: Verdict::Unknown,
            told: Verdict::Unknown,
            flight: Flight::Home,
            bad: 0,
        }
    }

    /// What it is.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// What was told of it last.
    pub fn verdict(&self) -> Verdict {
        self.told
    }

    /// Since when.
    pub fn since(&self) -> Mono {
        self.since
    }

    fn interval(&self) -> Span {
        self.spec.interval.max(Span::from_millis(1))
    }

    /// What one reading alone would say, and why it is not good.
    fn weigh(&self, reading: Reading) -> (Verdict, Option<Cause>) {
        match (reading, self.spec.limits) {
            (Reading::Good, _) | (Reading::Level(_), None) => (Verdict::Up, None),
            (Reading::Bad(cause @ Cause::Local(_)), _) => (Verdict::Unknown, Some(cause)),
            (Reading::Bad(cause), _) => (Verdict::Down, Some(cause)),
            (Reading::Level(level), Some(limits)) => weigh_level(level, limits),
        }
    }

    fn read(&mut self, now: Mono, reading: Reading, voice: Voice<'_>) -> Option<Sight> {
        let (class, cause) = self.weigh(reading);
        let sight = self.sight(now, class, cause);
        self.cause = cause;
        if let Some(first) = self.judge(now, class) {
            if self.pace == Pace::Steady {
                self.flip(now);
            }
            self.say(now, first, voice);
        } else {
            self.say(now, now, voice);
        }
        self.pace_on(now, sight);
        sight
    }

    fn sight(&mut self, now: Mono, class: Verdict, cause: Option<Cause>) -> Option<Sight> {
        match (class, cause) {
            (Verdict::Up | Verdict::Degraded, _) => {
                self.bad = 0;
                let before = self.good_at.replace(now);
                Some(if before.is_some() { Sight::Passes } else { Sight::FirstPass })
            }
            (Verdict::Down, Some(cause)) => {
                self.bad = self.bad.saturating_add(1);
                let enough = self.bad >= self.spec.fall && !self.in_grace();
                Some(if enough { Sight::Fails(cause) } else { Sight::Doubt })
            }
            (Verdict::Down, None) | (Verdict::Unknown | Verdict::Flapping, _) => None,
        }
    }

    fn in_grace(&self) -> bool {
        matches!(self.pace, Pace::Ramp(_)) && self.good_at.is_none()
    }

    /// Counts a reading; when that changes the verdict, answers when the first of the deciding readings came.
    fn judge(&mut self, now: Mono, class: Verdict) -> Option<Mono> {
        if class == self.base || (self.in_grace() && class != Verdict::Up) {
            self.streak = None;
            return None;
        }
        let way = way_of(self.base, class);
        let streak = match self.streak {
            Some(old) if old.way == way => {
                Streak { count: old.count.saturating_add(1), to: mildest(old, class), ..old }
            }
            Some(_) | None => Streak { way, count: 1, to: class, first: now },
        };
        let enough = match (way, self.base) {
            (Way::Better, Verdict::Unknown) => 1,
            (Way::Better, _) => self.spec.rise,
            (Way::Worse | Way::Blind, _) => self.spec.fall,
        };
        if streak.count < enough {
            self.streak = Some(streak);
            return None;
        }
        self.streak = None;
        self.base = streak.to;
        Some(streak.first)
    }

    fn flip(&mut self, now: Mono) {
        self.flips.rotate_right(1);
        self.flips[0] = in_seconds(now);
        self.flipped = self.flipped.saturating_add(1).min(FLAPS as u8);
    }

    /// Whether it changes too often: six changes begin it, a calm time ends it. The calm is noticed by the first
    /// reading after it, so it needs no timer of its own.
    fn flaps(&self, now: Mono) -> bool {
        let ago = |seconds: u32| in_seconds(now).saturating_sub(seconds);
        if self.told == Verdict::Flapping {
            return u64::from(ago(self.flips[0])) < CALM.secs();
        }
        usize::from(self.flipped) == FLAPS
            && u64::from(ago(self.flips[FLAPS - 1])) < FLAP_WINDOW.secs()
            && u64::from(ago(self.flips[0])) < CALM.secs()
    }

    /// Tells the verdict if it is another than before.
    fn say(&mut self, now: Mono, first: Mono, voice: Voice<'_>) {
        let to = if self.flaps(now) { Verdict::Flapping } else { self.base };
        self.say_it(now, first, to, voice);
    }

    fn say_it(&mut self, now: Mono, first: Mono, to: Verdict, voice: Voice<'_>) {
        if to == self.told {
            return;
        }
        let change = VerdictChanged {
            check: self.spec.name.clone(),
            kind: self.spec.kind,
            service: voice.owner.cloned(),
            from: self.told,
            to,
            cause: if to == Verdict::Up { None } else { self.cause },
            after: now.since(first),
        };
        self.told = to;
        self.since = now;
        tell(voice.out, event::Fact::Verdict(change));
    }

    /// Sets when to look again after an answer.
    fn pace_on(&mut self, now: Mono, sight: Option<Sight>) {
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
            Pace::Steady => {
                let missed = now.since(self.beat).micros() / self.interval().micros();
                self.beat = self.beat.plus(self.interval().times(missed));
                self.due = self.beat.plus(self.interval());
            }
        }
    }

    /// An answer that is still out tells of the past.
    fn distrust_flight(&mut self) {
        if self.flight == Flight::Asked {
            self.flight = Flight::Stale;
        }
    }

    fn look_at(&mut self, when: Mono) {
        self.beat = when;
        self.due = if self.flight == Flight::Home { when } else { Mono::NEVER };
    }
}

fn weigh_level(level: u32, limits: Limits) -> (Verdict, Option<Cause>) {
    if level >= limits.down {
        (Verdict::Down, Some(Cause::Above { level, limit: limits.down }))
    } else if level >= limits.degraded {
        (Verdict::Degraded, Some(Cause::Above { level, limit: limits.degraded }))
    } else {
        (Verdict::Up, None)
    }
}

fn way_of(base: Verdict, class: Verdict) -> Way {
    match (base, class) {
        (_, Verdict::Unknown) => Way::Blind,
        (Verdict::Unknown, Verdict::Up) => Way::Better,
        (Verdict::Unknown, _) => Way::Worse,
        (_, _) => {
            if class > base {
                Way::Worse
            } else {
                Way::Better
            }
        }
    }
}

fn mildest(streak: Streak, class: Verdict) -> Verdict {
    match streak.way {
        Way::Better => streak.to.max(class),
        Way::Worse => streak.to.min(class),
        Way::Blind => class,
    }
}

/// Whole seconds; 136 years fit.
fn in_seconds(at: Mono) -> u32 {
    u32::try_from(at.micros() / 1_000_000).unwrap_or(u32::MAX)
}

impl Timed for Slot {
    fn due(&self) -> Mono {
        self.due
    }
    fn seat(&mut self) -> &mut Seat {
        &mut self.seat
    }
    fn seated(&self) -> Seat {
        self.seat
    }
}

/// All checks.
pub(crate) struct Checks<'s> {
    slots: &'s mut [Slot],
    /// Facts that no check could have: another's number, or an answer that nobody asked for.
    refused: u32,
}

impl<'s> Checks<'s> {
    /// Takes the slots; more than 65,535 are left alone, since a [`CheckIx`] can't name them.
    pub(crate) fn new(slots: &'s mut [Slot]) -> Self {
        let named = slots.len().min(usize::from(CheckIx::MAX));
        let slots = &mut slots[..named];
        timer::seat_all(slots);
        Self { slots, refused: 0 }
    }

    /// Gives every check a random point of its interval.
    pub(crate) fn begin(&mut self, now: Mono, dice: &mut Dice) {
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            slot.since = now;
            slot.look_at(now.plus(dice.below(slot.interval())));
            timer::moved(self.slots, at);
        }
    }

    /// A probe's answer.
    pub(crate) fn on(&mut self, now: Mono, fact: Fact, voice: Voice<'_>) -> Option<Seen> {
        let at = usize::from(fact.check);
        let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.flight != Flight::Home) else {
            self.refused = self.refused.saturating_add(1);
            return None;
        };
        let stale = slot.flight == Flight::Stale;
        slot.flight = Flight::Home;
        let sight = if stale {
            slot.due = now;
            None
        } else {
            slot.read(now, fact.reading, voice)
        };
        let service = slot.spec.service;
        timer::moved(self.slots, at);
        Some(Seen { check: fact.check, service: service?, sight: sight? })
    }

    /// The next probe that is due.
    pub(crate) fn next_probe(&mut self, now: Mono) -> Option<Probe> {
        let (at, _due) = timer::first(self.slots).filter(|(_, due)| *due <= now && *due != Mono::NEVER)?;
        self.slots[at].flight = Flight::Asked;
        self.slots[at].due = Mono::NEVER;
        timer::moved(self.slots, at);
        CheckIx::try_from(at).ok().map(|check| Probe { check })
    }

    /// When the next probe is due.
    pub(crate) fn deadline(&self) -> Mono {
        timer::first(self.slots).map_or(Mono::NEVER, |(_, due)| due)
    }

    /// The service's process is new: its checks are probed at once, and until they pass they fail without verdict.
    pub(crate) fn started(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| {
            slot.distrust_flight();
            (slot.good_at, slot.bad, slot.streak) = (None, 0, None);
            slot.pace = Pace::Ramp(0);
            slot.look_at(now);
        });
    }

    /// The service's process was found alive: its checks are probed at once, and count.
    pub(crate) fn adopted(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| slot.look_at(now));
    }

    /// The service's process is gone: answers that are out are worthless.
    pub(crate) fn ended(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| {
            slot.distrust_flight();
            slot.pace = Pace::Steady;
            slot.look_at(now.plus(slot.interval()));
        });
    }

    /// The service's process ended by itself: its process check is down.
    pub(crate) fn died(&mut self, now: Mono, service: u16, voice: Voice<'_>) {
        self.ended(now, service);
        let Some(check) = self.process_of(service) else { return };
        let slot = &mut self.slots[usize::from(check)];
        (slot.base, slot.cause, slot.streak) = (Verdict::Down, Some(Cause::NoProcess), None);
        slot.bad = slot.bad.max(slot.spec.fall);
        slot.say_it(now, now, Verdict::Down, voice);
    }

    /// A recovery is watched: look at least four times within `hold`.
    pub(crate) fn watch(&mut self, now: Mono, service: u16, hold: Span) {
        let every = Span::from_micros(hold.micros() / 4).max(WATCH_MIN);
        let ms = u32::try_from(every.millis()).unwrap_or(u32::MAX);
        self.each_of(service, |slot| {
            slot.pace = Pace::Watch(ms);
            slot.look_at(now.plus(every.min(slot.interval())));
        });
    }

    /// Back to the regular pace; failures count.
    pub(crate) fn relax(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| {
            slot.pace = Pace::Steady;
            slot.look_at(now.plus(slot.interval()));
        });
    }

    /// The first check of the service whose last good reading is not from `since` on or was followed by a bad one.
    pub(crate) fn unproven(&self, service: u16, since: Mono) -> Option<(CheckIx, Cause)> {
        let of = (0..).zip(self.slots.iter()).filter(|(_, slot)| slot.spec.service == Some(service));
        let mut missing = of.filter(|(_, slot)| slot.bad > 0 || slot.good_at.is_none_or(|good| good < since));
        missing.next().map(|(at, slot)| (at, slot.cause.unwrap_or(Cause::TimedOut)))
    }

    /// The process check of the service.
    pub(crate) fn process_of(&self, service: u16) -> Option<CheckIx> {
        let of = |slot: &Slot| slot.spec.service == Some(service) && slot.spec.kind == CheckKind::Process;
        (0..).zip(self.slots.iter()).find(|(_, slot)| of(slot)).map(|(at, _)| at)
    }

    /// Whether the service has a check that looks at more than its process.
    pub(crate) fn looks_inside(&self, service: u16) -> bool {
        let of = |slot: &Slot| slot.spec.service == Some(service) && slot.spec.kind != CheckKind::Process;
        self.slots.iter().any(of)
    }

    /// One check, to look at.
    pub(crate) fn get(&self, check: CheckIx) -> Option<&Slot> {
        self.slots.get(usize::from(check))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u16 {
        u16::try_from(self.slots.len()).unwrap_or(u16::MAX)
    }

    /// How many facts were refused.
    pub(crate) const fn refused(&self) -> u32 {
        self.refused
    }

    fn each_of(&mut self, service: u16, mut change: impl FnMut(&mut Slot)) {
        for at in 0..self.slots.len() {
            if self.slots[at].spec.service == Some(service) {
                change(&mut self.slots[at]);
                timer::moved(self.slots, at);
            }
        }
    }
}

const _: () = assert!(size_of::<Slot>() <= 256);

#[cfg(test)]
mod tests;
