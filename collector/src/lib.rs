//! Picket's collector as a process: what surrounds `picket-collector-core` with sockets, a disk and clocks.
//!
//! Wiring, from the outside in: [`cli`] reads the command line, `start` opens the data folder and puts the parts
//! together, `run` is the one task that owns the core. Ports around it: `tls` (listener, peer identities), `server`
//! (gRPC for agents and operators), `store` (the journal), `metrics` (its figures, on loopback), `authority` (certificates), `clock` (the only file that
//! reads clocks and entropy). A port turns what happens into an input and holds no policy.
//!
//! Threads: the core runs alone on the main thread, so that no session can delay it; two workers carry TLS and gRPC
//! (the work of 10,000 sessions on two cores); one thread writes the journal, one reads it for queries and
//! one of the lowest priority keeps it (snapshots, retention, verification), since SQLite blocks. It listens on one
//! address, and on a second one on loopback if it is told to, and does nothing but what [`cli`] names.

#![forbid(unsafe_code)]

mod authority;
pub mod cli;
mod clock;
mod counts;
#[doc(hidden)]
pub mod entry;
mod error;
mod log;
mod metrics;
mod owner;
mod peer;
mod ports;
mod run;
mod server;
mod start;
mod store;
mod tls;
