//! The spool: frames that wait until the collector has journaled them, in memory that the shell lends.

/// A stretch of the spool's ring, never wrapped: whole frames, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes {
    /// Where it starts.
    pub start: u32,
    /// How many bytes.
    pub len: u32,
}
