//! What happened, for people and for comparing two runs: a hash always, words only where somebody reads them.

use super::happening::Happening;
use std::fmt::Write as _;

/// The latest lines that are kept for a failure.
const LINES: usize = 4_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Trace {
    hash: u64,
    lines: Option<std::collections::VecDeque<String>>,
    /// Every line at once to standard output.
    aloud: bool,
}

impl Trace {
    /// Only a hash.
    pub(super) const fn silent() -> Self {
        Self { hash: 0xCBF2_9CE4_8422_2325, lines: None, aloud: false }
    }

    /// Words, kept or said aloud.
    pub(super) fn words(aloud: bool) -> Self {
        Self { lines: Some(std::collections::VecDeque::new()), aloud, ..Self::silent() }
    }

    pub(super) const fn has_words(&self) -> bool {
        self.lines.is_some()
    }

    /// FNV-1a over what decides a run.
    pub(super) const fn mix(&mut self, value: u64) {
        let mut at = 0;
        while at < 8 {
            self.hash = (self.hash ^ (value >> (8 * at) & 0xFF)).wrapping_mul(0x100_0000_01B3);
            at += 1;
        }
    }

    pub(super) fn step(&mut self, at: u64, happening: &Happening) {
        self.mix(at);
        self.mix(kind(happening));
        if self.has_words()
            && let Some(words) = super::words::happening(happening)
        {
            self.say(at, &words);
        }
    }

    /// A line of the trace.
    pub(super) fn say(&mut self, at: u64, words: &str) {
        let Some(lines) = &mut self.lines else { return };
        let mut line = String::new();
        let _text_takes_everything = write!(line, "{:>12.6} {words}", at as f64 / 1e6);
        if self.aloud {
            println!("{line}");
        }
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().flatten()
    }
}

fn kind(happening: &Happening) -> u64 {
    match happening {
        Happening::Deed(_) => 1,
        Happening::Start(_) | Happening::Boot(_) => 2,
        Happening::Service(host, service, _) => 3 + 16 * (*host as u64) + 4096 * (*service as u64),
        Happening::Agent(host, life, _) => 4 + 16 * (*host as u64) + 4096 * life,
        Happening::AgentTimer(host, life, _) => 5 + 16 * (*host as u64) + 4096 * life,
        Happening::Disk(host, life, _) => 6 + 16 * (*host as u64) + 4096 * life,
        Happening::ReadUnit(host, life, ..) => 7 + 16 * (*host as u64) + 4096 * life,
        Happening::Dial(stream) => 8 + 16 * stream.0,
        Happening::Up(stream, _) => 9 + 16 * stream.0,
        Happening::Down(stream, _) => 10 + 16 * stream.0,
        Happening::Ping(stream) => 11 + 16 * stream.0,
        Happening::Collector(collector, life, _) => 12 + 16 * (*collector as u64) + 4096 * life,
        Happening::CollectorTimer(collector, life, _) => 13 + 16 * (*collector as u64) + 4096 * life,
    }
}
