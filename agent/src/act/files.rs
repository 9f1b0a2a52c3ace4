//! A service's own files: kept while they are good, put back when the core says so. Opt-in: of the paths that its
//! configuration names ([`tree`]), in `STATE/good/NAME` ([`store`]).
//!
//! | there | what |
//! |---|---|
//! | `good-N` | the good ones, whole: written beside and renamed; the newest is used, the one before stays for a person |
//! | `aside-N` | what a rollback replaced: the newest [`ASIDE_MAX`] stay, for a person to compare |
//! | `open` | a rollback that has not held yet: which `aside-N`, and which paths it touched |
//! | `whole` | that one is done: all its files stand in their places, and the precheck has passed |
//!
//! `open` is written before the first path is touched, so that a killed agent's next run can undo what was begun, and
//! stays until that was done: while it is there, nothing is kept as good. Undoing reads the touched paths alone, and leaves
//! alone what somebody has edited since the rollback. Each order has a thread of its own, and of a service one is out
//! at a time: a disk that hangs holds up nothing else. When to do what is the core's to say.

mod rollback;
mod settle;
mod store;
#[cfg(test)]
mod tests;
mod tree;

use super::program::Program;
use crate::config::{Kept, Service};
use crate::scribe::STACK;
use picket_agent_core::service::files::{Open, Order, Said};
use picket_proto::event::Exit;
use rustix::process::Rlimit;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tree::Tree;

/// Rollbacks whose replaced files stay: who has not looked at five of them will not look at the sixth.
const ASIDE_MAX: usize = 5;
/// A precheck reads a configuration; the core gives a rollback three times as long.
const PRECHECK: Duration = Duration::from_secs(20);
/// What a precheck may print.
const OUTPUT_MAX: usize = 64 * 1024;

/// What came of an order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Looked { digest: u64, changed: Option<String>, has_good: bool, open: Open, is_away: bool },
    Unread(Open),
    Taken(bool),
    RolledBack,
    NotDone(String),
    Busy,
    Settled,
}

impl Answer {
    /// It is settled, unless it could not be done.
    pub(super) fn settled(done: Result<(), String>) -> Self {
        done.map_or_else(Self::NotDone, |()| Self::Settled)
    }

    /// As the core takes it.
    pub(crate) fn said(&self) -> Said<'_> {
        match self {
            Self::Looked { digest, changed, has_good, open, is_away } => Said::Looked {
                digest: *digest,
                changed: changed.as_deref(),
                has_good: *has_good,
                open: *open,
                is_away: *is_away,
            },
            Self::Unread(open) => Said::Unread { open: *open },
            Self::Taken(taken) => Said::Taken(*taken),
            Self::RolledBack => Said::RolledBack,
            Self::Busy => Said::Busy,
            Self::NotDone(why) => Said::NotDone { why },
            Self::Settled => Said::Settled,
        }
    }
}

/// Who keeps one service's files.
#[derive(Debug)]
pub(super) struct Keeper {
    name: String,
    folder: PathBuf,
    roots: Vec<PathBuf>,
    precheck: Option<Program>,
    /// That they can't be kept was told.
    told: AtomicBool,
}

impl Keeper {
    pub(super) fn new(service: &Service, state: &Path, files: Rlimit) -> Option<Arc<Self>> {
        let kept = service.kept.as_ref()?;
        let name = service.spec.name.to_string();
        let fill = super::item::filled(service, state);
        let folder = state.join("good").join(&name);
        let precheck = kept.precheck.as_ref().map(|parts| Program {
            parts: parts.iter().map(|part| fill(part)).collect(),
            output: None,
            limit: PRECHECK,
            files,
        });
        let roots = kept.paths.iter().map(|path| PathBuf::from(fill(path))).collect();
        Some(Arc::new(Self { name, folder, roots, precheck, told: AtomicBool::new(false) }))
    }

    /// Does it in a thread of its own, and tells.
    ///
    /// # Errors
    /// There can be no more threads.
    pub(super) fn begin(
        self: Arc<Self>,
        order: Order,
        tell: impl FnOnce(Answer) + Send + 'static,
    ) -> io::Result<()> {
        let thread = std::thread::Builder::new().name("files".to_owned()).stack_size(2 * STACK);
        thread.spawn(move || tell(self.obey(order))).map(drop)
    }

    fn obey(&self, order: Order) -> Answer {
        match order {
            Order::Look => self.look().unwrap_or_else(|| Answer::Unread(self.open())),
            Order::Take { digest, precheck } => Answer::Taken(self.take(digest, precheck).is_some()),
            Order::RollBack => match self.roll_back() {
                Ok(()) => Answer::RolledBack,
                Err(why) => Answer::NotDone(why),
            },
            Order::Undo => Answer::settled(self.undo()),
            Order::Close => {
                self.close();
                Answer::Settled
            }
        }
    }

    fn look(&self) -> Option<Answer> {
        let now = self.tell_why(tree::read(&self.roots))?;
        let good = self.good();
        let changed = good.as_ref().and_then(|good| {
            let changes = tree::changes(good, &now);
            let first = changes.first()?.path().display();
            Some(match changes.len() - 1 {
                0 => first.to_string(),
                more => format!("{first} (and {more} more)"),
            })
        });
        let (digest, has_good) = (tree::short(&now), good.is_some());
        Some(Answer::Looked { digest, changed, has_good, open: self.open(), is_away: false })
    }

    fn open(&self) -> Open {
        let is_there = |name| self.folder.join(name).exists();
        match (is_there("open"), is_there("whole")) {
            (false, _) => Open::No,
            (true, false) => Open::Begun,
            (true, true) => Open::Whole,
        }
    }

    fn take(&self, digest: u64, precheck: bool) -> Option<()> {
        if precheck {
            self.tell_why(self.precheck())?;
        }
        let now = self.tell_why(tree::read(&self.roots))?;
        // Files in the midst of a rollback are nobody's.
        if tree::short(&now) != digest || self.open() != Open::No {
            return None;
        }
        if now.is_empty() {
            return self.tell_why(Err("none of them is there: correct `good.files`".to_owned()));
        }
        let numbers = store::numbers(&self.folder, "good-");
        let next = numbers.last().map_or(1, |last| last + 1);
        let saved = store::save(&self.place("good-", next), (&self.roots, &now));
        self.tell_why(saved.map_err(|error| error.to_string()))?;
        // The one before stays too: what turns out to be bad was kept once as well.
        numbers.iter().rev().skip(1).for_each(|number| self.drop_copy("good-", *number));
        tracing::info!(service = self.name, files = now.len(), "its files are kept as good ones");
        Some(())
    }

    fn precheck(&self) -> Result<(), String> {
        let Some(precheck) = &self.precheck else { return Ok(()) };
        let ended = precheck.run_bounded(OUTPUT_MAX);
        match ended.exit {
            Exit::Code(0) => Ok(()),
            Exit::NotStarted(libc::ETIMEDOUT) => Err(format!("no end within {} s", PRECHECK.as_secs())),
            exit if ended.last_line.is_empty() => Err(exit.to_string()),
            _ => Err(ended.last_line),
        }
    }

    /// The good ones, if they are whole. The older copy is no stand-in: it may be of another year.
    fn good(&self) -> Option<Tree> {
        let numbers = store::numbers(&self.folder, "good-");
        store::load(&self.place("good-", *numbers.last()?), &self.roots)
    }

    fn place(&self, prefix: &str, number: u32) -> PathBuf {
        self.folder.join(format!("{prefix}{number}"))
    }

    fn drop_copy(&self, prefix: &str, number: u32) {
        if let Err(error) = std::fs::remove_dir_all(self.place(prefix, number)) {
            tracing::warn!(service = self.name, prefix, number, %error, "an old copy of its files stays");
        }
    }

    /// Tells once why they can't be kept, until they can.
    fn tell_why<T>(&self, done: Result<T, String>) -> Option<T> {
        match &done {
            Ok(_) => self.told.store(false, Ordering::Relaxed),
            Err(why) if self.told.swap(true, Ordering::Relaxed) => tracing::debug!(service = self.name, why),
            Err(why) => {
                tracing::warn!(service = self.name, why, "its files can't be kept as good ones");
            }
        }
        done.ok()
    }
}

/// What keeps a service's files from being kept, as they are now, with what to do. Paths below the agent's state are its
/// own to make.
pub(crate) fn lacks(kept: &Kept) -> Vec<String> {
    let paths = kept.paths.iter().filter(|path| !path.contains("{state}"));
    let roots: Vec<PathBuf> = paths.map(PathBuf::from).collect();
    let is_missing =
        |root: &&PathBuf| root.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    let mut found: Vec<String> = roots
        .iter()
        .filter(is_missing)
        .map(|root| {
            format!(
                "there is no {} (good.files): correct the path, or a rollback takes away what comes there",
                root.display()
            )
        })
        .collect();
    found.extend(match tree::read(&roots) {
        Err(why) => Some(format!(
            "its files can't be kept as good ones: {why}; no rollback can be done until that is mended"
        )),
        Ok(files) if !files.is_empty() && files.iter().all(|entry| entry.kind == tree::Kind::Folder) => Some(
            "there is no file in what good.files names: a rollback takes away what comes there".to_owned(),
        ),
        Ok(_) => None,
    });
    found
}
