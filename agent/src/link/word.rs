//! What comes out of the link: words of its stream, and the count of what the transport has taken.

use super::tls::Kept;
use super::why::Diagnosis;
use picket_agent_core::session::Fact;
use picket_proto::{Mono, Name, Ranges, Run, Span};
use std::sync::atomic::{AtomicU16, Ordering};
use tokio::sync::Notify;

/// Something that came from the link, with the number of the try that it belongs to.
pub(crate) struct Heard {
    pub(super) attempt: u64,
    pub(super) word: Word,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Word {
    Opened { place: usize, kept: Kept },
    Welcomed { heartbeat: Span, known: Ranges, watched: Option<u32> },
    Acked { run: Run, ranges: Ranges },
    Beat { echo: Mono, received: Mono, answered: Mono },
    Challenged { nonce: u64 },
    Ordered { token: u64, service: Name },
    Lost { diagnosis: Diagnosis },
}

impl Word {
    /// The fact that the core takes.
    pub(crate) fn as_fact(&self) -> Fact<'_> {
        match self {
            Self::Opened { .. } => Fact::Opened,
            Self::Welcomed { heartbeat, known, watched } => {
                Fact::Welcomed { heartbeat: *heartbeat, known, watched: *watched }
            }
            Self::Acked { run, ranges } => Fact::Acked { run: *run, ranges },
            Self::Beat { echo, received, answered } => {
                Fact::Beat { echo: *echo, received: *received, answered: *answered }
            }
            Self::Ordered { token, service } => Fact::Ordered { token: *token, service },
            Self::Challenged { nonce } => Fact::Challenged { nonce: *nonce },
            Self::Lost { diagnosis } => Fact::Lost { trouble: diagnosis.trouble() },
        }
    }
}

/// Orders that the transport has taken, counted until the loop asks.
#[derive(Default)]
pub(crate) struct Sent {
    orders: AtomicU16,
    news: Notify,
}

impl Sent {
    pub(super) fn add(&self, orders: u16) {
        if orders > 0 {
            self.orders.fetch_add(orders, Ordering::AcqRel);
            self.news.notify_one();
        }
    }

    /// Counts of a stream that is gone mean nothing to the next one.
    pub(super) fn forget(&self) {
        self.orders.store(0, Ordering::Release);
    }

    /// Waits for a count above zero and takes it. May be dropped and called again.
    pub(crate) async fn take(&self) -> u16 {
        loop {
            let orders = self.orders.swap(0, Ordering::AcqRel);
            if orders > 0 {
                return orders;
            }
            self.news.notified().await;
        }
    }
}
