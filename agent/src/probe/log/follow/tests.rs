//! Real files and real rotations.

mod fast;

use super::*;
use crate::config::{self, Target};
use crate::probe::log::kept::Folder;
use std::fs;
use std::io::Write;
use tempfile::TempDir;

struct Rig {
    folder: TempDir,
    log: Log,
    follower: Follower,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[host]\nenabled = false\n[[check]]\nname = \"it\"\nkind = \"log\"\nfile = \"{}\"\nmatch = 'ERR(OR)? \\d+'\nignore = [\"harmless\"]",
            folder.path().join("app.log").display()
        );
        let config = config::parse(Path::new("picket.toml"), &text).unwrap();
        let Target::Log(log) = config.checks()[0].target.clone() else { panic!("a log") };
        let follower = begin(&folder);
        Self { folder, log: *log, follower }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let file = fs::OpenOptions::new().create(true).append(true).open(self.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn look(&mut self) -> (bool, i64, String) {
        let mut counted = Counted::default();
        let is_there = self.follower.look(&self.log, Mono::NEVER, &mut counted).unwrap();
        assert_eq!(counted.skipped, 0);
        (is_there, counted.matches, counted.last)
    }

    fn counts(&mut self) -> i64 {
        self.look().1
    }

    /// As the next run does.
    fn restart(&mut self) {
        self.follower = begin(&self.folder);
    }
}

fn begin(folder: &TempDir) -> Follower {
    let kept = Folder::below(folder.path()).of("it");
    Follower::new(folder.path().join("app.log"), kept)
}

#[test]
fn the_first_start_begins_at_the_end_and_whole_lines_count_once() {
    let mut rig = Rig::new();
    rig.write("app.log", "ERROR 1\n");
    assert_eq!(rig.look(), (true, 0, String::new()));
    rig.write("app.log", "all is well\nERROR 2\nERR 3 harmless\nERROR");
    assert_eq!(rig.look(), (true, 1, "ERROR 2".to_owned()));
    rig.write("app.log", " 4\n\x1b[31mERROR 5\x1b[0m caf\n");
    assert_eq!(rig.look(), (true, 2, "ERROR 5 caf".to_owned()));
    assert_eq!(rig.counts(), 0);
}

#[test]
fn a_file_that_comes_later_is_read_from_its_start_and_one_that_goes_is_absent() {
    let mut rig = Rig::new();
    assert_eq!(rig.look(), (false, 0, String::new()));
    rig.write("app.log", "ERROR 1\n");
    assert_eq!(rig.look(), (true, 1, "ERROR 1".to_owned()));
    rig.rename("app.log", "app.log.1");
    assert_eq!(rig.look(), (true, 0, String::new()), "it is renamed, the next one will come");
    fs::remove_file(rig.path("app.log.1")).unwrap();
    assert!(!rig.look().0);
}

#[test]
fn what_is_written_around_renames_counts_once_also_of_files_that_came_and_went() {
    let mut rig = Rig::new();
    rig.write("app.log", "start\n");
    assert_eq!(rig.counts(), 0);
    rig.write("app.log", "ERROR 1\n");
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "ERROR 2\n");
    assert_eq!(rig.counts(), 2);
    rig.write("app.log.1", "ERROR 3\n");
    assert_eq!(rig.counts(), 1, "its writer has not reopened yet");
    rig.write("app.log", "ERROR 4\n");
    for (from, to) in [("app.log.1", "app.log.2"), ("app.log", "app.log.1")] {
        rig.rename(from, to);
    }
    rig.write("app.log", "ERROR 5\nERROR 6\n");
    for (from, to) in [("app.log.2", "app.log.3"), ("app.log.1", "app.log.2"), ("app.log", "app.log.1")] {
        rig.rename(from, to);
    }
    rig.write("app.log", "ERROR 7\n");
    assert_eq!(rig.look(), (true, 4, "ERROR 7".to_owned()));
    fs::write(rig.path("app.log.3.gz"), "ERROR 8\n").unwrap();
    assert_eq!(rig.counts(), 0);
}

#[test]
fn a_copied_and_truncated_file_is_read_on_in_its_copy() {
    let mut rig = Rig::new();
    rig.write("app.log", "some line\n");
    assert_eq!(rig.counts(), 0);
    rig.write("app.log", "ERROR 1\n");
    fs::copy(rig.path("app.log"), rig.path("app.log.1")).unwrap();
    File::create(rig.path("app.log")).unwrap();
    rig.write("app.log", "ERROR 2\n");
    assert_eq!(rig.look(), (true, 2, "ERROR 2".to_owned()));
    // It may have grown beyond where it was before anybody looks.
    fs::copy(rig.path("app.log"), rig.path("app.log.1")).unwrap();
    File::create(rig.path("app.log")).unwrap();
    rig.write("app.log", "a long line that is no error\nERROR 3\n");
    assert_eq!(rig.counts(), 1);
    assert_eq!(rig.counts(), 0);
}

#[test]
fn a_restart_goes_on_where_it_was_also_in_a_file_that_was_renamed_meanwhile() {
    let mut rig = Rig::new();
    rig.write("app.log", "ERROR 0\n");
    rig.counts();
    rig.write("app.log", "ERROR 1\n");
    assert_eq!(rig.counts(), 1);
    rig.restart();
    assert_eq!(rig.counts(), 0);
    rig.write("app.log", "ERROR 2\n");
    rig.rename("app.log", "app.log-20261129");
    rig.write("app.log", "ERROR 3\n");
    rig.restart();
    assert_eq!(rig.counts(), 2);
    for old in ["app.log", "app.log-20261129"] {
        fs::remove_file(rig.path(old)).unwrap();
    }
    rig.write("app.log", "ERROR 4\nERROR 5\n");
    rig.restart();
    assert_eq!(rig.counts(), 2, "where it was is gone: all there is is new");
}

#[test]
fn a_line_without_end_does_not_need_memory_without_end() {
    let mut rig = Rig::new();
    rig.write("app.log", "");
    rig.counts();
    rig.write("app.log", &("ERROR 1 ".to_owned() + &"x".repeat(1_000_000)));
    let first = rig.counts();
    rig.write("app.log", "ERROR 2\nERROR 3\n");
    assert_eq!((first, rig.look().2.as_str()), (1, "ERROR 3"));
}

#[test]
fn a_long_line_that_is_written_in_two_halves_counts_once_also_over_a_restart() {
    let mut rig = Rig::new();
    rig.write("app.log", "start\n");
    rig.counts();
    let half = "ERROR 1 ".repeat(40_000);
    rig.write("app.log", &half);
    assert_eq!(rig.counts(), 1);
    rig.write("app.log", &half);
    assert_eq!(rig.counts(), 0);
    rig.restart();
    rig.write("app.log", "ERROR 1\nERROR 2\n");
    assert_eq!(rig.look(), (true, 1, "ERROR 2".to_owned()));
}

#[test]
fn another_ones_log_is_no_rotation_also_when_both_are_rotated() {
    let mut rig = Rig::new();
    rig.write("app.log", "start\n");
    rig.write("app-2.log", "ERROR 1\n");
    assert_eq!(rig.counts(), 0);
    let rotate = |rig: &Rig| {
        rig.rename("app.log", "app.log.1");
        rig.write("app-2.log", "ERROR 2\n");
        rig.write("app.log", "ERROR 3\n");
    };
    rotate(&rig);
    assert_eq!(rig.look(), (true, 1, "ERROR 3".to_owned()));
    rig.rename("app-2.log", "app-2.log.1");
    rotate(&rig);
    assert_eq!(rig.look(), (true, 1, "ERROR 3".to_owned()));
    rotate(&rig);
    rig.restart();
    assert_eq!(rig.look(), (true, 1, "ERROR 3".to_owned()));
    rig.rename("app.log", "app.2.log");
    rig.write("app.1.log", "ERROR 4\n");
    rig.write("app.log", "ERROR 5\n");
    assert_eq!(rig.counts(), 2, "what came and went under such a name");
}

#[test]
fn siblings_that_are_no_files_or_can_not_be_read_are_passed_over() {
    let mut rig = Rig::new();
    rig.write("app.log", "start\n");
    rig.counts();
    fs::create_dir(rig.path("app.log.old")).unwrap();
    crate::open::fifo(&rig.path("app.log.2"));
    std::os::unix::fs::symlink(rig.path("app.log.3"), rig.path("app.log.3")).unwrap();
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "ERROR 1\n");
    assert_eq!(rig.counts(), 1);
    File::create(rig.path("app.log")).unwrap();
    rig.restart();
    assert_eq!(rig.look(), (true, 0, String::new()));
}

#[test]
fn one_that_was_renamed_and_does_not_come_back_is_absent_after_a_while() {
    let mut rig = Rig::new();
    rig.write("app.log", "start\n");
    rig.counts();
    rig.rename("app.log", "app.log.1");
    assert!(rig.look().0);
    rig.write("app.log.1", "ERROR 1\n");
    rig.follower.missing = Some(Mono::from_micros(0));
    assert_eq!(rig.look(), (false, 1, "ERROR 1".to_owned()));
    rig.rename("app.log.1", "app.log");
    assert_eq!(rig.look(), (true, 0, String::new()), "it is the same file again");
}

#[test]
fn what_comes_too_fast_is_passed_over_and_told() {
    let mut rig = Rig::new();
    rig.write("app.log", "x\n");
    rig.counts();
    fs::OpenOptions::new()
        .write(true)
        .open(rig.path("app.log"))
        .unwrap()
        .set_len(BACKLOG_MAX + 3_000_000)
        .unwrap();
    rig.write("app.log", "\nERROR 1\n");
    let mut counted = Counted::default();
    rig.follower.look(&rig.log, Mono::NEVER, &mut counted).unwrap();
    assert_eq!((counted.matches, counted.last.as_str()), (1, "ERROR 1"));
    assert_eq!(counted.skipped, 3_000_000 - 2 + 9);
}

#[test]
fn where_time_is_short_the_rest_is_read_at_the_next_looks() {
    let mut rig = Rig::new();
    rig.write("app.log", "x\n");
    rig.counts();
    rig.write("app.log", &format!("{}\nERROR 1\n", "y".repeat(99)).repeat(20_000));
    let mut counted = Counted::default();
    let mut looks = 0;
    while counted.matches < 20_000 {
        rig.follower.look(&rig.log, clock::now().mono, &mut counted).unwrap();
        looks += 1;
        assert!(looks < 100);
    }
    assert!(looks > 3, "each look reads a part: {looks}");
    assert_eq!((counted.matches, rig.counts()), (20_000, 0));
}
