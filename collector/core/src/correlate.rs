//! What belongs together, and which of it is the root: plain values in, a [`Finding`] out.
//!
//! A condition that begins to fire joins the incident of its host that is about the same service, or whose last new
//! condition is at most 60 s old; else it opens again an incident with the same root that recovered within 30
//! minutes; else it opens a new one. The root is chosen by rules that are named: host before services, services before
//! levels (checks of no service: a full disk explains a death too seldom to hide it), what is seen before what can't be
//! looked at, what is needed before what needs it, process before checks, else the first seen. It follows what fires: one
//! that is over gives way to the first of those that are not. 5 hosts and 30 % of the fleet silent within 60 s are one P0
//! incident (the floor of 5 keeps a rack of three from waking everybody); hosts that report more seldom, within the time between
//! two of their reports, since nobody can tell when in it they fell silent. It knows no topology and no learned likelihood yet, and it changes
//! nothing: [`crate::state`] carries a finding out.

use crate::signal::{Depth, Owned};
use core::cmp::Reverse;
use picket_proto::{Mono, Span};

/// Failures on one host within this time of each other belong together.
pub(crate) const WINDOW: Span = Span::from_secs(60);
/// Within this time after its resolution the same root opens an incident again.
const REOPEN: Span = Span::from_secs(30 * 60);
/// Fewest silent hosts that can be the fleet's trouble.
const FLEET_MIN: usize = 5;
/// Of the hosts that should be heard, in percent.
const FLEET_PERCENT: usize = 30;

/// How an incident stands to a new condition on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It is about the same service, or the same check.
    SameSubject,
    /// It is only on the same host.
    SameHost,
}

/// What a finding needs to know of an incident; `I` names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<I> {
    pub(crate) id: I,
    /// Of its conditions if it is active, of its root if it recovered.
    pub(crate) relation: Relation,
    /// When its last new condition came if it is active, when it was resolved if it recovered.
    pub(crate) at: Mono,
}

/// Where a new condition belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding<I> {
    /// To this incident, which is not over.
    Joins(I),
    /// To this one, which is over and opens again.
    Reopens(I),
    /// To none that is known.
    Opens,
}

/// Finds where a new condition belongs among the incidents of its host, each newest first.
pub(crate) fn find<I>(
    now: Mono,
    active: impl Iterator<Item = Known<I>>,
    mut recovered: impl Iterator<Item = Known<I>>,
) -> Finding<I> {
    let mut near = None;
    for known in active {
        match known.relation {
            Relation::SameSubject => return Finding::Joins(known.id),
            Relation::SameHost if near.is_none() && now.since(known.at) <= WINDOW => near = Some(known.id),
            Relation::SameHost => {}
        }
    }
    if let Some(near) = near {
        return Finding::Joins(near);
    }
    recovered
        .find(|known| known.relation == Relation::SameSubject && now.since(known.at) <= REOPEN)
        .map_or(Finding::Opens, |known| Finding::Reopens(known.id))
}

/// The rule by which a new condition is nearer to the cause than the root so far; `None` if it is not.
pub(crate) fn deeper(old: Depth, new: Depth, relation: Relation) -> Option<&'static str> {
    if new <= old {
        return None;
    }
    match (new, relation) {
        (Depth::Host, _) => Some("host-before-services"),
        (_, Relation::SameSubject) => Some("process-before-checks"),
        (_, Relation::SameHost) => None,
    }
}

/// A condition that fires; `I` names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fires<I> {
    pub(crate) id: I,
    pub(crate) depth: Depth,
    pub(crate) owned: Owned,
    pub(crate) since: Mono,
    /// Whether it is about a service that needs another one which fires too.
    pub(crate) depends: bool,
    /// Whether it says only that nothing is seen.
    pub(crate) blind: bool,
}

impl<I> Fires<I> {
    /// A check that belongs to no service.
    fn is_level(&self) -> bool {
        self.owned == Owned::ByNone && self.depth < Depth::Host
    }
}

/// Chooses the root among conditions of one host that fire now, with the rule that chose it; none among none.
pub(crate) fn root<I: Copy>(
    fires: impl Iterator<Item = Fires<I>> + Clone,
    is_same_subject: impl Fn(I, I) -> bool,
) -> Option<(I, &'static str)> {
    let order = |one: &Fires<I>| {
        let is_blind = one.blind;
        (one.depth != Depth::Host, is_blind, one.is_level(), one.depends, one.since, Reverse(one.depth))
    };
    let first = fires.clone().min_by_key(order)?;
    let is_seen_as_first = |one: &Fires<I>| one.blind == first.blind && is_same_subject(one.id, first.id);
    let of_first = || fires.clone().filter(is_seen_as_first);
    let deepest = of_first().min_by_key(|one| (Reverse(one.depth), one.since)).unwrap_or(first);
    let has_symptoms = of_first().any(|one| Depth::Consequence < one.depth && one.depth < deepest.depth);
    let was_blind = !first.blind && fires.clone().any(|one| one.blind && one.since <= first.since);
    let is_level_before = |one: &Fires<I>| one.is_level() && !one.blind && one.since <= first.since;
    let was_level = !first.is_level() && fires.clone().any(|one| is_level_before(&one));
    let is_needed = !first.depends && fires.clone().any(|one| one.depends);
    let rule = match deepest.depth {
        Depth::Host if fires.clone().any(|one| one.depth < Depth::Host) => "host-before-services",
        Depth::Host => "first-seen",
        Depth::Consequence | Depth::Check | Depth::Process | Depth::Exit if is_needed => {
            "need-before-dependents"
        }
        Depth::Consequence | Depth::Check | Depth::Process | Depth::Exit if has_symptoms => {
            "process-before-checks"
        }
        Depth::Consequence | Depth::Check | Depth::Process | Depth::Exit if was_level => {
            "service-before-levels"
        }
        Depth::Consequence | Depth::Check | Depth::Process | Depth::Exit if was_blind => "seen-before-blind",
        Depth::Consequence | Depth::Check | Depth::Process | Depth::Exit => "first-seen",
    };
    Some((deepest.id, rule))
}

/// Whose trouble silence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Each host's own.
    Hosts,
    /// The fleet's.
    Fleet,
}

/// Judges how many hosts fell silent together, of so many that should be heard.
pub(crate) const fn scale(together: usize, expected: usize) -> Scale {
    if together >= FLEET_MIN && together * 100 >= expected * FLEET_PERCENT {
        Scale::Fleet
    } else {
        Scale::Hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: u32, relation: Relation, secs: u64) -> Known<u32> {
        Known { id, relation, at: Mono::from_micros(secs * 1_000_000) }
    }

    const NOW: Mono = Mono::from_micros(10_000 * 1_000_000);

    #[test]
    fn the_same_service_joins_before_the_newest_and_the_newest_before_what_is_over() {
        let same = known(1, Relation::SameSubject, 0);
        let (new, old) = (known(2, Relation::SameHost, 9_940), known(3, Relation::SameHost, 9_939));
        let over = known(4, Relation::SameSubject, 10_000 - 1_800);
        assert_eq!(find(NOW, [new, same].into_iter(), [over].into_iter()), Finding::Joins(1));
        assert_eq!(find(NOW, [old, new].into_iter(), [over].into_iter()), Finding::Joins(2));
        assert_eq!(find(NOW, [old].into_iter(), [over].into_iter()), Finding::Reopens(4));
        assert_eq!(
            find(NOW, [old].into_iter(), [known(5, Relation::SameHost, 9_999)].into_iter()),
            Finding::Opens
        );
        assert_eq!(
            find(NOW, [].into_iter(), [known(5, Relation::SameSubject, 8_199)].into_iter()),
            Finding::Opens
        );
    }

    #[test]
    fn a_host_is_the_root_of_all_and_a_process_only_of_its_own_checks() {
        let rule = |new, relation| deeper(Depth::Check, new, relation);
        assert_eq!(rule(Depth::Host, Relation::SameHost), Some("host-before-services"));
        assert_eq!(rule(Depth::Exit, Relation::SameSubject), Some("process-before-checks"));
        assert_eq!(rule(Depth::Exit, Relation::SameHost), None);
        assert_eq!(rule(Depth::Check, Relation::SameSubject), None);
    }

    fn fires(id: u32, depth: Depth, owned: Owned, secs: u64) -> Fires<u32> {
        Fires { id, depth, owned, since: Mono::from_micros(secs * 1_000_000), depends: false, blind: false }
    }

    #[test]
    fn the_root_among_what_fires_is_the_host_then_a_service_then_the_first_seen() {
        // Conditions of one service share their tens.
        let of = |all: &[Fires<u32>]| root(all.iter().copied(), |one, other| one / 10 == other / 10);
        let level = fires(1, Depth::Check, Owned::ByNone, 1);
        let (http, death) =
            (fires(20, Depth::Check, Owned::ByService, 2), fires(21, Depth::Exit, Owned::ByService, 9));
        let other = fires(30, Depth::Process, Owned::ByService, 3);
        let silent = fires(4, Depth::Host, Owned::ByNone, 50);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[level]), Some((1, "first-seen")));
        assert_eq!(of(&[level, other]), Some((30, "service-before-levels")));
        assert_eq!(of(&[other, http]), Some((20, "first-seen")));
        assert_eq!(of(&[level, other, http, death]), Some((21, "process-before-checks")));
        assert_eq!(of(&[level, other, silent]), Some((4, "host-before-services")));
        assert_eq!(of(&[silent]), Some((4, "first-seen")));
        let dependent = Fires { depends: true, ..http };
        assert_eq!(of(&[level, dependent, other]), Some((30, "need-before-dependents")));
        assert_eq!(of(&[dependent]), Some((20, "first-seen")), "what it needs does not fire");
        let breaker = fires(22, Depth::Consequence, Owned::ByService, 10);
        assert_eq!(of(&[death, breaker]), Some((21, "first-seen")), "a consequence is no symptom");
    }

    #[test]
    fn the_fleet_is_5_hosts_and_30_percent() {
        assert_eq!((scale(4, 4), scale(5, 17)), (Scale::Hosts, Scale::Hosts));
        assert_eq!((scale(5, 16), scale(6, 20)), (Scale::Fleet, Scale::Fleet));
    }
}
