//! What an agent that only observes a service would have done about it, and what became of the service without that.

use super::{Because, Remedy, Trigger};
use crate::id::Name;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// A service that is only observed failed, or came back.
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
    /// All its checks passed again and held, without a remedy.
    Back {
        /// From the failure to the first pass.
        after: Span,
        /// For how long everything held before it was believed.
        held_for: Span,
    },
}
