//! What is said first: who this is, how often it wants to be heard, and what it watches, unless the collector has that
//! very list already. At most as many checks as a configuration has.

use super::Link;
use crate::config::Check;
use picket_proto::{Name, Span, Stamp, watched};
use picket_rpc::{convert, v1};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of a machine-id that are looked at: 32 digits and what stands around them.
const MACHINE_ID_MAX: u64 = 64;

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
            machine: machine(Path::new("/etc/machine-id")),
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

/// A number by which equal machine-ids are equal, and from which none can be had back, since programs use theirs as a secret
/// (machine-id(5)): the first half word of a SHA-256. 0 where the file has no such id.
fn machine(file: &Path) -> u64 {
    let mut text = Vec::new();
    let _none_is_no_id = File::open(file).and_then(|file| file.take(MACHINE_ID_MAX).read_to_end(&mut text));
    let id = text.trim_ascii();
    if id.len() != 32 || !id.iter().all(u8::is_ascii_hexdigit) {
        return 0;
    }
    let digest = Sha256::new().chain_update("picket machine-id 1:").chain_update(id).finalize();
    digest.first_chunk().map_or(0, |half| u64::from_be_bytes(*half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ids_are_equal_numbers_and_what_is_no_id_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let number = |text: &str| {
            let file = folder.path().join("machine-id");
            std::fs::write(&file, text).unwrap();
            machine(&file)
        };
        let one = number("3d1219c7c4c5404aaa1f6d2a48adfda4\n");
        assert_eq!(one, number("3d1219c7c4c5404aaa1f6d2a48adfda4"));
        assert_ne!(one, number("3d1219c7c4c5404aaa1f6d2a48adfda5\n"));
        assert_ne!(one, 0);
        assert_eq!(["", "uninitialized\n", "3d12\n"].map(number), [0; 3]);
        assert_eq!(machine(&folder.path().join("none")), 0);
    }
}
