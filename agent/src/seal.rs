//! What of a state folder makes a host this very host, and taking it away: a copy of an image that keeps it would be the same host
//! to the collector, which quarantines both.
//!
//! Everything that an agent writes there goes, records and copies too: what was learned of one machine is no truth about another.
//! The key goes first, so that what is broken off leaves no identity. What no agent writes is left, and named. The bytes may
//! still be on the disk; who copies disks block by block seals before the first enrolment. The file `lock` says nothing.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// In the order in which they go.
const OWN: [(&str, &str); 15] = [
    ("identity", "key, certificate and the collector's CA"),
    ("run", "the numbers of its runs"),
    ("spool", "events that wait for the collector"),
    ("keep.0", "breakers, budgets and holds"),
    ("keep.1", "breakers, budgets and holds"),
    ("baseline", "what should be on the host"),
    ("weeks", "what is usual at which hour"),
    ("config.good", "the last good configuration"),
    ("services", "processes and output of services"),
    ("logs", "how far logs were read"),
    ("jobs", "records of jobs"),
    ("drills", "records of drills"),
    ("good", "good files of services"),
    ("packages", "good packages of services"),
    ("agent.sock", "the agent's socket"),
];
const LOCK: &str = "lock";

/// What is in a state folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// An agent's, in the order in which it goes, with what it is.
    pub(crate) own: Vec<(PathBuf, &'static str)>,
    /// The same, where it lies elsewhere and only a link is here: that place may be another's.
    pub(crate) links: Vec<(PathBuf, &'static str)>,
    /// Others'.
    pub(crate) others: Vec<PathBuf>,
}

/// Looks.
///
/// # Errors
/// The folder can't be read. One that is not there has nothing.
pub(crate) fn left(state: &Path) -> io::Result<Left> {
    let entries = match std::fs::read_dir(state) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::default()),
        Err(error) => return Err(error),
    };
    let (mut own, mut links, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match OWN.iter().position(|(own, _)| is(&name, own)) {
            Some(at) if entry.file_type()?.is_symlink() => links.push((at, entry.path())),
            Some(at) => own.push((at, entry.path())),
            None if name == LOCK => {}
            None => others.push(entry.path()),
        }
    }
    own.sort();
    links.sort();
    others.sort();
    let [own, links] =
        [own, links].map(|found| found.into_iter().map(|(at, path)| (path, OWN[at].1)).collect());
    Ok(Left { own, links, others })
}

/// Whether a name is that of one of its own, or of what a power cut left of that while it was written.
fn is(name: &str, own: &str) -> bool {
    name == own || name.strip_suffix(".new").is_some_and(|stem| own.split('.').next() == Some(stem))
}

/// Takes one away, for good.
///
/// # Errors
/// It is there still, or part of it.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path)?.is_dir() {
        true => std::fs::remove_dir_all(path)?,
        false => std::fs::remove_file(path)?,
    }
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_first_and_what_is_no_agents_stays() {
        let state = tempfile::tempdir().unwrap();
        for name in ["run", "lock", "baseline.new", "config.new", "keep.1", "notes.txt"] {
            std::fs::write(state.path().join(name), "x").unwrap();
        }
        std::fs::create_dir_all(state.path().join("identity")).unwrap();
        std::fs::write(state.path().join("identity/key.pem"), "x").unwrap();
        std::os::unix::fs::symlink("/data/spool", state.path().join("spool")).unwrap();
        let found = left(state.path()).unwrap();
        let names: Vec<_> =
            found.own.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["identity", "run", "keep.1", "baseline.new", "config.new"]);
        assert_eq!(found.others, [state.path().join("notes.txt")]);
        assert_eq!(found.links, [(state.path().join("spool"), "events that wait for the collector")]);
        for (path, _) in &found.own {
            remove(path).unwrap();
        }
        assert_eq!(left(state.path()).unwrap().own, []);
        assert_eq!(left(&state.path().join("gone")).unwrap(), Left::default());
    }
}
