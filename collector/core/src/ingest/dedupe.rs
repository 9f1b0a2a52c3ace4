//! What is known of each run of a host: which numbers, with which checksums, and what is lost.
//!
//! A number that comes again with the same crc is a repeat and is dropped; with another crc it is a conflict. The
//! checksums of the newest 4,096 numbers of the two newest runs are kept (8 bytes each, as many as came: an agent
//! that is at rest costs some hundred bytes); an older number that comes again counts as a repeat. The ranges of the
//! newest 8 runs are kept, and the names of 64 runs before them: their frames are dropped as repeats.

use alloc::boxed::Box;
use alloc::vec::Vec;
use picket_proto::ranges::Full;
use picket_proto::{Ranges, Run, Seq, SeqRange};
use serde::{Deserialize, Serialize};

/// Numbers whose checksums are kept: more than any agent has in flight (8 batches of 256).
const CRCS: u64 = 4096;
const RUNS: usize = 8;
const RUNS_WITH_CRCS: usize = 2;
const PAST_RUNS: usize = 64;

/// Checksums by number modulo 4,096; the page says which of the numbers with that remainder it is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Crcs(Vec<(u32, u32)>);

/// No number has this page: it would take 2^44 frames of one run.
const NO_PAGE: u32 = u32::MAX;

impl Crcs {
    fn get(&self, seq: Seq) -> Option<u32> {
        let (page, crc) = *self.0.get(place(seq))?;
        (page == page_of(seq)).then_some(crc)
    }

    fn put(&mut self, seq: Seq, crc: u32) {
        let at = place(seq);
        if self.0.len() <= at {
            self.0.resize(at + 1, (NO_PAGE, 0));
        }
        self.0[at] = (page_of(seq), crc);
    }
}

fn place(seq: Seq) -> usize {
    // Below 4,096, so it fits every usize.
    usize::try_from(seq.0 % CRCS).unwrap_or(0)
}

fn page_of(seq: Seq) -> u32 {
    u32::try_from(seq.0 / CRCS).unwrap_or(NO_PAGE - 1)
}

/// What is known of one run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) run: Run,
    pub(crate) ranges: Ranges,
    crcs: Crcs,
}

impl Known {
    /// The numbers between the lowest two ranges.
    fn lowest_hole(&self) -> Option<SeqRange> {
        let mut ranges = self.ranges.iter();
        let (low, high) = (ranges.next()?, ranges.next()?);
        SeqRange::new(low.last().next(), Seq(high.first().0.saturating_sub(1)))
    }
}

/// What a frame is to what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Novelty {
    New,
    Repeat,
    Conflict,
}

/// What is kept of a run that was not used for long.
#[derive(Debug, Serialize, Deserialize)]
struct Past {
    run: Run,
    ranges: Box<[SeqRange]>,
}

impl Past {
    fn of(known: &Known) -> Self {
        Self { run: known.run, ranges: known.ranges.iter().collect() }
    }

    fn whole(&self) -> Ranges {
        let mut ranges = Ranges::new();
        for range in &self.ranges {
            let _as_many_as_there_were = ranges.insert(*range);
        }
        ranges
    }
}

/// What a run's frames are held against.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    ranges: Ranges,
    crcs: Option<&'a Crcs>,
}

impl Seen<'_> {
    /// How this frame stands to what is known.
    pub(crate) fn novelty(&self, seq: Seq, crc: u32) -> Novelty {
        if !self.ranges.contains(seq) {
            return Novelty::New;
        }
        match self.crcs.and_then(|crcs| crcs.get(seq)) {
            Some(other) if other != crc => Novelty::Conflict,
            Some(_) | None => Novelty::Repeat,
        }
    }
}

/// The runs of one host, the one used last at the end.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Runs {
    known: Vec<Known>,
    past: Vec<Past>,
}

impl Runs {
    /// What is known of `run`; nothing for one not seen.
    pub(crate) fn ranges(&self, run: Run) -> Ranges {
        self.seen(run).ranges
    }

    /// Whether anything is known of `run`.
    pub(crate) fn has(&self, run: Run) -> bool {
        self.known.iter().any(|known| known.run == run) || self.past.iter().any(|past| past.run == run)
    }

    /// What the frames of `run` are held against.
    pub(crate) fn seen(&self, run: Run) -> Seen<'_> {
        if let Some(known) = self.known.iter().rev().find(|known| known.run == run) {
            return Seen { ranges: known.ranges.clone(), crcs: Some(&known.crcs) };
        }
        let past = self.past.iter().rev().find(|past| past.run == run);
        Seen { ranges: past.map_or_else(Ranges::new, Past::whole), crcs: None }
    }

    /// The run's entry, made if it is new, and the newest from now on; the one used longest ago makes room.
    pub(crate) fn enter(&mut self, run: Run) -> &mut Known {
        match self.known.iter().position(|known| known.run == run) {
            Some(at) => self.known[at..].rotate_left(1),
            None => self.begin(run),
        }
        let last = self.known.len() - 1;
        &mut self.known[last]
    }

    fn begin(&mut self, run: Run) {
        let before = self.past.iter().position(|past| past.run == run);
        let ranges = before.map_or_else(Ranges::new, |at| self.past.remove(at).whole());
        if self.known.len() == RUNS {
            if self.past.len() == PAST_RUNS {
                self.past.remove(0);
            }
            self.past.push(Past::of(&self.known.remove(0)));
        }
        self.known.push(Known { run, ranges, crcs: Crcs::default() });
        let old = self.known.len().saturating_sub(RUNS_WITH_CRCS);
        for known in &mut self.known[..old] {
            known.crcs = Crcs::default();
        }
    }

    /// Takes a stretch of new frames. Where the ranges have no room for it, the lowest hole is closed to make some:
    /// says how many numbers are given up so.
    pub(crate) fn take(&mut self, run: Run, span: SeqRange, crcs: impl Iterator<Item = (Seq, u32)>) -> u64 {
        let known = self.enter(run);
        let mut closed = 0;
        while known.ranges.insert(span).is_err() {
            let Some(hole) = known.lowest_hole() else { break };
            // A hole touches both its neighbours, so closing it frees a range.
            let _has_room = known.ranges.insert(hole);
            closed += hole.count();
        }
        for (seq, crc) in crcs {
            known.crcs.put(seq, crc);
        }
        closed
    }

    /// Closes a range that will never come, and says how many numbers of it were open.
    pub(crate) fn close(&mut self, run: Run, range: SeqRange) -> Result<u64, Full> {
        let known = self.enter(run);
        let before = known.ranges.count();
        known.ranges.insert(range)?;
        Ok(known.ranges.count().saturating_sub(before))
    }
}
