//! Processes that the agent did not start: found by one scan of `/proc` for all checks that ask, and seen end at once.
//!
//! A scan costs a few reads for each process of the host, so no check makes its own: what one found serves all that look
//! within a second, after every process in it was seen alive once more. It runs in a thread, since a command line can
//! hang with its process. Of what was found up to 16 processes per check, and 256 in all, are watched by pidfd (Linux
//! 5.3): when one ends its check is looked at, whatever its interval. What is beyond is seen at the next look.
//!
//! Who a process is: its number and start time within this boot. One that only waits to be reaped, or is stopped, is not alive.

mod scan;

use super::apart::Apart;
use super::process::Stat;
use super::{Seen, process};
use crate::clock;
use crate::config::{Check, Target, Wanted};
use crate::sorted;
use picket_agent_core::check::{CheckIx, Reading};
use picket_proto::event::Cause;
use picket_proto::{Mono, Span};
use rustix::process::{Pid, PidfdFlags};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

/// For so long a scan serves the checks that look.
const FRESH: Span = Span::from_secs(1);
/// Descriptors for one check, and for all: a part of the 1,024 that a process usually may have.
const WATCHED: usize = 16;
const WATCHED_IN_ALL: usize = 256;

/// Ends that wait to be told; what is beyond waits in its own watch, so none is lost.
const ENDS: usize = 64;

/// A process that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) pid: Pid,
    pub(super) stat: Stat,
}

impl Person {
    /// Alive and not stopped.
    const fn is_well(&self) -> bool {
        !self.stat.is_dead() && !self.stat.is_frozen()
    }

    /// The same process as it is now.
    fn again(&self) -> Option<Self> {
        let stat = process::stat(self.pid).filter(|stat| stat.started == self.stat.started)?;
        Some(Self { stat, ..*self })
    }
}

/// All such checks.
#[derive(Debug)]
pub(super) struct Crowd {
    asked: watch::Sender<Arc<Asked>>,
    last: Mutex<Option<Scan>>,
    apart: Apart,
    /// Never held over a wait.
    watches: Mutex<BTreeMap<CheckIx, Watch>>,
    room: Arc<Semaphore>,
    ends: mpsc::Sender<CheckIx>,
}

/// What the last scan found, and for whom.
#[derive(Debug)]
struct Scan {
    when: Mono,
    asked: Arc<Asked>,
    found: Vec<Vec<Person>>,
}

/// What is asked for.
#[derive(Debug)]
struct Asked {
    wanted: Arc<[Wanted]>,
    /// Which of them a check asks for.
    places: BTreeMap<CheckIx, usize>,
}

impl Asked {
    fn of(checks: &[Check]) -> Arc<Self> {
        let of = |check: &Check| match &check.target {
            Target::Processes(wanted) => Some(wanted.clone()),
            _ => None,
        };
        let asked: Vec<(CheckIx, Wanted)> =
            (0..).zip(checks).filter_map(|(ix, check)| Some((ix, of(check)?))).collect();
        let places = sorted::map(asked.iter().enumerate().map(|(at, (ix, _))| (*ix, at)));
        Arc::new(Self { places, wanted: asked.into_iter().map(|(_, wanted)| wanted).collect() })
    }
}

/// Processes that are watched.
#[derive(Debug)]
struct Watch {
    who: Vec<(Pid, u64)>,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Crowd {
    /// For the checks that ask for processes; ends come out as checks to look at.
    pub(super) fn new(checks: &[Check]) -> (Arc<Self>, mpsc::Receiver<CheckIx>) {
        let (ends, out) = mpsc::channel(ENDS);
        let crowd = Self {
            asked: watch::Sender::new(Asked::of(checks)),
            last: Mutex::default(),
            apart: Apart::default(),
            watches: Mutex::default(),
            room: Arc::new(Semaphore::new(WATCHED_IN_ALL)),
            ends,
        };
        (Arc::new(crowd), out)
    }

    /// For these checks from now on.
    pub(super) fn anew(&self, checks: &[Check]) {
        self.asked.send_replace(Asked::of(checks));
    }

    /// This check asks for others from now on: those of before are watched no more.
    pub(super) fn forget(&self, check: CheckIx) {
        if let Ok(mut watches) = self.watches.try_lock() {
            watches.remove(&check);
        }
    }

    /// Looks at one check. `apart` is its own: a pidfile may lie on a mount that hangs.
    pub(super) async fn look(self: Arc<Self>, check: CheckIx, wanted: Wanted, apart: Apart) -> Seen {
        let found = if wanted.pidfile.as_os_str().is_empty() {
            self.scanned(check, &wanted).await.map(|found| (found, String::new()))
        } else {
            let by_file = wanted.clone();
            apart.run(move || scan::named(&by_file)).await
        };
        match found {
            Ok((found, why)) => {
                self.watch(check, &found);
                let seen = judge(&wanted, &found);
                if seen.said.is_empty() { Seen { said: why, ..seen } } else { seen }
            }
            Err(cause) => Reading::Bad(cause).into(),
        }
    }

    async fn scanned(&self, check: CheckIx, wanted: &Wanted) -> Result<Vec<Person>, Cause> {
        let mut last = self.last.lock().await;
        let asked = Arc::clone(&self.asked.borrow());
        let Some(at) = asked.places.get(&check).copied() else { return Ok(Vec::new()) };
        if let Some(scan) = &*last
            && Arc::ptr_eq(&scan.asked, &asked)
            && clock::now().mono.since(scan.when) < FRESH
            && let Some(found) = scan.found.get(at)
        {
            let found: Vec<Person> = found.iter().filter_map(Person::again).collect();
            if judge(wanted, &found).reading == Reading::Good {
                return Ok(found);
            }
        }
        let all = Arc::clone(&asked.wanted);
        let found = self.apart.clone().run(move || scan::all(&all)).await?;
        let of_check = found.get(at).cloned().unwrap_or_default();
        *last = Some(Scan { when: clock::now().mono, asked, found });
        Ok(of_check)
    }

    /// Watches these from now on.
    fn watch(&self, check: CheckIx, found: &[Person]) {
        let well = found.iter().filter(|one| one.is_well()).take(WATCHED);
        let who: Vec<(Pid, u64)> = well.map(|one| (one.pid, one.stat.started)).collect();
        let Ok(mut watches) = self.watches.try_lock() else { return };
        if watches.get(&check).is_some_and(|watch| watch.who == who && !watch.task.is_finished()) {
            return;
        }
        watches.remove(&check);
        let opened: Vec<_> = who.iter().filter_map(|who| self.open(*who)).collect();
        if opened.is_empty() {
            return;
        }
        let ends = self.ends.clone();
        let task = tokio::spawn(async move {
            let ended = opened.iter().map(|(pidfd, _room)| Box::pin(pidfd.readable()));
            let _whichever = futures_util::future::select_all(ended).await;
            let _loop_is_ending_when_nobody_listens = ends.send(check).await;
        });
        watches.insert(check, Watch { who, task });
    }

    /// A pidfd of this process, if it still is the one; and its place among all.
    fn open(&self, (pid, started): (Pid, u64)) -> Option<(Pidfd, tokio::sync::OwnedSemaphorePermit)> {
        let room = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?;
        process::stat(pid).filter(|stat| stat.started == started)?;
        Some((crate::sys::readable(pidfd).ok()?, room))
    }
}

type Pidfd = tokio::io::unix::AsyncFd<rustix::fd::OwnedFd>;

/// How many there are against how many are declared, as a page's status is held against the declared one.
fn judge(wanted: &Wanted, found: &[Person]) -> Seen {
    let count = |test: fn(&Person) -> bool| {
        u32::try_from(found.iter().filter(|one| test(one)).count()).unwrap_or(u32::MAX)
    };
    let (well, frozen) = (count(Person::is_well), count(|one| one.stat.is_frozen()));
    let reading = match well {
        _ if well > wanted.max => {
            Reading::Bad(Cause::Beyond { level: i64::from(well), limit: i64::from(wanted.max) })
        }
        _ if well >= wanted.min => Reading::Good,
        _ if frozen > 0 => Reading::Bad(Cause::Frozen),
        0 => Reading::Bad(Cause::NoProcess),
        _ => Reading::Bad(Cause::TooFew { found: well, wanted: wanted.min }),
    };
    let dead = found.iter().any(|one| one.stat.is_dead());
    let said = if reading != Reading::Good && frozen == 0 && dead {
        "what is there has ended, and its parent has not taken notice of it"
    } else {
        ""
    };
    Seen::new(reading, said)
}
