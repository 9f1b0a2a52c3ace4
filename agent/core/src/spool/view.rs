//! What people and programs may know of the spool.

use super::{Mode, Spool};
use picket_proto::{Mono, Seq};

/// The spool at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Frames in memory that wait for the collector.
    pub frames: u32,
    /// Their bytes.
    pub bytes: u32,
    /// Bytes that there is room for in memory.
    pub room: u32,
    /// The number of the last frame that was made.
    pub last: Seq,
    /// Frames that stand on the disk, waiting or not yet removed with their segment.
    pub on_disk: u64,
    /// Segments on the disk.
    pub segments: u32,
    /// Earlier runs that are not done.
    pub runs: u32,
    /// Frames that were lost and wait to be named.
    pub lost: u64,
    /// Stretches on the disk that were no frames where frames should be.
    pub damaged: u32,
    /// Bytes written to the disk by the spool today: within 24 h, counted from the start.
    pub written: u64,
    /// Whether the day's budget is used up, so that routine frames stay in memory.
    pub is_over_budget: bool,
    /// Whether frames are made durable.
    pub mode: Mode,
}

impl Spool<'_> {
    /// The spool as it stands.
    pub(crate) fn view(&self, now: Mono) -> View {
        let segments = &self.disk.segments;
        View {
            frames: u32::try_from(self.frames).unwrap_or(u32::MAX),
            bytes: self.held,
            room: u32::try_from(self.ring.len()).unwrap_or(u32::MAX),
            last: self.last,
            on_disk: segments.parts().iter().map(|part| u64::from(part.frames)).sum(),
            segments: segments.count(),
            runs: u32::try_from(self.late.runs().iter().filter(|past| self.is_owed(past)).count())
                .unwrap_or(u32::MAX),
            lost: self.lost.count(),
            damaged: self.disk.damaged,
            written: self.disk.written(),
            is_over_budget: self.disk.is_over_budget(),
            mode: self.disk.mode(now),
        }
    }
}
