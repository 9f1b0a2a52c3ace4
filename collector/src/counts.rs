//! What the core's task did at its ports, counted for metrics. Counters begin with the process.

use picket_proto::code;
use std::sync::atomic::{AtomicU64, Ordering};

/// See the module.
#[derive(Debug)]
pub(crate) struct Counts {
    acks: AtomicU64,
    /// By the place of the code in the table.
    refused: [AtomicU64; code::ALL.len()],
}

impl Default for Counts {
    fn default() -> Self {
        Self { acks: AtomicU64::new(0), refused: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Counts {
    /// An ack went out.
    pub(crate) fn acked(&self) {
        self.acks.fetch_add(1, Ordering::Relaxed);
    }

    /// Something was refused for this reason.
    pub(crate) fn refused(&self, code: &str) {
        if let Some(at) = code::ALL.iter().position(|known| known.code == code) {
            self.refused[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many acks went out.
    pub(crate) fn acks(&self) -> u64 {
        self.acks.load(Ordering::Relaxed)
    }

    /// How often each reason was given that was given at all.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counted = code::ALL.iter().zip(&self.refused);
        counted
            .map(|(code, count)| (code.code, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
    }
}
