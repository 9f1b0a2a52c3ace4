//! What comes of an order about files or packages, and what a look finds that an earlier run left.

use super::*;

impl Moving<'_> {
    /// Something came of an order about its files.
    pub(in crate::service) fn files_said(
        &mut self,
        kind: Kind,
        said: Said<'_>,
        around: Around<'_, '_>,
    ) -> Taken {
        let Some(order) = self.slot.kept(kind).out.take() else { return Taken::No };
        let waits = self.waits_for_files(kind);
        let rolls = waits.filter(|_| order == Order::RollBack);
        let files = self.slot.kept(kind);
        match (said, rolls) {
            (Said::RolledBack, Some(process)) => {
                files.is_open = true;
                // It may have begun while they were being put in their places.
                self.restart(process, around.now);
            }
            (Said::NotDone { why }, Some(process)) => self.not_done(why, process, around),
            (Said::Busy, Some(process)) => {
                files.tried = false;
                self.not_done("the package manager is at work: not tried", process, around);
            }
            // Nobody waits for it any more: what it proves would be laid to another remedy.
            (Said::RolledBack, None) => files.wanted = Some(Order::Undo),
            (Said::Looked { digest, changed, has_good, open, is_away }, _) => {
                (files.changed, files.has_good, files.unread) =
                    (changed.map(Text::new), Some(has_good), false);
                (files.is_away, files.is_reverted) = (is_away, files.is_reverted && changed.is_none());
                self.looked_at_files(kind, digest, has_good, around.now);
                self.found_open(kind, open);
                self.go_on_with_words(around);
            }
            (Said::Unread { open }, _) => {
                (files.takes, files.unread) = (false, true);
                self.found_open(kind, open);
                self.go_on_with_words(around);
            }
            (Said::Taken(true), _) => {
                (files.changed, files.has_good, files.is_reverted) = (None, Some(true), false);
            }
            (Said::Taken(false) | Said::NotDone { .. } | Said::Busy | Said::Settled, _) => {
                files.takes = false;
                if order == Order::Undo {
                    self.undone(kind, matches!(said, Said::NotDone { .. }));
                }
                self.goes_on_after(order, waits, around);
            }
        }
        Taken::Yes
    }

    /// Whether it waits for an order about them, and with which process.
    fn waits_for_files(&self, kind: Kind) -> Option<Option<Process>> {
        match self.slot.state {
            State::Waiting { process, wait: Wait::Files { kind: of, .. } } if of == kind => Some(process),
            _ => None,
        }
    }

    /// What is there now is what was there before, or, where that could not be, packages are still the good ones: both are seen.
    fn undone(&mut self, kind: Kind, is_stuck: bool) {
        let files = self.slot.kept(kind);
        if is_stuck {
            files.is_reverted |= kind == Kind::Packages;
        } else {
            files.is_reverted = false;
            self.look_at(kind);
        }
    }

    fn goes_on_after(&mut self, order: Order, waits: Option<Option<Process>>, around: Around<'_, '_>) {
        match waits {
            Some(process) if order == Order::Undo => self.decide(process, around),
            Some(_) | None => self.go_on_with_words(around),
        }
    }

    /// What a look says of what the present life began with, and whether they are good by now.
    fn looked_at_files(&mut self, kind: Kind, digest: u64, has_good: bool, now: Mono) {
        let precheck = self.good(kind).is_some_and(|good| good.precheck);
        let is_well = matches!(self.slot.state, State::Running { .. });
        let files = self.slot.kept(kind);
        if let Began::At(since) = files.began {
            let in_time = now.since(since) <= NOTED_WITHIN;
            files.began = if in_time { Began::With(digest) } else { Began::Unknown };
        }
        if !(core::mem::take(&mut files.takes) && is_well) {
            return;
        }
        let is_new = files.changed.is_some() || !has_good;
        let is_proven = files.began == Began::With(digest);
        // Of a life that began before this run, or before a boot's first look, what is installed is the best guess.
        let is_guessed =
            kind == Kind::Packages && files.began == Began::Unknown && files.last == Some(digest);
        if is_guessed {
            files.began = Began::With(digest);
        }
        if is_new && (is_proven || is_guessed || (precheck && files.last == Some(digest))) {
            files.wanted = Some(Order::Take { digest, precheck: !is_proven });
        }
        files.last = Some(digest);
    }

    /// A look found a rollback that has not held. No order of this run is out, so nobody finishes it.
    fn found_open(&mut self, kind: Kind, open: Open) {
        let files = self.slot.kept(kind);
        match open {
            Open::No => {}
            // A rollback that is to come undoes it first.
            Open::Begun | Open::Whole if files.wanted == Some(Order::RollBack) => {}
            // A process that lives read the files before.
            Open::Begun => files.wanted = Some(Order::Undo),
            Open::Whole => self.found_whole(kind),
        }
    }

    /// A rollback is done and has not held yet: an earlier run left it so.
    fn found_whole(&mut self, kind: Kind) {
        let proves = self.slot.state.proof().or(match self.slot.left {
            Some(Left::Proving(proof)) => Some(proof),
            Some(Left::Settled | Left::Waiting(_) | Left::Broken(_)) | None => None,
        });
        let state = self.slot.state;
        let files = self.slot.kept(kind);
        match state {
            // The version that is installed is the one that begins next, whoever was killed meanwhile.
            _ if kind == Kind::Packages => {
                (files.is_open, files.tried) = (true, true);
                if proves == Some(Proof::Remedy) {
                    self.slot.rung.begins(Remedy::Package, 0);
                }
            }
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
