//! A service's own files: which of them were good, whether they changed since, and putting the good ones back.
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

mod said;

pub use said::{Good, Kept, Open, Order, Said};

use super::Around;
use super::keep::Left;
use super::moves::{Moving, Taken};
use super::slot::{Process, Proof, State, Wait};
use picket_proto::event::{Outcome, Remedy};
use picket_proto::{Mono, Span, Text};

/// How long a rollback may take: 20 s for its precheck, and the rest for a slow disk.
const ROLL_BACK: Span = Span::from_secs(60);
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
            (false, true, None) => Kept::Same,
        })
    }
}

impl Moving<'_> {
    /// Has the files looked at, unless there is something else to do about them.
    pub(super) fn look_at_files(&mut self) {
        let files = &mut self.slot.files;
        if self.slot.spec.good.is_some() && !files.waits() {
            files.wanted = Some(Order::Look);
        }
    }

    /// A process begins, or reads its files anew.
    pub(super) fn reads_files(&mut self, now: Mono) {
        self.slot.files.began = Began::At(now);
        self.look_at_files();
    }

    /// It is well from now on.
    pub(super) fn well_with_files(&mut self, now: Mono) {
        let files = &mut self.slot.files;
        files.due = self.slot.spec.good.map(|good| now.plus(good.after));
        (files.last, files.tried) = (None, false);
        if core::mem::take(&mut files.is_open) {
            files.close();
        }
    }

    /// It has been well for a while.
    pub(super) fn files_due(&mut self, now: Mono) {
        let Some(good) = self.slot.spec.good else {
            self.slot.files.due = None;
            return;
        };
        let files = &mut self.slot.files;
        files.due = Some(now.plus(good.after));
        if core::mem::take(&mut files.is_open) {
            files.close();
            return;
        }
        files.takes = true;
        self.look_at_files();
    }

    /// What a rollback did is undone, where one is open.
    pub(super) fn undo_files(&mut self) {
        let files = &mut self.slot.files;
        if core::mem::take(&mut files.is_open) {
            files.wanted = Some(Order::Undo);
        }
    }

    /// The good files are put back, then it is restarted.
    pub(super) fn roll_back(&mut self, process: Option<Process>, now: Mono) {
        self.slot.files.wanted = Some(Order::RollBack);
        self.slot.files.tried = true;
        self.slot.state = State::Waiting { process, wait: Wait::Files { until: now.plus(ROLL_BACK) } };
    }

    /// The rollback did not come in time.
    pub(super) fn rolls_back_in_vain(&mut self, process: Option<Process>, around: Around<'_, '_>) {
        let files = &mut self.slot.files;
        files.wanted = files.wanted.filter(|order| *order != Order::RollBack);
        self.not_done("its files could not be put back in time", process, around);
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

    /// Something came of an order about its files.
    pub(super) fn files_said(&mut self, said: Said<'_>, around: Around<'_, '_>) -> Taken {
        let Some(order) = self.slot.files.out.take() else { return Taken::No };
        let waits = match self.slot.state {
            State::Waiting { process, wait: Wait::Files { .. } } if order == Order::RollBack => Some(process),
            _ => None,
        };
        match (said, waits) {
            (Said::RolledBack, Some(process)) => return self.rolled_back(process, around.now),
            (Said::NotDone { why }, Some(process)) => self.not_done(why, process, around),
            // Nobody waits for it any more: what it proves would be laid to another remedy.
            (Said::RolledBack, None) => self.slot.files.wanted = Some(Order::Undo),
            (Said::Looked { digest, changed, has_good, open }, _) => {
                let files = &mut self.slot.files;
                (files.changed, files.has_good, files.unread) =
                    (changed.map(Text::new), Some(has_good), false);
                files.is_reverted &= changed.is_none();
                self.looked_at_files(digest, has_good, around.now);
                self.found_open(open);
                self.go_on_with_words(around);
            }
            (Said::Unread { open }, _) => {
                (self.slot.files.takes, self.slot.files.unread) = (false, true);
                self.found_open(open);
                self.go_on_with_words(around);
            }
            (Said::Taken(true), _) => {
                let files = &mut self.slot.files;
                (files.changed, files.has_good, files.is_reverted) = (None, Some(true), false);
            }
            (Said::Taken(false) | Said::NotDone { .. } | Said::Settled, _) => {
                self.slot.files.takes = false;
                self.go_on_with_words(around);
            }
        }
        Taken::Yes
    }

    fn rolled_back(&mut self, process: Option<Process>, now: Mono) -> Taken {
        self.slot.files.is_open = true;
        self.restart(process, now);
        Taken::Yes
    }

    /// What a look says of what the present life began with, and whether they are good by now.
    fn looked_at_files(&mut self, digest: u64, has_good: bool, now: Mono) {
        let precheck = self.slot.spec.good.is_some_and(|good| good.precheck);
        let files = &mut self.slot.files;
        if let Began::At(since) = files.began {
            let in_time = now.since(since) <= NOTED_WITHIN;
            files.began = if in_time { Began::With(digest) } else { Began::Unknown };
        }
        let takes = core::mem::take(&mut files.takes) && matches!(self.slot.state, State::Running { .. });
        if !takes {
            return;
        }
        let is_new = files.changed.is_some() || !has_good;
        let is_proven = files.began == Began::With(digest);
        if is_new && (is_proven || (precheck && files.last == Some(digest))) {
            files.wanted = Some(Order::Take { digest, precheck: !is_proven });
        }
        files.last = Some(digest);
    }

    /// A look found a rollback that has not held. No order of this run is out, so nobody finishes it.
    fn found_open(&mut self, open: Open) {
        match open {
            Open::No => {}
            // A rollback that is to come undoes it first.
            Open::Begun | Open::Whole if self.slot.files.wanted == Some(Order::RollBack) => {}
            // A process that lives read the files before.
            Open::Begun => self.slot.files.wanted = Some(Order::Undo),
            Open::Whole => self.found_whole(),
        }
    }

    /// A rollback is done and has not held yet: an earlier run left it so.
    fn found_whole(&mut self) {
        let proves = self.slot.state.proof().or(match self.slot.left {
            Some(Left::Proving(proof)) => Some(proof),
            Some(Left::Settled | Left::Waiting(_) | Left::Broken(_)) | None => None,
        });
        let files = &mut self.slot.files;
        match self.slot.state {
            // One that runs may be the process that began with the newer files: nothing is proved before it was well for
            // as long as good ones must be.
            State::Idle
            | State::Starting { .. }
            | State::Verifying { .. }
            | State::Stopping { .. }
            | State::Running { .. } => {
                (files.is_open, files.tried) = (true, true);
                if proves == Some(Proof::Remedy) {
                    self.slot.rung.begins(Remedy::Rollback, 0);
                }
            }
            State::Waiting { .. }
            | State::Broken { .. }
            | State::Awaiting { .. }
            | State::Left
            | State::Ended => files.wanted = Some(Order::Undo),
        }
    }
}
