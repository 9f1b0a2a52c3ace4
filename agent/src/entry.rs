//! Where bytes from outside come into the agent, as plain functions for the entries of `picket-tests`, which feed them
//! anything. Hidden and no interface: a program begins with [`crate::cli`], and these may change with what stands
//! behind them. Each calls what the agent itself calls, and adds nothing to it.
//!
//! [`Wire`] is the link of one agent, for rigs with thousands of them in one process.

mod wire;

pub use wire::{News, Wire, now};

use crate::config::{Config, Mistakes};
use crate::disk::{Folder, store::Store};
use crate::plan::{Given, settle};
use crate::state::State;
use picket_agent_core::{Agent, session, spool};
use picket_proto::{BootId, Mono, Run, Seq};
use picket_rpc::v1::CollectorMessage;
use std::io;
use std::path::Path;

/// The spool's segments below a state folder, without the thread that they have in the agent.
pub struct Spool(Store<Folder>);

impl Spool {
    /// Touches nothing before its first order.
    pub fn new(state: &Path) -> Self {
        Self(Store::new(Folder::below(state)))
    }

    /// Does one order, and tells what the core is told of it.
    pub fn obey(&mut self, order: spool::Order, bytes: &[u8], tell: &mut dyn FnMut(spool::Fact<'_>)) {
        self.0.obey(order, bytes, &mut |told| tell(told.as_fact()));
    }
}

/// The runs before that left something to claim.
///
/// # Errors
/// The folder can't be taken.
pub fn claims(state: &Path) -> io::Result<Vec<(Run, Seq)>> {
    Ok(State::take(state)?.claims())
}

/// Gives an agent back what an earlier run kept.
pub fn restore(state: &Path, boot: BootId, now: Mono, agent: &mut Agent<'_>) {
    let _keeper = crate::keep::Keeper::open(state, boot, now, agent);
}

/// Keeps any bytes as an agent's, their checksum right.
///
/// # Errors
/// They can't be written.
pub fn keep(state: &Path, (generation, boot, at): (u64, BootId, Mono), bytes: &[u8]) -> io::Result<()> {
    crate::keep::put(state, (generation, boot, at), bytes)
}

/// The facts that the core is told of a collector's message.
///
/// # Errors
/// Why the stream is cut, in words.
pub fn hear(message: CollectorMessage, tell: &mut dyn FnMut(session::Fact<'_>)) -> Result<(), String> {
    let words = crate::link::words(message).map_err(|bad| bad.to_string())?;
    words.iter().flatten().for_each(|word| tell(word.as_fact()));
    Ok(())
}

/// A start with this file and a command line that says nothing: what it would work with, in words for tests.
///
/// # Errors
/// What is missing.
pub fn plan(config: Config) -> Result<String, Mistakes> {
    settle(config, &Given::default()).map(|plan| format!("{plan:?}"))
}
