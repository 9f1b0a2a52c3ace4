//! Reading a run back: a page of its frames at a time, ascending, merged over the classes' segments.

use super::{CLASSES, Files, Frames, SegmentId, Store, name_of};
use picket_agent_core::spool::PAGE;
use picket_proto::frame::{Class, FRAME_MAX};
use picket_proto::{Run, Seq};

/// What is read from a file at a time.
const CHUNK: usize = 32 * 1024;

/// Where the next page of a run goes on, for each class.
pub(super) struct Cursor {
    run: Run,
    from: Seq,
    only: Option<Class>,
    places: [Option<(SegmentId, u32)>; 3],
}

/// A frame that was read: its number, its bytes in the buffer, and where the next one stands.
struct Read {
    seq: Seq,
    bytes: std::ops::Range<usize>,
    next: (SegmentId, u32),
}

impl<F: Files> Store<F> {
    /// Frames of a run from a number on, ascending, as many as a page holds; of one class, if one is named.
    pub(super) fn page(&mut self, wanted: (Run, Seq, Option<Class>)) -> (Vec<u8>, u32) {
        let (run, from, only) = wanted;
        let goes_on = |cursor: &Cursor| (cursor.run, cursor.from, cursor.only) == wanted;
        let cursor = self.cursor.take().filter(goes_on);
        let mut places = cursor.map_or([None; 3], |cursor| cursor.places);
        let (mut buffer, mut damaged) = (Vec::new(), 0);
        let mut streams = CLASSES.map(|_| Vec::new().into_iter().peekable());
        let wanted = |class: &(usize, Class)| only.is_none_or(|only| only == class.1);
        for (at, class) in CLASSES.into_iter().enumerate().filter(wanted) {
            let (read, holes) = self.stream(class, (run, from), places[at], &mut buffer);
            damaged += holes;
            streams[at] = read.into_iter().peekable();
        }
        let (mut page, mut last) = (Vec::with_capacity(PAGE), None);
        loop {
            let next = (0..3).filter_map(|at| Some((streams[at].peek()?.seq, at))).min();
            let Some((seq, at)) = next else { break };
            let Some(read) = streams[at].peek() else { break };
            if page.len() + read.bytes.len() > PAGE {
                break;
            }
            if last != Some(seq) {
                page.extend_from_slice(&buffer[read.bytes.clone()]);
            }
            (last, places[at]) = (Some(seq), Some(read.next));
            streams[at].next();
        }
        if let Some(last) = last {
            self.cursor = Some(Cursor { run, from: last.next(), only, places });
        }
        (page, damaged)
    }

    /// Frames of one class, at most a page of them.
    fn stream(
        &mut self,
        class: Class,
        (run, from): (Run, Seq),
        place: Option<(SegmentId, u32)>,
        buffer: &mut Vec<u8>,
    ) -> (Vec<Read>, u32) {
        let (mut read, mut damaged, mut lowest) = (Vec::new(), 0, from);
        let most = buffer.len() + PAGE;
        let holding = self.segments.iter().filter_map(|(id, segment)| {
            let held = segment.held.iter().find(|held| held.run == run && held.last >= from)?;
            let start = match place {
                Some((at, start)) if at == *id => start,
                Some((at, _)) if at > *id => return None,
                Some(_) | None => held.at,
            };
            (segment.class == class).then_some((*id, start, segment.end))
        });
        let holding: Vec<_> = holding.collect();
        for (id, start, end) in holding {
            let Ok(file) = self.files.open(&name_of(id)) else {
                damaged += 1;
                continue;
            };
            let mut at = start;
            while at < end && buffer.len() < most {
                let mut chunk = vec![0; CHUNK.min((end - at) as usize)];
                let Ok(len) = self.files.read(&file, at.into(), &mut chunk) else {
                    damaged += 1;
                    break;
                };
                let mut frames = Frames::new(&chunk[..len]);
                while let Some((_, frame)) = frames.next() {
                    if frame.header.run == run && frame.header.seq >= lowest && buffer.len() < most {
                        let bytes = buffer.len()..buffer.len() + frame.bytes.len();
                        buffer.extend_from_slice(frame.bytes);
                        lowest = frame.header.seq.next();
                        read.push(Read { seq: frame.header.seq, bytes, next: (id, at + frames.end as u32) });
                    }
                }
                damaged += frames.damaged;
                at = next_chunk(at, len, frames.end, end);
            }
        }
        (read, damaged)
    }
}

/// Where to read on: behind the last frame, or, where none was found, so that one at the seam is not cut.
fn next_chunk(at: u32, len: usize, used: usize, end: u32) -> u32 {
    if len == 0 || at + len as u32 >= end {
        return end;
    }
    let past = if used > 0 { used } else { len.saturating_sub(FRAME_MAX).max(1) };
    at + past as u32
}
