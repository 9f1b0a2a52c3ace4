//! What tests across crates share. This file declares modules and nothing else.
//!
//! - [`sim`]: the whole fleet in one thread, on the cores alone. [`dice`]: chance with a seed. [`mutants`]: bugs that
//!   `sim` must find.
//! - With the feature `shells`: `tidy`, the house's guards, as functions from a source tree to findings; `rig`, real
//!   processes to test against; `bench`, figures; `fleet`, real hosts with real faults; `swarm`, thousands of
//!   agents' sessions from one process; `chaos`, runs with faults at random; `entry`, where bytes from outside
//!   come in, for any bytes; `foreign`, an agent built for another processor; `small`, one in a whole small box.

#[cfg(feature = "shells")]
pub mod bench;
#[cfg(feature = "shells")]
pub mod chaos;
pub mod dice;
#[cfg(feature = "shells")]
pub mod entry;
#[cfg(feature = "shells")]
pub mod fleet;
#[cfg(feature = "shells")]
pub mod foreign;
pub mod mutants;
#[cfg(feature = "shells")]
pub mod older;
#[cfg(feature = "shells")]
pub mod rig;
pub mod sim;
#[cfg(feature = "shells")]
pub mod small;
#[cfg(feature = "shells")]
pub mod swarm;
#[cfg(feature = "shells")]
pub mod tidy;
