//! From readings to a verdict: enough in a row change it, too many changes are flapping.
//!
//! A streak of readings that speak against the verdict decides after `fall` or `rise` of them, and by the mildest of
//! them. Bad readings and such as say nothing (a probe that can't run) end each other's streak as little as they count
//! for it: only a good one does, so that a check which fails and can't be looked at by turns does not stay up. A check
//! that says nothing from the start tells that once, with why. Six changes within 10 minutes are flapping, until 5 minutes without a change. Until a fresh process has
//! passed once its failures count as no verdict.

use super::pace::Pace;
use super::slot::Slot;
use super::{Limits, Reading, Side, Sight, Voice};
use picket_proto::event::{self, Cause, Verdict, VerdictChanged};
use picket_proto::{Mono, Span, Text};

/// So many changes within [`FLAP_WINDOW`] are flapping: three full ups and downs, which no single fault makes.
pub(super) const FLAPS: usize = 6;
/// 10 minutes: three failures in less are not three independent ones.
const FLAP_WINDOW: Span = Span::from_secs(600);
/// 5 minutes without a change end it: half the window, so that it can't end and begin within one.
const CALM: Span = Span::from_secs(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Better,
    Worse,
    Blind,
}

/// Readings in a row that speak against the verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streak {
    /// Better, or worse; worse also where all of them say nothing so far.
    pub(super) way: Way,
    pub(super) count: u8,
    /// Readings beside those that say nothing.
    blind: u8,
    /// The mildest change that all of them agree on.
    pub(super) to: Verdict,
    pub(super) first: Mono,
}

impl Slot {
    /// What one reading alone would say, and why it is not good.
    fn weigh(&self, reading: Reading) -> (Verdict, Option<Cause>) {
        match (reading, self.spec.limits) {
            (Reading::Good | Reading::Room { .. }, _) | (Reading::Level(_), None) => (Verdict::Up, None),
            (Reading::Bad(cause), _) if says_nothing(cause) => (Verdict::Unknown, Some(cause)),
            (Reading::Poor(cause), _) => (Verdict::Degraded, Some(cause)),
            (Reading::Bad(cause), _) => (Verdict::Down, Some(cause)),
            (Reading::Level(level), Some(limits)) => weigh_level(level, limits),
        }
    }

    /// Takes a reading, and what is to be expected by it: the worse of the two counts, and of two alike what comes.
    pub(super) fn read(
        &mut self,
        now: Mono,
        (reading, coming): (Reading, Option<(Verdict, Cause)>),
        voice: Voice<'_>,
    ) -> Option<Sight> {
        let is = self.weigh(reading);
        let coming = coming.filter(|(class, _)| *class >= is.0);
        let (class, cause) = coming.map_or(is, |(class, cause)| (class, Some(cause)));
        if self.puts_off(now, reading, class) {
            return None;
        }
        let sight = self.sight(now, class, cause);
        let is_blind = self.is_blind_now(class);
        (self.cause, self.last) = (cause, Some((now, reading)));
        if let Some(first) = self.judge(now, class) {
            if self.pace == Pace::Steady {
                self.flip(now);
            }
            self.say(now, first, voice);
        } else if is_blind {
            let since = self.since;
            self.tell(now.since(since), Verdict::Unknown, voice);
        } else {
            self.say(now, now, voice);
        }
        self.explain = self.wants_words(now, class);
        self.pace_on(now, sight);
        sight
    }

    fn sight(&mut self, now: Mono, class: Verdict, cause: Option<Cause>) -> Option<Sight> {
        if !self.spec.proves() {
            return None;
        }
        match (class, cause) {
            (Verdict::Up | Verdict::Degraded, _) => {
                (self.bad, self.withheld) = (0, 0);
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
        self.spec.proves() && matches!(self.pace, Pace::Ramp(_)) && self.good_at.is_none()
    }

    /// Counts a reading; when that changes the verdict, answers when the first of the deciding readings came.
    fn judge(&mut self, now: Mono, class: Verdict) -> Option<Mono> {
        let is_known = class == self.base && class != Verdict::Unknown;
        if is_known || (self.in_grace() && class != Verdict::Up) {
            self.streak = None;
            return None;
        }
        let way = way_of(self.base, class);
        let streak = Streak::on(self.streak, (way, class), now);
        let enough = match (way, self.base) {
            (Way::Better, Verdict::Unknown) => 1,
            (Way::Better, _) => self.spec.rise,
            (Way::Worse | Way::Blind, _) => self.spec.fall,
        };
        let to = match way {
            Way::Better => (streak.count >= enough).then_some(streak.to),
            // What was withheld said the same.
            Way::Worse => (streak.count.saturating_add(self.withheld) >= enough).then_some(streak.to),
            Way::Blind => {
                (streak.blind >= enough && self.base != Verdict::Unknown).then_some(Verdict::Unknown)
            }
        };
        self.streak = Some(streak).filter(|_| to.is_none());
        self.base = to.unwrap_or(self.base);
        to.map(|_| streak.first)
    }

    /// Whether this reading, which says nothing, is the one after which that is worth a word: nothing is known yet.
    fn is_blind_now(&self, class: Verdict) -> bool {
        let before = self.streak.map_or(0, |streak| streak.blind);
        class == Verdict::Unknown
            && !self.blind
            && (self.base, self.told) == (Verdict::Unknown, Verdict::Unknown)
            && !self.in_grace()
            && before.checked_add(1) == Some(self.spec.fall)
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

    /// Why it is what is told. A reading that alone would be worse than the verdict is held against the limit that the
    /// verdict is about.
    fn cause_of(&self, told: Verdict) -> Option<Cause> {
        match (told, self.last, self.spec.limits) {
            (Verdict::Up, _, _) => None,
            (Verdict::Degraded, _, _)
                if matches!(self.cause, Some(Cause::Filling { .. } | Cause::Unusual { .. })) =>
            {
                self.cause
            }
            (Verdict::Degraded, Some((_, Reading::Level(level))), Some(limits)) => {
                Some(beyond(level, limits.degraded, limits.bad))
            }
            (Verdict::Unknown | Verdict::Degraded | Verdict::Flapping | Verdict::Down, _, _) => self.cause,
        }
    }

    pub(super) fn say_it(&mut self, now: Mono, first: Mono, to: Verdict, voice: Voice<'_>) {
        if to == self.told {
            return;
        }
        self.tell(now.since(first), to, voice);
        self.told = to;
        self.since = now;
    }

    /// Why it is what was told, for those who were not told then: as it was read last, where that speaks of it.
    pub fn why(&self) -> Option<Cause> {
        let is_blind = self.cause.is_some_and(says_nothing);
        match self.told {
            Verdict::Up => None,
            Verdict::Unknown => self.cause.filter(|_| self.blind && is_blind),
            Verdict::Degraded | Verdict::Flapping | Verdict::Down => {
                self.cause_of(self.told).filter(|_| !is_blind)
            }
        }
    }

    fn tell(&mut self, after: Span, to: Verdict, voice: Voice<'_>) {
        self.blind = to == Verdict::Unknown;
        let cause = self.cause_of(to);
        let change = VerdictChanged {
            check: self.spec.name.clone(),
            kind: self.spec.kind,
            service: voice.owner.cloned(),
            from: self.told,
            to,
            cause,
            after,
            said: if to == Verdict::Up { Text::default() } else { Text::new(voice.said) },
        };
        voice.out.tell(event::Fact::Verdict(change));
    }
}

/// Whether a reading with this cause says nothing of what is watched: its probe can't run, or its plugin can't tell.
const fn says_nothing(cause: Cause) -> bool {
    matches!(cause, Cause::Local(_) | Cause::Plugin(3..))
}

pub(super) fn weigh_level(level: i64, limits: Limits) -> (Verdict, Option<Cause>) {
    let has_reached = |limit| match limits.bad {
        Side::Above => level >= limit,
        Side::Below => level <= limit,
    };
    if has_reached(limits.down) {
        (Verdict::Down, Some(beyond(level, limits.down, limits.bad)))
    } else if has_reached(limits.degraded) {
        (Verdict::Degraded, Some(beyond(level, limits.degraded, limits.bad)))
    } else {
        (Verdict::Up, None)
    }
}

/// In the words that the oldest readers know, where they can say it.
fn beyond(level: i64, limit: i64, bad: Side) -> Cause {
    match (bad, u32::try_from(level), u32::try_from(limit)) {
        (Side::Above, Ok(level), Ok(limit)) => Cause::Above { level, limit },
        (Side::Above | Side::Below, _, _) => Cause::Beyond { level, limit },
    }
}

pub(super) fn way_of(base: Verdict, class: Verdict) -> Way {
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

impl Streak {
    /// The streak with one more reading, which speaks against the verdict.
    fn on(streak: Option<Self>, (way, class): (Way, Verdict), now: Mono) -> Self {
        let new = Self { way, count: 0, blind: 0, to: class, first: now };
        let goes_on = |old: &Self| (old.way == Way::Better) == (way == Way::Better);
        let old = streak.filter(goes_on).unwrap_or(new);
        let count = old.count.saturating_add(1);
        match way {
            Way::Better => Self { way, count, to: old.to.max(class), ..old },
            Way::Worse if old.count == 0 => Self { way, count, to: class, ..old },
            Way::Worse => Self { way, count, to: old.to.min(class), ..old },
            Way::Blind => Self { way: Way::Worse, blind: old.blind.saturating_add(1), ..old },
        }
    }
}

/// Whole seconds; 136 years fit.
fn in_seconds(at: Mono) -> u32 {
    u32::try_from(at.micros() / 1_000_000).unwrap_or(u32::MAX)
}
