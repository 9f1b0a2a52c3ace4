//! Who is heard, what heartbeats say, and who is silent.
//!
//! A look at the host stays live. Of the offset that an agent measures becomes a record what says more than the known
//! one: it moved beyond its bound, or is known twice as well. A heartbeat every 10 s makes one in hours, not one each.

use super::Heard;
use super::sessions::{AMNESTY, silence};
use crate::Collector;
use crate::host::{Presence, Trust};
use crate::ingest::Report;
use crate::record::Record;
use alloc::vec::Vec;
use picket_proto::{HostId, Now, Offset, Span};

/// A measured offset that is known worse than this is worth no record.
const OFFSET_BOUND_MAX: Span = Span::from_secs(10);

impl Collector {
    pub(crate) fn on_heard(&mut self, now: Now, hosts: Vec<Heard>) {
        let mut back = Vec::new();
        for Heard { host: id, report } in hosts {
            let Some(slot) = self.state.hosts.find(id.as_str()) else { continue };
            let Some(host) = self.state.hosts.get(slot) else { continue };
            if host.is_quarantined() {
                continue;
            }
            match host.presence {
                Presence::Present => self.live.sessions.heard(slot, now),
                Presence::Silent => back.push((slot, id.clone())),
                Presence::Expected | Presence::Stopped { .. } | Presence::Retired => {}
            }
            if let Some(report) = report {
                self.on_report(now, (slot, id), report);
            }
        }
        if back.is_empty() {
            return;
        }
        for (slot, _) in &back {
            self.live.sessions.heard(*slot, now);
        }
        let hosts = back.into_iter().map(|(_, id)| id).collect();
        self.commit(now, Record::Back { hosts }, &[]);
    }

    /// What a heartbeat says is live; only an offset that says more than the known one becomes a record.
    fn on_report(&mut self, now: Now, (slot, host): (u32, HostId), report: Report) {
        let ahead = self.live.ahead;
        let received = report.received.plus(ahead);
        self.live.sessions.report(slot, Report { received, ..report });
        let Some(offset) = report.offset else { return };
        let ahead = offset.ahead.saturating_add_unsigned(ahead.micros());
        let (boot, offset) = (report.stamp.boot, Offset { ahead, ..offset });
        let known = self.state.hosts.get(slot).and_then(|host| host.offset);
        let known = known.filter(|known| known.boot == boot);
        // One whose bound is longer than a Hello may take says less than the Hello.
        let says_something = offset.bound <= OFFSET_BOUND_MAX;
        if says_something && known.is_none_or(|known| known.is_outdone_by(offset)) {
            self.commit(now, Record::Offset { host, boot, offset }, &[]);
        }
    }

    pub(crate) fn on_session_time(&mut self, now: Now) {
        while let Some(waiting) = self.live.sessions.unanswered(now.mono) {
            self.unanswered(now, waiting);
        }
        let overdue = self.live.sessions.overdue(now.mono);
        let silent = |slot: &u32| {
            let host = self.state.hosts.get(*slot)?;
            (host.presence == Presence::Present && host.trust == Trust::Full).then(|| host.id.clone())
        };
        let hosts: Vec<HostId> = overdue.iter().filter_map(silent).collect();
        if !hosts.is_empty() {
            self.commit(now, Record::Silent { hosts }, &[]);
        }
    }

    /// Every host that should be there gets its full time.
    pub(crate) fn expect_all(&mut self, now: Now) {
        for (slot, host) in self.state.hosts.iter() {
            let waits = self.live.sessions.seat(slot).due == picket_proto::Mono::NEVER;
            if waits && host.presence == Presence::Present && host.trust == Trust::Full {
                self.live.sessions.expect_every(slot, host.report);
                self.live.sessions.expect(slot, now.mono.plus(AMNESTY.max(silence(host.report))));
            }
        }
    }
}
