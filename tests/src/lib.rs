//! What tests across crates share. This file declares modules and nothing else.
//!
//! - [`tidy`]: the house's guards, as functions from a source tree to findings.
//! - [`rig`]: real processes to test against. [`mod@bench`]: figures. [`chaos`]: runs with faults at random.

pub mod bench;
pub mod chaos;
pub mod rig;
pub mod tidy;
