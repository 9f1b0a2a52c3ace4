//! Ends that a wait status does not tell: a test per row, from readings as systemd 252 gives them.

use super::tests::{KILLED, SECOND, ended, none, read, watched};
use super::{Active, Answer, Done, Dones, JobEnd, Memory, Seen, Sub, Turn};
use picket_proto::event::{Exit, Ruling};

const ABORTED: (i32, i32) = (3, 6);

fn job(end: JobEnd) -> Dones {
    [Some(Done { id: 5, end }), None, None, None]
}

const fn died(pid: u32, ruling: Ruling) -> Turn {
    Turn::Died { pid, exit: Exit::Ruled(ruling) }
}

/// A unit that died and that a call of ours, job 5, is to start.
fn called() -> Memory {
    let mut unit = watched();
    read(&mut unit, ended(Active::Failed, KILLED), none());
    unit.called();
    assert_eq!(unit.answered(Answer::Job(5)), Turn::Nothing);
    unit
}

#[test]
fn systemds_own_word_for_an_end_goes_before_the_signal() {
    let rows = [
        (Ruling::OutOfMemory, KILLED),
        (Ruling::Watchdog, ABORTED),
        (Ruling::Timeout, KILLED),
        (Ruling::Protocol, (1, 0)),
        (Ruling::Resources, (0, 0)),
    ];
    for (ruling, status) in rows {
        let seen = Seen { ruling: Some(ruling), ..ended(Active::Failed, status) };
        assert_eq!(read(&mut watched(), seen, none()), died(7, ruling));
    }
}

#[test]
fn what_is_restarted_for_want_of_memory_says_so() {
    let seen = Seen {
        sub: Sub::AutoRestart,
        ruling: Some(Ruling::OutOfMemory),
        ..ended(Active::Activating, KILLED)
    };
    let turn = read(&mut watched(), seen, none());
    assert!(
        matches!(turn, Turn::Restarting { pid: 7, exit: Exit::Ruled(Ruling::OutOfMemory), .. }),
        "{turn:?}"
    );
}

#[test]
fn a_failed_job_without_a_new_life_is_the_start_limit() {
    let same = ended(Active::Failed, KILLED);
    assert_eq!(read(&mut called(), same, job(JobEnd::Failed)), died(0, Ruling::StartLimit));
}

#[test]
fn a_failed_job_with_a_new_life_is_that_lifes_end() {
    let again = Seen { invocation: SECOND, ..ended(Active::Failed, (1, 1)) };
    let turn = read(&mut called(), again, job(JobEnd::Failed));
    assert_eq!(turn, Turn::Died { pid: 0, exit: Exit::Code(1) });
}

#[test]
fn a_need_that_did_not_start_is_named() {
    let same = ended(Active::Failed, KILLED);
    assert_eq!(read(&mut called(), same, job(JobEnd::Dependency)), died(0, Ruling::Dependency));
}

/// systemd calls such a job done.
#[test]
fn a_condition_that_is_not_met_is_named() {
    let same = Seen { unmet: true, ..ended(Active::Failed, KILLED) };
    assert_eq!(read(&mut called(), same, job(JobEnd::Done)), died(0, Ruling::Condition));
}

#[test]
fn what_systemd_stopped_restarting_ran_into_its_limit() {
    let mut unit = watched();
    read(&mut unit, Seen { sub: Sub::AutoRestart, ..ended(Active::Activating, KILLED) }, none());
    let gave_up = ended(Active::Failed, KILLED);
    assert_eq!(read(&mut unit, gave_up, job(JobEnd::Failed)), died(0, Ruling::StartLimit));
}

#[test]
fn a_job_that_failed_before_an_earlier_death_says_nothing_of_a_later_one() {
    let mut unit = called();
    read(&mut unit, ended(Active::Failed, KILLED), job(JobEnd::Failed));
    unit.called();
    unit.answered(Answer::Job(6));
    let canceled = [Some(Done { id: 6, end: JobEnd::Other }), None, None, None];
    let turn = read(&mut unit, ended(Active::Failed, KILLED), canceled);
    assert_eq!(turn, Turn::Died { pid: 0, exit: Exit::Unknown });
}

#[test]
fn a_stop_that_took_too_long_is_a_stop_and_says_how_it_ended() {
    let seen = Seen { ruling: Some(Ruling::Timeout), ..ended(Active::Failed, KILLED) };
    let turn = read(&mut watched(), seen, job(JobEnd::Done));
    assert!(matches!(turn, Turn::Left { exit: Exit::Ruled(Ruling::Timeout), .. }), "{turn:?}");
}
