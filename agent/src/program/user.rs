//! As whom a program runs, by `/etc/passwd` and `/etc/group` (other sources would need the resolver, which may hang).
//!
//! Without a user in the file it is `nobody` where the agent is root, else the agent's own.

use crate::{names, open};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Gid, Resource, Rlimit, Uid, getrlimit, setrlimit};
use std::io;

/// What runs where nobody is named, and the agent is root.
const NOBODY: &str = "nobody";
/// Open files: what most programs are made for, and some close one by one.
const FILES: u64 = 1024;
/// Steps of niceness: it must not starve what it watches.
const NICE: i32 = 5;
/// When memory is short it goes before what it watches.
const OOM_SCORE: &[u8] = b"500";

/// A program's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guest {
    /// Whom to become; nobody else where it is the agent's own user.
    become_them: Option<(Uid, Gid, Vec<Gid>)>,
    name: String,
    home: String,
}

/// A line of `/etc/passwd`.
struct Entry<'p> {
    name: &'p str,
    uid: u32,
    gid: u32,
    home: &'p str,
}

impl Guest {
    /// The user of this name or number.
    ///
    /// # Errors
    /// There is none, or the agent may not become it.
    pub(crate) fn find(user: Option<&str>) -> io::Result<Self> {
        let passwd = open::text(names::USERS).unwrap_or_default();
        let groups = open::text(names::GROUPS).unwrap_or_default();
        choose(user, rustix::process::geteuid().as_raw(), &passwd, &groups)
    }

    /// What it finds in its environment.
    pub(crate) fn env(&self) -> [(&'static str, &str); 3] {
        [("HOME", &self.home), ("USER", &self.name), ("LOGNAME", &self.name)]
    }

    /// Becomes it: in a child, before it executes its program. Only system calls, no memory is asked for.
    ///
    /// # Errors
    /// The kernel refuses; the program must not run then.
    pub(crate) fn settle_in(&self) -> io::Result<()> {
        rustix::process::setsid()?;
        let _old = rustix::process::umask(Mode::from_raw_mode(0o022));
        let files = getrlimit(Resource::Nofile).maximum.map_or(FILES, |most| most.min(FILES));
        setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum: Some(files) })?;
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
        let _as_nice_as_the_agent = rustix::process::nice(NICE);
        // Only in its own favour may the kernel refuse it.
        let score =
            rustix::fs::open("/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
        let _as_precious_as_the_agent = score.and_then(|score| rustix::io::write(&score, OOM_SCORE));
        if let Some((uid, gid, groups)) = &self.become_them {
            rustix::thread::set_thread_groups(groups)?;
            rustix::thread::set_thread_res_gid(*gid, *gid, *gid)?;
            rustix::thread::set_thread_res_uid(*uid, *uid, *uid)?;
        }
        Ok(())
    }
}

fn choose(user: Option<&str>, own: u32, passwd: &str, groups: &str) -> io::Result<Guest> {
    let wanted = user.or_else(|| (own == 0).then_some(NOBODY));
    let is_wanted = |entry: &Entry<'_>| match wanted {
        Some(wanted) => entry.name == wanted || wanted.parse() == Ok(entry.uid),
        None => entry.uid == own,
    };
    let Some(entry) = passwd.lines().filter_map(parse).find(is_wanted) else {
        return match wanted {
            Some(wanted) => Err(refusal(format!("there is no user `{wanted}` in /etc/passwd"))),
            None => Ok(Guest { become_them: None, name: own.to_string(), home: "/".to_owned() }),
        };
    };
    if own != 0 && entry.uid != own {
        return Err(refusal(format!("only root can run it as `{}`; the agent is uid {own}", entry.name)));
    }
    let gid = Gid::from_raw(entry.gid);
    let become_them =
        (entry.uid != own).then(|| (Uid::from_raw(entry.uid), gid, groups_of(entry.name, gid, groups)));
    Ok(Guest { become_them, name: entry.name.to_owned(), home: entry.home.to_owned() })
}

fn refusal(why: String) -> io::Error {
    io::Error::other(why)
}

fn parse(line: &str) -> Option<Entry<'_>> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Entry { name, uid, gid, home: fields.nth(1)? })
}

/// Its groups, its own first.
fn groups_of(name: &str, own: Gid, groups: &str) -> Vec<Gid> {
    let member = |line: &str| {
        let mut fields = line.split(':');
        let gid = fields.nth(2)?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == name).then(|| Gid::from_raw(gid))
    };
    std::iter::once(own).chain(groups.lines().filter_map(member)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbroken\nnobody:x:65534:65533:n:/nonexistent:/no\n\
                          mon:x:120:130:Monitor:/var/lib/mon:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nadm:x:4:syslog,mon\nmonitor:x:130:\nssl:x:112:amon,monk\n";

    fn ids(guest: &Guest) -> Option<(u32, u32, Vec<u32>)> {
        let (uid, gid, groups) = guest.become_them.as_ref()?;
        Some((uid.as_raw(), gid.as_raw(), groups.iter().map(|gid| gid.as_raw()).collect()))
    }

    #[test]
    fn root_becomes_nobody_unless_told_and_a_user_keeps_its_groups() {
        let of = |user: Option<&str>, own| choose(user, own, PASSWD, GROUP);
        assert_eq!(ids(&of(None, 0).unwrap()), Some((65534, 65533, vec![65533])));
        assert_eq!(ids(&of(Some("mon"), 0).unwrap()), Some((120, 130, vec![130, 4])));
        assert_eq!(ids(&of(Some("120"), 0).unwrap()), Some((120, 130, vec![130, 4])));
        assert_eq!(ids(&of(Some("root"), 0).unwrap()), None, "it is root already");
        assert_eq!(ids(&of(None, 120).unwrap()), None);
        assert_eq!(of(Some("mon"), 120).unwrap().env()[0], ("HOME", "/var/lib/mon"));
    }

    #[test]
    fn a_user_that_is_not_there_or_may_not_be_become_is_refused_in_words() {
        let why = |user, own| choose(user, own, PASSWD, GROUP).unwrap_err().to_string();
        assert_eq!(why(Some("ghost"), 0), "there is no user `ghost` in /etc/passwd");
        assert_eq!(why(Some("root"), 120), "only root can run it as `root`; the agent is uid 120");
        assert!(choose(None, 4711, PASSWD, GROUP).is_ok(), "a user without an entry is itself");
    }
}
