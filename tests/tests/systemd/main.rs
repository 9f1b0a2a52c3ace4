//! Units under a real, private systemd: what the agent says of a death, a stop, a reload, a bus that is away, and how
//! often a unit was really started.
//!
//! Ground truth is the units' own log, a line per start, never what the agent says. Where no private systemd can run,
//! the tests say `cannot run here: NAME: reason`, which CI counts.

#![expect(clippy::unwrap_used, reason = "a test that can't go on ends there, and the line says where")]

mod baseline;
mod causes;
mod first;
mod forged;
mod host;
mod kills;
mod ladder;
mod many;
mod matrix;
mod needs;
mod observed;
mod reload;
mod scopes;
mod table;
mod units;
