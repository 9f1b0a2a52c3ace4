//! One-time tokens: `pkt1.SECRET.FINGERPRINT`, both in hex, 32 bytes each.
//!
//! The secret proves to the collector that an operator wants this host; the fingerprint (SHA-256 of the CA's DER)
//! proves the collector to the host, which has nothing else to trust yet. The collector keeps the secret's hash.

use crate::clock;
use crate::error::Failure;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A token's secret; has no Debug, so that it cannot slip into a log.
pub(crate) struct Secret([u8; 32]);

impl Secret {
    /// A fresh one.
    pub(crate) fn new() -> Result<Self, Failure> {
        clock::entropy().map(Self)
    }

    /// What the journal keeps of it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }

    /// The token as an operator hands it to a host.
    pub(crate) fn token(&self, fingerprint: [u8; 32]) -> String {
        format!("pkt1.{}.{}", hex(&self.0), hex(&fingerprint))
    }
}

/// SHA-256 of a secret.
pub(crate) fn hash(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _strings_take_all = write!(text, "{byte:02x}");
    }
    text
}
