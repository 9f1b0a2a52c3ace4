//! One bug's trial: planted, built, and run with ever more seeds until one fails.

use super::{Mutant, Ran, Run, Tree};
use std::path::PathBuf;
use std::time::Duration;

/// How far the next stretch of seeds reaches beyond all before.
const GROWTH: u64 = 4;

/// How many seeds are tried.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// In the first stretch.
    pub first: u64,
    /// In all.
    pub most: u64,
}

/// A bug that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Seeds until it was, from 1 on.
    pub seeds: u64,
    /// By which scenario; none where the simulator itself broke.
    pub scenario: String,
    /// What did not hold.
    pub violation: String,
}

/// Why there was no trial.
#[derive(Debug)]
pub enum Failed {
    /// The patch does not fit the sources any more: what git says.
    Stale(String),
    /// With the bug the sources can't be built: what the compiler says.
    Unbuilt(String),
    /// The copy or the program could not be handled.
    Io(std::io::Error),
}

impl Trial {
    /// Plants a bug, or none, and builds the simulator with it.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn build(tree: &Tree, mutant: Option<&Mutant>) -> Result<PathBuf, Failed> {
        tree.reset().map_err(Failed::Io)?;
        if let Some(mutant) = mutant {
            mutant.plant(tree.root()).map_err(Failed::Stale)?;
        }
        tree.build().map_err(Failed::Unbuilt)
    }

    /// Runs what was built until a seed fails.
    ///
    /// # Errors
    /// When it can't be run.
    pub fn run(self, sim: PathBuf) -> Result<Option<Found>, Failed> {
        let (run, mut done, mut upto) = (Run::of(sim), 0, self.first.clamp(1, self.most));
        while done < self.most {
            let found = match run.seeds(done + 1, upto - done).map_err(Failed::Io)? {
                Ran::Passed => None,
                Ran::Failed { seed, scenario, violation } => Some(Found { seeds: seed, scenario, violation }),
                Ran::Broke(violation) => Some(Found { seeds: upto, scenario: String::new(), violation }),
            };
            if found.is_some() {
                return Ok(found);
            }
            (done, upto) = (upto, upto.saturating_mul(GROWTH).min(self.most));
        }
        Ok(None)
    }

    /// How long something took, in tenths of seconds.
    pub fn seconds(took: Duration) -> f64 {
        (took.as_secs_f64() * 10.0).round() / 10.0
    }
}
