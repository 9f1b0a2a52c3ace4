//! The account of frames: what the agents said they made, against what the collector holds and what gaps name.

use picket_rpc::v1;
use std::collections::{BTreeMap, BTreeSet};

/// Run and number.
type Id = (u64, u64);

/// Who says what about which frame.
#[derive(Debug, Default)]
pub struct Account {
    told: BTreeMap<Id, String>,
    held: BTreeMap<Id, u64>,
    late: BTreeSet<Id>,
    lost: Vec<(u64, u64, u64)>,
}

impl Account {
    /// Takes a line of the agent's log, if it tells a frame.
    pub fn line(&mut self, line: &str) {
        let Ok(told) = serde_json::from_str::<serde_json::Value>(line) else { return };
        let run = told["run"].as_str().and_then(|run| u64::from_str_radix(run, 16).ok());
        if let (Some(run), Some(seq)) = (run, told["seq"].as_u64()) {
            self.told.insert((run, seq), told["text"].as_str().unwrap_or_default().to_owned());
        }
    }

    /// Takes what the collector lists, all of it.
    pub fn events(&mut self, events: &[v1::Event]) {
        (self.held, self.late, self.lost) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        for event in events {
            let id = (event.run, event.seq);
            if let Some(lost) = &event.lost {
                self.lost.push((lost.run, lost.first, lost.last));
                // What the collector itself lost has no frame of its own: its line stands at the first lost number.
                if lost.run == event.run && lost.first == event.seq {
                    continue;
                }
            }
            *self.held.entry(id).or_insert(0) += 1;
            if event.late {
                self.late.insert(id);
            }
        }
    }

    /// Whether nothing is missing any more.
    pub fn is_complete(&self) -> bool {
        self.missing().next().is_none()
    }

    /// Frames told, those of them that came late, and numbers that gaps name.
    pub fn figures(&self) -> (u64, u64, u64) {
        let lost = self.lost.iter().map(|(_, first, last)| last - first + 1).sum();
        (self.told.len() as u64, self.late.len() as u64, lost)
    }

    /// What does not hold.
    pub fn violations(&self) -> Vec<String> {
        let twice = self.held.iter().filter(|(_, times)| **times > 1);
        let twice =
            twice.map(|((run, seq), times)| format!("frame {seq} of run {run:016x} is there {times} times"));
        let missing = self.missing().map(|(run, seq)| {
            let text = self.told.get(&(run, seq)).map_or("never told", String::as_str);
            format!("frame {seq} of run {run:016x} ({text}) is neither there nor in a gap")
        });
        twice.chain(missing).collect()
    }

    /// Every number up to the highest that is known of its run, if it is neither held nor named as lost.
    fn missing(&self) -> impl Iterator<Item = Id> + '_ {
        let mut highest = BTreeMap::new();
        for (run, seq) in self.told.keys().chain(self.held.keys()) {
            let known = highest.entry(*run).or_insert(0);
            *known = (*known).max(*seq);
        }
        let all = highest.into_iter().flat_map(|(run, last)| (1..=last).map(move |seq| (run, seq)));
        all.filter(|id| !self.held.contains_key(id) && !self.is_lost(*id))
    }

    fn is_lost(&self, (run, seq): Id) -> bool {
        self.lost.iter().any(|(lost, first, last)| *lost == run && (*first..=*last).contains(&seq))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(run: u64, seq: u64) -> v1::Event {
        v1::Event { run, seq, ..v1::Event::default() }
    }

    #[test]
    fn a_frame_that_is_doubled_or_missing_is_a_violation_and_one_in_a_gap_is_not() {
        let mut account = Account::default();
        for seq in 1..=5 {
            account.line(&format!("{{\"run\":\"00000000000000aa\",\"seq\":{seq},\"text\":\"t\"}}"));
        }
        let gap = v1::Event { lost: Some(v1::Lost { run: 0xaa, first: 2, last: 3 }), ..event(0xbb, 1) };
        account.events(&[event(0xaa, 1), event(0xaa, 4), event(0xaa, 4), gap]);
        let found = account.violations();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("frame 4") && found[1].contains("frame 5"), "{found:?}");
        assert!(!account.is_complete());
    }
}
