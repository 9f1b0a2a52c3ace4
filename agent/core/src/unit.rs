//! Units of systemd: what is seen of one, and what that means for the service that it is.
//!
//! A signal of D-Bus is only a wake-up; the shell then reads the whole state once ([`Seen`]) and says which jobs have
//! ended since ([`Done`]). [`classify`] tells from two readings in a row what happened: systemd does not say who
//! stopped a unit, but every stop that somebody asked for is a job, and a process that dies by itself makes none.
//! Lives are told apart by their InvocationID, never by counters, which systemd sets back. [`bus`] keeps the
//! connection: when to try again, when to compare everything, and for how long nothing was seen. What is done about a
//! failure is not decided here.

pub(crate) mod bus;
mod classify;
mod memory;
#[cfg(test)]
mod rulings;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod unseen;

pub(crate) use classify::{Turn, Who};
pub(crate) use memory::Memory;

use picket_proto::Span;
use picket_proto::event::Ruling;

/// The place of a unit's service in the configuration.
pub type UnitIx = u16;

/// Most jobs of one unit that end between two readings and are remembered; of more the earliest are forgotten, which
/// are the least telling.
pub const DONE_MAX: usize = 4;

/// ActiveState.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Active {
    /// active, reloading, refreshing.
    Active,
    /// activating.
    Activating,
    /// deactivating.
    Deactivating,
    /// inactive.
    Inactive,
    /// failed.
    Failed,
    /// maintenance, and what no systemd has yet.
    Other,
}

/// What SubState adds where it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sub {
    /// auto-restart and auto-restart-queued, dead- and failed-before-auto-restart: systemd starts it again.
    AutoRestart,
    /// All others.
    Other,
}

/// Whether there is a unit to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// loaded.
    Loaded,
    /// masked, here or by its file.
    Masked,
    /// not-found, bad-setting, error.
    Missing,
}

/// Whether its file says that it should run (UnitFileState).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// disabled.
    Disabled,
    /// enabled, static, and all others.
    Wanted,
}

/// What a run of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Type=oneshot: it may end when it is done.
    Oneshot,
    /// All others.
    Daemon,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// stop.
    Stop,
    /// All others.
    Other,
    /// It was gone before it could be read.
    Unread,
}

/// A job that is queued or runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: u32,
    /// What it does.
    pub kind: JobKind,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// done.
    Done,
    /// failed.
    Failed,
    /// dependency.
    Dependency,
    /// canceled, timeout, skipped, and others.
    Other,
}

/// A job that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Its number.
    pub id: u32,
    /// How.
    pub end: JobEnd,
}

/// The jobs that ended since the last reading, the earliest first.
pub type Dones = [Option<Done>; DONE_MAX];

/// A unit as it was read once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// ActiveState.
    pub active: Active,
    /// SubState.
    pub sub: Sub,
    /// LoadState.
    pub load: Load,
    /// UnitFileState.
    pub file: File,
    /// Type.
    pub kind: Kind,
    /// Job.
    pub job: Option<Job>,
    /// InvocationID; zeros before the first start.
    pub invocation: [u8; 16],
    /// MainPID; 0 if there is none.
    pub pid: u32,
    /// ExecMainCode: 1 exited, 2 killed, 3 dumped, 0 never ran.
    pub code: i32,
    /// ExecMainStatus: the status or the signal.
    pub status: i32,
    /// Result, where it says more than these two.
    pub ruling: Option<Ruling>,
    /// ConditionResult or AssertResult is no: its last start was passed over.
    pub unmet: bool,
    /// NRestarts: grows with systemd's own restarts, but is set back by others.
    pub restarts: u32,
    /// StateChangeTimestampMonotonic, microseconds.
    pub changed: u64,
    /// RestartUSec and TimeoutStartUSec: within it systemd's own restart should have come.
    pub patience: Span,
}

/// Why a reading was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A signal told that something changed.
    Signal,
    /// All are compared; what differs was told by no signal.
    Look,
}

/// What systemd said to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It made this job.
    Job(u32),
    /// Another job is queued that contradicts it: somebody else is at work.
    Busy,
    /// No answer came in time, or there is no connection.
    Unheard,
    /// It can't: this errno says why.
    Refused(i32),
}

/// What a call asks for. Mode is `fail`, so that another's queued job wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// StartUnit: of what does not run. Does nothing to what somebody else has started meanwhile, so that nothing is
    /// ever restarted twice.
    Start,
    /// ResetFailedUnit, then StartUnit: a start limit that was hit would refuse the single try of a breaker.
    ResetAndStart,
    /// ReloadUnit: of what runs and fails its checks. Refused where its unit has no ExecReload.
    Reload,
    /// StopUnit: of what no remedy heals.
    Stop,
    /// TryRestartUnit: of what runs and fails its checks. Never starts what was stopped meanwhile.
    Restart,
}

/// A life of a unit whose last words are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collect {
    /// Its main process; 0 if there was none.
    pub pid: u32,
    /// Its InvocationID; zeros where no life began: then systemd knows why.
    pub invocation: [u8; 16],
}

/// Something was heard of a unit, or of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The bus is there, signals come; nothing is read yet.
    Opened,
    /// The bus, or systemd on it, is gone.
    Lost,
    /// A unit was read, after every signal of it that had come by then.
    Read {
        /// Which.
        unit: UnitIx,
        /// Why.
        wake: Wake,
        /// Its state.
        seen: Seen,
        /// Jobs that ended since it was last read.
        done: Dones,
    },
    /// A call was answered.
    Answered {
        /// Which unit.
        unit: UnitIx,
        /// What was said.
        answer: Answer,
    },
}

/// Something to do about the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Connect and subscribe. Answered by Opened or Lost.
    Connect,
    /// Read every unit. Answered by a Read each.
    Look,
}
