//! One agent's link to its collector without the loop around it: what a rig drives that has thousands of agents in one
//! process. Identity, enrolment, dialling, TLS and stream are the agent's own; whose core gives the orders, and what
//! the host's clock shows, is the caller's.
//!
//! A link has no thread of its own and no descriptor but its connection's; its stream is a task of the caller's runtime.

use crate::clock;
use crate::config::{Config, Mistakes};
use crate::link::{self, Heard, Link, Peer, Sent, Word};
use crate::plan::{Given, settle};
use picket_agent_core::session::{Fact, Order};
use picket_proto::{Now, Stamp};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The clocks as an agent on this machine reads them.
pub fn now() -> Now {
    clock::now()
}

/// A link that is not open yet.
pub struct Wire {
    link: Link,
    heard: mpsc::Receiver<Heard>,
    sent: Arc<Sent>,
}

/// What came from a link.
pub struct News(Came);

enum Came {
    Word(Word),
    Sent(u16),
}

impl News {
    /// The fact that the core takes.
    pub fn as_fact(&self) -> Fact<'_> {
        match &self.0 {
            Came::Word(word) => word.as_fact(),
            Came::Sent(messages) => Fact::Sent { messages: *messages },
        }
    }

    /// The stable code of why the link was lost, if it was.
    pub fn lost(&self) -> Option<&'static str> {
        match &self.0 {
            Came::Word(Word::Lost { diagnosis }) => Some(diagnosis.code),
            Came::Word(_) | Came::Sent(_) => None,
        }
    }
}

impl Wire {
    /// The link of a start with this file.
    ///
    /// # Errors
    /// What is missing in it.
    pub fn new(config: Config) -> Result<Self, Mistakes> {
        let plan = settle(config, &Given::default())?;
        let peer = Peer::of(&plan);
        let (link, heard) = Link::new(peer, plan.checks);
        let sent = link.sent();
        Ok(Self { link, heard, sent })
    }

    /// Gets the host its certificate, as the first try of a link would.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn enrol(config: Config) -> Result<(), String> {
        let plan = settle(config, &Given::default()).map_err(|mistakes| mistakes.to_string())?;
        link::identity(&Peer::of(&plan), 0).await.map(drop).map_err(|why| why.to_string())
    }

    /// Does one order of the core; `frames` are the bytes of a Send.
    pub fn obey(&mut self, order: Order, now: Stamp, frames: &[u8]) {
        self.link.obey(order, now, (frames, ""));
    }

    /// Sends what was gathered in this turn.
    pub fn flush(&mut self) {
        self.link.flush();
    }

    /// What comes next. May be dropped and called again.
    pub async fn next(&mut self) -> News {
        loop {
            tokio::select! {
                biased;
                messages = self.sent.take() => return News(Came::Sent(messages)),
                Some(heard) = self.heard.recv() => {
                    if let Some(word) = self.link.sort(heard) {
                        return News(Came::Word(word));
                    }
                }
            }
        }
    }

    /// Waits until a goodbye is out.
    pub async fn finish(self) {
        self.link.finish().await;
    }
}
