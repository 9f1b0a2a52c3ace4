//! Picket's language: every value that crosses a boundary between the agent, the spool, the disk, the wire and
//! the collector. `no_std` and without allocation, so that a microcontroller can speak it.
//!
//! - [`id`]: names and numbers that identify hosts, checks, services, runs and frames.
//! - [`time`]: the clocks, each a type of its own: [`Mono`] orders, [`Raw`] measures drift, [`Wall`] is for people.
//! - [`event`]: facts with their stamp. [`frame`]: an encoded event, the same bytes in spool, on disk, on the wire.
//! - [`ranges`]: which sequence numbers of one run are known; used by spool, ack and ingest alike.
//! - [`code`]: stable codes and what they mean. [`tell`]: facts in words.
//! - [`beat`]: what a heartbeat carries: a sample of the host, and the offset between two clocks.
//! - [`text`]: bounded text that cannot carry control characters.
//!
//! It holds no policy and no IO. Released frame bodies never change: a new version is added beside the old one and
//! `testdata/` keeps golden bytes of each.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

pub mod beat;
pub mod code;
pub mod event;
pub mod frame;
pub mod id;
pub mod lines;
pub mod ranges;
pub mod tell;
pub mod text;
pub mod time;
pub mod watched;

pub use beat::{Carried, Offset, Sample};
pub use event::{Event, Fact};
pub use frame::{Class, Frame, Header};
pub use id::{BootId, HostId, Name, Run, Seq};
pub use lines::Lines;
pub use ranges::{Ranges, SeqRange};
pub use text::Text;
pub use time::{Mono, Now, Raw, Span, Stamp, Wall};
