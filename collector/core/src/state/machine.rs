//! The live half of the machine, and the one way in which a record comes to be: applied, journaled, told.

use super::At;
use crate::incident::Change;
use crate::ingest::sessions::Sessions;
use crate::ingest::taken::Taken;
use crate::order::Orders;
use crate::record::Record;
use crate::store::Entry;
use crate::store::outbox::Outbox;
use crate::view;
use crate::view::finding::of_incident;
use crate::view::watch::Watchers;
use crate::{Collector, Effect};
use alloc::boxed::Box;
use alloc::vec::Vec;
use picket_proto::{Now, Span};

/// What is not journaled and not hashed.
pub(crate) struct Live {
    pub(crate) sessions: Sessions,
    pub(crate) watchers: Watchers,
    pub(crate) orders: Orders,
    pub(crate) out: Outbox,
    /// Frames of the batch in hand; its memory is used again.
    pub(crate) scratch: Vec<Taken>,
    /// How far the journal's Mono is ahead of this process' clock: a reboot sets that back to zero.
    pub(crate) ahead: Span,
    chance: u64,
}

impl Live {
    /// Nobody is there, nothing waits.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            sessions: Sessions::new(),
            watchers: Watchers::new(),
            orders: Orders::default(),
            out: Outbox::new(),
            scratch: Vec::new(),
            ahead: Span::ZERO,
            chance: seed,
        }
    }

    /// A number that nobody can guess who does not know the seed (splitmix64).
    pub(crate) fn nonce(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Collector {
    /// The deadline came: whatever is due is done.
    pub(crate) fn on_time(&mut self, now: Now) {
        self.on_session_time(now);
        if self.state.due().is_some_and(|due| due <= now.mono) {
            self.commit(now, Record::Tick, &[]);
        }
        self.on_order_time(now);
        self.live.out.on_time(now.mono);
    }

    /// A question is answered once what the answer shows is durable.
    pub(crate) fn on_query(&mut self, query: &view::Query) {
        let answer = view::answer::answer(&self.state, &self.live, &query.question);
        let reply = Effect::Reply(view::Reply { reply: query.reply, answer });
        self.live.out.when_durable(self.state.index, reply);
    }

    /// Applies a record, journals it, and tells what changed once it is durable.
    pub(crate) fn commit(&mut self, now: Now, record: Record, taken: &[Taken]) {
        let index = self.state.index + 1;
        self.state.apply(At { index, now }, &record, taken);
        self.live.out.append(Box::new(Entry { index, now, record }));
        let changes = self.changes();
        if changes.is_empty() {
            return;
        }
        for change in changes {
            self.live.out.when_durable(index, Effect::Told(change.clone()));
            self.live.watchers.keep(change);
        }
        let Live { watchers, out, .. } = &mut self.live;
        watchers.push(index, out);
    }

    /// The changes that the last record made, numbered.
    pub(crate) fn changes(&mut self) -> Vec<Change> {
        let touched = self.state.incidents.take_touched();
        let mut changes = Vec::with_capacity(touched.len());
        for touched in touched {
            let Some(incident) = self.state.incidents.get(touched.incident) else { continue };
            let incident = Box::new(of_incident(&self.state, incident));
            let text = if touched.text.is_empty() { incident.title.clone() } else { touched.text };
            self.state.changes += 1;
            changes.push(Change { number: self.state.changes, code: touched.code, text, incident });
        }
        changes
    }

    /// This process' time as the journal's, which never runs backwards.
    pub(crate) fn local(&self, now: Now) -> Now {
        Now { mono: now.mono.plus(self.live.ahead).max(self.state.mono), ..now }
    }
}
