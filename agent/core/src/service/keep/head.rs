//! The beginning of what is kept: its version, what is of all services together, and what the link carried.

use crate::hold::KeptHold;
use crate::policy::KeptBudget;
use crate::service::{Services, reboot};
use picket_proto::{Mono, Name, Span};
use serde::{Deserialize, Serialize};

/// The first byte: what a link with a cap carried stands behind the head.
const VERSION: u8 = 3;
/// Written where there is no cap, so that an older agent can go on with it.
const WITHOUT_METER: u8 = 2;
const WITHOUT_REBOOTS: u8 = 1;

/// Bytes that the link carried in its period, and how old that is.
pub(crate) type Meter = (u64, Span);

/// What stands before the services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) hold: Option<KeptHold>,
    pub(super) reboots: KeptBudget,
    /// The service for which the host is rebooted now.
    pub(super) reboots_for: Option<Name>,
}

impl Services<'_> {
    /// Writes it: how many bytes; nothing where they do not fit.
    pub(super) fn put_head(&self, now: Mono, meter: Option<Meter>, out: &mut [u8]) -> Option<usize> {
        let head = Head {
            hold: self.held.as_ref().map(|held| held.keep(now)),
            reboots: self.reboots.keep(now, reboot::LONGEST),
            reboots_for: self.reboots_for().cloned(),
        };
        let version = if meter.is_some() { VERSION } else { WITHOUT_METER };
        let used = postcard::to_slice(&(version, head), out).ok()?.len();
        let Some(meter) = meter else { return Some(used) };
        Some(used + postcard::to_slice(&meter, out.get_mut(used..)?).ok()?.len())
    }
}

/// What stands before the services, what the link carried, and what follows; nothing of a version that is not known.
pub(super) fn read(bytes: &[u8]) -> Option<(Head, Option<Meter>, &[u8])> {
    let (version, rest) = postcard::take_from_bytes::<u8>(bytes).ok()?;
    match version {
        VERSION => {
            let ((head, meter), rest) = postcard::take_from_bytes(rest).ok()?;
            Some((head, Some(meter), rest))
        }
        WITHOUT_METER => {
            let (head, rest) = postcard::take_from_bytes(rest).ok()?;
            Some((head, None, rest))
        }
        WITHOUT_REBOOTS => {
            let (hold, rest) = postcard::take_from_bytes(rest).ok()?;
            Some((Head { hold, reboots: KeptBudget::default(), reboots_for: None }, None, rest))
        }
        _ => None,
    }
}
