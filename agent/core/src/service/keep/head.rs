//! The beginning of what is kept: its version, and what is of all services together.

use crate::hold::KeptHold;
use crate::policy::KeptBudget;
use crate::service::{Services, reboot};
use picket_proto::{Mono, Name};
use serde::{Deserialize, Serialize};

/// The first byte. Version 1 has no reboots.
const VERSION: u8 = 2;
const WITHOUT_REBOOTS: u8 = 1;

/// What stands before the services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) hold: Option<KeptHold>,
    pub(super) reboots: KeptBudget,
    /// The service for which the host is rebooted now.
    pub(super) reboots_for: Option<Name>,
}

impl Services<'_> {
    /// As it is written.
    pub(super) fn head(&self, now: Mono) -> (u8, Head) {
        let head = Head {
            hold: self.held.as_ref().map(|held| held.keep(now)),
            reboots: self.reboots.keep(now, reboot::LONGEST),
            reboots_for: self.reboots_for().cloned(),
        };
        (VERSION, head)
    }
}

/// What stands before the services, and what follows it; nothing of a version that is not known.
pub(super) fn read(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (version, rest) = postcard::take_from_bytes::<u8>(bytes).ok()?;
    match version {
        VERSION => postcard::take_from_bytes(rest).ok(),
        WITHOUT_REBOOTS => {
            let (hold, rest) = postcard::take_from_bytes(rest).ok()?;
            Some((Head { hold, reboots: KeptBudget::default(), reboots_for: None }, rest))
        }
        _ => None,
    }
}
