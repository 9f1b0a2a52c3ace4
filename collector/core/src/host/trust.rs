//! Whether a host is believed. Who lifts a quarantine is an operator, by the incident.

use super::Host;
use serde::{Deserialize, Serialize};

/// Whether a host is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trust {
    /// It is.
    Full,
    /// Two live sessions showed its certificate.
    Quarantined,
}

impl Host {
    /// Whether nothing of it is believed.
    pub(crate) fn is_quarantined(&self) -> bool {
        self.trust == Trust::Quarantined
    }
}
