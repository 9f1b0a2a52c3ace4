//! The classification: a test per row of its table, from readings as systemd 252 gives them.

use super::classify::Who;
use super::*;
use picket_proto::event::{Exit, Intent, Witness};

pub(super) const FIRST: [u8; 16] = [1; 16];
pub(super) const SECOND: [u8; 16] = [2; 16];
pub(crate) const KILLED: (i32, i32) = (2, 9);
pub(crate) const TERMINATED: (i32, i32) = (2, 15);

pub(crate) fn running(invocation: [u8; 16], pid: u32) -> Seen {
    Seen {
        active: Active::Active,
        sub: Sub::Other,
        load: Load::Loaded,
        file: File::Wanted,
        kind: Kind::Daemon,
        job: None,
        invocation,
        pid,
        code: 0,
        status: 0,
        ruling: None,
        unmet: false,
        restarts: 0,
        changed: 1,
        patience: Span::from_secs(90),
    }
}

pub(super) fn ended(active: Active, (code, status): (i32, i32)) -> Seen {
    Seen { active, pid: 0, code, status, changed: 2, ..running(FIRST, 0) }
}

pub(super) fn none() -> Dones {
    Dones::default()
}

fn done(id: u32) -> Dones {
    [Some(Done { id, end: JobEnd::Done }), None, None, None]
}

/// A unit that was found running as pid 7 in its first life.
pub(super) fn watched() -> Memory {
    let mut unit = Memory::default();
    assert_eq!(read(&mut unit, running(FIRST, 7), none()), Turn::Found { pid: 7 });
    unit
}

pub(super) fn read(unit: &mut Memory, seen: Seen, done: Dones) -> Turn {
    unit.read(Wake::Signal, seen, done).0
}

pub(super) fn left(to: Intent, witness: Witness, exit: Exit) -> Turn {
    Turn::Left { exit, to, witness }
}

#[test]
fn a_burst_that_tells_the_same_life_again_is_nothing() {
    let mut unit = watched();
    assert_eq!(read(&mut unit, running(FIRST, 7), none()), Turn::Nothing);
    assert_eq!(read(&mut unit, running(FIRST, 7), done(3)), Turn::Nothing, "a start of what runs");
}

#[test]
fn failed_without_a_job_is_a_death() {
    let mut unit = watched();
    let died = Turn::Died { pid: 7, exit: Exit::Signal(9) };
    assert_eq!(read(&mut unit, ended(Active::Failed, KILLED), none()), died);
    assert_eq!(read(&mut unit, ended(Active::Failed, KILLED), none()), Turn::Nothing, "told once");
}

#[test]
fn a_stray_sigterm_is_a_death_although_systemd_calls_it_a_success() {
    let mut unit = watched();
    let died = Turn::Died { pid: 7, exit: Exit::Signal(15) };
    assert_eq!(read(&mut unit, ended(Active::Inactive, TERMINATED), none()), died);
}

#[test]
fn a_daemon_that_exits_with_0_died() {
    let mut unit = watched();
    let died = Turn::Died { pid: 7, exit: Exit::Code(0) };
    assert_eq!(read(&mut unit, ended(Active::Inactive, (1, 0)), none()), died);
}

#[test]
fn a_oneshot_that_has_done_its_work_did_not_die() {
    let mut unit = watched();
    let seen = Seen { kind: Kind::Oneshot, ..ended(Active::Inactive, (1, 0)) };
    assert_eq!(read(&mut unit, seen, none()), Turn::Nothing);
}

#[test]
fn what_another_job_ended_was_stopped() {
    let mut unit = watched();
    let stopped = left(Intent::Stopped, Witness::Job, Exit::Signal(15));
    assert_eq!(read(&mut unit, ended(Active::Inactive, TERMINATED), done(3)), stopped);
    assert_eq!(read(&mut unit, ended(Active::Inactive, TERMINATED), none()), Turn::Nothing);
    assert_eq!(read(&mut unit, running(SECOND, 8), done(4)), Turn::Up { pid: 8 });
}

#[test]
fn a_stop_is_known_while_its_job_still_runs() {
    let mut unit = watched();
    let job = Some(Job { id: 3, kind: JobKind::Stop });
    let stopping = Seen { active: Active::Deactivating, job, ..running(FIRST, 7) };
    assert_eq!(read(&mut unit, stopping, none()), left(Intent::Stopped, Witness::Job, Exit::Unknown));
}

#[test]
fn a_stop_that_ends_in_failed_is_a_stop_all_the_same() {
    let mut unit = watched();
    let stopped = left(Intent::Stopped, Witness::Job, Exit::Code(143));
    assert_eq!(read(&mut unit, ended(Active::Failed, (1, 143)), done(3)), stopped);
}

#[test]
fn a_unit_that_systemd_forgot_when_it_stopped_was_stopped() {
    let mut unit = watched();
    let forgotten = Seen { invocation: [0; 16], ..ended(Active::Inactive, (0, 0)) };
    let stopped = left(Intent::Stopped, Witness::Job, Exit::Unknown);
    assert_eq!(read(&mut unit, forgotten, done(3)), stopped);
}

#[test]
fn a_job_that_was_canceled_or_failed_stopped_nothing() {
    let mut unit = watched();
    let failed = [Some(Done { id: 3, end: JobEnd::Other }), None, None, None];
    let died = Turn::Died { pid: 7, exit: Exit::Signal(9) };
    assert_eq!(read(&mut unit, ended(Active::Failed, KILLED), failed), died);
}

#[test]
fn a_life_that_somebody_else_began_and_that_died_at_once_is_no_stop() {
    let mut unit = watched();
    let died = Seen { invocation: SECOND, ..ended(Active::Failed, (1, 1)) };
    assert_eq!(read(&mut unit, died, done(3)), Turn::Died { pid: 7, exit: Exit::Code(1) });
}

#[test]
fn what_systemd_restarts_is_told_once_and_waited_for() {
    let mut unit = watched();
    let waiting = Seen { sub: Sub::AutoRestart, ..ended(Active::Activating, KILLED) };
    let within = Span::from_secs(95);
    let restarting = Turn::Restarting { pid: 7, exit: Exit::Signal(9), within };
    assert_eq!(read(&mut unit, waiting, none()), restarting);
    assert_eq!(read(&mut unit, waiting, none()), Turn::Nothing);
    assert_eq!(read(&mut unit, running(SECOND, 8), done(3)), Turn::Up { pid: 8 });
}

#[test]
fn an_endless_start_timeout_is_not_waited_for_without_end() {
    let mut unit = watched();
    let waiting = Seen { sub: Sub::AutoRestart, patience: Span::MAX, ..ended(Active::Activating, KILLED) };
    let within = Span::from_secs(600);
    assert_eq!(read(&mut unit, waiting, none()), Turn::Restarting { pid: 7, exit: Exit::Signal(9), within });
}

#[test]
fn a_stop_while_systemd_waits_to_restart_is_a_stop() {
    let mut unit = watched();
    read(&mut unit, Seen { sub: Sub::AutoRestart, ..ended(Active::Activating, KILLED) }, none());
    let stopped = left(Intent::Stopped, Witness::Job, Exit::Signal(9));
    assert_eq!(read(&mut unit, ended(Active::Inactive, KILLED), done(3)), stopped);
}

#[test]
fn what_systemd_gave_up_is_ours() {
    let mut unit = watched();
    read(&mut unit, Seen { sub: Sub::AutoRestart, ..ended(Active::Activating, KILLED) }, none());
    let gave_up = Seen { invocation: SECOND, ..ended(Active::Failed, (1, 1)) };
    assert_eq!(read(&mut unit, gave_up, none()), Turn::Died { pid: 0, exit: Exit::Code(1) });
}

#[test]
fn a_restart_that_nobody_saw_is_systemds_where_its_counter_grew() {
    let mut unit = watched();
    let again = Seen { restarts: 1, ..running(SECOND, 8) };
    let by = |who| Turn::Replaced { old: 7, pid: 8, who };
    assert_eq!(read(&mut unit, again, done(3)), by(Who::Itself));
    let mut unit = watched();
    assert_eq!(read(&mut unit, running(SECOND, 8), done(3)), by(Who::Asked));
}

#[test]
fn what_was_masked_is_left_alone() {
    let mut unit = watched();
    let masked = Seen { load: Load::Masked, ..ended(Active::Inactive, TERMINATED) };
    assert_eq!(read(&mut unit, masked, none()), left(Intent::Masked, Witness::State, Exit::Signal(15)));
}

#[test]
fn at_the_start_what_failed_is_healed_and_what_is_stopped_is_left() {
    let first = |seen| read(&mut Memory::default(), seen, none());
    let failed = ended(Active::Failed, KILLED);
    assert_eq!(first(failed), Turn::Died { pid: 0, exit: Exit::Signal(9) });
    let unknown = |exit| left(Intent::Unknown, Witness::State, exit);
    assert_eq!(first(Seen { file: File::Disabled, ..failed }), unknown(Exit::Signal(9)));
    assert_eq!(first(ended(Active::Inactive, (1, 0))), unknown(Exit::Code(0)));
}

#[test]
fn what_stopped_while_nobody_looked_is_told_and_left_but_a_failure_is_healed() {
    let mut unit = watched();
    assert_eq!(unit.lost(), Turn::Nothing);
    let inactive = ended(Active::Inactive, TERMINATED);
    let (turn, compared) = unit.read(Wake::Look, inactive, none());
    assert_eq!(turn, left(Intent::Unknown, Witness::State, Exit::Signal(15)));
    assert!(compared.differs);
    let mut unit = watched();
    unit.lost();
    assert_eq!(
        read(&mut unit, ended(Active::Failed, KILLED), none()),
        Turn::Died { pid: 7, exit: Exit::Signal(9) }
    );
}

#[test]
fn a_reload_that_was_done_before_a_death_is_no_stop() {
    let mut unit = watched();
    let reloading = Seen { job: Some(Job { id: 3, kind: JobKind::Other }), ..running(FIRST, 7) };
    assert_eq!(read(&mut unit, reloading, none()), Turn::Nothing);
    let died = Turn::Died { pid: 7, exit: Exit::Signal(9) };
    assert_eq!(read(&mut unit, ended(Active::Failed, KILLED), done(3)), died);
}

#[test]
fn a_start_of_what_runs_already_ends_our_waiting() {
    let mut unit = watched();
    unit.called();
    assert_eq!(unit.answered(Answer::Job(5)), Turn::Nothing);
    assert_eq!(read(&mut unit, running(FIRST, 7), done(5)), Turn::Still { pid: 7 });
    assert_eq!(read(&mut unit, running(FIRST, 7), none()), Turn::Nothing);
}

/// The job's end can come before the answer that names it.
#[test]
fn our_own_job_is_known_whichever_word_of_it_comes_first() {
    for end_first in [true, false] {
        let mut unit = watched();
        read(&mut unit, ended(Active::Failed, KILLED), none());
        unit.called();
        let up = running(SECOND, 8);
        let turns = if end_first {
            [read(&mut unit, up, done(5)), unit.answered(Answer::Job(5))]
        } else {
            [unit.answered(Answer::Job(5)), read(&mut unit, up, done(5))]
        };
        assert_eq!(turns, [Turn::Nothing, Turn::Up { pid: 8 }], "{end_first}");
        let died = Turn::Died { pid: 8, exit: Exit::Signal(9) };
        let dead = Seen { invocation: SECOND, ..ended(Active::Failed, KILLED) };
        assert_eq!(read(&mut unit, dead, none()), died, "{end_first}");
    }
}

#[test]
fn a_start_of_ours_that_fails_is_another_death() {
    let mut unit = watched();
    read(&mut unit, ended(Active::Failed, KILLED), none());
    unit.called();
    assert_eq!(unit.answered(Answer::Job(5)), Turn::Nothing);
    let failed = [Some(Done { id: 5, end: JobEnd::Other }), None, None, None];
    let same = ended(Active::Failed, KILLED);
    assert_eq!(read(&mut unit, same, failed), Turn::Died { pid: 0, exit: Exit::Unknown });
}

#[test]
fn somebody_elses_job_and_silence_are_waited_for_and_a_refusal_is_a_failure() {
    let answers = [Answer::Busy, Answer::Unheard];
    for answer in answers {
        let mut unit = watched();
        read(&mut unit, ended(Active::Failed, KILLED), none());
        unit.called();
        assert_eq!(unit.answered(answer), Turn::Later { within: Span::from_secs(10) });
    }
    let mut unit = watched();
    read(&mut unit, ended(Active::Failed, KILLED), none());
    unit.called();
    assert_eq!(unit.answered(Answer::Refused(2)), Turn::Died { pid: 0, exit: Exit::NotStarted(2) });
}

#[test]
fn an_operators_stop_that_cancels_our_start_is_a_stop() {
    let mut unit = watched();
    read(&mut unit, ended(Active::Failed, KILLED), none());
    unit.called();
    unit.answered(Answer::Job(5));
    let both =
        [Some(Done { id: 5, end: JobEnd::Other }), Some(Done { id: 6, end: JobEnd::Done }), None, None];
    let stopped = left(Intent::Stopped, Witness::Job, Exit::Signal(9));
    assert_eq!(read(&mut unit, ended(Active::Failed, KILLED), both), stopped);
}
