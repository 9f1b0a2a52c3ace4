//! How a process ended, and why the init system ended it or would not start it. What is done about it is the agent
//! core's.

use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It could not be started: this errno.
    NotStarted(i32),
    /// It is gone; its status went to another parent.
    Unknown,
    /// The init system says more than a wait status can. Since version 2 of the kinds that hold an exit.
    Ruled(Ruling),
}

impl Exit {
    /// The lowest version of the kinds that hold an exit that can say it.
    pub(super) const fn version(&self) -> u8 {
        match self {
            Self::Code(_) | Self::Signal(_) | Self::NotStarted(_) | Self::Unknown => 1,
            Self::Ruled(_) => 2,
        }
    }

    /// Whether somebody else ended it, so that what it printed last tells nothing about its end.
    pub const fn is_from_outside(self) -> bool {
        const HUP: i32 = 1;
        const INT: i32 = 2;
        const KILL: i32 = 9;
        const TERM: i32 = 15;
        match self {
            Self::Signal(signal) => matches!(signal, HUP | INT | KILL | TERM),
            Self::Ruled(ruling) => matches!(ruling, Ruling::OutOfMemory),
            Self::Code(_) | Self::NotStarted(_) | Self::Unknown => false,
        }
    }
}

/// Why the init system ended a service, or would not start it: systemd's Result of a service (systemd.service(5)),
/// result of a job, and conditions of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ruling {
    /// The kernel took one of its processes for want of memory.
    OutOfMemory,
    /// It was killed since its signs of life did not come (WatchdogSec=).
    Watchdog,
    /// It was killed since it did not start, stop or finish in time.
    Timeout,
    /// It did not start in the way that its type promises.
    Protocol,
    /// There was no memory, descriptor, folder or the like to start it with.
    Resources,
    /// It was started too often in a short time (StartLimitBurst=).
    StartLimit,
    /// Something that it needs did not start.
    Dependency,
    /// A condition or an assertion of its unit is not met.
    Condition,
    /// A step before its main process failed (ExecStartPre=).
    Step,
}
