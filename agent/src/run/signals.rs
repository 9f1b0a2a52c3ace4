//! The signals that an agent obeys: SIGTERM and SIGINT end it, SIGHUP makes it read its configuration again.

use picket_agent_core::Ending;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signalled {
    /// The end.
    End(Ending),
    /// To read the configuration again.
    Reload,
}

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

    pub(super) async fn next(&mut self) -> Signalled {
        tokio::select! {
            _ = self.term.recv() => Signalled::End(self.ending),
            _ = self.int.recv() => Signalled::End(self.ending),
            _ = self.hangup.recv() => Signalled::Reload,
        }
    }
}
