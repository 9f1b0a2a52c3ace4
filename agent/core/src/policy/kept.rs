//! What of a policy outlives a run of the agent: ages instead of times, names instead of numbers.

use super::{BUDGET_MAX, Breaker, Budget, Deaths, Signature};
use crate::check::CheckIx;
use heapless::Vec;
use picket_proto::event::{Cause, Exit};
use picket_proto::{Mono, Span};
use serde::{Deserialize, Serialize};

/// How long ago the latest remedies began, in milliseconds; oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptBudget(Vec<u32, BUDGET_MAX>);

/// What the last death was, and how many in a row were the same. `N` names a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptDeaths<N> {
    last: Option<KeptSignature<N>>,
    same: u16,
}

impl<N> KeptDeaths<N> {
    /// None.
    pub(crate) const fn none() -> Self {
        Self { last: None, same: 0 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum KeptSignature<N> {
    Exit(Exit, u32),
    Check(N, Cause),
}

impl Budget {
    /// What of it still counts.
    pub(crate) fn keep(&self, now: Mono, window: Span) -> KeptBudget {
        let ages = self.0.iter().map(|began| now.since(*began)).filter(|age| *age < window);
        KeptBudget(ages.map(|age| u32::try_from(age.millis()).unwrap_or(u32::MAX)).collect())
    }

    /// The budget again; `ago` says when something so long before the keeping was.
    pub(crate) fn restore(&mut self, kept: &KeptBudget, ago: impl Fn(Span) -> Mono) {
        self.0.clear();
        for age in &kept.0 {
            self.spend(ago(Span::from_millis(u64::from(*age))));
        }
    }

    /// When the latest remedy began.
    pub(crate) fn latest(&self) -> Option<Mono> {
        self.0.back().copied()
    }
}

impl Deaths {
    /// What of them is kept. A death whose last words are still to come is forgotten: half a second of chance.
    pub(crate) fn keep<N>(&self, name: impl Fn(CheckIx) -> Option<N>) -> KeptDeaths<N> {
        let last = self.last.and_then(|last| match last {
            Signature::Exit(exit, gist) => Some(KeptSignature::Exit(exit, gist)),
            Signature::Check(check, cause) => Some(KeptSignature::Check(name(check)?, cause)),
        });
        let same = if last.is_some() { self.same } else { 0 };
        KeptDeaths { last, same }
    }

    /// The deaths again. Those of a check that the configuration has no more are forgotten.
    pub(crate) fn restore<N>(&mut self, kept: &KeptDeaths<N>, number: impl Fn(&N) -> Option<CheckIx>) {
        let last = kept.last.as_ref().and_then(|last| match last {
            KeptSignature::Exit(exit, gist) => Some(Signature::Exit(*exit, *gist)),
            KeptSignature::Check(check, cause) => Some(Signature::Check(number(check)?, *cause)),
        });
        *self = Self { last, same: if last.is_some() { kept.same } else { 0 }, unexplained: None };
    }
}

impl Breaker {
    /// How often it opened without a remedy that held; 0 is closed.
    pub(crate) const fn openings(self) -> u8 {
        self.openings
    }

    /// The breaker again.
    pub(crate) const fn restore(&mut self, openings: u8) {
        self.openings = openings;
    }
}
