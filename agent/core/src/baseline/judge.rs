//! What is gone in the settled state: what goes together is one loss, and is told with what changed just before.

use super::{Baseline, Rules, Standing, Thing, Tracing};
use crate::facts::Facts;
use heapless::Vec;
use picket_proto::event::{self, Change, ChangeKind, Ended, Gone, LOST_MAX, Returned, Vanished};
use picket_proto::{Mono, Name, Now, Span, Text};

/// Most losses that are not over at a time, each of one act; of more the oldest is told no more, and its things are
/// still shown as missing.
pub(super) const LOSSES_MAX: usize = 6;
/// What changed earlier has nothing to do with it.
const WINDOW: Span = Span::from_secs(10 * 60);
/// A state that never comes to rest is judged all the same.
const SETTLE_MOST: Span = Span::from_secs(60);
/// How long a timer or a socket may be stopped.
const OVERSTAY: Span = Span::from_secs(15 * 60);
/// A program may take so many times as long to listen as the state to settle.
const SLOW: u64 = 10;

/// A loss that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Its number.
    pub number: u32,
    /// When the first of it was gone.
    pub since: Mono,
    /// What changed just before.
    pub change: Option<Change>,
    /// The thing that is named first.
    pub(super) name: Name,
    /// The service of the configuration that is part of it.
    pub(super) service: Option<Name>,
}

/// Something that changed lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// What kind of change.
    pub kind: ChangeKind,
    /// Which package or path.
    pub name: Text,
    /// How long ago.
    pub ago: Span,
}

impl Baseline<'_> {
    /// Looks for losses that are over and for new ones, where the state has settled.
    pub(super) fn judge(&mut self, now: Mono, out: &mut Facts) {
        if self.is_settled(now) {
            self.end_those_back(now, out);
            if self.tracing == Tracing::No && self.things.iter().any(|thing| is_due(thing, &self.rules, now))
            {
                self.tracing = Tracing::Wanted;
            }
        }
    }

    /// Whether the state is to be judged: nothing changes any more, and the package manager is done.
    fn is_settled(&self, now: Mono) -> bool {
        let first = self.things.iter().filter(|thing| thing.is_untold()).filter_map(gone_since).min();
        let is_late = first.is_some_and(|first| now.since(first) >= SETTLE_MOST.max(self.rules.settle));
        now.since(self.began) >= self.rules.learn
            && self.packages <= now
            && (now.since(self.changed) >= self.rules.settle || is_late)
    }

    /// What changed is known: what is gone is told.
    pub(super) fn traced(&mut self, now: Mono, traces: &[Trace], out: &mut Facts) {
        if core::mem::replace(&mut self.tracing, Tracing::No) != Tracing::Asked || !self.is_settled(now) {
            return;
        }
        let rules = self.rules;
        let lost = |thing: &&Thing| is_due(thing, &rules, now);
        let since = self.things.iter().filter(lost).filter_map(gone_since).min();
        let named = self.things.iter().filter(lost).min_by_key(|thing| (thing.kind, gone_since(thing)));
        let (Some(since), Some(name)) = (since, named.and_then(|thing| thing.name.clone())) else { return };
        let service = self.things.iter().filter(lost).find_map(|thing| thing.service().cloned());
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        for thing in self.things.iter_mut().filter(|thing| is_due(thing, &rules, now)) {
            thing.tell(number);
        }
        let change = change(now, since, traces);
        if self.losses.is_full() {
            self.losses.remove(0);
        }
        let _there_is_room_now = self.losses.push(Loss { number, since, change, name, service });
        self.tell(number, now, false, out);
        self.keep.at_once(now);
    }

    /// A session began: what stands is told again.
    pub(crate) fn tell_again(&self, now: Mono, out: &mut Facts) {
        for loss in &self.losses {
            self.tell(loss.number, now, true, out);
        }
    }

    fn tell(&self, number: u32, now: Mono, again: bool, out: &mut Facts) {
        let Some(loss) = self.losses.iter().find(|loss| loss.number == number) else { return };
        let own = || self.things.iter().filter(|thing| thing.told() == Some(number));
        let mut things: Vec<event::Lost, LOST_MAX> = Vec::new();
        // The one that is named first stands first, whatever its place.
        let is_first = |thing: &&Thing| thing.name.as_ref() == Some(&loss.name);
        let ordered = own().filter(is_first).chain(own().filter(|thing| !is_first(thing)));
        things.extend(ordered.filter_map(Thing::lost).take(LOST_MAX));
        let more = u16::try_from(own().count().saturating_sub(things.len())).unwrap_or(u16::MAX);
        let (service, change) = (loss.service.clone(), loss.change.clone());
        let since = now.since(loss.since);
        out.tell(event::Fact::Vanished(Vanished { number, again, things, more, service, change, since }));
    }

    fn end_those_back(&mut self, now: Mono, out: &mut Facts) {
        while let Some(at) = self
            .losses
            .iter()
            .position(|loss| !self.things.iter().any(|thing| thing.told() == Some(loss.number)))
        {
            let loss = self.losses.remove(at);
            tell_end(loss, now, (Ended::Back, ""), out);
            self.keep.at_once(now);
        }
    }

    /// What is gone should not be there any more, and what is there should.
    pub(super) fn accept(&mut self, now: Now, by: &str, out: &mut Facts) {
        for thing in self.things.iter_mut() {
            match thing.standing {
                Some(Standing::Gone { .. }) => *thing = Thing::default(),
                Some(Standing::Here | Standing::Resting) if thing.is_new() => thing.learned(now.wall),
                Some(Standing::Here | Standing::Resting) | None => {}
            }
        }
        for loss in core::mem::take(&mut self.losses) {
            tell_end(loss, now.mono, (Ended::Accepted, by), out);
        }
        self.tracing = Tracing::No;
        self.keep.at_once(now.mono);
    }
}

fn tell_end(loss: Loss, now: Mono, (ended, by): (Ended, &str), out: &mut Facts) {
    let Loss { number, name, service, since, .. } = loss;
    let after = now.since(since);
    let by = Text::new(by);
    out.tell(event::Fact::Returned(Returned { number, ended, name, service, by, after }));
}

fn gone_since(thing: &Thing) -> Option<Mono> {
    match thing.standing {
        Some(Standing::Gone { since, .. }) => Some(since),
        Some(Standing::Here | Standing::Resting) | None => None,
    }
}

/// Whether it is gone, was not told, and for long enough.
fn is_due(thing: &Thing, rules: &Rules, now: Mono) -> bool {
    let Some(Standing::Gone { gone, since, told: None }) = thing.standing else { return false };
    let wait = match gone {
        Gone::NoFile | Gone::Disabled | Gone::Masked | Gone::WithItsUnit | Gone::Unmounted => rules.settle,
        Gone::Closed => rules.settle.times(SLOW),
        Gone::Idle => OVERSTAY,
    };
    now.since(since) >= wait
}

/// Of what changed within the window, what explains most: a package before files, and the latest of its kind.
fn change(now: Mono, since: Mono, traces: &[Trace]) -> Option<Change> {
    let age = now.since(since);
    let near = traces.iter().filter(|trace| trace.ago <= age.plus(WINDOW));
    let trace = near.min_by_key(|trace| (rank(trace.kind), trace.ago))?;
    let before = Span::from_micros(trace.ago.micros().saturating_sub(age.micros()));
    Some(Change { kind: trace.kind, name: trace.name.clone(), before })
}

const fn rank(kind: ChangeKind) -> u8 {
    match kind {
        ChangeKind::Removed => 0,
        ChangeKind::Upgraded | ChangeKind::Installed => 1,
        ChangeKind::Packages => 2,
        ChangeKind::UnitFile => 3,
        ChangeKind::Config => 4,
    }
}

/// A port on which nobody listens, by its unit: closed because that is gone too, and told with it; at rest as that is;
/// else closed.
pub(super) const fn closed(owner: Option<Standing>) -> Standing {
    let since = Mono::from_micros(0);
    match owner {
        Some(Standing::Gone { told, .. }) => Standing::Gone { gone: Gone::WithItsUnit, since, told },
        Some(Standing::Resting) => Standing::Resting,
        Some(Standing::Here) | None => Standing::Gone { gone: Gone::Closed, since, told: None },
    }
}
