//! The house's guards: what the compiler and clippy cannot see about the workspace's shape.
//!
//! A rule is a function from a source tree (and, for arrows, from `cargo metadata`) to findings; it reads and never
//! writes, so that it runs on the real workspace and on small planted trees alike. [`house`] holds every table and
//! limit; the other modules hold the rules:
//!
//! - [`arrows`]: which crate may depend on which. [`rooms`]: which room of a core may name which.
//! - [`cores`]: the outer shape of a core: attributes, words' variants and size, a small `lib.rs`.
//! - [`words`]: module docs, `unsafe`, clocks, sleeping and ignored tests, words that do not belong in the text.
//! - [`sizes`]: files and functions, as a ratchet that only tightens.
//!
//! It does not judge names, comments or taste; reviews do.

pub mod arrows;
pub mod cores;
pub mod house;
pub mod rooms;
pub mod sizes;
pub mod tree;
pub mod words;

use cargo_metadata::Metadata;
use std::fmt;
use tree::Tree;

/// One breach of one rule, printed as `file:line: rule: what to do`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the tree's root, with forward slashes.
    pub path: String,
    /// The line, from 1; 1 where the whole file is meant.
    pub line: usize,
    /// The rule's stable name.
    pub rule: &'static str,
    /// What is wrong and what to do, in words.
    pub advice: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, rule: &'static str, advice: String) -> Self {
        Self { path: path.to_owned(), line, rule, advice }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.advice)
    }
}

/// Every rule on one tree; `ratchet` is the text of the checked-in list of exceptions in size.
///
/// The findings are sorted by file and line and each is said once, so that two runs over one tree print the same.
pub fn all(tree: &Tree, metadata: &Metadata, ratchet: &str) -> Vec<Finding> {
    let rules = [
        tree::parses(tree),
        arrows::between_crates(metadata),
        arrows::lints_are_inherited(tree),
        rooms::along_the_pipeline(tree),
        cores::attributes(tree),
        cores::variants(tree),
        cores::word_size_is_asserted(tree),
        cores::lib_only_routes(tree),
        words::module_docs(tree),
        words::unsafe_in_one_file(tree),
        words::clocks_in_one_file(tree),
        words::tests_neither_sleep_nor_hide(tree),
        words::text(tree),
        sizes::ratchet(tree, ratchet),
    ];
    let mut findings: Vec<Finding> = rules.into_iter().flatten().collect();
    findings.sort();
    findings.dedup();
    findings
}
