//! The newest events as lines of JSON, for people on the host: a bounded tail, and those who follow it.
//!
//! At most 256 lines and 64 KiB; the oldest go first. A follower that is 64 lines behind is cut: it asks again. It is
//! no second spool: what counts is there, and this is gone with the process.

use picket_proto::{Event, Name, Run, Seq, code};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;

const LINES: usize = 256;
const BYTES: usize = 64 * 1024;
const BEHIND: usize = 64;

/// An event as a person gets it.
#[derive(Serialize)]
struct Line<'l> {
    at: String,
    run: String,
    seq: u64,
    code: &'l str,
    text: String,
    service: Option<&'l str>,
    unsynced: bool,
}

/// The newest events.
#[derive(Default)]
pub(crate) struct Tail {
    lines: VecDeque<(Run, Seq, Arc<str>)>,
    bytes: usize,
    followers: Vec<mpsc::Sender<Arc<str>>>,
}

impl Tail {
    /// An event was made.
    pub(super) fn made(&mut self, run: Run, seq: Seq, event: &Event) {
        let line = Line {
            at: crate::log::rfc3339(event.stamp.wall),
            run: run.to_string(),
            seq: seq.0,
            code: code::of(&event.fact),
            text: event.to_string(),
            service: event.fact.service().map(Name::as_str),
            unsynced: !event.stamp.synced,
        };
        if let Ok(line) = serde_json::to_string(&line) {
            self.push(run, seq, line.into());
        }
    }

    fn push(&mut self, run: Run, seq: Seq, line: Arc<str>) {
        self.followers.retain(|follower| follower.try_send(Arc::clone(&line)).is_ok());
        self.bytes += line.len();
        // Before it is pushed, so that the list never grows beyond its limit.
        while self.lines.len() == LINES || (self.bytes > BYTES && !self.lines.is_empty()) {
            let gone = self.lines.pop_front().map_or(0, |(_, _, line)| line.len());
            self.bytes -= gone;
        }
        self.lines.push_back((run, seq, line));
    }

    /// The newest `n`, oldest first.
    pub(crate) fn newest(&self, n: usize) -> impl Iterator<Item = &(Run, Seq, Arc<str>)> {
        self.lines.iter().skip(self.lines.len().saturating_sub(n))
    }

    /// Every line from now on.
    pub(crate) fn follow(&mut self) -> mpsc::Receiver<Arc<str>> {
        let (follower, lines) = mpsc::channel(BEHIND);
        self.followers.retain(|follower| !follower.is_closed());
        self.followers.push(follower);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64, len: usize) -> (Run, Seq, Arc<str>) {
        (Run(1), Seq(number), "x".repeat(len).into())
    }

    #[test]
    fn the_tail_is_bounded_by_lines_and_by_bytes() {
        let mut tail = Tail::default();
        for number in 1..=1000 {
            let (run, seq, text) = line(number, 10);
            tail.push(run, seq, text);
        }
        let newest: Vec<_> = tail.newest(5000).map(|(_, seq, _)| seq.0).collect();
        assert_eq!((newest.len(), newest[0], newest[255]), (256, 745, 1000));
        for number in 1001..=1100 {
            let (run, seq, text) = line(number, 1000);
            tail.push(run, seq, text);
        }
        assert!(tail.newest(5000).map(|(_, _, text)| text.len()).sum::<usize>() <= BYTES);
        assert_eq!(tail.newest(1).next().unwrap().1, Seq(1100));
    }

    #[test]
    fn a_follower_that_does_not_read_is_cut_and_others_are_not() {
        let mut tail = Tail::default();
        let (mut slow, mut quick) = (tail.follow(), tail.follow());
        for number in 1..=100 {
            let (run, seq, text) = line(number, 10);
            tail.push(run, seq, text);
            assert!(quick.try_recv().is_ok());
        }
        let mut read = 0;
        while slow.try_recv().is_ok() {
            read += 1;
        }
        assert_eq!((read, slow.is_closed(), tail.followers.len()), (BEHIND, true, 1));
    }
}
