//! The package manager: whether it is at work, when it last was, and what it did, by its lock, its database and its log.
//!
//! dpkg and rpm (dnf, yum, zypper) in full; of apk and pacman only that they were at work. A lock that is held shows in
//! `/proc/locks` by its file's inode, so that nothing is locked to find out. Of a log the last 16 KiB are read.

use picket_agent_core::baseline::Trace;
use picket_proto::event::ChangeKind;
use picket_proto::{Span, Text, Wall};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Held for as long as packages are changed.
const LOCKS: [&str; 5] = [
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/rpm/.rpm.lock",
    "/usr/lib/sysimage/rpm/.rpm.lock",
    "/lib/apk/db/lock",
];
/// Written with each change.
const DATABASES: [&str; 6] = [
    "/var/lib/dpkg/status",
    "/var/lib/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages",
    "/lib/apk/db/installed",
    "/var/lib/pacman/local",
];
const DPKG_LOG: &str = "/var/log/dpkg.log";
const RPM_LOG: &str = "/var/log/dnf.rpm.log";
const TAIL: u64 = 16 * 1024;
/// Of a log the newest entries: one transaction's end.
const ENTRIES_MAX: usize = 16;

/// How long ago it was last at work; zero while it is. `None` where there is none, or nothing is known.
pub(crate) fn ago(wall: Wall) -> Option<Span> {
    if is_locked() {
        return Some(Span::ZERO);
    }
    DATABASES.iter().filter_map(|path| age(Path::new(path), wall)).min()
}

/// Whether packages are being changed now.
pub(crate) fn is_locked() -> bool {
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    LOCKS.iter().filter_map(|path| std::fs::metadata(path).ok()).any(|file| holds(&locks, file.ino()))
}

/// Whether a line such as `1: POSIX  ADVISORY  WRITE 123 08:01:4711 0 EOF` is about this inode. The device is left out:
/// of a subvolume stat shows another one than the kernel's locks.
fn holds(locks: &str, inode: u64) -> bool {
    let of = |line: &str| {
        let file = line.split_ascii_whitespace().find(|word| word.matches(':').count() == 2)?;
        file.rsplit(':').next()?.parse::<u64>().ok()
    };
    // One who only waits has `->`.
    locks.lines().filter(|line| !line.contains("->")).any(|line| of(line) == Some(inode))
}

/// How long ago a file or folder was changed.
pub(crate) fn age(path: &Path, wall: Wall) -> Option<Span> {
    let file = std::fs::symlink_metadata(path).ok()?;
    let micros = file.mtime().checked_mul(1_000_000)?.checked_add(file.mtime_nsec() / 1_000)?;
    Some(since(wall, micros))
}

fn since(wall: Wall, micros: i64) -> Span {
    Span::from_micros(u64::try_from(wall.micros().saturating_sub(micros)).unwrap_or(0))
}

/// What was done to packages lately, the newest first; at least that something was.
pub(crate) fn traces(wall: Wall) -> Vec<Trace> {
    let zone = jiff::tz::TimeZone::system();
    let dpkg = tail(DPKG_LOG);
    let rpm = tail(RPM_LOG);
    let dpkg = dpkg.lines().rev().filter_map(|line| dpkg_line(line, &zone));
    let rpm = rpm.lines().rev().filter_map(rpm_line);
    let trace = |(at, kind, name): (i64, ChangeKind, String)| Trace {
        kind,
        name: Text::new(&name),
        ago: since(wall, at),
    };
    let mut all: Vec<Trace> = dpkg.take(ENTRIES_MAX).chain(rpm.take(ENTRIES_MAX)).map(trace).collect();
    if let Some(ago) = ago(wall) {
        all.push(Trace { kind: ChangeKind::Packages, name: Text::default(), ago });
    }
    all
}

fn tail(path: &str) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(TAIL)))?;
        file.take(TAIL).read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}

/// A line such as `2026-11-29 18:40:01 remove rig-demo:amd64 1.0 <none>`, in the host's own time.
fn dpkg_line(line: &str, zone: &jiff::tz::TimeZone) -> Option<(i64, ChangeKind, String)> {
    let mut words = line.split(' ');
    let (day, time, verb) = (words.next()?, words.next()?, words.next()?);
    let kind = match verb {
        "install" => ChangeKind::Installed,
        "upgrade" => ChangeKind::Upgraded,
        "remove" | "purge" => ChangeKind::Removed,
        _ => return None,
    };
    let (package, old, new) = (words.next()?, words.next()?, words.next()?);
    let version = if kind == ChangeKind::Removed { old } else { new };
    let at = format!("{day}T{time}").parse::<jiff::civil::DateTime>().ok()?;
    let at = zone.to_ambiguous_timestamp(at).compatible().ok()?.as_microsecond();
    let package = package.split(':').next().unwrap_or(package);
    Some((at, kind, format!("{package} {version}")))
}

/// A line such as `2026-11-29T18:40:01+0000 SUBDEBUG Erase: nginx-1.20.1-14.el9.x86_64`.
fn rpm_line(line: &str) -> Option<(i64, ChangeKind, String)> {
    let mut words = line.split(' ');
    let (at, _, verb, package) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let kind = match verb {
        "Installed:" => ChangeKind::Installed,
        "Upgrade:" | "Upgraded:" => ChangeKind::Upgraded,
        "Erase:" | "Erased:" => ChangeKind::Removed,
        _ => return None,
    };
    let zoned = at.split_at_checked(at.len().checked_sub(2)?).map(|(front, back)| format!("{front}:{back}"));
    let at = if at.ends_with('Z') { Some(at.to_owned()) } else { zoned }?;
    let at = at.parse::<jiff::Timestamp>().ok()?.as_microsecond();
    Some((at, kind, package.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_logs_say_when_and_what() {
        let zone = jiff::tz::TimeZone::UTC;
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        let removed = dpkg_line("2026-11-29 18:40:01 remove rig-demo:amd64 1.0 <none>", &zone);
        let when = at("2026-11-29T18:40:01Z");
        assert_eq!(removed, Some((when, ChangeKind::Removed, "rig-demo 1.0".to_owned())));
        let upgraded = dpkg_line("2026-11-29 18:40:01 upgrade nginx:all 1.22 1.24", &zone);
        assert_eq!(upgraded, Some((when, ChangeKind::Upgraded, "nginx 1.24".to_owned())));
        for line in
            ["2026-11-29 18:40:01 status installed nginx:all 1.24", "", "remove nginx", "x y remove a b c"]
        {
            assert_eq!(dpkg_line(line, &zone), None, "{line}");
        }
        let erased = rpm_line("2026-11-29T19:40:01+0100 SUBDEBUG Erase: nginx-1.20.1-14.el9.x86_64");
        assert_eq!(erased, Some((when, ChangeKind::Removed, "nginx-1.20.1-14.el9.x86_64".to_owned())));
        assert_eq!(rpm_line("2026-11-29T18:40:01Z INFO --- logging initialized ---"), None);
    }

    #[test]
    fn a_lock_that_is_held_is_seen_and_one_that_is_waited_for_is_not() {
        let locks =
            "1: POSIX  ADVISORY  WRITE 123 08:01:4711 0 EOF\n1: -> FLOCK ADVISORY WRITE 9 08:01:12 0 EOF\n";
        assert!(holds(locks, 4711));
        assert!(!holds(locks, 12) && !holds(locks, 471) && !holds("", 0));
        let file = tempfile::NamedTempFile::new().unwrap();
        rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        assert!(holds(&locks, file.as_file().metadata().unwrap().ino()), "{locks}");
    }
}
