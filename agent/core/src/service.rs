//! Services: one machine per service, from start to verified recovery.

use picket_proto::event::Exit;
use picket_proto::{Name, Span};

/// A service's place in the configuration.
pub type ServiceIx = u16;

/// What one service is. Parsed and validated by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Unique among services.
    pub name: Name,
    /// From the polite signal to the kill; 10 ms to 10 min.
    pub stop_timeout: Span,
    /// Within this time after a start all its checks must have passed once; failures before are not counted.
    pub start_timeout: Span,
    /// For how long all its checks must pass before a recovery is believed.
    pub hold: Span,
    /// Delay of the second restart of a streak; doubles from there, with jitter. The first waits for nothing.
    pub backoff_first: Span,
    /// Where the doubling ends.
    pub backoff_max: Span,
    /// Remedies allowed within `budget_window`; then the breaker opens.
    pub budget: u16,
    /// The window of the budget.
    pub budget_window: Span,
    /// Identical deaths in a row, without one pass of the checks between, that open the breaker.
    pub same_deaths: u16,
    /// How long an open breaker rests before its single try; doubles with each try that does not hold, at most 8 times.
    pub retry_after: Span,
}

/// Something happened to a service's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// At the agent's start: no process of an earlier run is alive.
    Absent {
        /// Which service.
        service: ServiceIx,
    },
    /// Its process runs, as ordered, or found alive at the agent's start.
    Started {
        /// Which service.
        service: ServiceIx,
        /// Its process.
        pid: u32,
        /// Whether it was found alive instead of started.
        adopted: bool,
    },
    /// Its process is gone, or never came to be.
    Exited {
        /// Which service.
        service: ServiceIx,
        /// Its process; 0 if it never had one.
        pid: u32,
        /// How.
        exit: Exit,
    },
    /// The last line it printed, read after it failed; empty if there is none. Comes once after every exit and
    /// every order to collect.
    Evidence {
        /// Which service.
        service: ServiceIx,
        /// The process that printed it.
        pid: u32,
        /// The line.
        last_line: &'a str,
    },
}

/// Something to do to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Kill what is left of its process group, then start it. Answered by Started or Exited(NotStarted).
    Start {
        /// Which service.
        service: ServiceIx,
    },
    /// Ask its whole process group to end (SIGTERM, and SIGCONT so that a frozen one can). Answered by Exited.
    Stop {
        /// Which service.
        service: ServiceIx,
    },
    /// Kill its whole process group (SIGKILL). Answered by Exited.
    Kill {
        /// Which service.
        service: ServiceIx,
    },
}

/// One service with all that is remembered of it.
#[derive(Debug)]
pub struct Slot {
    spec: Spec,
}

impl Slot {
    /// A service of which nothing is known yet.
    pub fn new(spec: Spec) -> Self {
        Self { spec }
    }

    /// What it is.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }
}
