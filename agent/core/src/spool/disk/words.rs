//! The words of the disk: what is to be done there, and what came of it.
//!
//! One order is out at a time, and each is answered once; only Open is answered by several facts, of which Opened or
//! Failed is the last.

use crate::spool::Bytes;
use picket_proto::frame::Class;
use picket_proto::{Run, Seq};

/// A segment's number: the higher the newer, never used twice while its file is there.
pub type SegmentId = u32;

/// Something to do on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Make the folder and look what is in it. Answered by Kept, then by a Found for each run of each segment in the
    /// order of segments, then by Opened; or by Failed.
    Open,
    /// Make a new segment for frames of this class, its whole length taken from the file system at once. The one
    /// before of the same class is summed up and closed. Answered by Done or Failed.
    Begin {
        /// Its number.
        segment: SegmentId,
        /// What it is for.
        class: Class,
    },
    /// Append these frames to a segment and sync. Answered by Done, or by Failed: then nothing is known of the
    /// segment's end, and it is not written any more.
    Write {
        /// Which.
        segment: SegmentId,
        /// Whole frames; valid until the next `handle`.
        bytes: Bytes,
    },
    /// Read frames of a run from a number on, from all segments, ascending, as many as a page holds. Answered by Page.
    Read {
        /// Which run.
        run: Run,
        /// The lowest number wanted.
        from: Seq,
        /// Frames of this class alone, if one is named.
        only: Option<Class>,
    },
    /// Remove a segment. Answered by Done whether that worked or not: what stays is found at the next start.
    Drop {
        /// Which.
        segment: SegmentId,
    },
    /// Keep these bytes beside the segments in the place of those kept before. Answered by Done or Failed.
    Keep {
        /// Valid until the next `handle`.
        bytes: Bytes,
    },
}

/// Whether a segment can be appended to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It has no summary yet: this many bytes of frames stand in it.
    Open(u32),
    /// It is summed up.
    Closed,
}

/// Why the disk did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no disk for the spool.
    Absent,
    /// The file system is full, or a quota is.
    Full,
    /// The file system is read-only, or the folder belongs to another.
    ReadOnly,
    /// The disk fails, or whatever else is wrong.
    Broken,
    /// It does not answer.
    Silent,
}

/// Something came from the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// What was kept last, if it can be read.
    Kept {
        /// As it was ordered.
        bytes: &'a [u8],
    },
    /// What a segment holds of one run.
    Found {
        /// Which segment.
        segment: SegmentId,
        /// Its class.
        class: Class,
        /// Whether it can be appended to.
        shape: Shape,
        /// Which run.
        run: Run,
        /// Lowest number.
        first: Seq,
        /// Highest number.
        last: Seq,
        /// How many frames.
        frames: u32,
    },
    /// All was found.
    Opened {
        /// Stretches that were no frames where frames should be.
        damaged: u32,
    },
    /// The order is done.
    Done {
        /// Bytes that this caused to be written, as the kernel counts them.
        flash: u64,
    },
    /// What was read; empty: there is nothing from that number on.
    Page {
        /// Whole frames of the run, ascending; at most [`super::PAGE`] bytes.
        bytes: &'a [u8],
        /// Stretches that could not be read on the way.
        damaged: u32,
    },
    /// The order can't be done.
    Failed {
        /// Why.
        trouble: Trouble,
    },
}
