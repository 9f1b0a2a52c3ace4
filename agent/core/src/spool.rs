//! The spool: frames that wait until the collector has journaled them, in memory that the shell lends.

/// A stretch of the spool's ring, never wrapped: whole frames, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes {
    /// Where it starts.
    pub start: u32,
    /// How many bytes.
    pub len: u32,
}

/// Smallest ring that works: room for a few frames of the longest kind.
pub const RING_MIN: usize = 8 * 1024;

/// Where one frame lies in the ring.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    seq: u64,
}

impl Entry {
    /// Which frame.
    pub const fn seq(self) -> u64 {
        self.seq
    }
}
