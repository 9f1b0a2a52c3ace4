//! What is said first: who this is, how often it wants to be heard, and what it watches, unless the collector has that
//! very list already. At most as many checks as a configuration has.

use super::Link;
use crate::config::Check;
use picket_proto::{Name, Span, Stamp, watched};
use picket_rpc::{convert, v1};

impl Link {
    /// Says the list of checks, unless the collector has that very list.
    pub(super) fn hello(&self, now: Stamp, report: Span, known: Option<u32>) -> v1::Hello {
        let watched = self.checks.iter().zip(self.watches.iter()).filter(|(_, watches)| **watches);
        let watched = watched.map(|(check, _)| v1::Watched {
            check: check.spec.name.to_string(),
            kind: convert::check_kind_to_wire(check.spec.kind).into(),
            service: self.service_of(check),
        });
        let digest = self.digest();
        let is_known = known == Some(digest);
        v1::Hello {
            now: Some(convert::stamp_to_wire(now)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            watched: if is_known { Vec::new() } else { watched.collect() },
            watched_digest: is_known.then_some(digest),
            report_ms: u32::try_from(report.millis()).unwrap_or(u32::MAX),
            orders: picket_rpc::ORDER_EVIDENCE,
        }
    }

    fn digest(&self) -> u32 {
        let watched = self.checks.iter().zip(self.watches.iter()).filter(|(_, watches)| **watches);
        watched::digest(watched.map(|(check, _)| {
            let service = check.spec.service.and_then(|ix| self.services.get(usize::from(ix)));
            (check.spec.name.as_str(), check.spec.kind, service.map_or("", Name::as_str))
        }))
    }

    pub(super) fn service_of(&self, check: &Check) -> String {
        let name = check.spec.service.and_then(|ix| self.services.get(usize::from(ix)));
        name.map(ToString::to_string).unwrap_or_default()
    }
}
