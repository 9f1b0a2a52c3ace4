//! How full the spool is, for people and for figures. Only looks.

use super::Spool;
use picket_proto::Seq;

/// How full the spool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Frames that wait for the collector.
    pub frames: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes that there is room for.
    pub room: u64,
    /// Frames of this run that were given up and that no gap frame names yet.
    pub lost: u64,
    /// The number of the last frame that was made.
    pub last: Seq,
}

impl Spool<'_> {
    /// How full it is.
    pub(crate) fn depth(&self) -> Depth {
        let lost = self.lost.iter().map(|range| range.last().0 - range.first().0 + 1).sum();
        Depth {
            frames: self.frames as u64,
            bytes: u64::from(self.held),
            room: self.ring.len() as u64,
            lost,
            last: self.last,
        }
    }
}
