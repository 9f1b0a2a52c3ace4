//! How the collector stands, in numbers: for metrics and for people who ask whether it is well.
//!
//! Counted when asked: one walk over at most 20,000 hosts and 10,000 resolved incidents and those that are open, well
//! below 1 ms.

use super::HostState;
use super::answer::state_of;
use super::finding::standing;
use crate::incident::{Severity, State as Standing};
use crate::state::State;
use crate::state::machine::Live;

/// Numbers of the whole collector.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The last record made.
    pub index: u64,
    /// Sessions of agents, also those that wait or were replaced.
    pub sessions: u32,
    /// Watchers of incidents.
    pub watchers: u32,
    /// Records made and not durable yet.
    pub waiting_entries: u32,
    /// About as many bytes.
    pub waiting_bytes: u64,
    /// Conditions that fire.
    pub firing: u32,
    /// Conditions that found no room.
    pub overflow: u64,
    /// Frames journaled.
    pub frames: u64,
    /// Frames named as lost.
    pub lost: u64,
    /// Frames of a kind that is not known yet.
    pub unknown: u64,
    hosts: [u32; 7],
    incidents: [[u32; 4]; 4],
}

/// Every state of a host, in the order in which they are counted.
const HOST_STATES: [HostState; 7] = [
    HostState::Connected,
    HostState::Away,
    HostState::Silent,
    HostState::Stopped,
    HostState::Quarantined,
    HostState::Expected,
    HostState::Retired,
];
const SEVERITIES: [Severity; 4] = [Severity::P0, Severity::P1, Severity::P2, Severity::P3];
const STANDINGS: [Standing; 4] =
    [Standing::Open, Standing::Acknowledged, Standing::Verifying, Standing::Resolved];

impl Summary {
    /// Hosts by their state; each state once.
    pub fn hosts(&self) -> impl Iterator<Item = (HostState, u32)> + '_ {
        HOST_STATES.into_iter().zip(self.hosts)
    }

    /// Incidents by severity and state, also the resolved ones that are remembered; each pair once.
    pub fn incidents(&self) -> impl Iterator<Item = (Severity, Standing, u32)> + '_ {
        SEVERITIES.into_iter().zip(self.incidents).flat_map(|(severity, counts)| {
            STANDINGS.into_iter().zip(counts).map(move |(standing, count)| (severity, standing, count))
        })
    }
}

/// Counts.
pub(super) fn summary(state: &State, live: &Live) -> Summary {
    let (waiting_entries, waiting_bytes) = live.out.waiting();
    let mut sum = Summary {
        index: state.index,
        sessions: live.sessions.count(),
        watchers: live.watchers.count(),
        waiting_entries,
        waiting_bytes,
        firing: state.firing,
        overflow: state.overflow,
        ..Summary::default()
    };
    for (slot, host) in state.hosts.iter() {
        sum.frames = sum.frames.saturating_add(host.frames);
        sum.lost = sum.lost.saturating_add(host.lost);
        sum.unknown = sum.unknown.saturating_add(host.unknown);
        let now = state_of(slot, host, &live.sessions);
        if let Some(at) = HOST_STATES.iter().position(|known| *known == now) {
            sum.hosts[at] += 1;
        }
    }
    for incident in state.incidents.newest(None) {
        let severity = SEVERITIES.iter().position(|known| *known == incident.severity);
        let standing = STANDINGS.iter().position(|known| *known == standing(incident));
        if let (Some(severity), Some(standing)) = (severity, standing) {
            sum.incidents[severity][standing] += 1;
        }
    }
    sum
}
