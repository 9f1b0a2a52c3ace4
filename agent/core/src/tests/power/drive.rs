//! A disk that does what is ordered, as far as it came.

use super::*;

impl Drive {
    /// Does an order, of a write only so many frames, and says what is answered.
    pub(super) fn obey(
        &mut self,
        (order, bytes): &(Order, Vec<u8>),
        frames: usize,
        tell: &mut dyn FnMut(Fact<'_>),
    ) {
        if let Some(trouble) =
            self.trouble.take_if(|_| !matches!(order, Order::Read { .. } | Order::Drop { .. }))
        {
            return tell(Fact::Failed { trouble });
        }
        match order {
            Order::Open => self.open(tell),
            Order::Begin { segment, class } => {
                let new = self.segments.insert(*segment, (*class, Vec::new()));
                assert!(new.is_none(), "a segment's number is used once");
                tell(Fact::Done { flash: 4096 });
            }
            Order::Write { segment, .. } => {
                let (class, held) = self.segments.get_mut(segment).expect("it was begun");
                for (header, bytes, _) in split(bytes).into_iter().take(frames) {
                    assert_eq!(header.class, *class);
                    held.push(bytes);
                }
                let used: usize = held.iter().map(Vec::len).sum();
                assert!(used <= spool::SEGMENT_FRAMES as usize);
                tell(Fact::Done { flash: 4096 });
            }
            Order::Read { run, from, only } => {
                tell(Fact::Page { bytes: &self.page(*run, *from, *only), damaged: 0 });
            }
            Order::Drop { segment } => {
                self.segments.remove(segment).expect("it was there");
                tell(Fact::Done { flash: 0 });
            }
            Order::Keep { .. } => {
                self.kept = Some(bytes.clone());
                tell(Fact::Done { flash: 4096 });
            }
        }
    }

    pub(super) fn open(&mut self, tell: &mut dyn FnMut(Fact<'_>)) {
        if let Some(bytes) = &self.kept {
            tell(Fact::Kept { bytes });
        }
        self.segments.retain(|_, (_, held)| !held.is_empty());
        for (id, (class, held)) in &self.segments {
            let newest = self.segments.iter().rev().find(|(_, (other, _))| other == class).map(|(id, _)| id);
            let used = held.iter().map(Vec::len).sum::<usize>() as u32;
            let shape = if newest == Some(id) { Shape::Open(used) } else { Shape::Closed };
            let mut runs: BTreeMap<u64, (Seq, Seq, u32)> = BTreeMap::new();
            for (header, _, _) in held.iter().flat_map(|bytes| split(bytes)) {
                let seq = header.seq;
                let one = runs.entry(header.run.0).or_insert((seq, seq, 0));
                *one = (one.0.min(seq), one.1.max(seq), one.2 + 1);
            }
            for (run, (first, last, frames)) in runs {
                let run = Run(run);
                tell(Fact::Found { segment: *id, class: *class, shape, run, first, last, frames });
            }
        }
        tell(Fact::Opened { damaged: 0 });
    }

    pub(super) fn page(&self, run: Run, from: Seq, only: Option<Class>) -> Vec<u8> {
        let mut found: BTreeMap<u64, &[u8]> = BTreeMap::new();
        for bytes in self.segments.values().flat_map(|(_, held)| held) {
            let (frame, _) = frame::split(bytes).unwrap();
            let is_one = only.is_none_or(|only| only == frame.header.class);
            if frame.header.run == run && frame.header.seq >= from && is_one {
                found.insert(frame.header.seq.0, bytes);
            }
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
}
