//! What is asked of journaled events.

use super::{bad_input, limit, optional_host};
use crate::clock;
use crate::server::refusal_because;
use crate::store;
use picket_rpc::convert;
use picket_rpc::v1;
use tonic::Status;

/// Parses it whole.
pub(super) fn question(asked: v1::ListEventsRequest) -> Result<store::Question, Status> {
    let unknown = || refusal_because("bad-input", "page_token is none that was given out");
    let after = if asked.page_token.is_empty() {
        None
    } else {
        let (index, skip) = asked.page_token.split_once(':').ok_or_else(unknown)?;
        let index = index.parse().map_err(|_| unknown())?;
        Some(store::Place { index, skip: skip.parse().map_err(|_| unknown())? })
    };
    Ok(store::Question {
        host: optional_host("host", &asked.host)?,
        service: convert::optional_name("service", &asked.service).map_err(bad_input)?,
        since: asked.within.map(since).transpose()?,
        after,
        limit: usize::from(limit(asked.page_size)?),
    })
}

fn since(within: prost_types::Duration) -> Result<picket_proto::Wall, Status> {
    if within.seconds < 0 || within.nanos < 0 {
        return Err(refusal_because("bad-input", "within is negative"));
    }
    let us = within.seconds.saturating_mul(1_000_000).saturating_add(i64::from(within.nanos) / 1_000);
    Ok(picket_proto::Wall::from_micros(clock::wall().micros().saturating_sub(us)))
}
