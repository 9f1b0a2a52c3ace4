//! How a host's clocks lie to the collector's, from its last heartbeat: live, for people.

use crate::host::{self, Bound};
use crate::ingest::Report;
use picket_proto::Span;

/// How a host's clocks lie to the collector's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostClock {
    /// How far its wall clock is ahead of the collector's, microseconds.
    pub wall_ahead: i64,
    /// Whether its kernel calls the wall clock synchronised.
    pub synced: bool,
    /// How well its Mono is known here; `None` where it was not measured.
    pub bound: Option<Span>,
}

impl HostClock {
    /// The host's wall clock against the collector's at the moment of the heartbeat: that moment is known by the host's
    /// Mono where it was measured, else by when the heartbeat came.
    pub(super) fn of(host: &host::Host, report: &Report) -> Self {
        let offset = host.offset.filter(|offset| offset.boot == report.stamp.boot);
        let bound = offset.and_then(|offset| match offset.bound {
            Bound::Within(bound) => Some(bound),
            Bound::Transit => None,
        });
        let sent = offset
            .filter(|_| bound.is_some())
            .map_or(report.received, |offset| offset.map(report.stamp.mono));
        let transit = report.received.since(sent).micros();
        let wall_here = report.received_wall.micros().saturating_sub_unsigned(transit);
        let wall_ahead = report.stamp.wall.micros().saturating_sub(wall_here);
        Self { wall_ahead, synced: report.stamp.synced, bound }
    }
}
