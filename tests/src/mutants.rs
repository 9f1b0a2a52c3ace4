//! Planted bugs: each patch in `tests/mutants` is one that a good engineer could make, and the simulator must find it.
//!
//! A trial copies the sources, plants one bug, builds the simulator on it and runs seeds from 1 on until one fails.
//! Before the first one the sources as they are must pass, so that found means found. The copy and its target folder
//! stay below `target/mutants`: from one trial to the next only the core that was touched is built again, with a
//! profile that is built fast and still runs fast enough.

mod patch;
mod run;
#[cfg(test)]
mod tests;
mod tree;
mod trial;

pub use patch::Mutant;
pub use run::{Ran, Run};
pub use tree::Tree;
pub use trial::{Failed, Found, Trial};

use std::path::Path;

/// The workspace that this was built from.
///
/// # Panics
/// Never: a member's folder lies in its workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member lies in its workspace")
}
