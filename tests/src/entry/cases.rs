//! Cases of an entry: byte vectors by proptest, each decided by a seed and its number alone, so that any of them can be
//! made again without those before it.
//!
//! Three kinds are mixed: any bytes, short and long; inputs of the corpus, spoiled in a few places or put together;
//! and small numbers, which an entry reads as small choices. All of them shrink as byte vectors do.

use super::Entry;
use crate::rig::clock::Since;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::Index;
use proptest::strategy::{BoxedStrategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::Duration;

/// Longest input that is made.
const LEN_MAX: usize = 4096;
/// A failure is made smaller in so many steps at most, and for so long: some that never rest take a second each.
const SHRINKS: usize = 4096;
const SHRINK_TIME: Duration = Duration::from_secs(30);

/// A failure, as small as it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The input.
    pub input: Vec<u8>,
    /// What did not hold.
    pub why: String,
}

/// Cases of one entry by one seed.
pub struct Cases {
    entry: Entry,
    seed: u64,
    strategy: BoxedStrategy<Vec<u8>>,
}

impl Cases {
    /// The cases of a seed.
    pub fn new(entry: Entry, seed: u64) -> Self {
        Self { entry, seed, strategy: strategy(entry) }
    }

    /// Runs one case; `beat` is called before each time that the entry runs.
    ///
    /// # Errors
    /// The failure, made smaller.
    pub fn run(&self, number: u64, mut beat: impl FnMut()) -> Result<(), Failure> {
        let mut tree = self.tree(number);
        beat();
        let Err(mut why) = attempt(self.entry, &tree.current()) else { return Ok(()) };
        let mut input = tree.current();
        let (begun, mut is_smaller) = (Since::now(), tree.simplify());
        for _ in 0..SHRINKS {
            if !is_smaller || begun.elapsed() > SHRINK_TIME {
                break;
            }
            beat();
            is_smaller = match attempt(self.entry, &tree.current()) {
                Err(other) => {
                    (input, why) = (tree.current(), other);
                    tree.simplify()
                }
                Ok(()) => tree.complicate(),
            };
        }
        Err(Failure { input, why })
    }

    /// The input of a case.
    pub fn input(&self, number: u64) -> Vec<u8> {
        self.tree(number).current()
    }

    fn tree(&self, number: u64) -> Box<dyn ValueTree<Value = Vec<u8>>> {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&number.to_le_bytes());
        let config = Config { failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        self.strategy.new_tree(&mut runner).expect("no value is filtered out")
    }
}

thread_local! {
    /// What the panic of an attempt on this thread says; `None` outside of one.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs an entry on an input; what did not hold. Its panic is not printed: thousands of them make a failure smaller.
///
/// # Errors
/// The panic's words, and where it was.
pub fn attempt(entry: Entry, input: &[u8]) -> Result<(), String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_heard = SAID.with_borrow_mut(|said| said.as_mut().map(|said| *said = info.to_string()));
            if is_heard.is_none() {
                loud(info);
            }
        }));
    });
    SAID.set(Some(String::new()));
    let done = panic::catch_unwind(AssertUnwindSafe(|| (entry.run)(input)));
    let said = SAID.take().unwrap_or_default();
    done.map_err(|_panic| said)
}

fn strategy(entry: Entry) -> BoxedStrategy<Vec<u8>> {
    let seeds: Vec<Vec<u8>> = entry.corpus().into_iter().map(|(_, bytes)| bytes).collect();
    let any_bytes = prop_oneof![
        2 => vec(any::<u8>(), 0..64),
        3 => vec(any::<u8>(), 0..512),
        1 => vec(any::<u8>(), 0..LEN_MAX),
        3 => vec(prop_oneof![6 => 0_u8..32, 1 => any::<u8>()], 0..1024),
    ];
    if seeds.is_empty() {
        return any_bytes.boxed();
    }
    let seed = proptest::sample::select(seeds);
    let edits = vec((any::<Index>(), any::<u8>()), 0..8);
    let spoiled = (seed.clone(), edits).prop_map(|(seed, edits)| spoil(seed, &edits));
    let joined = (seed, vec(any::<u8>(), 0..256), any::<Index>()).prop_map(|(mut seed, more, at)| {
        seed.truncate(at.index(seed.len() + 1));
        seed.extend(more);
        seed
    });
    prop_oneof![4 => any_bytes, 2 => spoiled, 1 => joined, 1 => Just(Vec::new())].boxed()
}

fn spoil(mut bytes: Vec<u8>, edits: &[(Index, u8)]) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    for (at, byte) in edits {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    bytes
}
