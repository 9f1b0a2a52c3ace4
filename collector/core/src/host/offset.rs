//! How a host's clock lies to the collector's: its stamps as intervals of the journal's Mono.
//!
//! A Hello gives a first idea, which is late by its transit; the session's round trips measure it (RFC 5905,
//! section 8) and a record keeps what they found, so that what is decided by it replays. It holds for one boot of
//! the host and one of the collector's machine.

use super::Host;
use picket_proto::{BootId, Mono, Span, Stamp};
use serde::{Deserialize, Serialize};

/// How a host's clock of one boot maps to the collector's: at `theirs` it was `ours`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offset {
    pub(crate) boot: BootId,
    pub(crate) theirs: Mono,
    pub(crate) ours: Mono,
    pub(crate) bound: Bound,
}

/// How well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Bound {
    /// By the Hello, which is late by its transit: `ours` is at most 10 s too late.
    Transit,
    /// Measured: give or take so much.
    Within(Span),
}

/// A Hello that takes longer ends the session.
const TRANSIT_MAX: Span = Span::from_secs(10);

impl Offset {
    /// A measured one.
    pub(crate) const fn measured(boot: BootId, offset: picket_proto::Offset) -> Self {
        let (ahead, behind) = if offset.ahead < 0 {
            (0, offset.ahead.unsigned_abs())
        } else {
            (offset.ahead.unsigned_abs(), 0)
        };
        let (theirs, ours) = (Mono::from_micros(behind), Mono::from_micros(ahead));
        Self { boot, theirs, ours, bound: Bound::Within(offset.bound) }
    }

    /// Whether `newer`, of the same boot, says more.
    pub(crate) fn is_outdone_by(self, newer: picket_proto::Offset) -> bool {
        match self.bound {
            Bound::Transit => true,
            Bound::Within(bound) => {
                let ahead =
                    self.ours.micros().cast_signed().saturating_sub(self.theirs.micros().cast_signed());
                picket_proto::Offset { ahead, bound }.is_outdone_by(newer)
            }
        }
    }

    /// The collector's time of a host's, within this boot.
    pub(crate) const fn map(self, mono: Mono) -> Mono {
        let ahead = mono.since(self.theirs);
        let behind = self.theirs.since(mono);
        Mono::from_micros(self.ours.plus(ahead).micros().saturating_sub(behind.micros()))
    }
}

impl Host {
    /// A host's time as an interval of the collector's, where the boot is the one of the last Hello.
    pub(crate) fn local(&self, stamp: &Stamp) -> Option<(Mono, Mono)> {
        let offset = self.offset.filter(|offset| offset.boot == stamp.boot)?;
        let at = offset.map(stamp.mono);
        let back = |span: Span| Mono::from_micros(at.micros().saturating_sub(span.micros()));
        Some(match offset.bound {
            Bound::Transit => (back(TRANSIT_MAX), at),
            Bound::Within(bound) => (back(bound), at.plus(bound)),
        })
    }
}
