//! What may be acknowledged: the numbers that journaled records hold or close, by host and run.

use crate::entry::numbers::Numbers;
use picket_collector_core::Record;
use picket_collector_core::store::Entry;
use picket_proto::frame::{self, Content};
use picket_proto::{Fact, HostId, Ranges, Run};
use std::collections::BTreeMap;

/// What is journaled of each run of each host.
#[derive(Debug, Default)]
pub(super) struct Journaled(BTreeMap<(HostId, Run), Numbers>);

impl Journaled {
    /// An entry is durable.
    pub(super) fn add(&mut self, entry: &Entry) {
        let Record::Frames { host, run, span, frames, .. } = &entry.record else { return };
        self.run(host, *run).add(*span);
        let mut rest = &frames[..];
        while let Ok((frame, after)) = frame::split(rest) {
            if let Ok(Content::Known(event)) = frame.content()
                && let Fact::Gap(gap) = event.fact
            {
                self.run(host, gap.run).add(gap.range);
            }
            rest = after;
        }
        assert!(rest.is_empty(), "a record holds what is no frame");
    }

    /// Panics where a number is acknowledged that no durable record has.
    pub(super) fn holds(&mut self, host: &HostId, run: Run, acked: &Ranges) {
        let numbers = self.run(host, run);
        for range in acked.iter() {
            assert!(
                numbers.covers(range),
                "{host} {run:?}: {range} is acknowledged, {numbers:?} is journaled"
            );
        }
    }

    fn run(&mut self, host: &HostId, run: Run) -> &mut Numbers {
        self.0.entry((host.clone(), run)).or_default()
    }
}
