//! The identity files of all services, written by a thread: a disk that hangs must not stop what heals.
//!
//! Per service the newest word counts: a life that ended while the disk hung is never written.

use super::adopt::{self, Saved};
use crate::scribe::{Order, Scribe};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// What the files of some services are to say, by the file; none for one without process. At most an entry per service.
pub(super) type Identities = BTreeMap<PathBuf, Option<Saved>>;

impl Order for Identities {
    fn then(mut self, newer: Self) -> Self {
        self.extend(newer);
        self
    }
}

/// Begins the thread.
///
/// # Errors
/// There can be no more threads.
pub(super) fn begin() -> io::Result<Scribe<Identities>> {
    Scribe::new("identities", |identities: Identities| {
        for (path, saved) in identities {
            let written =
                saved.map_or_else(|| crate::whole::remove(&path), |saved| adopt::save(&path, &saved));
            if let Err(error) = written {
                tracing::warn!(file = %path.display(), %error, "the next run of the agent can't know the service's process");
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::Pid;
    use std::time::Duration;

    #[test]
    fn the_newest_word_of_each_service_stands_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(format!("{name}.process"));
        let saved = |pid| Saved { pid: Pid::from_raw(pid).unwrap(), started: 1, session: 1, boot: 1 };
        let mut scribe = begin().unwrap();
        for pid in 1..=100 {
            scribe
                .write(Identities::from([(path("one"), Some(saved(pid))), (path("two"), Some(saved(pid)))]));
        }
        scribe.write(Identities::from([(path("two"), None)]));
        scribe.finish(Duration::from_secs(20));
        assert_eq!(adopt::load(&path("one")), Some(saved(100)));
        assert_eq!(adopt::load(&path("two")), None);
    }
}
