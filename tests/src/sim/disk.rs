//! An agent's disk: the spool's segments, the state file, the claims, and what of them a power cut leaves.
//!
//! Orders of the spool end with a sync, so what was answered is durable, unless the disk lies: then the sync says yes
//! and a power cut takes what came since it began to lie. A crash of the process alone takes nothing that reached the
//! page cache. Claims are written without a sync; after a power cut any of their last states may stand there.

use super::happening::Told;
use picket_agent_core::spool::{self, Order, SegmentId, Shape, Trouble};
use picket_proto::frame::{self, Class};
use picket_proto::{BootId, Mono, Run, Seq};
use std::collections::BTreeMap;

/// How far a run came, as `STATE/run` says it.
pub(super) type Claim = (Run, Seq);

/// A segment's frames; beyond `synced` the disk has promised and lied.
#[derive(Debug, Clone)]
struct Segment {
    class: Class,
    frames: Vec<Vec<u8>>,
    synced: usize,
}

/// What an agent's state file holds.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) boot: BootId,
    pub(super) at: Mono,
    pub(super) bytes: Vec<u8>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    segments: BTreeMap<SegmentId, Segment>,
    runs: Option<Vec<u8>>,
    pub(super) slot: Option<Slot>,
    /// Newest first.
    pub(super) claims: Vec<Claim>,
    /// As a power cut might leave them.
    old_claims: Vec<Claim>,
    /// Every order fails with it while it lasts.
    pub(super) trouble: Option<Trouble>,
    pub(super) lies: bool,
    /// The next power cut tears the frame that is written then.
    pub(super) tears: bool,
    /// How long an order takes, microseconds.
    pub(super) slow: u64,
    pub(super) damaged: u32,
}

/// What is meant by "durable": numbers of runs.
pub(super) type Synced = Vec<(Run, Seq)>;

impl Disk {
    /// Does an order, of a write only the first `reached` frames; what it answers, and what that makes durable.
    pub(super) fn obey(&mut self, order: Order, bytes: &[u8], reached: usize) -> (Vec<Told>, Synced) {
        let fails = !matches!(order, Order::Read { .. } | Order::Drop { .. });
        if let Some(trouble) = self.trouble.filter(|_| fails) {
            return (vec![Told::Failed(trouble)], Vec::new());
        }
        let mut synced = Vec::new();
        let told = match order {
            Order::Open => return (self.open(), synced),
            Order::Begin { segment, class } => {
                self.segments.insert(segment, Segment { class, frames: Vec::new(), synced: 0 });
                Told::Done { flash: 4096 }
            }
            Order::Write { segment, .. } => {
                synced = self.write(segment, bytes, reached);
                Told::Done { flash: bytes.len() as u64 + 4096 }
            }
            Order::Read { run, from, only } => Told::Page { bytes: self.page(run, from, only), damaged: 0 },
            Order::Drop { segment } => {
                self.segments.remove(&segment);
                Told::Done { flash: 0 }
            }
            Order::Keep { .. } => {
                self.runs = Some(bytes.to_vec());
                Told::Done { flash: 4096 }
            }
        };
        (vec![told], synced)
    }

    /// The numbers that go with a segment, where that is what is ordered.
    pub(super) fn goes_with(&self, order: Order) -> Synced {
        let Order::Drop { segment } = order else { return Vec::new() };
        let frames = self.segments.get(&segment).into_iter().flat_map(|segment| &segment.frames);
        let headers = frames.filter_map(|bytes| frame::split(bytes).ok().map(|(frame, _)| frame.header));
        headers.map(|header| (header.run, header.seq)).collect()
    }

    fn write(&mut self, segment: SegmentId, bytes: &[u8], reached: usize) -> Synced {
        let Some(segment) = self.segments.get_mut(&segment) else { return Vec::new() };
        let (mut rest, mut made) = (bytes, Vec::new());
        while let Ok((frame, after)) = frame::split(rest) {
            if made.len() == reached {
                break;
            }
            made.push((frame.header.run, frame.header.seq));
            segment.frames.push(frame.bytes.to_vec());
            rest = after;
        }
        if self.lies {
            return Vec::new();
        }
        segment.synced = segment.frames.len();
        made
    }

    fn open(&mut self) -> Vec<Told> {
        let mut told: Vec<Told> = self.runs.clone().map(Told::Kept).into_iter().collect();
        self.segments.retain(|_, segment| !segment.frames.is_empty());
        let newest: BTreeMap<u8, SegmentId> =
            self.segments.iter().map(|(id, segment)| (segment.class as u8, *id)).collect();
        for (id, segment) in &self.segments {
            let used: usize = segment.frames.iter().map(Vec::len).sum();
            let is_open = newest.get(&(segment.class as u8)) == Some(id);
            let shape =
                if is_open { Shape::Open(u32::try_from(used).unwrap_or(u32::MAX)) } else { Shape::Closed };
            for (run, (first, last, frames)) in segment.parts() {
                told.push(Told::Found {
                    segment: *id,
                    class: segment.class,
                    shape,
                    run,
                    first,
                    last,
                    frames,
                });
            }
        }
        told.push(Told::Opened { damaged: std::mem::take(&mut self.damaged) });
        told
    }

    fn page(&self, run: Run, from: Seq, only: Option<Class>) -> Vec<u8> {
        let mut found: BTreeMap<Seq, &[u8]> = BTreeMap::new();
        let is_wanted = |header: &frame::Header| {
            header.run == run && header.seq >= from && only.is_none_or(|only| only == header.class)
        };
        for frame in self.frames().filter(|(header, _)| is_wanted(header)) {
            found.insert(frame.0.seq, frame.1);
        }
        let mut page = Vec::new();
        for bytes in found.values() {
            if page.len() + bytes.len() > spool::PAGE {
                break;
            }
            page.extend_from_slice(bytes);
        }
        page
    }

    fn frames(&self) -> impl Iterator<Item = (frame::Header, &[u8])> {
        let all = self.segments.values().flat_map(|segment| &segment.frames);
        all.filter_map(|bytes| frame::split(bytes).ok().map(|(frame, _)| (frame.header, bytes.as_slice())))
    }

    /// The highest number of a run that stands on the disk.
    pub(super) fn highest(&self, run: Run) -> u64 {
        self.frames()
            .filter(|(header, _)| header.run == run)
            .map(|(header, _)| header.seq.0)
            .max()
            .unwrap_or(0)
    }

    /// How far a run came, by what outlives the process.
    pub(super) fn claimed(&self, run: Run) -> u64 {
        self.claims.iter().find(|(claimed, _)| *claimed == run).map_or(0, |(_, made)| made.0)
    }

    /// The kernel has written the claims by its own pace.
    pub(super) fn flush_claims(&mut self) {
        self.old_claims.clone_from(&self.claims);
    }

    /// The power goes: what was not synced is lost.
    pub(super) fn lose_power(&mut self) {
        for segment in self.segments.values_mut() {
            segment.frames.truncate(segment.synced);
        }
        self.claims.clone_from(&self.old_claims);
        if std::mem::take(&mut self.tears) {
            self.damaged += 1;
        }
    }
}

impl Segment {
    fn parts(&self) -> BTreeMap<Run, (Seq, Seq, u32)> {
        let mut runs: BTreeMap<Run, (Seq, Seq, u32)> = BTreeMap::new();
        for (frame, _) in self.frames.iter().filter_map(|bytes| frame::split(bytes).ok()) {
            let seq = frame.header.seq;
            let one = runs.entry(frame.header.run).or_insert((seq, seq, 0));
            *one = (one.0.min(seq), one.1.max(seq), one.2 + 1);
        }
        runs
    }
}
