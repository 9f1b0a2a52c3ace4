//! What the shell says of a service's process, and what it is to do to it.

use super::ServiceIx;
use super::files::{Kind, Order, Said};
use super::slot::{Slot, Verb};
use crate::unit;
use picket_proto::event::Exit;

/// Something happened to a service's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// At the agent's start: no process of an earlier run is alive, nor is one known to have died.
    Absent {
        /// Which service.
        service: ServiceIx,
    },
    /// At the agent's start: the process that an earlier run of the same boot left running is gone.
    Lost {
        /// Which service.
        service: ServiceIx,
        /// The process.
        pid: u32,
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
    /// The last words of one of its lives, read after it failed; empty if there are none. Comes once after every exit of a
    /// process of the agent's own, and after orders to collect.
    Evidence {
        /// Which service.
        service: ServiceIx,
        /// The process that left them; 0 if there was none, and they are systemd's.
        pid: u32,
        /// The words.
        last_line: &'a str,
    },
    /// The host was to be rebooted, and the command for that failed.
    NotRebooted {
        /// For which service.
        service: ServiceIx,
        /// Why.
        why: &'a str,
    },
    /// What it printed last was read, as ordered from afar.
    Printed {
        /// Which service.
        service: ServiceIx,
        /// The order's number.
        token: u64,
        /// The lines in the order in which they were printed, of at most 16 KiB; `None` if they could not be read.
        text: Option<&'a str>,
    },
    /// Something came of an order about its files or packages.
    Files {
        /// Which service.
        service: ServiceIx,
        /// Which of them.
        kind: Kind,
        /// What.
        said: Said<'a>,
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
    /// Have its process read its configuration anew (SIGHUP to it alone, or the program named for that). Not answered.
    Reload {
        /// Which service.
        service: ServiceIx,
    },
    /// Kill its whole process group (SIGKILL). Answered by Exited.
    Kill {
        /// Which service.
        service: ServiceIx,
    },
    /// Look for the last words of its unit. Answered by Evidence, unless a newer order comes before.
    Collect {
        /// Which service: the unit of the same place.
        service: ServiceIx,
        /// Of which life.
        of: unit::Collect,
    },
    /// Read what it printed last, some 40 lines: the life that lives or the one that ended last, where none did the present
    /// one. Answered by Printed.
    Read {
        /// Which service.
        service: ServiceIx,
        /// The order's number.
        token: u64,
        /// The life, where it is a unit.
        of: Option<unit::Collect>,
        /// The one that lives; else the one that ended last.
        lives: bool,
    },
    /// Reboot the host, once what was kept is on the disk. Answered by NotRebooted, or by the host's end.
    Reboot {
        /// For which service.
        service: ServiceIx,
    },
    /// Do something about its files or packages. Answered by Files.
    Files {
        /// Which service.
        service: ServiceIx,
        /// Which of them.
        kind: Kind,
        /// What.
        order: Order,
    },
    /// Call systemd. Answered by [`unit::Fact::Answered`].
    Unit {
        /// Which service: the unit of the same place.
        service: ServiceIx,
        /// What to ask for.
        verb: unit::Verb,
    },
}

impl Slot {
    /// The next of what is to be done to it: a start goes before a look at its files.
    pub(super) fn next_act(&mut self, service: ServiceIx) -> Option<Act> {
        if let Some(of) = self.collect.take() {
            return Some(Act::Collect { service, of });
        }
        let Some(verb) = self.order.take() else {
            let next = |kind| Some((kind, self.kept(kind).next_order()?));
            let next = Kind::ALL.into_iter().find_map(next);
            return next.map(|(kind, order)| Act::Files { service, kind, order });
        };
        Some(match verb {
            Verb::Start => Act::Start { service },
            Verb::Stop => Act::Stop { service },
            Verb::Kill => Act::Kill { service },
            Verb::Reload => Act::Reload { service },
            Verb::Reboot => Act::Reboot { service },
            Verb::Unit(verb) => {
                self.unit.called();
                Act::Unit { service, verb }
            }
        })
    }
}
