//! Picket's agent on Linux: the shell around `picket-agent-core`.
//!
//! - [`cli`]: the command line, also of `picket __agent`. [`config`]: the file, and what is wrong with it.
//! - `plan`: file and command line put together. `run`: the loop that owns the core. `state`: the folder. `keep`: what
//!   outlives a restart.
//! - Ports: `act` (processes), `probe` (readings), `link` (the collector), `local` (people on this host), `metrics`, `log`.
//!   `identity`: keys.
//! - `clock`: the only clocks and entropy. `sys`: the only unsafe.
//!
//! Ports turn failures into inputs and hold no retry counts, thresholds or backoff: those are the core's. One thread,
//! but for names being resolved (at most 4) and one per hung mount. The ring is 256 KiB by default: a busy service's
//! worst day makes some hundred events of about 150 bytes, so this holds an outage of the collector of days on a
//! quiet host, and untouched pages of it cost nothing. It listens on no port and needs no root.

#![deny(unsafe_code)]

mod act;
mod clock;
mod identity;
mod keep;
mod link;
mod local;
mod log;
mod metrics;
mod plan;
mod probe;
mod run;
mod state;
mod sys;

pub mod cli;
pub mod config;
