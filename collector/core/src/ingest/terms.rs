//! What an agent asks of its session beside what it says: how often it is heard, and which list of checks it means.
//!
//! A link that costs money carries a word in minutes, not in seconds. The agent asks for its interval and the collector
//! grants it between the usual 10 s and an hour: a host that may be silent for longer than 2.5 hours before anybody is told
//! is not watched. What is granted is a record, since a collector that begins anew must wait as long for that host.

use super::sessions::HEARTBEAT;
use super::{Hello, Watched};
use crate::Collector;
use crate::host::Host;
use crate::record::Record;
use picket_proto::{HostId, Now, Span, watched};

/// The longest interval that is granted.
pub(crate) const REPORT_MAX: Span = Span::from_secs(3_600);

/// What an agent asks of its session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// How often it wants to be heard; zero for as often as usual.
    pub report: Span,
    /// Sorts of orders that it takes, a bit each.
    pub orders: u32,
    /// Which list it watches, where it names none: the digest of the one that it was told to be known.
    pub watched: Option<u32>,
    /// What it says of the machine below it, a number made of the machine-id; 0 for nothing.
    pub machine: u64,
}

impl Terms {
    /// What is granted.
    pub(crate) fn granted(self) -> Granted {
        let report = self.report.clamp(HEARTBEAT, REPORT_MAX);
        Granted { report, orders: self.orders, machine: self.machine }
    }
}

/// What a session has of what its agent asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granted {
    /// How often it is heard.
    pub(crate) report: Span,
    /// Sorts of orders that go on it, a bit each.
    pub(crate) orders: u32,
    /// What it says of the machine below it; 0 for nothing.
    pub(crate) machine: u64,
}

impl Host {
    /// The digest of what it watches, as its agent takes it over the same list.
    pub(crate) fn watched_digest(&self) -> u32 {
        let service = |slot: Option<u32>| slot.and_then(|slot| self.services.get(slot));
        let checks = self.watched.iter().filter_map(|slot| self.checks.get(*slot));
        watched::digest(checks.map(|check| {
            let service = service(check.service).map_or("", |service| service.name.as_str());
            (check.name.as_str(), check.kind, service)
        }))
    }

    fn watched_list(&self) -> impl Iterator<Item = Watched> + '_ {
        let service = |slot| self.services.get(slot).map(|service| service.name.clone());
        let checks = self.watched.iter().filter_map(|slot| self.checks.get(*slot));
        checks.map(move |check| Watched {
            check: check.name.clone(),
            kind: check.kind,
            service: check.service.and_then(service),
        })
    }
}

/// Puts the list that is meant into a Hello that only names its digest; false if that list is not known.
pub(super) fn whole(known: Option<&Host>, hello: &mut Hello, terms: Terms) -> bool {
    let Some(digest) = terms.watched else { return true };
    let Some(known) = known.filter(|known| known.watched_digest() == digest) else { return false };
    hello.watched.extend(known.watched_list());
    true
}

impl Collector {
    /// A host is to be heard as often from now on.
    pub(super) fn pace(&mut self, now: Now, (host, slot): (&HostId, u32), granted: Span) {
        if self.state.hosts.get(slot).is_some_and(|known| known.report != granted) {
            self.commit(now, Record::Paced { host: host.clone(), report: granted }, &[]);
        }
    }
}
