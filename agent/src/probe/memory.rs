//! What is kept of a check from one look to the next: its thread or program that may still be out, the counters that it
//! read, the place in a log. Where a new configuration looks at the same it stays; else it begins anew.

use super::apart::Apart;
use super::{log, metric};
use crate::config::Check;
use crate::program::Seat;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::Mutex;

/// Of one check.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// For looks that may hang in the kernel.
    pub(super) apart: Apart,
    /// For those that run a program.
    pub(super) seat: Seat,
    /// Whether a person asked for the next look.
    pub(super) asked: Arc<AtomicBool>,
    /// The counters of the look before.
    pub(super) counters: Arc<Mutex<metric::Last>>,
    /// How far a log was read.
    pub(super) log: Option<Arc<Mutex<log::Place>>>,
}

/// For `checks`, after those that were there and what was kept of them; `state` keeps how far logs were read.
pub(super) fn anew((old, kept): (&[Check], &[Memory]), checks: &[Check], state: &Path) -> Vec<Memory> {
    let before = |at: usize| Some((old.get(at)?, kept.get(at)?));
    let logs = log::places(checks, state, |at, key| {
        let (old, kept) = before(at)?;
        // Of another expression too: what was read is read.
        (log::key(old).as_deref() == Some(key)).then(|| kept.log.clone())?
    });
    let whole = checks.iter().zip(logs).enumerate().map(|(at, (check, log))| {
        let same = before(at).filter(|(old, _)| old.target == check.target);
        Memory { log, ..same.map(|(_, kept)| kept.clone()).unwrap_or_default() }
    });
    whole.collect()
}
