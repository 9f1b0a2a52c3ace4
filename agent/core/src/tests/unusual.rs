//! Levels against their hours through the whole agent: what is told, what is kept and when, over a restart and a reload.

use super::sim::check_spec;
use super::world::frames;
use crate::check::{self, Limits, Reading, Side, Usual, Usually};
use crate::reload::{Fact as Anew, Seated};
use crate::service;
use crate::{Agent, Effect, Ending, Identity, Input, KEEP_MAX, Kept, Storage, spool};
use picket_proto::event::{Cause, CheckKind, Fact, Verdict};
use picket_proto::{BootId, Mono, Now, Raw, Run, Span, Text, Wall};
use std::boxed::Box;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

const MINUTE: u64 = 60_000_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Monday, 2 March 2026, 00:00 UTC.
const MONDAY: i64 = 1_772_409_600_000_000;

fn specs() -> Vec<check::Spec> {
    let limits = Some(Limits { degraded: 900, down: 980, bad: Side::Above });
    let cpu = check::Spec {
        service: None,
        interval: Span::from_secs(60),
        timeout: Span::from_secs(5),
        unusual: Span::from_secs(1800),
        limits,
        fall: 3,
        ..check_spec("host:cpu", CheckKind::Cpu, 0)
    };
    let load = check::Spec { unusual: Span::ZERO, ..cpu.clone() };
    vec![cpu, check::Spec { name: "host:load".parse().unwrap(), kind: CheckKind::Load, ..load }]
}

/// An agent on a host with two levels, which are alike.
struct Host {
    agent: Agent<'static>,
    /// Of the boot and the wall clock, microseconds.
    at: u64,
    /// How far the wall clock is wrong.
    ahead: i64,
    told: Vec<(u64, String, Verdict)>,
    /// What was kept, and when.
    kept: Vec<(u64, Vec<u8>)>,
    acts: usize,
}

impl Host {
    fn new(at: u64, specs: Vec<check::Spec>) -> Self {
        let identity = Identity { run: Run(7), boot: BootId(1), previous: None, version: Text::new("test") };
        let slots: Vec<_> = specs.into_iter().map(check::Slot::new).collect();
        let agent = Agent::new(
            1,
            identity,
            Storage {
                checks: Box::leak(slots.into_boxed_slice()),
                trends: &mut [],
                usuals: Box::leak(vec![Usual::FREE; 2].into_boxed_slice()),
                services: Box::leak(Vec::<service::Slot>::new().into_boxed_slice()),
                ring: Box::leak(vec![0; 64 * 1024].into_boxed_slice()),
                index: Box::leak(vec![spool::Entry::default(); 1024].into_boxed_slice()),
                baseline: Default::default(),
                disk: spool::Lent::none(),
            },
        );
        let mut host = Self { agent, at, ahead: 0, told: Vec::new(), kept: Vec::new(), acts: 0 };
        host.agent.clock_synced(true);
        host
    }

    /// The next run, so much later, with what this one had kept last.
    fn again(self, away: u64, specs: Vec<check::Spec>, mark: u32) -> Self {
        let mut next = Self::new(self.at + away, specs);
        let (_, kept) = self.kept.last().expect("something was kept");
        let restored = next.agent.restore_weeks(&|_| mark, kept);
        assert_eq!(restored, Some(u16::from(mark == 9)));
        next
    }

    fn hand(&mut self, input: Input<'_>, level: i64) {
        let wall = Wall::from_micros(MONDAY + self.at.cast_signed() + self.ahead);
        let now = Now { mono: Mono::from_micros(self.at), raw: Raw::from_micros(self.at), wall };
        self.agent.handle(now, input);
        let mut probes = Vec::new();
        while let Some(effect) = self.agent.poll() {
            match effect {
                Effect::Probe(probe) => probes.push(probe.check),
                Effect::Told(bytes) => {
                    for (_, fact) in frames(self.agent.bytes(bytes)) {
                        if let Fact::Verdict(change) = &fact {
                            self.told.push((self.at, fact.to_string(), change.to));
                        }
                    }
                }
                Effect::Keep(Kept::Weeks) => {
                    let mut bytes = vec![0; KEEP_MAX];
                    let used = self.agent.keep_weeks(&|_| 9, &mut bytes);
                    self.kept.push((self.at, bytes[..used].to_vec()));
                }
                Effect::Act(_) => self.acts += 1,
                _ => {}
            }
        }
        for check in probes {
            self.hand(Input::Check(check::Fact::new(check, Reading::Level(level))), level);
        }
    }

    fn live(&mut self, until: u64, level: impl Fn(u64) -> i64) {
        while let Some((due, _)) = self.agent.deadline().filter(|(due, _)| due.micros() < until) {
            self.at = due.micros().max(self.at);
            self.hand(Input::Time, level(self.at));
        }
    }
}

fn calm(at: u64) -> i64 {
    20 + (at / MINUTE % 7).cast_signed()
}

/// Busy for two hours from there on.
fn busy(from: u64) -> impl Fn(u64) -> i64 {
    move |at| if (from..from + 2 * HOUR).contains(&at) { 600 } else { calm(at) }
}

#[test]
fn what_is_unusual_is_told_once_in_words_and_taken_back_and_heals_nothing() {
    let mut host = Host::new(0, specs());
    host.hand(Input::Time, 20);
    let from = 9 * DAY + 3 * HOUR;
    host.live(10 * DAY, busy(from));
    let told: Vec<_> = host.told.iter().skip(2).collect();
    let [(at, words, Verdict::Degraded), (back, _, Verdict::Up)] = told[..] else { panic!("{told:?}") };
    assert_eq!(
        words,
        "host:cpu is degraded: 60.0 %, far above the usual 2.2 % of this hour, for 32 min so far"
    );
    assert!((25 * MINUTE..=40 * MINUTE).contains(&(at - from)), "{} min", (at - from) / MINUTE);
    assert!(
        (10 * MINUTE..=25 * MINUTE).contains(&(back - from - 2 * HOUR)),
        "{} min",
        (back - from) / MINUTE
    );
    assert_eq!(host.acts, 0);
}

#[test]
fn weeks_are_kept_once_an_hour_and_with_the_end_and_outlive_a_restart_and_a_reboot() {
    let mut host = Host::new(0, specs());
    host.hand(Input::Time, 20);
    host.live(9 * DAY, calm);
    let times: Vec<u64> = host.kept.iter().map(|kept| kept.0).collect();
    assert!((9 * 24 - 2..9 * 24).contains(&times.len()), "{}", times.len());
    assert!(times.windows(2).all(|two| two[1] - two[0] >= HOUR - 2 * MINUTE), "{times:?}");
    // An hour is over that is not kept yet.
    host.live(9 * DAY + 8 * MINUTE, calm);
    host.hand(Input::Stop(Ending::LeaveServices), 20);
    assert_eq!(host.kept.len(), times.len() + 1);
    host.hand(Input::Stop(Ending::LeaveServices), 20);
    assert_eq!(host.kept.len(), times.len() + 1, "nothing has changed");
    let from = 10 * DAY;
    let mut next = host.again(HOUR, specs(), 9);
    next.hand(Input::Time, 20);
    next.live(11 * DAY, busy(from));
    assert!(next.told.iter().any(|told| told.1.contains("far above")), "{:?}", next.told);
    // The same name, for something else.
    let mut host = Host::new(0, specs());
    host.hand(Input::Time, 20);
    host.live(9 * DAY, calm);
    let mut other = host.again(HOUR, specs(), 8);
    other.hand(Input::Time, 20);
    other.live(11 * DAY, busy(from));
    assert!(!other.told.iter().any(|told| told.1.contains("far above")), "{:?}", other.told);
}

#[test]
fn a_reload_keeps_the_weeks_of_what_stays_and_begins_anew_with_what_looks_elsewhere() {
    for (is_same, unusual, is_told) in [(true, 3600, true), (false, 1800, false), (true, 0, false)] {
        let mut host = Host::new(0, specs());
        host.hand(Input::Time, 20);
        host.live(9 * DAY, calm);
        let anew = |(ix, spec): (u16, check::Spec)| {
            let unusual = if ix == 0 { Span::from_secs(unusual) } else { Span::ZERO };
            Seated { ix, spec: check::Spec { unusual, ..spec }, is_same }
        };
        let checks: Vec<_> = (0..).zip(specs()).map(anew).collect();
        host.hand(Input::Reload(Anew { services: &[], checks: &checks }), 20);
        host.live(10 * DAY, busy(9 * DAY + 3 * HOUR));
        let told = host.told.iter().find(|told| told.2 == Verdict::Degraded).map(|told| told.0);
        assert_eq!(told.is_some(), is_told, "{:?}", host.told);
        if let Some(told) = told {
            let after = (told - 9 * DAY - 3 * HOUR) / MINUTE;
            assert!((50..=75).contains(&after), "{after} min: an hour is asked for now");
        }
    }
}

#[test]
fn what_is_beyond_a_limit_as_well_is_down_by_that_and_who_comes_later_is_told_why() {
    let mut host = Host::new(0, specs());
    host.hand(Input::Time, 20);
    let from = 9 * DAY + 3 * HOUR;
    let at_most = |at: u64| if at > from + HOUR { 990 } else { busy(from)(at) };
    host.live(from + HOUR, at_most);
    let slot = host.agent.check_at(0).unwrap();
    assert!(
        matches!(slot.why(), Some(Cause::Unusual { level: 600, usual: 22, lasts: 50..=65 })),
        "{:?}",
        slot.why()
    );
    host.live(from + HOUR + 10 * MINUTE, at_most);
    let told: Vec<_> =
        host.told.iter().filter(|told| told.1.contains("host:cpu")).map(|told| told.2).collect();
    assert_eq!(told, [Verdict::Up, Verdict::Degraded, Verdict::Down]);
    assert!(
        host.told.iter().any(|told| told.1 == "host:cpu is down: 99.0 %, limit 98.0 %"),
        "{:?}",
        host.told
    );
}

#[test]
fn a_person_sees_what_is_usual_or_why_that_is_not_known() {
    let mut host = Host::new(0, specs());
    host.hand(Input::Time, 20);
    host.live(HOUR, calm);
    assert_eq!([0, 1, 2].map(|check| host.agent.usual_at(check)), [Some(Usually::Days(0)), None, None]);
    host.live(2 * DAY + 2 * HOUR, calm);
    assert_eq!(host.agent.usual_at(0), Some(Usually::Days(2)));
    host.live(9 * DAY, |at| if at / HOUR % 24 == 3 { 400 } else { calm(at) });
    assert_eq!(host.agent.usual_at(0), Some(Usually::Between(Some(22), 22)));
    host.live(9 * DAY + 3 * HOUR + HOUR / 2, calm);
    assert_eq!(host.agent.usual_at(0), Some(Usually::Between(Some(22), 400)));
    // The clock was set by a day; nobody has called it synchronised since.
    host.ahead = DAY.cast_signed();
    host.live(9 * DAY + 5 * HOUR, calm);
    assert_eq!(host.agent.usual_at(0), Some(Usually::NoClock));
}
