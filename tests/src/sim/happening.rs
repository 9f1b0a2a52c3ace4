//! What can happen in the world, and the queue that orders it.
//!
//! The queue is the only order there is: by true time, then by the order in which things were put in. So a seed and a
//! plan decide every step.

use super::deed::Deed;
use super::net::{Down, StreamId, Up};
use picket_agent_core::spool::{self, SegmentId, Shape, Trouble};
use picket_agent_core::{Ending, check, session, unit};
use picket_collector_core::ingest::SessionId;
use picket_proto::event::Exit;
use picket_proto::frame::Class;
use picket_proto::{Mono, Name, Ranges, Run, Seq, Span};
use std::collections::BTreeMap;

/// A machine that runs something of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A watched host with its agent.
    Host(usize),
    /// A machine with a collector.
    Collector(usize),
}

/// Something that happens. What names a life happens only to that one.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// The plan's deed.
    Deed(Deed),
    /// The init system starts what belongs on the machine.
    Start(Place),
    /// A machine is on again.
    Boot(Place),
    /// A service of a host does something by itself.
    Service(usize, usize, Turn),
    /// Something comes to an agent.
    Agent(usize, u64, AgentIn),
    /// An agent's timer; void unless it is the one that was armed last.
    AgentTimer(usize, u64, u64),
    /// The disk has done what an agent's process ordered last, or its state file was written.
    Disk(usize, u64, DiskWork),
    /// An agent reads a unit.
    ReadUnit(usize, u64, usize, unit::Wake),
    /// A connection is tried.
    Dial(StreamId),
    /// Something has crossed the network.
    Up(StreamId, Up),
    /// The same, the other way.
    Down(StreamId, Down),
    /// Both ends of a stream look whether the other one is there.
    Ping(StreamId),
    /// Something comes to a collector's process.
    Collector(usize, u64, CollectorIn),
    /// A collector's timer; void unless it is the one that was armed last.
    CollectorTimer(usize, u64, u64),
}

/// What a disk was at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiskWork {
    /// The spool's order.
    Spool,
    /// The state file.
    State,
}

/// What a service does by itself.
#[derive(Debug, Clone)]
pub(super) enum Turn {
    /// This process ends.
    Dies { pid: u32, exit: Exit },
    /// systemd starts it again.
    AutoRestart,
    /// A job of systemd's comes to its work.
    Job(Job),
}

/// What somebody asked systemd to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// StartUnit by the agent.
    Start,
    /// TryRestartUnit by the agent.
    Restart,
    /// An operator's stop.
    Stop,
    /// An operator's start.
    OperatorStarts,
}

/// What comes to an agent's process.
#[derive(Debug, Clone)]
pub(super) enum AgentIn {
    Answer(check::Fact<'static>),
    Exited {
        service: u16,
        pid: u32,
        exit: Exit,
    },
    Unit(unit::Fact),
    Disk(Told),
    Word(u64, Word),
    Sent(u64, u16),
    Hold(Option<u16>, Option<Span>),
    Try(u16, bool),
    Stop(Ending),
    Time,
    /// What the shell knew at once.
    Known(Known),
    /// No session came in the time that a try has.
    TooLate(u64),
}

/// What an agent's shell knows without waiting.
#[derive(Debug, Clone)]
pub(super) enum Known {
    Reading(check::Fact<'static>),
    Absent(u16),
    Lost(u16, u32),
    Started { service: u16, pid: u32, adopted: bool },
    Exited { service: u16, pid: u32, exit: Exit },
    Evidence(u16, u32),
    Printed(u16, u64),
}

/// What a stream says to an agent.
#[derive(Debug, Clone)]
pub(super) enum Word {
    Opened,
    Welcomed { heartbeat: Span, known: Ranges, watched: u32 },
    Acked { run: Run, ranges: Ranges },
    Beat { echo: Mono, received: Mono, answered: Mono },
    Challenged { nonce: u64 },
    Ordered { token: u64, service: Box<Name> },
    Lost(session::Trouble),
}

/// What an agent's disk answers.
#[derive(Debug, Clone)]
pub(super) enum Told {
    Kept(Vec<u8>),
    Found { segment: SegmentId, class: Class, shape: Shape, run: Run, first: Seq, last: Seq, frames: u32 },
    Opened { damaged: u32 },
    Done { flash: u64 },
    Page { bytes: Vec<u8>, damaged: u32 },
    Failed(Trouble),
}

impl Told {
    pub(super) fn as_fact(&self) -> spool::Fact<'_> {
        match self {
            Self::Kept(bytes) => spool::Fact::Kept { bytes },
            Self::Found { segment, class, shape, run, first, last, frames } => spool::Fact::Found {
                segment: *segment,
                class: *class,
                shape: *shape,
                run: *run,
                first: *first,
                last: *last,
                frames: *frames,
            },
            Self::Opened { damaged } => spool::Fact::Opened { damaged: *damaged },
            Self::Done { flash } => spool::Fact::Done { flash: *flash },
            Self::Page { bytes, damaged } => spool::Fact::Page { bytes, damaged: *damaged },
            Self::Failed(trouble) => spool::Fact::Failed { trouble: *trouble },
        }
    }
}

/// What comes to a collector's process from its own machine.
#[derive(Debug, Clone, Copy)]
pub(super) enum CollectorIn {
    /// The commit that was under way has ended.
    Committed,
    /// What was heard is handed in.
    Hear,
    /// A watcher reads what it was sent.
    Read(u16),
    /// A session's pings went unanswered.
    Gone(SessionId),
}

/// What is to come, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    all: BTreeMap<(u64, u64), Happening>,
    put: u64,
}

impl Queue {
    pub(super) fn put(&mut self, at: u64, happening: Happening) {
        if at != u64::MAX {
            self.all.insert((at, self.put), happening);
            self.put += 1;
        }
    }

    pub(super) fn next(&mut self, until: u64) -> Option<(u64, Happening)> {
        let first = self.all.first_entry()?;
        if first.key().0 > until {
            return None;
        }
        let ((at, _), happening) = first.remove_entry();
        Some((at, happening))
    }
}
