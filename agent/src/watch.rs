//! Watches the folders of the configuration, so that a saved file is read without anyone asking.
//!
//! Folders are watched, not files: editors and tools put a new file in the old one's place. Links are followed hop by
//! hop, since what is changed may be the link (a mounted volume turns `..data` over). After every change, and when the
//! kernel lost some, all of it is looked up anew and the configuration is read whole; what really changed is whoever
//! reads it to say. A burst counts once, 200 ms after its last event, 2 s after its first at the latest.
//!
//! Where the kernel gives no watch (`fs.inotify.max_user_watches`) that is told once, and only a signal or a person makes
//! the agent read. Limits: 16 hops per link, folders of the file and of 64 drop-ins; one descriptor.

use crate::config::folder_of;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// From the last event of a burst.
const CALM: Duration = Duration::from_millis(200);
/// From the first.
const LONGEST: Duration = Duration::from_secs(2);
const HOPS_MAX: usize = 16;

/// What comes of it.
#[derive(Debug)]
pub(crate) enum Told {
    /// Something of it may have changed.
    Changed,
    /// Nothing is watched (any more): why.
    Blind(String),
}

/// Begins to watch the file and its drop-ins. One change that waits stands for all that come meanwhile.
pub(crate) fn begin(file: PathBuf) -> mpsc::Receiver<Told> {
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        if let Err(error) = serve(file, &tell).await {
            let why = match error.raw_os_error() {
                Some(libc::ENOSPC) => "no watch is left, see fs.inotify.max_user_watches".to_owned(),
                Some(libc::EMFILE) => {
                    "no inotify instance is left, see fs.inotify.max_user_instances".to_owned()
                }
                Some(_) | None => error.to_string(),
            };
            let _loop_is_ending_when_nobody_listens = tell.send(Told::Blind(why)).await;
        }
    });
    told
}

async fn serve(file: PathBuf, tell: &mpsc::Sender<Told>) -> io::Result<()> {
    let mut watch = Watch::set_up(file.clone()).await?;
    // What was saved between the reading of the start and now was seen by nobody.
    while tell.send(Told::Changed).await.is_ok() {
        watch.changed().await?;
        let burst = async { while timeout(CALM, watch.changed()).await.is_ok() {} };
        let _calm_or_long_enough = timeout(LONGEST, burst).await;
        // Watched anew first: what changes from now on is told once more.
        watch = Watch::set_up(file.clone()).await?;
    }
    Ok(())
}

/// Which names of a folder matter; all where none is named.
type Names = BTreeSet<OsString>;

struct Watch {
    fd: AsyncFd<OwnedFd>,
    folders: BTreeMap<i32, (PathBuf, Names)>,
}

impl Watch {
    /// Looks all folders up and watches them; in a thread of the pool, since it looks at files.
    async fn set_up(file: PathBuf) -> io::Result<Self> {
        let set_up = move || {
            let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            let flags = WatchFlags::CLOSE_WRITE
                | WatchFlags::MOVED_TO
                | WatchFlags::MOVED_FROM
                | WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF
                | WatchFlags::ONLYDIR;
            let mut folders: BTreeMap<i32, (PathBuf, Names)> = BTreeMap::new();
            for (folder, names) in folders_of(&file) {
                match inotify::add_watch(&fd, &folder, flags) {
                    Ok(number) => {
                        let all = folders.entry(number).or_insert_with(|| (folder, Names::new()));
                        all.1.extend(names);
                    }
                    // It comes with its parent's news.
                    Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {}
                    Err(error) => return Err(io::Error::from(error)),
                }
            }
            Ok((fd, folders))
        };
        let done = tokio::task::spawn_blocking(set_up).await;
        let (fd, folders) = done.map_err(io::Error::other)??;
        Ok(Self { fd: crate::sys::readable(fd)?, folders })
    }

    /// Waits for something that matters.
    async fn changed(&self) -> io::Result<()> {
        loop {
            let mut ready = self.fd.readable().await?;
            let mut matters = false;
            let mut bytes = [std::mem::MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(self.fd.get_ref().as_fd(), &mut bytes);
            loop {
                match reader.next() {
                    Ok(event) => {
                        let name = event.file_name().map(|name| name.to_string_lossy().into_owned());
                        matters |= self.matters(event.wd(), event.events(), name.as_deref());
                    }
                    Err(rustix::io::Errno::AGAIN) => break,
                    Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            ready.clear_ready();
            if matters {
                return Ok(());
            }
        }
    }

    fn matters(&self, folder: i32, events: ReadFlags, name: Option<&str>) -> bool {
        let whole =
            ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF;
        if events.intersects(whole) {
            return true;
        }
        let (Some((folder, names)), Some(name)) = (self.folders.get(&folder), name) else { return false };
        let is_meant = names.contains(&OsString::from(name)) || (names.is_empty() && name.ends_with(".toml"));
        // A file that begins is told once more when it was written: half of it would be read now.
        let begins = events.contains(ReadFlags::CREATE)
            && std::fs::symlink_metadata(folder.join(name)).is_ok_and(|found| found.is_file());
        is_meant && !begins
    }
}

/// Every folder in which something of it can change, and by which names.
fn folders_of(file: &Path) -> BTreeMap<PathBuf, Names> {
    let mut all = BTreeMap::new();
    follow(file, HOPS_MAX, &mut all);
    let drop_ins = folder_of(file);
    follow(&drop_ins, HOPS_MAX, &mut all);
    let links = std::fs::read_dir(&drop_ins).into_iter().flatten().flatten().map(|entry| entry.path());
    for link in links.filter(|path| path.is_symlink()).take(64) {
        follow(&link, HOPS_MAX, &mut all);
    }
    // All names matter in it; it may be what links lead into as well.
    all.insert(drop_ins, Names::new());
    all
}

/// Adds the folder and the name of `path`, and of what it leads to where it is a link or stands behind one.
fn follow(path: &Path, hops: usize, all: &mut BTreeMap<PathBuf, Names>) {
    let (Some(folder), Some(name), Some(left)) = (path.parent(), path.file_name(), hops.checked_sub(1))
    else {
        return;
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    all.entry(folder.to_path_buf()).or_default().insert(name.to_owned());
    if folder.is_symlink() {
        follow(folder, left, all);
    }
    if let Ok(target) = std::fs::read_link(path) {
        follow(&folder.join(target), left, all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next word, which must be a change.
    async fn next(told: &mut mpsc::Receiver<Told>) {
        let word = timeout(Duration::from_secs(10), told.recv()).await.expect("a change is told");
        assert!(matches!(word, Some(Told::Changed)), "{word:?}");
    }

    /// A file that is watched by now: that is told once.
    async fn watched(file: &Path) -> mpsc::Receiver<Told> {
        let mut told = begin(file.to_path_buf());
        next(&mut told).await;
        told
    }

    #[tokio::test]
    async fn a_file_in_its_place_a_drop_in_and_a_folder_of_them_are_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.toml");
        std::fs::write(&file, "").unwrap();
        let mut told = watched(&file).await;
        std::fs::write(folder.path().join("new"), "# y\n").unwrap();
        std::fs::rename(folder.path().join("new"), &file).unwrap();
        next(&mut told).await;
        let drop_ins = folder_of(&file);
        std::fs::create_dir(&drop_ins).unwrap();
        next(&mut told).await;
        std::fs::write(drop_ins.join("a.toml"), "").unwrap();
        next(&mut told).await;
        std::fs::remove_file(drop_ins.join("a.toml")).unwrap();
        next(&mut told).await;
        std::fs::write(folder.path().join("other.txt"), "").unwrap();
        let quiet = timeout(Duration::from_secs(1), told.recv()).await;
        assert!(quiet.is_err(), "what is not of it does not matter");
    }

    #[tokio::test]
    async fn a_volume_whose_link_is_turned_over_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["v1", "v2"] {
            std::fs::create_dir(at(version)).unwrap();
            std::fs::write(at(version).join("agent.toml"), version).unwrap();
        }
        std::os::unix::fs::symlink("v1", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/agent.toml", at("agent.toml")).unwrap();
        let mut told = watched(&at("agent.toml")).await;
        std::os::unix::fs::symlink("v2", at("..new")).unwrap();
        std::fs::rename(at("..new"), at("..data")).unwrap();
        next(&mut told).await;
        std::fs::write(at("v2").join("agent.toml"), "v2 changed").unwrap();
        next(&mut told).await;
    }
}
