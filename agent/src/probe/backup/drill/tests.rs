//! Real drills, of this agent and of one before it.

use super::*;
use crate::config::Program;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use tempfile::TempDir;

fn drill(script: &str) -> Drill {
    let command = ["/bin/sh", "-c", script].map(ToOwned::to_owned).to_vec();
    let own = rustix::process::geteuid().as_raw().to_string();
    let program = Program { command, env: Vec::new(), user: Some(own) };
    Drill { program, every: Span::from_secs(86_400), timeout: Span::from_secs(60) }
}

fn newest(made: i64) -> Newest {
    Newest { path: PathBuf::from("/copies/a"), made }
}

/// Waits for the drill to have ended; its status.
fn status(state: &TempDir, seat: &Seat) -> i32 {
    while seat.is_taken() {
        std::thread::yield_now();
    }
    Drills::of(state.path(), "it").status()
}

fn look(state: &TempDir, drill: &Drill, asked: bool, seat: &Seat) {
    Drills::of(state.path(), "it").see_to(drill, &newest(1), asked, seat);
}

/// One of an agent before this one, which began so many seconds ago.
fn left_behind(state: &TempDir, ago: i64) -> Child {
    let child = Command::new("sh").args(["-c", "exec sleep 600"]).process_group(0).spawn().unwrap();
    let drills = Drills::of(state.path(), "it");
    let record = Record::default().begin().of(Pid::from_child(&child)).earlier(ago);
    record.write(&drills.file).unwrap();
    child
}

#[test]
fn its_own_process_is_recorded_while_it_runs() {
    let (state, seat) = (tempfile::tempdir().unwrap(), Seat::default());
    let file = Drills::of(state.path(), "it").file;
    let script = format!("while ! grep -q \" $$ \" {}; do sleep 0.01; done", file.display());
    look(&state, &drill(&script), false, &seat);
    assert_eq!(status(&state, &seat), 0);
    assert!(Drills::of(state.path(), "it").record.unwrap().running().is_none());
}

#[test]
fn while_one_of_the_agent_before_lives_none_begins_and_it_is_killed_when_its_time_is_up() {
    let (state, seat) = (tempfile::tempdir().unwrap(), Seat::default());
    let mut child = left_behind(&state, 65);
    let drill = drill("exit 3");
    look(&state, &drill, true, &seat);
    assert!(!seat.is_taken(), "it lives");
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    child.wait().unwrap();
    look(&state, &drill, false, &seat);
    assert_eq!(status(&state, &seat), 3, "nobody saw its end");
}

#[test]
fn one_of_the_agent_before_that_takes_too_long_is_killed_with_its_session() {
    let (state, seat) = (tempfile::tempdir().unwrap(), Seat::default());
    let mut setsid = Command::new("setsid").args(["sh", "-c", "sleep 600; :"]).spawn().unwrap();
    let leader = Pid::from_child(&setsid);
    let is_leader = |stat: process::Stat| stat.session == leader.as_raw_nonzero().get();
    while !process::stat(leader).is_some_and(is_leader) {
        std::thread::yield_now();
    }
    let drills = Drills::of(state.path(), "it");
    Record::default().begin().of(leader).earlier(71).write(&drills.file).unwrap();
    look(&state, &drill("exit 3"), false, &seat);
    setsid.wait().unwrap();
    assert_eq!(status(&state, &seat), LATE);
    let words = Drills::of(state.path(), "it").words();
    assert_eq!(words.as_deref(), Some("the drill failed with status 124: it did not end in time"));
}

#[test]
fn after_a_failed_one_a_person_gets_another_at_once() {
    let (state, seat) = (tempfile::tempdir().unwrap(), Seat::default());
    look(&state, &drill("exit 3"), false, &seat);
    assert_eq!(status(&state, &seat), 3);
    look(&state, &drill("exit 4"), false, &seat);
    assert_eq!(status(&state, &seat), 3, "it is not due");
    look(&state, &drill("exit 0"), true, &seat);
    assert_eq!(status(&state, &seat), 0);
    look(&state, &drill("exit 5"), true, &seat);
    assert_eq!(status(&state, &seat), 0, "the last one was good");
}

#[test]
fn one_that_can_not_be_started_is_told_so() {
    let (state, seat) = (tempfile::tempdir().unwrap(), Seat::default());
    let mut absent = drill("");
    absent.program.command = vec!["/does/not/exist".to_owned()];
    look(&state, &absent, false, &seat);
    assert!(is_unstarted(status(&state, &seat)));
    let words = Drills::of(state.path(), "it").words().unwrap();
    assert!(words.starts_with("the drill could not be started: No such file"), "{words}");
}

#[test]
fn a_checks_name_is_a_files_name_of_its_own() {
    assert_eq!(plain("backup:/a b.c"), "backup%3A%2Fa%20b%2Ec");
    assert_eq!(plain(".."), "%2E%2E");
}
