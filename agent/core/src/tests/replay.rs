//! How random tests are run: so many cases from one seed, which is shown when one fails.
//!
//! Nothing is written beside the sources. A failure prints the seed; `PROPTEST_RNG_SEED=<seed> cargo test -p
//! picket-agent-core <test>` makes the same cases again, in the same order. A case worth keeping becomes a test of
//! its own.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use std::hash::{BuildHasher as _, RandomState};

/// So many cases, from the seed that the environment gives or from another one for each run.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let given = ProptestConfig::default();
    let seed = match given.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(cases),
    };
    // The test harness keeps this back unless the test fails.
    std::println!("to make these cases again: PROPTEST_RNG_SEED={seed}");
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..given }
}
