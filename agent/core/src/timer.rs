//! Deadlines by reason.

/// Why the next deadline is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A probe is due.
    Probe,
    /// A restart is due.
    Restart,
    /// A stopping service is to be killed.
    Kill,
    /// A starting service must have passed its checks by now.
    StartTimeout,
    /// What has been passing has held.
    Held,
    /// An open breaker tries once.
    HalfOpen,
    /// Evidence did not come in time; the remedy goes on without it.
    Evidence,
    /// The link is tried again.
    Connect,
    /// A heartbeat is due.
    Heartbeat,
    /// The farewell has taken long enough.
    Farewell,
}
