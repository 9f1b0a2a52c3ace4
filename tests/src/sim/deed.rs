//! Deeds: what a plan lets happen to the world. Values, so that a plan can be made, printed, cut short and done again.

use super::happening::Place;

/// One deed. Hosts, services and collectors are counted from 0; a number beyond the last one counts on from 0 again,
/// so that a plan stays sound for a smaller world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The link of a host carries nothing, either way.
    Cut(usize),
    /// It carries nothing up (true) or down.
    OneWay(usize, bool),
    /// A machine is cut off from everybody.
    Isolate(Place),
    /// A host's link is as it should be.
    Heal(usize),
    /// All links are.
    HealAll,
    /// What crosses takes so many milliseconds longer, each way.
    Delay(usize, u64),
    /// Streams overtake each other by up to so many milliseconds.
    Reorder(usize, u64),
    /// So many messages of a thousand come twice.
    Duplicate(usize, u64),
    /// So many packets of a thousand are lost and sent again.
    Lose(usize, u64),
    /// The process of ours is killed; the init system starts it again.
    Crash(Place),
    /// It is killed, and nobody starts it again.
    Halt(Place),
    /// It is started again.
    Restart(Place),
    /// The power goes; it comes back after so many seconds.
    PowerCut(Place, u64),
    /// The process is stopped (SIGSTOP).
    Pause(Place),
    /// It goes on.
    Continue(Place),
    /// The machine stands still; whether its BOOTTIME goes on meanwhile.
    Freeze(Place, bool),
    /// It goes on.
    Thaw(Place),
    /// Its clock runs so many parts per million off.
    Skew(Place, i64),
    /// Its wall clock jumps by so many seconds.
    JumpWall(Place, i64),
    /// Its disk takes so many milliseconds longer for everything.
    SlowDisk(Place, u64),
    /// A host's disk promises and does not keep it.
    LieAboutFsync(usize),
    /// The next power cut tears what is written then.
    TearLastWrite(usize),
    /// The disk is full.
    FillDisk(Place),
    /// A host's disk fails every write.
    BreakDisk(usize),
    /// It works and has room.
    FreeDisk(Place),
    /// A service is killed (SIGKILL), or gets a stray SIGTERM.
    KillService(usize, usize, i32),
    /// It is frozen (SIGSTOP).
    FreezeService(usize, usize),
    /// It lives and answers wrongly.
    Sicken(usize, usize),
    /// It can't run: every start dies after so many milliseconds.
    Break(usize, usize, u64),
    /// It is as it should be.
    Cure(usize, usize),
    /// An operator stops a unit.
    OperatorStops(usize, usize),
    /// And starts it.
    OperatorStarts(usize, usize),
    /// The bus is gone, or restarted.
    LoseBus(usize),
    /// It is back.
    RestoreBus(usize),
    /// A person lets remedies rest on a host, for so many seconds; 0: no more.
    Hold(usize, u64),
    /// A person has a service tried now.
    Try(usize, usize, bool),
    /// A second machine comes up from a copy of this one's disk.
    Clone(usize),
    /// A snapshot of the whole machine is taken.
    TakeSnapshot(usize),
    /// And resumed: memory, disk and clock as they were then.
    ResumeSnapshot(usize),
    /// A collector's machine gets an older backup of its journal: without the last so many of a thousand entries.
    RestoreBackup(usize, u64),
    /// A collector makes a snapshot of its state.
    Snapshot(usize),
    /// The program is stopped in order, and a newer one is started.
    Upgrade(Place),
    /// An operator takes or ends the newest incident.
    Operate(usize, bool),
}

impl Deed {
    /// Whether something goes wrong by it, and not right again.
    pub(super) const fn is_fault(self) -> bool {
        !matches!(
            self,
            Self::Heal(_)
                | Self::HealAll
                | Self::Restart(_)
                | Self::Continue(_)
                | Self::Thaw(_)
                | Self::FreeDisk(_)
                | Self::Cure(..)
                | Self::Try(..)
                | Self::OperatorStarts(..)
                | Self::RestoreBus(_)
                | Self::TakeSnapshot(_)
                | Self::Snapshot(_)
                | Self::Operate(..)
        )
    }
}

/// What happens when, after the world has come up: microseconds, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Each deed and its time.
    pub deeds: Vec<(u64, Deed)>,
}

impl Plan {
    /// A deed so many milliseconds after the one before.
    #[must_use]
    pub fn then(mut self, millis: u64, deed: Deed) -> Self {
        let last = self.deeds.last().map_or(0, |(at, _)| *at);
        self.deeds.push((last + millis * 1_000, deed));
        self
    }

    /// In the order of time.
    pub(super) fn sorted(mut self) -> Self {
        self.deeds.sort_by_key(|(at, _)| *at);
        self
    }

    /// How many of them are faults.
    pub(super) fn faults(&self) -> u64 {
        self.deeds.iter().filter(|(_, deed)| deed.is_fault()).count() as u64
    }
}
