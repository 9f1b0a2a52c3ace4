//! Signals: one fingerprinted condition each, firing or not.
//!
//! A fingerprint is a host and a [`What`]. Only what fires is kept, so that memory follows trouble and not size: at
//! most 200,000 in all. Beyond that checks still show their verdict, but join no incident; that is counted.

use crate::incident::{IncidentId, Severity};
use picket_proto::Mono;
use picket_proto::event::{Cause, CheckKind, Verdict};
use serde::{Deserialize, Serialize};

/// Most conditions that fire at once: every tenth check of the largest fleet.
pub(crate) const SIGNALS_MAX: u32 = 200_000;

/// What can be wrong on a host. The numbers are slots of its checks and services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum What {
    HostSilent,
    AgentOverstay,
    DuplicateIdentity,
    Down(u32),
    Degraded(u32),
    Flapping(u32),
    Died(u32),
    NotHealed(u32),
    /// Something that should be there is gone: the number of the loss on its host.
    Vanished(u32),
    /// A service is stopped for too long.
    StopOverstay(u32),
    /// A check can't be looked at: nobody knows how what it watches does.
    Blind(u32),
}

/// What a unit's state, or a program at work on its service, has a process check say for a while: EAGAIN and EBUSY. It is
/// on its way, and nobody is blind.
const UNDERWAY: [i32; 2] = [11, 16];

impl What {
    /// The conditions that a check can have, one at a time.
    pub(crate) const fn of_check(check: u32) -> [Self; 4] {
        [Self::Down(check), Self::Degraded(check), Self::Flapping(check), Self::Blind(check)]
    }

    /// The condition that a verdict of a check is; `None` if it is none. Unknown is one where it has a cause: what was not
    /// looked at yet, or rests, has none.
    pub(crate) fn from_verdict(
        check: u32,
        kind: CheckKind,
        (verdict, cause): (Verdict, Option<Cause>),
    ) -> Option<Self> {
        match verdict {
            Verdict::Down => Some(Self::Down(check)),
            Verdict::Degraded => Some(Self::Degraded(check)),
            Verdict::Flapping => Some(Self::Flapping(check)),
            Verdict::Unknown => {
                let is_underway = |cause: &Cause| {
                    let of_process = kind == CheckKind::Process;
                    of_process && UNDERWAY.iter().any(|errno| *cause == Cause::Local(*errno))
                };
                cause.filter(|cause| !is_underway(cause)).map(|_| Self::Blind(check))
            }
            Verdict::Up => None,
        }
    }

    /// Whether it says that nothing is seen, and nothing of what is.
    pub(crate) const fn is_blind(self) -> bool {
        matches!(self, Self::Blind(_))
    }

    /// The check that it is about.
    pub(crate) const fn check(self) -> Option<u32> {
        match self {
            Self::Down(check) | Self::Degraded(check) | Self::Flapping(check) | Self::Blind(check) => {
                Some(check)
            }
            Self::HostSilent
            | Self::AgentOverstay
            | Self::DuplicateIdentity
            | Self::Died(_)
            | Self::NotHealed(_)
            | Self::Vanished(_)
            | Self::StopOverstay(_) => None,
        }
    }

    /// Its stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::HostSilent => "host-silent",
            Self::AgentOverstay => "agent-overstay",
            Self::DuplicateIdentity => "duplicate-identity",
            Self::Down(_) => "check-down",
            Self::Degraded(_) => "check-degraded",
            Self::Flapping(_) => "check-flapping",
            Self::Died(_) => "service-died",
            Self::NotHealed(_) => "breaker-open",
            Self::Vanished(_) => "vanished",
            Self::StopOverstay(_) => "stop-overstay",
            Self::Blind(_) => "check-blind",
        }
    }

    /// How near to the cause it stands, by rule: host before services, process before checks.
    pub(crate) const fn depth(self, kind: Option<CheckKind>) -> Depth {
        match self {
            Self::HostSilent | Self::AgentOverstay | Self::DuplicateIdentity => Depth::Host,
            Self::Died(_) | Self::Vanished(_) => Depth::Exit,
            Self::Down(_) | Self::Degraded(_) | Self::Flapping(_) => {
                if matches!(kind, Some(CheckKind::Process)) { Depth::Process } else { Depth::Check }
            }
            // Also of a process: what is not seen explains nothing.
            Self::Blind(_) => Depth::Check,
            Self::NotHealed(_) | Self::StopOverstay(_) => Depth::Consequence,
        }
    }

    /// The rule that says how bad it is.
    pub(crate) const fn severity(self, owned: Owned) -> (Severity, &'static str) {
        match (self, owned) {
            (Self::HostSilent, Owned::ByService | Owned::ByNone) => (Severity::P2, "sev-host-silent"),
            (Self::AgentOverstay, Owned::ByService | Owned::ByNone) => (Severity::P3, "sev-overstay"),
            (Self::DuplicateIdentity, Owned::ByService | Owned::ByNone) => {
                (Severity::P1, "sev-duplicate-identity")
            }
            (Self::NotHealed(_), Owned::ByService | Owned::ByNone) => (Severity::P1, "sev-not-healed"),
            (Self::Vanished(_), Owned::ByService | Owned::ByNone) => (Severity::P2, "sev-vanished"),
            (Self::StopOverstay(_), Owned::ByService | Owned::ByNone) => (Severity::P3, "sev-stop-overstay"),
            (Self::Degraded(_), Owned::ByService | Owned::ByNone) => (Severity::P3, "sev-host-pressure"),
            (Self::Blind(_), Owned::ByService | Owned::ByNone) => (Severity::P3, "sev-check-blind"),
            (Self::Down(_) | Self::Flapping(_) | Self::Died(_), Owned::ByService) => {
                (Severity::P2, "sev-service-down")
            }
            (Self::Down(_) | Self::Flapping(_) | Self::Died(_), Owned::ByNone) => {
                (Severity::P2, "sev-check-down")
            }
        }
    }
}

/// Whether a condition is a service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owned {
    ByService,
    ByNone,
}

/// How near to the cause a condition stands; a later one is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Depth {
    Consequence,
    Check,
    Process,
    Exit,
    Host,
}

/// A condition that fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signal {
    /// Since when it fires.
    pub(crate) since: Mono,
    /// When it was last said.
    pub(crate) last: Mono,
    /// How often it was said since.
    pub(crate) count: u32,
    /// The incident that it is part of; none once an operator declared that over.
    pub(crate) incident: Option<IncidentId>,
}

/// A condition with its host's slot: a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) host: u32,
    pub(crate) what: What,
}
