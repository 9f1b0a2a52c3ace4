//! Where bytes from outside come into the collector, as plain functions for the entries of `picket-tests`, which feed
//! them anything. Hidden and no interface: a program begins with [`crate::cli`], and these may change with what stands
//! behind them. Each calls what the collector itself calls, and adds nothing to it.

use crate::authority::Request;
use crate::server::{Said, hello, report, said};
use crate::store::snapshot;
use picket_collector_core::ingest::{Fact, Heard, SessionId};
use picket_collector_core::{Collector, Input};
use picket_proto::{HostId, Now};
use picket_rpc::v1::AgentMessage;
use std::path::Path;

/// What the core is told of an agent's message.
///
/// # Errors
/// The refusal's words.
pub fn input(host: HostId, session: SessionId, now: Now, message: AgentMessage) -> Result<Input, String> {
    let words = |refused: crate::server::Refused| refused.0.message().to_owned();
    Ok(match said(session, message).map_err(words)? {
        Said::Hello(first) => {
            let (hello, terms) = hello(first).map_err(words)?;
            Input::Session(Fact::Opened { session, host, hello: Box::new(hello), terms })
        }
        Said::Beat(beat) => {
            let report = Some(report(now, beat).map_err(words)?);
            Input::Heard(vec![Heard { host, report }])
        }
        Said::Fact(fact) => Input::Session(fact),
    })
}

/// Whether a host that enrols with this request can be given a certificate.
pub fn is_request(der: &[u8]) -> bool {
    Request::parse(der).is_ok()
}

/// A snapshot's file around any bytes, its checksums right.
pub fn snapshot_file(index: u64, time: Now, state: &[u8]) -> Vec<u8> {
    snapshot::file(index, time, state)
}

/// Writes a snapshot as the collector does.
///
/// # Errors
/// The failure's words.
pub fn write_snapshot(folder: &Path, core: &Collector, time: Now) -> Result<(), String> {
    snapshot::write(folder, core, time).map_err(|failure| failure.to_string())
}

/// What a start takes from a folder of snapshots, where the journal begins with `oldest`.
///
/// # Errors
/// The failure's words.
pub fn choose(folder: &Path, seed: u64, oldest: u64) -> Result<Collector, String> {
    let start = snapshot::choose(folder, seed, oldest).map_err(|failure| failure.to_string())?;
    Ok(start.core)
}
