//! The signals that an agent obeys: SIGTERM and SIGINT end it, SIGHUP does not.

use picket_agent_core::Ending;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, and what they mean. SIGHUP ends nothing: a closed terminal must not leave a host unwatched.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
    hangup: Signal,
    ending: Ending,
}

impl Signals {
    pub(super) fn new(ending: Ending) -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            ending,
        })
    }

    pub(super) async fn next(&mut self) -> Ending {
        loop {
            tokio::select! {
                _ = self.term.recv() => return self.ending,
                _ = self.int.recv() => return self.ending,
                _ = self.hangup.recv() => {
                    tracing::warn!("SIGHUP: nothing is read anew; end the agent and start it for a changed file");
                }
            }
        }
    }
}
