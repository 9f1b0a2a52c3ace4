//! The ground truth, and what must hold at every step. Nothing here asks a core what it believes.
//!
//! - Every frame that a collector journals was made by that run, byte for byte, and was not journaled before.
//! - What an agent hears as acknowledged is durable at its collector, or was named as lost there.
//! - A service has one process at most; an agent starts none that an operator stopped or that runs and is well, and
//!   no more of them than its budget allows.
//! - A recovery that is told is one: the process lives, answers, and has for as long as it had to hold.
//! - A host is called silent only if it could not be heard, an incident opens only where something was wrong.
//! - A frame of the live lane is not older than its session.
//! - The state of a collector is that of a straight replay of its journal.
//!
//! The first violation ends a run: what follows from a broken world says nothing.

mod books;
mod healing;
mod owed;
mod promises;
mod shadows;

use super::host::{Host, Power};
use super::keeper::Keeper;
use super::net::Net;
use super::spans::Spans;
use books::Book;
use picket_collector_core::Collector;
use picket_proto::frame::{self, Content};
use picket_proto::{Fact, Ranges, Run, Seq};
use promises::Vigil;
use shadows::Shadows;
use std::collections::{BTreeMap, BTreeSet};

/// What a run made, as its own log told it.
#[derive(Debug, Clone)]
struct Made {
    host: usize,
    /// By number - 1; 0 where it was never seen.
    crcs: Vec<u32>,
    /// What was said to be durable on its disk.
    synced: Spans,
    /// What went with a segment that had to make room, or was done.
    dropped: Spans,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its process was killed; what it wrote stays.
    Killed,
    /// The power went.
    Power,
}

/// How often things happened: so that no scenario passes without what it is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) journaled: u64,
    pub(super) backlog: u64,
    pub(super) named: u64,
    pub(super) conflicts: u64,
    /// Gaps whose reason is other content under the same numbers.
    pub(super) shadowed: u64,
    pub(super) repeated: u64,
    pub(super) refusals: BTreeMap<&'static str, u64>,
    pub(super) changes: BTreeMap<&'static str, u64>,
    pub(super) facts: BTreeMap<&'static str, u64>,
    pub(super) replays: u64,
    pub(super) deeds: u64,
    /// Deeds while frames waited for their ack.
    pub(super) overlapped: u64,
    pub(super) power_cuts: u64,
    /// Numbers that a restored backup no longer had.
    pub(super) unbooked: u64,
}

/// See the module.
pub(super) struct Truth {
    made: BTreeMap<Run, Made>,
    /// Frames of a run that was doubled: other content under the same numbers.
    twins: BTreeSet<(Run, Seq, u32)>,
    books: Vec<Book>,
    /// Runs that went on from an earlier moment: alone these may give a number twice.
    forks: BTreeSet<Run>,
    /// How far each run that ended must be accounted for, and whether its disk lied.
    pub(super) owed: BTreeMap<Run, u64>,
    /// When each host was last in trouble of its own, or its link was.
    trouble: Vec<u64>,
    pub(super) counts: Counts,
    violations: Vec<String>,
    /// By host, the runs of which a backup may have lost something that nobody was told yet.
    unsure: BTreeMap<usize, BTreeSet<Run>>,
    /// Hosts whose disk lied or failed, and whose memory or journal was once an older one: what was durable there need
    /// not have arrived.
    pub(super) unsound: BTreeSet<usize>,
    /// Whole hosts whose word counts for nothing any more: two of them are alive.
    pub(super) doubled: BTreeSet<usize>,
    pub(super) vigil: Vigil,
    shadows: Shadows,
}

impl Truth {
    pub(super) fn new(collectors: usize) -> Self {
        Self {
            made: BTreeMap::new(),
            twins: BTreeSet::new(),
            books: (0..collectors).map(|_| Book::default()).collect(),
            owed: BTreeMap::new(),
            forks: BTreeSet::new(),
            trouble: Vec::new(),
            counts: Counts::default(),
            violations: Vec::new(),
            unsure: BTreeMap::new(),
            unsound: BTreeSet::new(),
            doubled: BTreeSet::new(),
            vigil: Vigil::default(),
            shadows: Shadows::default(),
        }
    }

    pub(super) const fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    pub(super) fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Something did not hold.
    pub(super) fn broken(&mut self, at: u64, what: String) {
        self.violations.push(format!("at {:.6} s: {what}", at as f64 / 1e6));
    }

    pub(super) fn expect(&mut self, at: u64, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken(at, what());
        }
    }

    /// A host, or what it needs to be heard, is in trouble now.
    pub(super) fn troubled(&mut self, at: u64, host: usize) {
        self.trouble.resize(self.trouble.len().max(host + 1), 0);
        self.trouble[host] = at;
    }

    pub(super) fn trouble_of(&self, host: usize) -> u64 {
        self.trouble.get(host).copied().unwrap_or_default()
    }

    /// A run begins.
    pub(super) fn begins(&mut self, host: usize, run: Run) {
        self.made.insert(
            run,
            Made { host, crcs: Vec::new(), synced: Spans::default(), dropped: Spans::default() },
        );
    }

    /// Frames were made; the number of the last one.
    pub(super) fn made(&mut self, now: u64, host: &Host<'_>, at: usize, frames: &[u8]) -> Seq {
        let (mut rest, mut last) = (frames, Seq(0));
        while let Ok((frame, after)) = frame::split(rest) {
            let header = frame.header;
            self.note(header.run, header.seq, header.crc);
            (last, rest) = (header.seq, after);
            match frame.content() {
                Ok(Content::Known(event)) => {
                    *self.counts.facts.entry(picket_proto::code::of(&event.fact)).or_default() += 1;
                    self.claimed(now, (at, host), header.run, &event.fact);
                }
                Ok(Content::Unknown) | Err(_) => self.broken(now, format!("agent {at} made no sound frame")),
            }
        }
        self.expect(now, rest.is_empty() && last > Seq(0), || format!("agent {at} made no whole frame"));
        last
    }

    fn note(&mut self, run: Run, seq: Seq, crc: u32) {
        let Some(made) = self.made.get_mut(&run) else { return };
        let place = usize::try_from(seq.0).unwrap_or(usize::MAX) - 1;
        if made.crcs.len() <= place {
            made.crcs.resize(place + 1, 0);
        }
        match made.crcs[place] {
            0 => made.crcs[place] = crc,
            first if first == crc => {}
            _other => {
                if !self.forks.contains(&run) {
                    self.violations.push(format!("run {run} gives number {seq} twice"));
                }
                self.twins.insert((run, seq, crc));
            }
        }
    }

    /// A collector's core and its journal say the same.
    pub(super) fn check_replay(&mut self, now: u64, at: usize, keeper: &Keeper, core: &Collector) {
        self.counts.replays += 1;
        let (again, same) = keeper.replayed(9);
        self.expect(now, same, || format!("collector {at}: snapshot and tail differ from the journal"));
        let same = again.snapshot() == core.snapshot();
        self.expect(now, same, || format!("collector {at}: a straight replay gives another state"));
    }

    pub(super) fn refused(&mut self, code: &'static str) {
        *self.counts.refusals.entry(code).or_default() += 1;
    }

    /// An agent hears that these numbers of a run are journaled.
    pub(super) fn acked(&mut self, now: u64, host: usize, run: Run, ranges: &Ranges) {
        self.unsure.remove(&host);
        self.vigil.acks.insert(run, ranges.clone());
        if self.doubled.contains(&host) {
            return;
        }
        let unknown = ranges.iter().find(|range| !self.books.iter().any(|book| book.has(run, *range)));
        if let Some(range) = unknown {
            self.broken(
                now,
                format!("agent {host} hears an ack of {range} of run {run}, which is not durable"),
            );
        }
    }

    /// Whether a host could be heard all the time since `since`.
    pub(super) fn could_be_heard(&self, hosts: &[Host<'_>], net: &Net, host: usize, since: u64) -> bool {
        let this = &hosts[host];
        let agent = this.agent.as_ref().is_some_and(|shell| !shell.stopped && shell.began < since);
        this.power == Power::On && agent && net.links[host].is_good() && self.trouble_of(host) < since
    }
}

/// The facts of interest in a frame.
fn gap_in(frame: &frame::Frame<'_>) -> Option<picket_proto::event::Gap> {
    match frame.content() {
        Ok(Content::Known(event)) => match event.fact {
            Fact::Gap(gap) => Some(gap),
            _ => None,
        },
        Ok(Content::Unknown) | Err(_) => None,
    }
}
