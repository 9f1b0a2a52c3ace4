//! A batch taken apart: every frame checked and decoded once, before anything of it is believed.

use alloc::vec::Vec;
use core::ops::Range;
use picket_proto::frame::{self, Content};
use picket_proto::{Event, Run, Seq, SeqRange};

/// Longest batch in bytes.
pub(crate) const BATCH_MAX: usize = 64 * 1024;

/// A frame.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) seq: Seq,
    pub(crate) crc: u32,
    /// `None` where the kind or its version is not known yet, or the body is not what they say.
    pub(crate) event: Option<Event>,
    /// The body is not what kind and version say.
    pub(crate) spoiled: bool,
    /// Where its bytes end in the batch.
    pub(crate) end: usize,
}

/// Takes `bytes` apart into `out`, which is emptied first, and returns the run.
///
/// # Errors
/// The code of the refusal; what stands in `out` then means nothing.
pub(crate) fn take_apart(bytes: &[u8], out: &mut Vec<Taken>) -> Result<Run, &'static str> {
    out.clear();
    if bytes.len() > BATCH_MAX {
        return Err("too-large");
    }
    let mut rest = bytes;
    let mut run = None;
    while !rest.is_empty() {
        let (frame, after) = frame::split(rest).map_err(|_| "bad-frame")?;
        let header = frame.header;
        let ascends = out.last().is_none_or(|last| last.seq < header.seq);
        if *run.get_or_insert(header.run) != header.run || !ascends {
            return Err("bad-frame");
        }
        // A sound frame with a body that is none was spoiled before it was sealed, say by a bit in the agent's memory.
        // Refused, it would come again for ever, and nothing behind it would arrive.
        let (event, spoiled) = match frame.content() {
            Ok(Content::Known(event)) => (Some(event), false),
            Ok(Content::Unknown) => (None, false),
            Err(_) => (None, true),
        };
        out.push(Taken { seq: header.seq, crc: header.crc, event, spoiled, end: bytes.len() - after.len() });
        rest = after;
    }
    run.ok_or("bad-frame")
}

/// The numbers of some frames in a row; `None` if there are none.
pub(crate) fn span(taken: &[Taken]) -> Option<SeqRange> {
    SeqRange::new(taken.first()?.seq, taken.last()?.seq)
}

/// The bytes of the frames `range` of a batch.
pub(crate) fn bytes_of(all: &[Taken], range: &Range<usize>) -> Range<usize> {
    let start = range.start.checked_sub(1).map_or(0, |before| all[before].end);
    let end = range.end.checked_sub(1).map_or(0, |last| all[last].end);
    start..end.max(start)
}
