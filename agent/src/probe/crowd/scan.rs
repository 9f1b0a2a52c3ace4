//! One walk through `/proc`: which processes each check asks for. And the one that a file names.
//!
//! Only what some check asks for is read of a process: its program's path (of other users' only root can), its
//! owner, its control groups, 4 KiB of its command line. Kernel threads are none. Up to 4,096 are kept per check.
//!
//! A number in a file is believed if what is known beside it holds as well; where nothing is, the process must have
//! started before the file was written, give or take 2 s: a number that was given to another program since then is no
//! proof. A wall clock that was set by more than that after boot makes a file look old: name the program there, too.

use super::Person;
use crate::clock;
use crate::config::{COUNT_MAX, Wanted};
use crate::probe::process;
use crate::{names, open};
use rustix::process::Pid;
use std::cell::OnceCell;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const FILE_MAX: u64 = 64;
const ARGS_MAX: u64 = 4096;
const GROUPS_MAX: u64 = 16 * 1024;
/// Clocks of files move by up to 10 ms at a time, and clocks of hosts are set by some more now and then.
const SLACK_MICROS: i64 = 2_000_000;

/// For each of these the processes that it asks for.
pub(super) fn all(wanted: &[Wanted]) -> Vec<Vec<Person>> {
    let mut found = vec![Vec::new(); wanted.len()];
    let users: Vec<Option<u32>> = wanted.iter().map(|wanted| user(&wanted.user)).collect();
    for pid in process::all() {
        let traits = Traits::of(pid);
        let Some(stat) = process::stat(pid).filter(|stat| !stat.is_of_kernel(pid)) else { continue };
        for ((found, wanted), user) in found.iter_mut().zip(wanted).zip(&users) {
            if wanted.is_described() && found.len() < COUNT_MAX as usize && traits.fit(wanted, *user) {
                found.push(Person { pid, stat });
            }
        }
    }
    found
}

/// The process that the file names, or why there is none.
pub(super) fn named(wanted: &Wanted) -> (Vec<Person>, String) {
    let file = wanted.pidfile.display();
    let none = |why: String| (Vec::new(), why);
    let (pid, written) = match read_file(&wanted.pidfile) {
        Ok(read) => read,
        Err(error) => return none(format!("{file}: {error}")),
    };
    let Some(stat) = process::stat(pid) else {
        return none(format!("{file} names {pid}, which is no process"));
    };
    if wanted.is_described() {
        let fits = Traits::of(pid).fit(wanted, user(&wanted.user));
        return if fits {
            (vec![Person { pid, stat }], String::new())
        } else {
            none(other(pid, &file.to_string()))
        };
    }
    let now = clock::now();
    let ticks = i64::try_from(stat.started).unwrap_or(i64::MAX);
    let per_second = i64::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100).max(1);
    let up = i64::try_from(now.mono.micros()).unwrap_or(i64::MAX);
    let started =
        now.wall.micros().saturating_sub(up).saturating_add(ticks.saturating_mul(1_000_000) / per_second);
    if started > written.saturating_add(SLACK_MICROS) {
        return none(other(pid, &file.to_string()));
    }
    (vec![Person { pid, stat }], String::new())
}

fn other(pid: Pid, file: &str) -> String {
    let name = text(&format!("/proc/{pid}/comm"), FILE_MAX);
    format!("{file} is stale: {pid} is now another process, `{}`", name.trim())
}

/// The number in it, and when it was written (wall, microseconds).
fn read_file(path: &Path) -> std::io::Result<(Pid, i64)> {
    let (file, about) = open::regular(path)?;
    let mut bytes = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let number =
        text.split_ascii_whitespace().next().and_then(|word| word.parse().ok()).and_then(Pid::from_raw);
    let number = number.ok_or_else(|| std::io::Error::other("holds no process number"))?;
    Ok((number, about.mtime().saturating_mul(1_000_000).saturating_add(about.mtime_nsec() / 1000)))
}

/// The number of a user; nothing where the table does not have him or can't be read.
fn user(name: &str) -> Option<u32> {
    names::number(name, names::USERS).ok().flatten()
}

/// What is known of one process, read once and only if asked for.
struct Traits {
    folder: String,
    executable: OnceCell<String>,
    owner: OnceCell<Option<u32>>,
    groups: OnceCell<String>,
    args: OnceCell<String>,
}

impl Traits {
    fn of(pid: Pid) -> Self {
        let folder = format!("/proc/{pid}");
        Self {
            folder,
            executable: OnceCell::new(),
            owner: OnceCell::new(),
            groups: OnceCell::new(),
            args: OnceCell::new(),
        }
    }

    fn fit(&self, wanted: &Wanted, user: Option<u32>) -> bool {
        (wanted.user.is_empty() || (user.is_some() && self.owner() == user))
            && (wanted.executable.as_os_str().is_empty() || Path::new(self.executable()) == wanted.executable)
            && (wanted.group.is_empty() || is_in(self.groups(), &wanted.group))
            && (wanted.args.is_empty() || self.args().contains(&wanted.args))
    }

    /// Also of one whose file was replaced by an upgrade.
    fn executable(&self) -> &str {
        self.executable.get_or_init(|| {
            let link = fs::read_link(format!("{}/exe", self.folder)).unwrap_or_default();
            let path = link.to_string_lossy();
            path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned()
        })
    }

    fn owner(&self) -> Option<u32> {
        *self.owner.get_or_init(|| Some(fs::metadata(&self.folder).ok()?.uid()))
    }

    fn groups(&self) -> &str {
        self.groups.get_or_init(|| text(&format!("{}/cgroup", self.folder), GROUPS_MAX))
    }

    fn args(&self) -> &str {
        self.args.get_or_init(|| text(&format!("{}/cmdline", self.folder), ARGS_MAX).replace('\0', " "))
    }
}

/// `0::/system.slice/nginx.service`: in that unit, or at or below that path.
fn is_in(groups: &str, group: &str) -> bool {
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let mut paths = paths.map(|path| path.trim_end_matches(" (deleted)"));
    if group.starts_with('/') {
        let below = format!("{}/", group.trim_end_matches('/'));
        paths.any(|path| format!("{path}/").starts_with(&below))
    } else {
        paths.any(|path| path.split('/').any(|part| part == group))
    }
}

fn text(path: &str, most: u64) -> String {
    let mut bytes = Vec::new();
    let _gone_is_empty = fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_matched_by_whole_parts() {
        let groups = "1:cpu:/x\n0::/system.slice/nginx.service/worker\n";
        for inside in ["nginx.service", "/system.slice", "/system.slice/nginx.service", "/system.slice/"] {
            assert!(is_in(groups, inside), "{inside}");
        }
        for outside in ["nginx", "/system.slice/nginx", "/nginx.service", "0"] {
            assert!(!is_in(groups, outside), "{outside}");
        }
    }

    #[test]
    fn users_are_names_or_numbers() {
        assert_eq!(
            (user("root"), user("0"), user("4711"), user("no-such-user")),
            (Some(0), Some(0), Some(4711), None)
        );
    }

    #[test]
    fn a_fifo_is_no_file_that_names_a_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        open::fifo(&path);
        assert_eq!(read_file(&path).unwrap_err().to_string(), "is a FIFO, no regular file");
        fs::write(path.with_extension("odd"), b"\xff").unwrap();
        assert_eq!(
            read_file(&path.with_extension("odd")).unwrap_err().to_string(),
            "holds no process number"
        );
    }
}
