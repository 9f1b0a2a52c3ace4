//! Real files, as they should be and each way they should not.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;
use tempfile::TempDir;

fn watched(path: PathBuf) -> Watched {
    Watched {
        path,
        absent: false,
        has_age: false,
        oldest: false,
        min_size: 0,
        max_size: u64::MAX,
        mode: None,
        owner: None,
        group: None,
        contains: Vec::new(),
        sha256: None,
    }
}

/// A file of this name and content, changed so many seconds ago.
fn file(folder: &TempDir, name: &str, content: &str, ago: u64) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let changed = std::fs::metadata(&path).unwrap().modified().unwrap() - Duration::from_secs(ago);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
    path
}

fn level(seen: &Seen) -> i64 {
    let Reading::Level(level) = seen.reading else { panic!("{seen:?}") };
    level
}

#[test]
fn one_that_is_there_is_good_and_one_that_is_not_is_absent_and_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let there = file(&folder, "there", "x", 0);
    let gone = folder.path().join("gone");
    assert_eq!(read(&watched(there.clone())).reading, Reading::Good);
    assert_eq!(read(&watched(gone.clone())).reading, Reading::Bad(Cause::Absent));
    assert_eq!(read(&watched(there.join("below"))).reading, Reading::Bad(Cause::Absent));
    let absent = |path| Watched { absent: true, ..watched(path) };
    assert_eq!(read(&absent(gone.clone())).reading, Reading::Good);
    assert_eq!(read(&absent(there)).reading, Reading::Bad(Cause::Present));
    symlink(&gone, folder.path().join("dangles")).unwrap();
    assert_eq!(read(&watched(folder.path().join("dangles"))).reading, Reading::Bad(Cause::Absent));
    assert_eq!(read(&absent(folder.path().join("dangles"))).reading, Reading::Bad(Cause::Present));
}

#[test]
fn an_age_is_that_of_the_newest_match_or_of_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    file(&folder, "dump-1.gz", "1", 5000);
    file(&folder, "dump-2.gz", "22", 100);
    file(&folder, "dump-3.txt", "333", 9000);
    let aged = Watched { has_age: true, ..watched(folder.path().join("dump-*.gz")) };
    let newest = read(&aged);
    assert!((100..200).contains(&level(&newest)), "{newest:?}");
    assert!(newest.said.ends_with("dump-2.gz, 2 bytes"), "{}", newest.said);
    assert!((5000..5100).contains(&level(&read(&Watched { oldest: true, ..aged.clone() }))));
    let spool = Watched { absent: true, oldest: true, ..aged };
    assert!((5000..5100).contains(&level(&read(&spool))), "it is there for so long");
    let empty = Watched { path: folder.path().join("*.none"), ..spool };
    assert_eq!(read(&empty).reading, Reading::Good);
}

#[test]
fn size_mode_owner_and_content_are_told_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "it", "some words\n", 0);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let own = std::fs::metadata(&path).unwrap().uid();
    let base = watched(path);
    let sum = |text: &str| {
        use sha2::Digest;
        Some(sha2::Sha256::digest(text).into())
    };
    let good = Watched {
        min_size: 11,
        max_size: 11,
        mode: Some(0o640),
        owner: Some(own.to_string()),
        contains: b"words".to_vec(),
        sha256: sum("some words\n"),
        ..base.clone()
    };
    assert_eq!(read(&good).reading, Reading::Good);
    let small = Reading::Bad(Cause::TooSmall { bytes: 11, wanted: 12 });
    assert_eq!(read(&Watched { min_size: 12, ..base.clone() }).reading, small);
    for (wrong, told) in [
        (Watched { max_size: 10, ..base.clone() }, "has 11 bytes, at most 10 should be"),
        (Watched { mode: Some(0o600), ..base.clone() }, "has mode 0640, should have 0600"),
        (Watched { owner: Some("no such user".to_owned()), ..base.clone() }, "should be no such user's"),
        (Watched { group: Some("no such group".to_owned()), ..base.clone() }, "should be no such group's"),
        (Watched { contains: b"other".to_vec(), ..base.clone() }, "does not contain \"other\""),
        (Watched { sha256: sum("other"), ..base.clone() }, "has another SHA-256"),
    ] {
        let seen = read(&wrong);
        assert_eq!(seen.reading, Reading::Bad(Cause::Mismatch));
        assert!(seen.said.contains(told), "{}", seen.said);
    }
}

#[test]
fn a_text_is_found_wherever_it_lies_and_too_large_a_file_is_not_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    for before in [64 * 1024 - 3, 64 * 1024, 64 * 1024 + 2, 1_000_000] {
        std::fs::write(&path, "-".repeat(before) + "needle" + &"-".repeat(1000)).unwrap();
        let seen = read(&Watched { contains: b"needle".to_vec(), ..watched(path.clone()) });
        assert_eq!(seen.reading, Reading::Good, "after {before} bytes");
    }
    std::fs::File::create(&path).unwrap().set_len(16 * 1024 * 1024 + 1).unwrap();
    let seen = read(&Watched { contains: b"needle".to_vec(), ..watched(path) });
    assert!(seen.said.contains("was not looked into"), "{}", seen.said);
}

#[test]
fn what_is_no_regular_file_is_not_looked_into_and_holds_up_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    open::fifo(&path);
    assert_eq!(read(&watched(path.clone())).reading, Reading::Good, "it is there");
    for path in [path, folder.path().to_path_buf()] {
        let seen = read(&Watched { contains: b"needle".to_vec(), ..watched(path) });
        assert_eq!(seen.reading, Reading::Bad(Cause::Mismatch));
        assert!(seen.said.ends_with(", no regular file"), "{}", seen.said);
    }
}

#[test]
fn a_date_far_ahead_is_no_age() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "it", "x", 0);
    let aged = Watched { has_age: true, ..watched(path.clone()) };
    let made = std::fs::metadata(&path).unwrap().modified().unwrap();
    for (ahead, is_far) in [(200, false), (4000, true)] {
        let changed = made + Duration::from_secs(ahead);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
        let seen = read(&aged);
        match seen.reading {
            Reading::Bad(Cause::Beyond { level, limit: -300 }) if is_far => {
                assert!((-4001..=-3990).contains(&level), "{seen:?}");
            }
            _ => assert!(!is_far && (-201..=-190).contains(&level(&seen)), "{seen:?}"),
        }
    }
}
