//! Picket's agent on Linux: the shell around `picket-agent-core`.
//!
//! - [`cli`]: the command line, also of `picket __agent`. [`config`]: the file, and what is wrong with it.
//! - `plan`: file and command line put together. `run`: the loop that owns the core. `state`: the folder. `keep`: what
//!   outlives a restart. `scribe`: threads that write, so that the loop never waits for a disk.
//! - Ports: `act` (processes), `probe` (readings), `sd` (systemd), `link` (the collector), `disk` (the spool's segments),
//!   `baseline` (what is on this host), `local` (people on it), `metrics`, `log`.
//!   `identity`: keys.
//! - `first`: a first look at a host. `offers`: what it has for an agent. `seal`: an image of it. `watch`: the configuration's folders. `good`: the last sound one, on disk.
//! - `child`: other programs, run for what they print. `program`: the operator's own, as their own user.
//!   `record`: of jobs that others start. `open`: files of others. `names`: users and groups. `words`: what of it is worth telling.
//! - `follow`: a process' end, with a pidfd or without. `clock`: the only clocks and entropy. `sys`: the only unsafe. `sorted`: small sets and maps.
//!
//! Ports turn failures into inputs and hold no retry counts, thresholds or backoff: those are the core's. One thread,
//! but for the spool's disk, claims, identity files, lines of log, names being resolved (at most 4), one per hung mount
//! and per log whose disk hangs, one per program that runs for what it prints (at most 4),
//! one per program of the operator's own that runs (one per check and drill), and,
//! where the kernel has no pidfds, one per process that is followed. The ring is 256 KiB: frames leave
//! it for the disk when it is full, and untouched pages of it cost nothing. It listens on no port and needs no root.

#![deny(unsafe_code)]

mod act;
mod baseline;
mod child;
mod clock;
mod disk;
mod first;
mod follow;
mod good;
mod identity;
mod keep;
mod link;
mod local;
mod log;
mod metrics;
mod names;
mod offers;
mod open;
mod plan;
mod probe;
mod program;
mod record;
mod run;
mod scribe;
mod sd;
mod seal;
mod sealed;
mod sorted;
mod state;
mod sys;
mod watch;
mod weeks;
mod whole;
mod words;

pub mod cli;
pub mod config;
#[doc(hidden)]
pub mod entry;
