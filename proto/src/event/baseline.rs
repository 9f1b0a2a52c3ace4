//! What should be there and is not: things of a host's baseline that vanished, and what changed just before. What is
//! learned, and when it counts as gone, is the agent core's.

use crate::id::Name;
use crate::text::Text;
use crate::time::Span;
use heapless::Vec;
use serde::{Deserialize, Serialize};

/// Most things that one event names: a package's unit, port and timer. The others are counted.
pub const LOST_MAX: usize = 3;

/// What a thing of the baseline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ThingKind {
    /// A unit that runs a program.
    Service,
    /// A unit that starts another one at its time.
    Timer,
    /// A unit that listens for another one.
    Socket,
    /// A file system that is mounted.
    Mount,
    /// A port that a unit listens on, as in `tcp/443`.
    Port,
}

/// How a thing is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Gone {
    /// Its unit has no file any more, or none that can be read.
    NoFile,
    /// Its unit is disabled and does not run.
    Disabled,
    /// Its unit is masked.
    Masked,
    /// Its unit should run and nobody fails, but it is not scheduled or does not listen.
    Idle,
    /// Nobody listens on the port, though its unit runs.
    Closed,
    /// Nobody listens on the port, and its unit is gone too.
    WithItsUnit,
    /// It is not mounted.
    Unmounted,
}

/// A thing that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// What it is.
    pub kind: ThingKind,
    /// Its name: a unit's, a mount point, or protocol and port.
    pub name: Name,
    /// The unit that it belonged to, of a port.
    pub owner: Option<Name>,
    /// How it is gone.
    pub gone: Gone,
}

/// What can change a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ChangeKind {
    /// A package was installed.
    Installed,
    /// A package got another version.
    Upgraded,
    /// A package was removed.
    Removed,
    /// The package manager was at work; at what is not known.
    Packages,
    /// A file of a unit was written or removed, or a unit was enabled, disabled or masked.
    UnitFile,
    /// A file of a service's configuration was written.
    Config,
}

/// What changed just before something vanished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What kind of change.
    pub kind: ChangeKind,
    /// Which package or path.
    pub name: Text,
    /// How long before the first of the things was seen to be gone; zero where it came just after.
    pub before: Span,
}

/// Things of the baseline are gone, all by one change of the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vanished {
    /// The number of this loss on its host: [`Returned`] names it again.
    pub number: u32,
    /// It was told before, and still is so: a session began.
    pub again: bool,
    /// The first of them.
    pub things: Vec<Lost, LOST_MAX>,
    /// How many more there are.
    pub more: u16,
    /// The service of the agent's configuration that one of them is.
    pub service: Option<Name>,
    /// What changed just before; nothing is known to have, where there is none.
    pub change: Option<Change>,
    /// How long ago the first of them was seen to be gone.
    pub since: Span,
}

/// How a loss ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ended {
    /// All of it is back.
    Back,
    /// A person took the host as it is for what should be.
    Accepted,
}

/// A loss is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Which.
    pub number: u32,
    /// How.
    pub ended: Ended,
    /// The thing that was named first.
    pub name: Name,
    /// The service of the agent's configuration that was part of it.
    pub service: Option<Name>,
    /// By whom it was accepted; empty where it came back.
    pub by: Text,
    /// How long it lasted.
    pub after: Span,
}
