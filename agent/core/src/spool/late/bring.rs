//! What is brought back next: a step at a time, until something has to be waited for.

use super::super::disk::Half;
use super::super::{Bytes, Spool, covers};
use super::{Page, Ready, Told};
use picket_proto::frame::Class;
use picket_proto::{Now, Ranges, Run, Seq, SeqRange, frame};

/// Steps in one call at most: each names a loss or leaves a run behind; the next input goes on.
pub(super) const STEPS: usize = 32;
/// Most ranges that the present run's frames from the disk may make.
pub(super) const MOST: usize = 7;
/// Refusals in a row before a batch is given up.
pub(super) const REFUSALS: u8 = 3;

/// What the page says about a number.
pub(super) enum Look {
    /// The first frame from there on.
    Frame { at: u32, seq: Seq },
    /// There is none.
    Nothing,
    /// It was not read.
    Unread,
}

impl Spool<'_> {
    /// Goes on bringing back what the disk holds. `sent` is what the collector knows of this run once all that was
    /// sent has arrived.
    pub(crate) fn bring(&mut self, now: Now, sent: &Ranges) {
        self.land();
        for _ in 0..STEPS {
            if self.late.is_busy() || !self.bring_one(now, sent) {
                return;
            }
        }
    }

    /// A batch of this run that was on its way has arrived.
    pub(super) fn land(&mut self) {
        if let Some((run, range)) = self.late.flying
            && run == self.identity.run
            && covers(&self.acked, range.first(), range.last())
        {
            self.late.flying = None;
        }
    }

    /// No session is open.
    pub(crate) fn hold_back(&mut self) {
        self.late.grounded();
    }

    /// A batch from the disk, if one is ready: its bytes, its numbers, and what is then known of this run.
    pub(crate) fn late_batch(
        &mut self,
        sent: &Ranges,
        boundary: Seq,
    ) -> Option<(Bytes, bool, Option<Ranges>)> {
        let ready = self.late.ready?;
        let mut after = None;
        if ready.run == self.identity.run {
            let mut all = sent.clone();
            let fits = all.insert(ready.range).is_ok();
            if !fits || all.iter().count() > MOST.max(sent.iter().count()) {
                self.late.ready = None;
                // What is critical comes as islands, above the cap: it stays where it is until there is a place.
                if self.late.page.is_none_or(|page| page.only.is_none()) {
                    self.lose_spilled(ready.range);
                }
                return None;
            }
            after = Some(all);
        }
        self.late.sent(ready);
        let is_live = after.is_some() && ready.range.first() > boundary;
        Some((self.disk.page(Half::Read, ready.start, ready.len), is_live, after))
    }

    fn bring_one(&mut self, now: Now, sent: &Ranges) -> bool {
        if let Some(missing) = self.lowest_spilled(Seq::FIRST, sent) {
            return self.bring_own(missing, sent);
        }
        if !self.settle_names() {
            return false;
        }
        // What stands on the disk is not known yet; two failures mean that it won't be soon.
        if self.disk.is_there() && !self.disk.is_opened() && self.disk.tries < 2 {
            return false;
        }
        self.forget_done();
        let Some(at) = self.late.runs().iter().position(|past| self.is_owed(past)) else { return false };
        self.bring_past(now, at)
    }

    /// The lowest number that left the ring for the disk and was not sent.
    pub(in crate::spool) fn lowest_spilled(&self, from: Seq, sent: &Ranges) -> Option<Seq> {
        self.lowest_of(&self.spilled, from, sent)
    }

    /// The lowest of these numbers that was not sent, is not lost, and is not held.
    pub(super) fn lowest_of(&self, ranges: &Ranges, from: Seq, sent: &Ranges) -> Option<Seq> {
        for range in ranges.iter() {
            let mut seq = range.first().max(from);
            while seq <= range.last() {
                let skip =
                    [sent, &self.lost].into_iter().flat_map(Ranges::iter).find(|known| known.contains(seq));
                match skip {
                    Some(known) => seq = known.last().next(),
                    None if self.holds_any(seq, seq) => seq = seq.next(),
                    None => return Some(seq),
                }
            }
        }
        None
    }

    fn bring_own(&mut self, missing: Seq, sent: &Ranges) -> bool {
        let run = self.identity.run;
        match self.look(run, missing, None) {
            Look::Unread => self.late.wants = Some((run, missing, None)),
            Look::Nothing => self.lose_spilled_from(missing, Seq(u64::MAX), sent),
            Look::Frame { seq, .. } if seq > missing => {
                self.lose_spilled_from(missing, Seq(seq.0 - 1), sent);
            }
            Look::Frame { at, .. } => {
                self.prepare_own(at, sent);
            }
        }
        true
    }

    /// Makes a batch of frames of this run in a row that are nowhere else.
    pub(super) fn prepare_own(&mut self, at: u32, sent: &Ranges) {
        let is_wanted = |spool: &Self, seq: Seq| {
            !sent.contains(seq) && !spool.lost.contains(seq) && !spool.holds_any(seq, seq)
        };
        self.prepare(self.identity.run, at, |spool, before, seq| {
            before.is_none_or(|before| before.next() == seq) && is_wanted(spool, seq)
        });
    }

    /// Numbers from `first` on that are nowhere: as far as nothing else is known of them, at most to `upto`.
    fn lose_spilled_from(&mut self, first: Seq, upto: Seq, sent: &Ranges) {
        let mut last = upto.min(self.spilled.last().unwrap_or(first));
        for known in [sent, &self.lost].into_iter().flat_map(Ranges::iter) {
            if known.first() > first {
                last = last.min(Seq(known.first().0 - 1));
            }
        }
        if let Some(held) = self.first_held(first) {
            last = last.min(Seq(held.0 - 1));
        }
        if let Some(range) = SeqRange::new(first, last) {
            self.lose_spilled(range);
        }
    }

    /// These are lost, and are not looked for any more.
    fn lose_spilled(&mut self, range: SeqRange) {
        let mut lost = range;
        if self.spilled.remove(range).is_err() {
            // Cutting a range in two has no room: all before it goes too. The collector has most of that.
            let first = self.spilled.iter().next().map_or_else(|| range.first(), SeqRange::first);
            lost = SeqRange::new(first.min(range.first()), range.last()).unwrap_or(range);
            let _nothing_is_cut = self.spilled.remove(lost);
        }
        let _looked_for_although_it_is_lost = self.critical.remove(lost);
        self.lose(Some(lost));
    }

    fn forget_done(&mut self) {
        while let Some(at) = self
            .late
            .runs()
            .iter()
            .position(|past| !self.is_owed(past) && self.disk.segments.last_of(past.run).is_none())
        {
            self.late.remove(at);
        }
    }

    pub(super) fn bring_past(&mut self, now: Now, at: usize) -> bool {
        let Some(past) = self.late.runs().get(at).cloned() else { return false };
        if self.awaits_word(&past) {
            return false;
        }
        let missing = past.missing();
        match self.look_past(past.run, missing) {
            Look::Unread => self.late.wants = Some((past.run, missing, None)),
            Look::Frame { at, seq } if self.late.refusals < REFUSALS => {
                if past.told == Told::Collector && seq > missing {
                    return self.name_holes(now, at_most(&past), &past.known);
                }
                self.prepare(past.run, at, |_, before, seq| match before {
                    Some(before) => {
                        before.next() == seq
                            || (past.told == Told::Collector
                                && covers(&past.known, before.next(), Seq(seq.0 - 1)))
                    }
                    None => true,
                });
            }
            Look::Frame { seq, .. } => {
                self.late.refusals = 0;
                return self.name_one(now, past.run, (missing, seq));
            }
            Look::Nothing => return self.name_holes(now, at_most(&past), &past.known),
        }
        true
    }

    pub(super) fn look_past(&mut self, run: Run, missing: Seq) -> Look {
        let is_there = self.disk.segments.last_of(run).is_some_and(|last| last >= missing);
        if is_there { self.look(run, missing, None) } else { Look::Nothing }
    }

    pub(super) fn look(&mut self, run: Run, missing: Seq, only: Option<Class>) -> Look {
        self.measure_page();
        let reaches = |page: &Page| {
            (page.run, page.only) == (run, only) && page.from <= missing && missing <= page.upto
        };
        if !self.late.page.as_ref().is_some_and(reaches) {
            return Look::Unread;
        }
        match self.frame_from(run, missing) {
            Some((seq, at)) => Look::Frame { at, seq },
            None => Look::Nothing,
        }
    }

    /// A page reaches to its last frame; an empty one says that there is nothing more.
    fn measure_page(&mut self) {
        let Some(page) = self.late.page.filter(|page| page.upto == Seq(0)) else { return };
        let mut rest = self.disk.bytes(self.disk.page(Half::Read, 0, page.len));
        let (mut last, mut used) = (Seq(u64::MAX), 0);
        while let Ok((frame, after)) = frame::split(rest) {
            let follows = frame.header.run == page.run && (used == 0 || frame.header.seq > last);
            if !follows {
                break;
            }
            (last, used) = (frame.header.seq, used + frame.bytes.len() as u32);
            rest = after;
        }
        self.late.page = Some(Page { upto: last, len: used, ..page });
    }

    /// The first frame of the page with this number or a higher one, and where it lies.
    pub(super) fn frame_from(&self, run: Run, from: Seq) -> Option<(Seq, u32)> {
        let page = self.late.page.filter(|page| page.run == run)?;
        let mut at = 0;
        let mut rest = self.disk.bytes(self.disk.page(Half::Read, 0, page.len));
        while let Ok((frame, after)) = frame::split(rest) {
            if frame.header.seq >= from {
                return Some((frame.header.seq, at));
            }
            at += frame.bytes.len() as u32;
            rest = after;
        }
        None
    }

    /// Makes a batch of the frames at `start` of the page, as long as `goes_on`.
    pub(super) fn prepare(
        &mut self,
        run: Run,
        start: u32,
        goes_on: impl Fn(&Self, Option<Seq>, Seq) -> bool,
    ) {
        let Some(page) = self.late.page else { return };
        let mut rest = self.disk.bytes(self.disk.page(Half::Read, start, page.len.saturating_sub(start)));
        let (mut first, mut last, mut len) = (None, None, 0);
        let mut frames = 0..super::super::BATCH_FRAMES;
        while let Ok((frame, after)) = frame::split(rest) {
            let seq = frame.header.seq;
            if frames.next().is_none() || !goes_on(self, last, seq) {
                break;
            }
            first = first.or(Some(seq));
            (last, len) = (Some(seq), len + frame.bytes.len() as u32);
            rest = after;
        }
        let range = first.zip(last).and_then(|(first, last)| SeqRange::new(first, last));
        self.late.ready = range.map(|range| Ready { run, range, start, len });
    }
}

fn at_most(past: &super::Past) -> (Run, Seq, Told) {
    (past.run, past.made, past.told)
}
