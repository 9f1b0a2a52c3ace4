//! What of a state folder makes a host this very host, and taking it away: a copy of an image that keeps it would be the same host
//! to the collector, which quarantines both.
//!
//! Everything that an agent writes there goes, records and copies too: what was learned of one machine is no truth about another.
//! The key goes first, so that what is broken off leaves no identity. What no agent writes is left, and named. Links are left too: taken
//! away they would leave what they lead to, and followed they may lead out of an image that is mounted here, into this very host. The
//! bytes may still be on the disk; who copies disks block by block seals before the first enrolment. The file `lock` says nothing.

use crate::whole;
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
    /// Links where an agent's things are looked for, with where they lead.
    pub(crate) links: Vec<(PathBuf, PathBuf)>,
    /// Others'.
    pub(crate) others: Vec<PathBuf>,
}

/// Looks.
///
/// # Errors
/// The folder can't be read. One that is not there has nothing.
pub(crate) fn left(state: &Path) -> io::Result<Left> {
    if let Ok(to) = std::fs::read_link(state) {
        let there =
            std::fs::canonicalize(state).map_or_else(|_dangles| Ok(Left::default()), |real| left(&real))?;
        let links = if there.is_clear() { Vec::new() } else { vec![(state.to_path_buf(), to)] };
        return Ok(Left { links, ..Left::default() });
    }
    let entries = match std::fs::read_dir(state) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::default()),
        Err(error) => return Err(error),
    };
    let (mut own, mut found) = (Vec::new(), Left::default());
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match OWN.iter().position(|(own, _)| is(&name, own)) {
            Some(at) => match links(&entry.path(), at == 0)? {
                links if links.is_empty() => own.push((at, entry.path())),
                mut links => found.links.append(&mut links),
            },
            None if name == LOCK => {}
            None => found.others.push(entry.path()),
        }
    }
    own.sort();
    found.links.sort();
    found.others.sort();
    Ok(Left { own: own.into_iter().map(|(at, path)| (path, OWN[at].1)).collect(), ..found })
}

impl Left {
    /// Whether nothing of an agent is there.
    pub(crate) fn is_clear(&self) -> bool {
        self.own.is_empty() && self.links.is_empty()
    }
}

/// The link that this is, or of the identity those in it; what else has links in it are copies of others' files.
fn links(path: &Path, is_identity: bool) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let mut all = vec![path.to_path_buf()];
    if is_identity && std::fs::symlink_metadata(path)?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            all.push(entry?.path());
        }
    }
    let led = |path: PathBuf| std::fs::read_link(&path).ok().map(|to| (path, to));
    Ok(all.into_iter().filter_map(led).collect())
}

/// Whether a name is that of one of its own, or of what a power cut left of that while it was written.
fn is(name: &str, own: &str) -> bool {
    name == own
        || name.strip_suffix(whole::ENDING) == Some(own)
        || name.strip_suffix(".new").is_some_and(|stem| own.split('.').next() == Some(stem))
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
        for name in ["run", "lock", "baseline.new", "config.good.picket-new", "keep.1", "notes.txt"] {
            std::fs::write(state.path().join(name), "x").unwrap();
        }
        std::fs::create_dir_all(state.path().join("identity")).unwrap();
        std::fs::write(state.path().join("identity/key.pem"), "x").unwrap();
        let found = left(state.path()).unwrap();
        let names: Vec<_> =
            found.own.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["identity", "run", "keep.1", "baseline.new", "config.good.picket-new"]);
        assert_eq!(found.others, [state.path().join("notes.txt")]);
        for (path, _) in &found.own {
            remove(path).unwrap();
        }
        assert_eq!(left(state.path()).unwrap().own, []);
        assert_eq!(left(&state.path().join("gone")).unwrap(), Left::default());
    }

    #[test]
    fn what_a_link_leads_to_is_neither_taken_nor_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["state/identity", "elsewhere/spool"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        std::fs::write(at("elsewhere/key.pem"), "x").unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(at(to), at(name)).unwrap();
        link("elsewhere/key.pem", "state/identity/key.pem");
        link("elsewhere/spool", "state/spool");
        link("state", "link");
        std::fs::write(at("state/run"), "x").unwrap();
        let found = left(&at("state")).unwrap();
        assert_eq!(found.own, [(at("state/run"), "the numbers of its runs")]);
        let links = [
            (at("state/identity/key.pem"), at("elsewhere/key.pem")),
            (at("state/spool"), at("elsewhere/spool")),
        ];
        assert_eq!(found.links, links);
        let linked = left(&at("link")).unwrap();
        assert_eq!((linked.own, linked.links), (vec![], vec![(at("link"), at("state"))]));
        std::fs::remove_dir_all(at("state")).unwrap();
        assert!(left(&at("link")).unwrap().is_clear());
    }
}
