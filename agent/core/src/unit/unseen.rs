//! What happened between two readings: a bus that was away, jobs that came and went. Tests.

use super::*;
use picket_proto::event::{Exit, Intent, Witness};
use tests::{KILLED, SECOND, TERMINATED, ended, left, none, read, running, watched};

#[test]
fn a_call_that_nobody_hears_while_the_bus_is_away_does_not_make_the_next_reading_a_death() {
    let mut unit = watched();
    unit.lost();
    unit.called();
    assert_eq!(unit.answered(Answer::Unheard), Turn::Later { within: Span::from_secs(10) });
    let stopped = left(Intent::Unknown, Witness::State, Exit::Signal(15));
    assert_eq!(read(&mut unit, ended(Active::Inactive, TERMINATED), none()), stopped);
}

/// A life that our own job began, unseen: the other job that was done is what ended it.
#[test]
fn an_operators_stop_right_after_our_start_is_a_stop() {
    let mut unit = watched();
    read(&mut unit, ended(Active::Failed, KILLED), none());
    unit.called();
    unit.answered(Answer::Job(5));
    let done = |id| Some(Done { id, end: JobEnd::Done });
    let seen = Seen { invocation: SECOND, ..ended(Active::Inactive, TERMINATED) };
    let stopped = left(Intent::Stopped, Witness::Job, Exit::Signal(15));
    assert_eq!(read(&mut unit, seen, [done(5), done(6), None, None]), stopped);
}

#[test]
fn a_stop_whose_job_was_seen_is_one_whatever_began_meanwhile() {
    // A job that was canceled behind it changes nothing about that.
    for behind in [None, Some(Done { id: 7, end: JobEnd::Other })] {
        let mut unit = watched();
        read(&mut unit, ended(Active::Failed, KILLED), none());
        let job = Some(Job { id: 6, kind: JobKind::Stop });
        let stopping = Seen { active: Active::Deactivating, job, invocation: SECOND, ..running(SECOND, 8) };
        assert_eq!(read(&mut unit, stopping, none()), Turn::Nothing);
        let seen = Seen { invocation: SECOND, ..ended(Active::Failed, (1, 1)) };
        let dones = [Some(Done { id: 6, end: JobEnd::Done }), behind, None, None];
        let stopped = left(Intent::Stopped, Witness::Job, Exit::Code(1));
        assert_eq!(read(&mut unit, seen, dones), stopped, "{behind:?}");
    }
}

/// Nobody of ours began that life, so the job may well have been the start of it.
#[test]
fn a_life_of_another_that_failed_unseen_is_still_a_death() {
    let mut unit = watched();
    read(&mut unit, ended(Active::Failed, KILLED), none());
    let seen = Seen { invocation: SECOND, ..ended(Active::Failed, (1, 1)) };
    let dones = [Some(Done { id: 6, end: JobEnd::Done }), None, None, None];
    assert_eq!(read(&mut unit, seen, dones), Turn::Died { pid: 0, exit: Exit::Code(1) });
}

#[test]
fn what_somebody_started_right_after_a_stop_and_that_died_is_a_death() {
    let mut unit = watched();
    let job = Some(Job { id: 6, kind: JobKind::Stop });
    read(&mut unit, ended(Active::Failed, KILLED), none());
    let stopping = Seen { active: Active::Deactivating, job, ..running(SECOND, 8) };
    assert_eq!(read(&mut unit, stopping, none()), Turn::Nothing);
    let third = Seen { invocation: [3; 16], ..ended(Active::Failed, (1, 1)) };
    let done = |id| Some(Done { id, end: JobEnd::Done });
    let died = Turn::Died { pid: 0, exit: Exit::Code(1) };
    assert_eq!(read(&mut unit, third, [done(6), done(7), None, None]), died);
}

#[test]
fn a_second_crash_that_systemd_restarts_is_told_as_well() {
    let mut unit = watched();
    let waiting =
        |invocation| Seen { sub: Sub::AutoRestart, invocation, ..ended(Active::Activating, KILLED) };
    let told = |pid| Turn::Restarting { pid, exit: Exit::Signal(9), within: Span::from_secs(95) };
    assert_eq!(read(&mut unit, waiting(tests::FIRST), none()), told(7));
    assert_eq!(read(&mut unit, waiting(SECOND), none()), told(0));
    assert_eq!(read(&mut unit, waiting(SECOND), none()), Turn::Nothing);
}

#[test]
fn while_a_job_is_at_work_on_a_unit_that_is_down_nothing_is_judged() {
    let mut unit = watched();
    read(&mut unit, ended(Active::Failed, KILLED), none());
    unit.called();
    let again = Seen { invocation: SECOND, ..ended(Active::Failed, (1, 1)) };
    assert_eq!(read(&mut unit, again, none()), Turn::Nothing, "ours is not answered");
    let mut unit = watched();
    let job = Some(Job { id: 4, kind: JobKind::Other });
    let queued = Seen { job, ..ended(Active::Failed, KILLED) };
    assert_eq!(read(&mut unit, queued, none()), Turn::Nothing, "another's is queued");
    let died = Turn::Died { pid: 7, exit: Exit::Signal(9) };
    assert_eq!(read(&mut unit, ended(Active::Failed, KILLED), none()), died);
}

#[test]
fn another_job_stopped_a_life_that_began_unseen_only_where_ours_began_it_and_it_did_not_fail() {
    let done = |id| Some(Done { id, end: JobEnd::Done });
    for (ours, active, is_stop) in [
        (true, Active::Inactive, true),
        (true, Active::Failed, false),
        (false, Active::Inactive, false),
        (false, Active::Failed, false),
    ] {
        let mut unit = watched();
        read(&mut unit, ended(Active::Failed, KILLED), none());
        if ours {
            unit.called();
            unit.answered(Answer::Job(5));
        }
        let seen = Seen { invocation: SECOND, ..ended(active, (1, 0)) };
        let dones = [done(5).filter(|_| ours), done(6), None, None];
        let stopped = left(Intent::Stopped, Witness::Job, Exit::Code(0));
        let died = Turn::Died { pid: 0, exit: Exit::Code(0) };
        assert_eq!(read(&mut unit, seen, dones), if is_stop { stopped } else { died }, "{ours} {active:?}");
    }
}
