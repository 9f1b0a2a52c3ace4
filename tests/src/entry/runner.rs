//! Runs entries for a time, several at once, and sees that none of them hangs.
//!
//! A worker counts what it runs in an atomic; who waits looks whether it moves. A case that takes longer than
//! [`CASE_MAX`] is a failure too: its input is made again from the seed and its number, since the worker will not say.

use super::Entry;
use super::cases::{Cases, Failure};
use crate::rig::clock::Since;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// A case may take so long, on a machine that has other things to do.
pub const CASE_MAX: Duration = Duration::from_secs(20);
/// As a main thread has it: what recurses must fail here as it would there.
const STACK: usize = 8 * 1024 * 1024;

/// What is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The first seed of all cases.
    pub seed: u64,
    /// How long each entry is run.
    pub time: Duration,
    /// How many are run at once.
    pub jobs: usize,
}

/// What came of one entry.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which.
    pub entry: Entry,
    /// How many cases were run.
    pub cases: u64,
    /// For how long.
    pub took: Duration,
    /// The failure that ended it, if any.
    pub failure: Option<Failure>,
}

/// Where an entry is.
#[derive(Default)]
struct Place {
    /// The number of its case, from 1; 0 while it is not running.
    case: AtomicU64,
    /// How often the entry was run: also while a failure is made smaller.
    beats: AtomicU64,
}

type Places = Arc<[Place]>;

/// Runs each of these entries; an entry ends with its first failure.
pub fn run(entries: &[Entry], plan: Plan) -> Vec<Report> {
    let places: Places = entries.iter().map(|_| Place::default()).collect();
    let (tell, told) = sync_channel(entries.len());
    let next = Arc::new(AtomicUsize::new(0));
    for _ in 0..plan.jobs.clamp(1, entries.len()) {
        let (entries, places, next) = (entries.to_vec(), Arc::clone(&places), Arc::clone(&next));
        let tell: SyncSender<Report> = tell.clone();
        let work = move || {
            while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                let at = entries.iter().position(|other| other.name == entry.name).unwrap_or(0);
                let _nobody_waits_after_a_hang = tell.send(one(*entry, plan, &places[at]));
            }
        };
        thread::Builder::new().stack_size(STACK).spawn(work).expect("the kernel gives a thread");
    }
    drop(tell);
    gather(entries, plan, &places, &told)
}

fn one(entry: Entry, plan: Plan, place: &Place) -> Report {
    let (begun, cases) = (Since::now(), Cases::new(entry, plan.seed));
    let (mut number, mut failure) = (0, None);
    while failure.is_none() && begun.elapsed() < plan.time {
        place.case.store(number + 1, Ordering::Relaxed);
        let beat = || {
            place.beats.fetch_add(1, Ordering::Relaxed);
        };
        failure = cases.run(number, beat).err();
        number += 1;
    }
    place.case.store(0, Ordering::Relaxed);
    Report { entry, cases: number, took: begun.elapsed(), failure }
}

fn gather(entries: &[Entry], plan: Plan, places: &Places, told: &Receiver<Report>) -> Vec<Report> {
    let mut reports = Vec::new();
    let mut seen: Vec<(u64, Since)> = entries.iter().map(|_| (0, Since::now())).collect();
    loop {
        match told.recv_timeout(Duration::from_secs(1)) {
            Ok(report) => reports.push(report),
            Err(RecvTimeoutError::Disconnected) => return reports,
            Err(RecvTimeoutError::Timeout) => {}
        }
        for ((entry, place), seen) in entries.iter().zip(places.iter()).zip(&mut seen) {
            let (case, beats) = (place.case.load(Ordering::Relaxed), place.beats.load(Ordering::Relaxed));
            if case == 0 || beats != seen.0 {
                *seen = (beats, Since::now());
            } else if seen.1.elapsed() > CASE_MAX {
                reports.push(hung(*entry, plan, case));
                return reports;
            }
        }
    }
}

/// The case that did not end, or that failed and did not end when it was made smaller.
fn hung(entry: Entry, plan: Plan, cases: u64) -> Report {
    let input = Cases::new(entry, plan.seed).input(cases - 1);
    let why = format!("case {} did not end in {} s", cases - 1, CASE_MAX.as_secs());
    Report { entry, cases, took: plan.time, failure: Some(Failure { input, why }) }
}
