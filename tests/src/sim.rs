//! The whole fleet in one thread: real cores, and a world around them in which everything can go wrong.
//!
//! `World` owns agents, collectors, network, disks and clocks, and one queue of what is to come; there is no thread, no
//! runtime, no clock and no chance but the seed, so a run can be done again step by step. The shells around the cores
//! are models of the real ones (order of inputs, ports, claims, groups of a commit), kept as thin as the cores can
//! tell; what is real code here is everything that decides.
//!
//! Three parts make a run: a [`Scenario`] (a world and a [`Plan`] of [`Deed`]s), [`run`], and the invariants of `truth`,
//! which know what truly is and never ask a core what it believes. A failing plan is cut down by [`shrink()`].
//!
//! Left out: frames on the wire as protobuf, TLS, files as bytes (the shells' own tests have those), and `http` and
//! host level checks.

mod acts;
mod agent;
mod campaign;
mod clock;
mod deed;
mod disk;
mod drive;
mod happening;
mod host;
mod journal;
mod keeper;
mod link;
mod net;
mod plan;
mod platter;
mod rest;
mod scenarios;
mod service;
mod shape;
mod shrink;
mod spans;
mod start;
mod tell;
mod trace;
mod truth;
mod verbs;
mod watcher;
mod wire;
mod words;
mod world;

pub use campaign::{Report, campaign, explain};
pub use deed::{Deed, Plan};
pub use drive::{Outcome, Voice, run};
pub use happening::Place;
pub use scenarios::{BY_NAME, SCENARIOS, Scenario};
pub use shape::Size;
pub use shrink::shrink;
