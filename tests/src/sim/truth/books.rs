//! What a collector's durable journal holds of every run: what arrived, and what was named as lost.

use super::{Truth, gap_in};
use crate::sim::spans::Spans;
use picket_collector_core::ingest::Lane;
use picket_collector_core::record::Record;
use picket_collector_core::store::Entry;
use picket_proto::event::GapReason;
use picket_proto::frame::Content;
use picket_proto::{HostId, Run, SeqRange, frame};
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    runs: BTreeMap<Run, Page>,
}

#[derive(Debug, Clone, Default)]
struct Page {
    arrived: Spans,
    /// Arrived or named.
    known: Spans,
    /// Some was given up for want of room, and what lies between two such losses may have gone with them.
    overflowed: bool,
    named: Spans,
}

impl Book {
    pub(super) fn has(&self, run: Run, range: SeqRange) -> bool {
        self.runs.get(&run).is_some_and(|page| page.known.covers(range.first().0, range.last().0))
    }

    /// The lowest number up to `last` that it knows nothing of.
    pub(super) fn lacks(&self, run: Run, last: u64) -> Option<u64> {
        match self.runs.get(&run) {
            Some(page) => page.known.lacks(last),
            None => (last > 0).then_some(1),
        }
    }

    /// The lowest of the durable numbers that neither arrived nor went with a segment.
    pub(super) fn lost(&self, run: Run, (durable, dropped): (&Spans, &Spans)) -> Option<u64> {
        let page = self.runs.get(&run)?;
        if page.overflowed { None } else { durable.beyond_both(&page.arrived, dropped) }
    }

    fn name(&mut self, run: Run, range: SeqRange) {
        let page = self.runs.entry(run).or_default();
        page.known.put_all(range.first().0, range.last().0);
        page.named.put_all(range.first().0, range.last().0);
    }

    /// Whether this number was named as lost, or as one under which there are two.
    pub(super) fn names(&self, run: Run, seq: u64) -> bool {
        self.runs.get(&run).is_some_and(|page| page.named.covers(seq, seq))
    }
}

impl Truth {
    /// An entry is durable.
    pub(in crate::sim) fn journaled(&mut self, now: u64, at: usize, entry: &Entry) {
        match &entry.record {
            Record::Opened { host, hello } => {
                self.vigil.hellos.insert((at, host.clone()), (hello.stamp.run, hello.stamp.mono));
            }
            Record::Frames { host, run, lane, frames, .. } => {
                self.book(now, (at, host), (*run, *lane), frames);
            }
            Record::Conflict { run, range, .. } => {
                self.counts.conflicts += 1;
                self.books[at].name(*run, *range);
            }
            Record::Damaged { run, range, .. } => self.books[at].name(*run, *range),
            _nothing_of_runs => {}
        }
    }

    fn book(&mut self, now: u64, (at, host): (usize, &HostId), (run, lane): (Run, Lane), frames: &[u8]) {
        let mut rest = frames;
        while let Ok((frame, after)) = frame::split(rest) {
            let header = frame.header;
            self.counts.journaled += 1;
            self.counts.backlog += u64::from(lane == Lane::Backlog);
            if !self.was_made(header) {
                self.broken(
                    now,
                    format!("collector {at} journals {} of run {run}, which nobody made so", header.seq),
                );
            }
            self.expect(now, lane == Lane::Backlog || !self.is_stale(at, host, &frame), || {
                format!("{host} sends {} of run {run} live, which is older than its session", header.seq)
            });
            self.shadows.arrived((run, header.seq, header.crc));
            let page = self.books[at].runs.entry(run).or_default();
            page.known.put(header.seq.0);
            if !page.arrived.put(header.seq.0) {
                self.broken(now, format!("collector {at} journals {} of run {run} twice", header.seq));
            }
            if let Some(gap) = gap_in(&frame) {
                self.counts.named += gap.range.count();
                self.counts.shadowed += u64::from(gap.reason == GapReason::Conflict);
                self.books[at].name(gap.run, gap.range);
                let page = self.books[at].runs.entry(gap.run).or_default();
                page.overflowed |= gap.reason == GapReason::SpoolFull;
            }
            rest = after;
        }
        self.expect(now, rest.is_empty(), || format!("collector {at} journals what are no frames"));
    }

    /// Whether a frame was made before its session.
    fn is_stale(&self, at: usize, host: &HostId, frame: &frame::Frame<'_>) -> bool {
        let Some((run, mono)) = self.vigil.hellos.get(&(at, host.clone())) else { return false };
        match frame.content() {
            Ok(Content::Known(event)) => event.stamp.run != *run || event.stamp.mono < *mono,
            Ok(Content::Unknown) | Err(_) => false,
        }
    }

    fn was_made(&self, header: frame::Header) -> bool {
        let place = usize::try_from(header.seq.0).unwrap_or(usize::MAX) - 1;
        let made = self.made.get(&header.run).and_then(|made| made.crcs.get(place));
        made == Some(&header.crc) || self.twins.contains(&(header.run, header.seq, header.crc))
    }

    /// The journal is an older one now.
    pub(in crate::sim) fn restored(&mut self, now: u64, at: usize, journal: &[Entry]) {
        let before = self.counts.clone();
        self.books[at] = Book::default();
        for entry in journal {
            self.journaled(now, at, entry);
        }
        let unbooked = before.journaled.saturating_sub(self.counts.journaled - before.journaled);
        self.counts = super::Counts { unbooked: before.unbooked + unbooked, ..before };
    }
}
