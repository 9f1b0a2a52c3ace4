//! A collector that keeps at most 8 ranges of a run.

use super::*;

impl Collector {
    /// Takes a batch as the real one does, and says which acks follow.
    pub(super) fn take(
        &mut self,
        present: Run,
        run: Run,
        batch: &[Flying],
        claims: Option<Run>,
    ) -> Vec<(Run, Ranges)> {
        let ranges = |known: &BTreeMap<u64, Ranges>, run: Run| known.get(&run.0).cloned().unwrap_or_default();
        let mut tried = self.known.clone();
        let has = ranges(&self.known, run);
        let new: Vec<&Flying> = batch.iter().filter(|(seq, _)| !has.contains(*seq)).collect();
        let mut fits = true;
        for stretch in new.chunk_by(|one, other| one.0.next() == other.0) {
            for gap in stretch.iter().filter_map(|(_, gap)| gap.as_ref()) {
                fits &= tried.entry(gap.run.0).or_default().insert(gap.range).is_ok();
            }
            let range = SeqRange::new(stretch[0].0, stretch[stretch.len() - 1].0).unwrap();
            fits &= tried.entry(run.0).or_default().insert(range).is_ok();
        }
        assert!(fits || run != present, "{batch:?} is refused: {has} is known of {run}");
        if fits {
            self.known = tried;
            for (seq, gap) in new {
                self.arrived.entry(run.0).or_default().insert(seq.0);
                if let Some(gap) = gap {
                    let named = self.named.entry(gap.run.0).or_default();
                    named.extend((gap.range.first().0..=gap.range.last().0).map(|seq| (seq, gap.reason)));
                }
            }
        }
        let acked = claims.into_iter().chain([run]);
        acked.map(|run| (run, ranges(&self.known, run))).collect()
    }
}
