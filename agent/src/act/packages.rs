//! The packages of a service: which versions were good, and installing those again from apt's cache when the core says so.
//! Opt-in, and dpkg only: of rpm there is no cache to rely on.
//!
//! | in `STATE/packages/NAME` | what |
//! |---|---|
//! | `good` | the versions with which the service was last good |
//! | `open` | a change that has not held yet: the versions that were there before it |
//! | `out` | what dpkg or apt-get printed last |
//!
//! Nothing is fetched: a version is there as `/var/cache/apt/archives/NAME_VERSION_ARCH.deb`, a file that only root can
//! write, or not at all. `apt-get --simulate` must find first that nothing else would change; then `dpkg --install` does
//! it, since it has no hooks, fails at once where others hold the lock, and keeps the host's configuration. It has a
//! process group of its own, and its output goes to a file, so that it ends its work where the agent is killed: the next
//! run finds `open` and looks how far it came. What was begun and did not come to its end is undone, once.

mod dpkg;
mod run;
#[cfg(test)]
mod tests;

use super::files::Answer;
use crate::probe::packages::is_locked;
use crate::scribe::STACK;
use crate::whole;
pub(crate) use dpkg::lacks;
use dpkg::{Version, deb, is_whole, of_text, text_of};
use picket_agent_core::service::files::{Open, Order};
use rustix::process::Rlimit;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Nothing was tried, and may be later.
const BUSY: &str = "the package manager is at work";

/// Where packages are. Fixed, but for tests.
#[derive(Debug, Clone)]
struct Places {
    admin: PathBuf,
    cache: PathBuf,
    dpkg: String,
    apt: String,
    is_locked: fn() -> bool,
    /// Whose the files of the cache must be.
    owner: u32,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            admin: PathBuf::from("/var/lib/dpkg"),
            cache: PathBuf::from("/var/cache/apt/archives"),
            dpkg: "/usr/bin/dpkg".to_owned(),
            apt: "/usr/bin/apt-get".to_owned(),
            is_locked,
            owner: 0,
        }
    }
}

/// Who keeps one service's packages.
#[derive(Debug)]
pub(super) struct Keeper {
    service: String,
    folder: PathBuf,
    names: Vec<String>,
    files: Rlimit,
    places: Places,
    /// That they can't be looked at was told.
    told: AtomicBool,
}

impl Keeper {
    pub(super) fn new(service: &crate::config::Service, state: &Path, files: Rlimit) -> Option<Arc<Self>> {
        let names = service.packages.clone()?;
        let service = service.spec.name.to_string();
        let folder = state.join("packages").join(&service);
        let (places, told) = (Places::default(), AtomicBool::new(false));
        Some(Arc::new(Self { service, folder, names, files, places, told }))
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
        let thread = std::thread::Builder::new().name("packages".to_owned()).stack_size(2 * STACK);
        thread.spawn(move || tell(self.obey(order))).map(drop)
    }

    fn obey(&self, order: Order) -> Answer {
        match order {
            Order::Look => self.look(),
            Order::Take { digest, .. } => Answer::Taken(self.take(digest)),
            Order::RollBack if (self.places.is_locked)() => Answer::Busy,
            Order::RollBack => match self.roll_back() {
                Ok(()) => Answer::RolledBack,
                Err(why) if why == BUSY => Answer::Busy,
                Err(why) => Answer::NotDone(why),
            },
            Order::Undo => Answer::settled(self.undo()),
            Order::Close => {
                self.close();
                Answer::Settled
            }
        }
    }

    fn look(&self) -> Answer {
        // Who is at work on packages may be an earlier run's own dpkg: how far that is can't be said before it ends.
        let is_locked = (self.places.is_locked)();
        let noted = self.noted("open").filter(|_| !is_locked);
        let now = match self.installed() {
            Ok(now) => now,
            Err(why) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(service = self.service, why, "its packages can't be looked at");
                }
                return Answer::Unread(noted.map_or(Open::No, |_| Open::Begun));
            }
        };
        self.told.store(false, Ordering::Relaxed);
        let good = self.noted("good");
        let open = match noted {
            None => Open::No,
            Some(_) if is_whole(&now) && good.as_ref() == Some(&now) => Open::Whole,
            Some(_) => Open::Begun,
        };
        let has_good = good.is_some();
        let good = good.unwrap_or_default();
        let is_away = good.iter().any(|version| self.deb(version).is_err());
        let changed = self.changed(&good, &now);
        Answer::Looked { digest: digest(&now), changed, has_good, open, is_away }
    }

    /// The first package that is another version than the good one, and of which version there is no file.
    fn changed(&self, good: &[Version], now: &[Version]) -> Option<String> {
        let mut pairs = good.iter().zip(now).filter(|(good, now)| good != now);
        let (was, is) = pairs.next()?;
        let mut text = format!("package {} ({} to {}", is.name, was.version, is.version);
        match pairs.count() {
            0 => {}
            more => text += &format!(", and {more} more"),
        }
        if let Some(gone) = [was, is].into_iter().find(|version| self.deb(version).is_err()) {
            text += &format!("; no .deb of {} in the cache", gone.version);
        }
        Some(text + ")")
    }

    fn take(&self, digest_then: u64) -> bool {
        let Ok(now) = self.installed() else { return false };
        if digest(&now) != digest_then || !is_whole(&now) || self.noted("open").is_some() {
            return false;
        }
        let saved = crate::identity::make_private_folder(&self.folder).and_then(|()| self.note("good", &now));
        if let Err(error) = &saved {
            tracing::warn!(service = self.service, %error, "the versions of its packages can't be noted");
        } else if let Some(why) = now.iter().find_map(|version| self.deb(version).err()) {
            tracing::warn!(
                service = self.service,
                why,
                "its packages are good ones, and can't be put back later"
            );
        }
        saved.is_ok()
    }

    fn roll_back(&self) -> Result<(), String> {
        if !rustix::process::geteuid().is_root() && self.places.owner == 0 {
            return Err("the agent is not root, so it can't install packages".to_owned());
        }
        self.undo()?;
        let good = self.noted("good").ok_or("no versions of its packages are known to be good yet")?;
        let now = self.installed()?;
        let others: Vec<Version> = differing(&good, &now);
        if others.is_empty() {
            return Err("its packages are those with which it was last good".to_owned());
        }
        let debs = self.debs(&others)?;
        self.simulate(&others, &debs)?;
        self.note("open", &now).map_err(|error| format!("that it begins can't be noted: {error}"))?;
        let done = self.install(&debs).and_then(|()| match self.installed()? {
            now if is_whole(&now) && now == good => Ok(()),
            _ => Err("dpkg has installed something else".to_owned()),
        });
        if done.is_ok() {
            let names: Vec<_> = others.iter().map(|it| format!("{} {}", it.name, it.version)).collect();
            tracing::info!(service = self.service, packages = names.join(", "), "put back to what was good");
        }
        done.map_err(|why| match self.undo() {
            Ok(()) => why,
            Err(undo) if undo == why => why,
            Err(undo) => format!("{why}; and {undo}"),
        })
    }

    /// Installs what was there before, where a change is open. What somebody else has installed since is left alone.
    fn undo(&self) -> Result<(), String> {
        let Some(before) = self.noted("open") else { return Ok(()) };
        if (self.places.is_locked)() {
            return Err(BUSY.to_owned());
        }
        let good = self.noted("good").unwrap_or_default();
        let done = self.installed().and_then(|now| match unlike(&before, &now, &good) {
            others if others.is_empty() => Ok(()),
            others => {
                let is_cut_off = !is_whole(&now) && !good.is_empty();
                // A package that is half there blocks apt: better the good ones than that.
                let debs = self.debs(&others);
                let debs = debs.or_else(|why| if is_cut_off { self.debs(&good) } else { Err(why) });
                debs.and_then(|debs| self.install(&debs))
            }
        });
        if matches!(&done, Err(why) if why == BUSY) {
            return done;
        }
        // Once: what dpkg refuses it will refuse again.
        self.close();
        done.map_err(|why| {
            let why = format!("what was there before can't be installed again: {why}");
            tracing::warn!(service = self.service, why, "its packages stay as they are");
            why
        })
    }

    fn close(&self) {
        if let Err(error) = whole::remove(&self.folder.join("open")) {
            tracing::warn!(service = self.service, %error, "that a change of its packages is over can't be noted");
        }
    }

    fn installed(&self) -> Result<Vec<Version>, String> {
        dpkg::installed(&self.places.admin, &self.names)
    }

    fn deb(&self, version: &Version) -> Result<PathBuf, String> {
        deb(&self.places.cache, version, self.places.owner)
    }

    fn debs(&self, versions: &[Version]) -> Result<Vec<PathBuf>, String> {
        versions.iter().map(|version| self.deb(version)).collect()
    }

    /// Versions of these packages that were noted; what was noted of others counts as nothing.
    fn noted(&self, name: &str) -> Option<Vec<Version>> {
        let noted = of_text(&std::fs::read_to_string(self.folder.join(name)).ok()?)?;
        noted.iter().map(|it| &it.name).eq(&self.names).then_some(noted)
    }

    fn note(&self, name: &str, versions: &[Version]) -> io::Result<()> {
        whole::replace(&self.folder.join(name), text_of(versions).as_bytes())?;
        File::open(&self.folder)?.sync_all()
    }
}

/// Those of the first that are other versions in the second.
fn differing(wanted: &[Version], now: &[Version]) -> Vec<Version> {
    wanted.iter().zip(now).filter(|(wanted, now)| wanted != now).map(|(wanted, _)| wanted.clone()).collect()
}

/// Those of before in whose place there is a good one by now, or one that is not whole. Another one is somebody else's.
fn unlike(before: &[Version], now: &[Version], good: &[Version]) -> Vec<Version> {
    let is_ours = |before: &Version, now: &Version| !now.is_whole || (before != now && good.contains(now));
    let others = before.iter().zip(now).filter(|(before, now)| is_ours(before, now));
    others.map(|(before, _)| before.clone()).collect()
}

fn digest(versions: &[Version]) -> u64 {
    let mut hasher = DefaultHasher::new();
    versions.iter().for_each(|it| (&it.name, &it.version, &it.arch).hash(&mut hasher));
    hasher.finish()
}
