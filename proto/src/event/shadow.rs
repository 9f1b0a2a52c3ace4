//! What is not done about a service that failed, because it is only observed or a person has its remedies rest, and what became of
//! it without.

use super::{Because, Remedy, Trigger};
use crate::id::Name;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// A service failed and nothing is done about it, or it came back without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// Which service.
    pub service: Name,
    /// What would have been done, or what came without it.
    pub step: ShadowStep,
}

/// What would have been done, or what came without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShadowStep {
    /// This remedy would have begun. What later ones of the ladder would have been is not known: nobody knows whether this
    /// one had held.
    Would {
        /// What.
        remedy: Remedy,
        /// Why.
        trigger: Trigger,
    },
    /// Remedies would have rested: its breaker would have opened.
    WouldRest {
        /// Why.
        because: Because,
        /// How it failed.
        last: Trigger,
    },
    /// A remedy is due, and a person has remedies rest.
    Rests {
        /// For how long still.
        left: Span,
    },
    /// All its checks passed again and held, without a remedy. Of one that is only observed.
    Back {
        /// From the failure to the first pass.
        after: Span,
        /// For how long everything held before it was believed.
        held_for: Span,
    },
}
