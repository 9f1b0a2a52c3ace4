//! A service's own files, and the versions of its packages: which were good, whether they changed since, and putting the
//! good ones back. What is said here of files holds for both.
//!
//! Files are good that a service began with (or read anew by a reload of the agent's own) and was well with for
//! [`Good::after`]. What was changed while it ran proves nothing: nobody knows whether it was read. Where a precheck is
//! named, such a change counts as well once the service was well with it for that long and the precheck passes; without
//! one it waits for the next start. So a broken file that lies there unread never becomes the good one.
//!
//! They are looked at with every failure beside the first remedy, which waits for no disk; from the second on the look is
//! waited for like last words. What differs is named in place of how it failed, unless it was killed from outside. A
//! rollback is open until it has held; in any other end the newer files are put back. It is tried once in a streak: what
//! did not fit will not fit either. One order is out at a time, so a disk that hangs costs one thread and the rung, never
//! a restart. How files are copied is the shell's.
//!
//! Packages differ in four ways. What a process began with that an earlier run or a boot began is taken for what is installed,
//! once that has been so for twice the time: else a host that is rebooted after its upgrades would never have a newer good
//! version. Who upgrades beside a running process and then restarts the agent has one that may be none. A reload reads none anew.
//! Installing one starts and stops the service itself: so whatever its unit does meanwhile is nobody's wish, and undoing is
//! waited for. Where others are at work on packages nothing was tried, and may be later in the streak.

mod answers;
mod said;

pub use said::{Good, Kept, Kind, Open, Order, Said};

use super::Around;
use super::keep::Left;
use super::moves::{Moving, Taken};
use super::slot::{Process, Proof, Slot, State, Wait};
use picket_proto::event::{Outcome, Remedy};
use picket_proto::{Mono, Span, Text};

/// How long a rollback may take: 20 s for its precheck, and the rest for a slow disk.
const ROLL_BACK: Span = Span::from_secs(60);
/// The same of packages: 10 min each to undo what an earlier run left, to do it, and to undo that; the rest is for
/// simulating it and for looking at locks and folders.
pub(super) const INSTALL: Span = Span::from_secs(1_860);
/// A look that comes later after a start may have seen a change that the process did not read.
const NOTED_WITHIN: Span = Span::from_secs(5);

/// Which files the present life began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Began {
    #[default]
    Unknown,
    /// It began then; the look is to come.
    At(Mono),
    With(u64),
}

/// What is remembered of a service's files.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// What is to be done next.
    wanted: Option<Order>,
    /// What the shell is at.
    out: Option<Order>,
    began: Began,
    /// As they were at the last look, while it was well.
    last: Option<u64>,
    /// When they are next looked at, while it is well.
    due: Option<Mono>,
    /// The look that comes is for taking them.
    takes: bool,
    /// Whether there are good ones, once that was looked at.
    has_good: Option<bool>,
    /// The first one that differs from the good ones.
    pub(super) changed: Option<Text>,
    /// A rollback was tried in this streak.
    pub(super) tried: bool,
    /// A rollback is under way.
    is_open: bool,
    /// One has held, and nothing was changed since.
    is_reverted: bool,
    /// They could not be looked at.
    unread: bool,
    /// What would put the good ones back is not there.
    is_away: bool,
}

/// How long the good ones may take to be put back.
const fn limit(kind: Kind) -> Span {
    match kind {
        Kind::Files => ROLL_BACK,
        Kind::Packages => INSTALL,
    }
}

impl Files {
    /// The next order, unless one is out.
    pub(super) fn next_order(&mut self) -> Option<Order> {
        if self.out.is_none() {
            self.out = self.wanted.take();
            return self.out;
        }
        None
    }

    /// Whether an order can go out.
    pub(super) const fn is_ready(&self) -> bool {
        self.wanted.is_some() && self.out.is_none()
    }

    /// Whether there is something to put back, as far as is known.
    pub(super) fn can_help(&self) -> bool {
        !self.tried && (self.changed.is_some() || self.has_good.is_none() || self.unread)
    }

    /// Whether versions are being installed, or are to be.
    pub(super) fn installs(&self) -> bool {
        let is_one = |order: Option<Order>| matches!(order, Some(Order::RollBack | Order::Undo));
        is_one(self.wanted) || is_one(self.out)
    }

    /// Whether something is still to come.
    pub(super) const fn waits(&self) -> bool {
        self.wanted.is_some() || self.out.is_some()
    }

    /// The rollback has held.
    fn close(&mut self) {
        (self.wanted, self.changed, self.is_reverted) = (Some(Order::Close), None, true);
    }

    /// When they are next looked at.
    pub(super) fn due(&self) -> Mono {
        self.due.unwrap_or(Mono::NEVER)
    }

    /// How they stand, as they were looked at last.
    pub(super) fn stand(&self) -> Option<Kept<'_>> {
        if self.unread {
            return Some(Kept::Unread);
        }
        Some(match (self.is_open || self.is_reverted, self.has_good?, &self.changed) {
            (true, _, None) => Kept::RolledBack,
            (_, false, _) => Kept::None,
            (_, true, Some(changed)) => Kept::Changed(changed),
            (false, true, None) if self.is_away => Kept::Away,
            (false, true, None) => Kept::Same,
        })
    }
}

impl Slot {
    pub(super) const fn kept(&mut self, kind: Kind) -> &mut Files {
        match kind {
            Kind::Files => &mut self.files,
            Kind::Packages => &mut self.packages,
        }
    }

    /// Whether an order about either can go out.
    pub(super) const fn has_orders(&self) -> bool {
        self.files.is_ready() || self.packages.is_ready()
    }

    /// Whether a look is still to come.
    pub(super) const fn awaits_looks(&self) -> bool {
        self.files.waits() || self.packages.waits()
    }

    /// When either is next looked at.
    pub(super) fn looks_due(&self) -> Mono {
        self.files.due().min(self.packages.due())
    }
}

impl Moving<'_> {
    const fn good(&self, kind: Kind) -> Option<Good> {
        match kind {
            Kind::Files => self.slot.spec.good,
            Kind::Packages => self.slot.spec.packages,
        }
    }

    /// Has them looked at, unless there is something else to do about them.
    pub(super) fn look_at_files(&mut self) {
        Kind::ALL.into_iter().for_each(|kind| self.look_at(kind));
    }

    fn look_at(&mut self, kind: Kind) {
        let is_kept = self.good(kind).is_some();
        let files = self.slot.kept(kind);
        if is_kept && !files.waits() {
            files.wanted = Some(Order::Look);
        }
    }

    /// A process begins.
    pub(super) fn begins_with_files(&mut self, now: Mono) {
        self.slot.packages.began = Began::At(now);
        self.reads_files(now);
    }

    /// A process reads its files anew.
    pub(super) fn reads_files(&mut self, now: Mono) {
        self.slot.files.began = Began::At(now);
        self.look_at_files();
    }

    /// It is well from now on.
    pub(super) fn well_with_files(&mut self, now: Mono) {
        for kind in Kind::ALL {
            let due = self.good(kind).map(|good| now.plus(good.after));
            let files = self.slot.kept(kind);
            (files.due, files.last, files.tried) = (due, None, false);
            if core::mem::take(&mut files.is_open) {
                files.close();
            }
        }
    }

    /// It has been well for a while.
    pub(super) fn files_due(&mut self, now: Mono) {
        for kind in Kind::ALL {
            if self.slot.kept(kind).due() <= now {
                self.due_of(kind, now);
            }
        }
    }

    /// They are due, or how long they must have been good is another time now.
    pub(super) fn due_of(&mut self, kind: Kind, now: Mono) {
        let good = self.good(kind);
        let files = self.slot.kept(kind);
        files.due = good.map(|good| now.plus(good.after));
        if good.is_none() {
            return;
        }
        if core::mem::take(&mut files.is_open) {
            files.close();
            return;
        }
        files.takes = true;
        self.look_at(kind);
    }

    /// What a rollback did is undone, where one is open.
    pub(super) fn undo_files(&mut self) {
        for kind in Kind::ALL {
            let files = self.slot.kept(kind);
            if core::mem::take(&mut files.is_open) {
                files.wanted = Some(Order::Undo);
            }
        }
    }

    /// Waits where packages are being put back to what they were; whether it does.
    pub(super) fn waits_for_undoing(&mut self, process: Option<Process>, now: Mono) -> bool {
        let packages = &self.slot.packages;
        let waits = packages.wanted == Some(Order::Undo) || packages.out == Some(Order::Undo);
        if waits {
            self.wait_for_files(Kind::Packages, process, now);
        }
        waits
    }

    pub(super) fn wait_for_files(&mut self, kind: Kind, process: Option<Process>, now: Mono) {
        let until = now.plus(limit(kind));
        self.slot.state = State::Waiting { process, wait: Wait::Files { kind, until } };
    }

    /// The good files are put back, then it is restarted.
    pub(super) fn roll_back(&mut self, kind: Kind, process: Option<Process>, now: Mono) {
        let files = self.slot.kept(kind);
        (files.wanted, files.tried) = (Some(Order::RollBack), true);
        self.wait_for_files(kind, process, now);
    }

    /// What was to be done about its files did not come in time.
    pub(super) fn rolls_back_in_vain(
        &mut self,
        kind: Kind,
        process: Option<Process>,
        around: Around<'_, '_>,
    ) {
        let files = self.slot.kept(kind);
        if files.out == Some(Order::Undo) {
            return self.decide(process, around);
        }
        files.wanted = files.wanted.filter(|order| *order != Order::RollBack);
        let why = match kind {
            Kind::Files => "its files could not be put back in time",
            Kind::Packages => "its packages could not be put back in time",
        };
        self.not_done(why, process, around);
    }

    /// A remedy that could not be done: the next rung follows.
    pub(super) fn not_done(&mut self, why: &str, process: Option<Process>, mut around: Around<'_, '_>) {
        self.tell_not_done(why, &mut around);
        self.slot.rung.did_not_hold();
        self.failed(self.slot.streak.why, process, around);
    }

    pub(super) fn tell_not_done(&mut self, why: &str, around: &mut Around<'_, '_>) {
        self.slot.tell_outcome(around.now, Outcome::NotDone { why: Text::new(why) }, around.out);
    }
}
