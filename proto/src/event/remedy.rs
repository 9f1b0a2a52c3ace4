//! Remedies: what is done about a failure, what came of it, and the breaker that keeps remedies from looping. When one
//! is due is the agent core's.

use super::{Cause, Exit};
use crate::id::Name;
use crate::text::Text;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// What the agent does about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Remedy {
    /// Stop what is left of the service and start it.
    Restart,
    /// Have it read its configuration anew while it runs. This and all below since version 3 of kinds 6 and 7.
    Reload,
    /// Restart it, with the services that need it stopped meanwhile.
    Dependents,
    /// Put its files back to those with which it was last known to be good, and restart it.
    Rollback,
    /// Stop it, so that it does no harm, and leave it to a person.
    Isolate,
    /// Have the whole host rebooted. Since version 4 of kinds 6 and 7.
    Reboot,
    /// Put its packages back to the versions with which it was last known to be good, and restart it. Since version 5 of
    /// kinds 6 and 7.
    Package,
}

/// Why a remedy is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// The process ended.
    Exit(Exit),
    /// This check is down.
    Check {
        /// Its name.
        check: Name,
        /// Why it is down.
        cause: Cause,
    },
    /// The service that it needs was restarted, and it was stopped for that. This and the next since version 3.
    Root(Name),
    /// It failed, and this file or package of it had changed since it was last known to be good: the first of them, cut
    /// where it is longer.
    Changed(Text),
}

/// A remedy begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemedyBegun {
    /// Which service.
    pub service: Name,
    /// What is done.
    pub remedy: Remedy,
    /// The how-manieth remedy of this streak, from 1; a streak ends when one holds.
    pub attempt: u16,
    /// Why.
    pub trigger: Trigger,
    /// How long after the failure was seen it begins: backoff, jitter, evidence.
    pub delay: Span,
}

/// How a remedy ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemedyEnded {
    /// Which service.
    pub service: Name,
    /// What was done.
    pub remedy: Remedy,
    /// The how-manieth remedy of this streak.
    pub attempt: u16,
    /// What came of it.
    pub outcome: Outcome,
    /// From the failure that was seen to this outcome.
    pub took: Span,
}

/// What came of a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The check that had failed passed again, with all others of the service, and they held.
    Held {
        /// The check that had failed.
        check: Name,
        /// From the failure to its first pass.
        back_after: Span,
        /// For how long everything held before it was believed.
        held_for: Span,
    },
    /// The process ended before everything had held.
    Died(Exit),
    /// This check did not pass in time.
    StillFailing {
        /// Its name.
        check: Name,
        /// Why it fails.
        cause: Cause,
    },
    /// More checks of the service failed after it than before. This and the next since version 3.
    Worse {
        /// How many failed when it began.
        before: u16,
        /// How many failed when it was judged.
        after: u16,
        /// The first of them.
        check: Name,
    },
    /// It could not be done; what was begun of it is undone.
    NotDone {
        /// Why.
        why: Text,
    },
}

/// A service's breaker moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerMoved {
    /// Which service.
    pub service: Name,
    /// Where it stands now.
    pub to: Breaker,
}

/// The breaker that keeps remedies from looping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Breaker {
    /// Not healed: remedies rest until one more is tried.
    Open {
        /// Why remedies rest.
        because: Because,
        /// Remedies tried in this streak.
        attempts: u16,
        /// How the last one ended.
        last: Trigger,
        /// When the next single try comes.
        retry_in: Span,
    },
    /// One remedy is tried to see whether the cause is gone.
    HalfOpen,
    /// A remedy held: remedies are allowed again.
    Closed,
    /// Something that it needs is not well: nothing is done about it until that has healed. Since version 3.
    Waits {
        /// The service that is waited for.
        root: Name,
    },
    /// It lives and fails a check, but the host is starved: a restart would make that worse, so remedies wait until
    /// there is room, for so long at most. Since version 4.
    Starved {
        /// The host's check that says so.
        check: Name,
        /// How long at most, from the failure on.
        longest: Span,
    },
}

/// Why remedies rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Because {
    /// It failed this many times in the same way without once being up for 1 s.
    SameDeath(u16),
    /// As many remedies as the budget allows were used up in its window.
    Budget {
        /// Remedies allowed.
        allowed: u16,
        /// In how long.
        window: Span,
    },
    /// Its ladder has come to its end, and it was stopped. Since version 3.
    Isolated,
    /// As [`Because::SameDeath`], and it was stopped so that it does no harm. This and the next since version 5 of kind 8.
    SameDeathIsolated(u16),
    /// As [`Because::Budget`], and it was stopped so that it does no harm.
    BudgetIsolated {
        /// Remedies allowed.
        allowed: u16,
        /// In how long.
        window: Span,
    },
}

impl Because {
    /// The same, of a service that was stopped for it.
    #[must_use]
    pub const fn isolated(self) -> Self {
        match self {
            Self::SameDeath(times) | Self::SameDeathIsolated(times) => Self::SameDeathIsolated(times),
            Self::Budget { allowed, window } | Self::BudgetIsolated { allowed, window } => {
                Self::BudgetIsolated { allowed, window }
            }
            Self::Isolated => Self::Isolated,
        }
    }
}

// The lowest version of the kinds that hold them that can say it: 2 knows what later checks see and what the init system
// rules, 3 more than restarts, 4 that a host is starved or rebooted, 5 why what was stopped was given up, and packages.

impl Remedy {
    const fn version(self) -> u8 {
        match self {
            Self::Restart => 1,
            Self::Reload | Self::Dependents | Self::Rollback | Self::Isolate => 3,
            Self::Reboot => 4,
            Self::Package => 5,
        }
    }
}

impl Trigger {
    const fn version(&self) -> u8 {
        match self {
            Self::Exit(exit) => exit.version(),
            Self::Check { cause, .. } => cause.version(),
            Self::Root(_) | Self::Changed(_) => 3,
        }
    }
}

impl RemedyBegun {
    pub(super) fn version(&self) -> u8 {
        self.remedy.version().max(self.trigger.version())
    }
}

impl RemedyEnded {
    pub(super) fn version(&self) -> u8 {
        let of_outcome = match &self.outcome {
            Outcome::Held { .. } => 1,
            Outcome::Died(exit) => exit.version(),
            Outcome::StillFailing { cause, .. } => cause.version(),
            Outcome::Worse { .. } | Outcome::NotDone { .. } => 3,
        };
        self.remedy.version().max(of_outcome)
    }
}

impl BreakerMoved {
    pub(super) const fn version(&self) -> u8 {
        match &self.to {
            Breaker::Open {
                because: Because::SameDeathIsolated(_) | Because::BudgetIsolated { .. }, ..
            } => 5,
            Breaker::Open { because: Because::Isolated, .. } | Breaker::Waits { .. } => 3,
            Breaker::Open { because: Because::SameDeath(_) | Because::Budget { .. }, last, .. } => {
                last.version()
            }
            Breaker::Starved { .. } => 4,
            Breaker::HalfOpen | Breaker::Closed => 1,
        }
    }
}
