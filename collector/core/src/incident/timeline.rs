//! A bounded timeline: the first 50 entries say how it began, the newest 150 how it stands; between them is counted.

use crate::table::Code;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use picket_proto::{Event, Wall};
use serde::{Deserialize, Serialize};

const FIRST: usize = 50;
const NEWEST: usize = 150;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at: Wall,
    /// The slot of the host that saw it.
    pub(crate) host: Option<u32>,
    #[serde(deserialize_with = "crate::table::code")]
    pub(crate) code: Code,
    pub(crate) text: String,
    pub(crate) arrival: Arrival,
    pub(crate) clock: Clock,
}

/// How an entry came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Arrival {
    Live,
    Late,
}

/// Whether the clock behind an entry was synchronised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Clock {
    Synced,
    Unsynced,
}

impl Entry {
    /// What a host saw.
    pub(crate) fn seen(host: u32, event: &Event, arrival: Arrival) -> Self {
        let clock = if event.stamp.synced { Clock::Synced } else { Clock::Unsynced };
        let code = picket_proto::code::of(&event.fact);
        Self { at: event.stamp.wall, host: Some(host), code, text: alloc::format!("{event}"), arrival, clock }
    }

    /// What the collector says.
    pub(crate) fn said(at: Wall, code: &'static str, text: String) -> Self {
        Self { at, host: None, code, text, arrival: Arrival::Live, clock: Clock::Synced }
    }
}

/// See the module.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Timeline {
    first: Vec<Entry>,
    newest: VecDeque<Entry>,
    left_out: u64,
}

impl Timeline {
    /// Adds at the end.
    pub(crate) fn push(&mut self, entry: Entry) {
        if self.first.len() < FIRST {
            self.first.push(entry);
            return;
        }
        if self.newest.len() == NEWEST {
            self.newest.pop_front();
            self.left_out += 1;
        }
        self.newest.push_back(entry);
    }

    /// In order of arrival.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.first.iter().chain(&self.newest)
    }

    /// How many entries the limit left out.
    pub(crate) const fn left_out(&self) -> u64 {
        self.left_out
    }
}
