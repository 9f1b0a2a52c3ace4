//! What one service is: parsed and validated by the shell, and never changed.

use super::files::Good;
use super::reboot::Reboots;
use heapless::Vec;
use picket_proto::event::Remedy;
use picket_proto::{Name, Span};

/// A service's place in the configuration.
pub type ServiceIx = u16;

/// Most services that one service can need directly: a program that talks to more than 8 others on its own host is
/// better cut in two.
pub const NEEDS_MAX: usize = 8;

/// Most rungs of a ladder: more than one of each kind heal nothing more.
pub const LADDER_MAX: usize = 7;
/// Remedies in the order in which they are tried.
pub type Ladder = Vec<Remedy, LADDER_MAX>;

/// What one service is. Parsed and validated by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Unique among services.
    pub name: Name,
    /// Who starts and stops it.
    pub driver: Driver,
    /// Nothing is done about it: what would be done is told. Not of one that the agent itself starts.
    pub observes: bool,
    /// Services without which it can't be well. There is no way from a service back to itself.
    pub needs: Vec<ServiceIx, NEEDS_MAX>,
    /// What is tried, one after the other. Empty: restarts.
    pub ladder: Ladder,
    /// How its files are looked after, if they are.
    pub good: Option<Good>,
    /// How the versions of its packages are looked after, if they are.
    pub packages: Option<Good>,
    /// How often the host may be rebooted for it and others, if at all.
    pub reboots: Option<Reboots>,
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

/// Who starts and stops a service's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// The agent itself.
    Spawn,
    /// Other programs, of another init system: what they take to stop it is the shell's business.
    Command,
    /// systemd: the service is a unit, and its own restarts and its operators' stops are respected.
    Systemd,
}
