//! What the disk brings back: frames that have left the ring, and frames of earlier runs, oldest run first.
//!
//! One batch of these is on its way at a time, and one page of them in memory, behind everything that the ring has to
//! send. Of an earlier run the lowest number that the collector lacks is always next: it is sent if it is on the disk,
//! else it is lost and named by a gap frame of this run. Both touch what the collector has from 1 on, so that it never
//! needs a ninth range. What the collector has of a run it says with the first ack of that run; the ack of our first
//! frame brings that of the run before. At most 64 runs are kept (the shell's choice); where there are more, the one
//! with the fewest frames is given up and named whole.

mod bring;
mod critical;
mod names;
mod runs;

pub use runs::Past;
pub(super) use runs::Told;

use super::covers;
use super::disk::Order;
use super::disk::Part;
use heapless::Vec;
use picket_proto::event::GapReason;
use picket_proto::frame::Class;
use picket_proto::{Ranges, Run, Seq, SeqRange};

/// Most gap frames that wait for their acks before more are made.
const NAMES_MAX: usize = 6;

/// A stretch of a run that is wanted from the disk, or was read: from a number on, of one class or of all.
type Wanted = (Run, Seq, Option<Class>);

/// What was read: every frame of the run (of that class) on the disk from `from` to `upto`.
#[derive(Debug, Clone, Copy)]
struct Page {
    run: Run,
    from: Seq,
    only: Option<Class>,
    upto: Seq,
    len: u32,
}

/// A batch that can be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    pub(super) run: Run,
    pub(super) range: SeqRange,
    pub(super) start: u32,
    pub(super) len: u32,
}

/// What comes from the disk.
#[derive(Debug)]
pub(super) struct Late<'s> {
    table: &'s mut [Past],
    count: usize,
    page: Option<Page>,
    wants: Option<Wanted>,
    pub(super) ready: Option<Ready>,
    flying: Option<(Run, SeqRange)>,
    /// Times that a batch was answered with an ack that does not hold it.
    refusals: u8,
    /// Above the cap: this run's lowest numbers go first, as it has no place for what is critical.
    crowded: Option<Run>,
    naming: Vec<(Run, SeqRange, Seq), NAMES_MAX>,
}

impl<'s> Late<'s> {
    /// The runs that are claimed stand in front in `table`, the oldest first.
    pub(super) fn new(table: &'s mut [Past]) -> Self {
        let count = table.iter().take_while(|past| past.made > Seq(0)).count();
        Self {
            table,
            count,
            page: None,
            wants: None,
            ready: None,
            flying: None,
            refusals: 0,
            crowded: None,
            naming: Vec::new(),
        }
    }

    /// The runs before that are not done, or still have frames on the disk.
    pub(super) fn runs(&self) -> &[Past] {
        &self.table[..self.count]
    }

    /// What is to be read, until it was.
    pub(super) fn wanted(&self) -> Option<Order> {
        self.wants.map(|(run, from, only)| Order::Read { run, from, only })
    }

    /// Frames of this run are lost, and what they name of earlier runs is to be named anew. At once: where the loss itself was named
    /// and acknowledged, these numbers count as arrived.
    pub(super) fn unname(&mut self, lost: SeqRange) {
        self.naming.retain(|(_, _, name)| !lost.contains(*name));
    }

    /// Whether something is on its way, in one direction or the other.
    pub(super) const fn is_busy(&self) -> bool {
        self.wants.is_some() || self.ready.is_some() || self.flying.is_some()
    }

    /// A batch was handed to the link.
    pub(super) fn sent(&mut self, ready: Ready) {
        self.ready = None;
        self.flying = Some((ready.run, ready.range));
    }

    /// There is no link: what was on its way is not.
    pub(super) fn grounded(&mut self) {
        (self.ready, self.flying, self.refusals, self.crowded) = (None, None, 0, None);
        for past in &mut self.table[..self.count] {
            past.passed = Seq(0);
        }
    }

    /// The page holds what was read from a number on.
    pub(super) fn read_page(&mut self, (run, from, only): Wanted, len: u32) {
        // How far it reaches is seen when it is looked at.
        self.page = Some(Page { run, from, only, upto: Seq(0), len });
        self.wants = None;
    }

    /// This frame stands on the disk alone from now on: a page that was read before it was written would not show it.
    pub(super) fn doubt_page(&mut self, run: Run, seq: Seq) {
        let hides = |page: &Page| {
            let reaches = page.upto == Seq(0) || seq <= page.upto;
            page.run == run && page.from <= seq && reaches
        };
        self.page = self.page.filter(|page| !hides(page));
    }

    /// Numbers up to this one are another life's: what names of ours stood under them never left, and is made anew.
    pub(super) fn forget_names(&mut self, upto: Seq) {
        self.naming.retain(|(_, _, seq)| *seq > upto);
    }

    /// Nothing could be read.
    pub(super) fn read_nothing(&mut self) {
        if let Some((run, from, only)) = self.wants.take() {
            self.page = Some(Page { run, from, only, upto: Seq(0), len: 0 });
        }
    }

    /// Whether a part of an earlier run is of no use any more.
    pub(super) fn knows(&self, part: &Part) -> bool {
        let past = self.runs().iter().find(|past| past.run == part.run);
        past.is_none_or(|past| covers(&past.known, part.first, part.last))
    }

    /// Why numbers of a run are missing on the disk, from now on.
    pub(super) fn blame(&mut self, run: Run, reason: GapReason) {
        if let Some(past) = self.table[..self.count].iter_mut().find(|past| past.run == run) {
            past.reason = reason;
        }
    }

    pub(super) fn blame_all(&mut self, reason: GapReason) {
        for past in &mut self.table[..self.count] {
            past.reason = reason;
        }
    }
}

/// Adds to ranges that may be too wide but not too narrow: where a ninth would be needed, the two nearest are joined.
pub(super) fn widen(ranges: &mut Ranges, new: SeqRange) {
    while ranges.insert(new).is_err() {
        let mut all: Vec<SeqRange, 9> = ranges.iter().collect();
        let at = all.iter().take_while(|range| range.first() < new.first()).count();
        let _nine_places = all.insert(at, new);
        let between = |pair: &[SeqRange]| {
            SeqRange::new(pair[0].last().next(), Seq(pair[1].first().0.saturating_sub(1)))
        };
        let bridge = all.windows(2).filter_map(between).min_by_key(|range| range.count());
        let _touches_a_range_so_it_fits = ranges.insert(bridge.unwrap_or(new));
    }
}

/// The lowest number that is not known; where 8 ranges leave no room for another, the lowest behind the first.
fn lowest_missing(known: &Ranges) -> Seq {
    match known.iter().next() {
        Some(first) if first.first() == Seq::FIRST || known.iter().count() == 8 => first.last().next(),
        Some(_) | None => Seq::FIRST,
    }
}
