//! The identity files of all services, written by a thread: a disk that hangs must not stop what heals.
//!
//! Per service the newest word counts: a life that ended while the disk hung is never written.

use super::adopt::{self, Saved};
use crate::scribe::{Order, Scribe};
use picket_agent_core::service::ServiceIx;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// What the files of some services are to say; none for one without process. At most an entry per service.
pub(super) type Identities = BTreeMap<ServiceIx, Option<Saved>>;

impl Order for Identities {
    fn then(mut self, newer: Self) -> Self {
        self.extend(newer);
        self
    }
}

/// Begins the thread, with every service's name and file.
///
/// # Errors
/// There can be no more threads.
pub(super) fn begin(files: Vec<(String, PathBuf)>) -> io::Result<Scribe<Identities>> {
    Scribe::new("identities", move |identities: Identities| {
        for (service, saved) in identities {
            let (name, path) = &files[usize::from(service)];
            let written = saved.map_or_else(|| adopt::forget(path), |saved| adopt::save(path, &saved));
            if let Err(error) = written {
                tracing::warn!(service = name, %error, "the next run of the agent can't know the service's process");
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
        let files = ["one", "two"].map(|name| (name.to_owned(), path(name)));
        let saved = |pid| Saved { pid: Pid::from_raw(pid).unwrap(), started: 1, session: 1, boot: 1 };
        let mut scribe = begin(files.into()).unwrap();
        for pid in 1..=100 {
            scribe.write(Identities::from([(0, Some(saved(pid))), (1, Some(saved(pid)))]));
        }
        scribe.write(Identities::from([(1, None)]));
        scribe.finish(Duration::from_secs(20));
        assert_eq!(adopt::load(&path("one")), Some(saved(100)));
        assert_eq!(adopt::load(&path("two")), None);
    }
}
