//! What tests across crates share. This file declares modules and nothing else.
//!
//! - [`tidy`]: the house's guards, as functions from a source tree to findings.
//! - [`rig`]: real processes to test against. [`mod@bench`]: figures.

pub mod bench;
pub mod rig;
pub mod tidy;
