//! Every kind of fact: its sentence, its code, and the service that it is about.

use super::*;
use crate::event::{
    Because, Began, Blind, BlindSource, Breaker, BreakerMoved, Evidence, Gap, HoldChanged, IntentChanged,
    Remedy, RemedyBegun, Started, Trigger, Witness,
};
use crate::{BootId, Name, Run, Seq, SeqRange, Stamp, Text, code};

pub(super) fn web() -> Name {
    "web".parse().unwrap()
}

pub(super) fn secs(secs: u64) -> Span {
    Span::from_secs(secs)
}

pub(super) fn says(fact: &Fact, code: &str, service: Option<&str>, sentence: &str) {
    assert_eq!(fact.to_string(), sentence);
    assert_eq!((code::of(fact), fact.service().map(Name::as_str)), (code, service), "{sentence}");
    assert_eq!(code::find(code).map(|found| found.code), Some(code), "it is explained");
}

#[test]
fn beginnings_losses_and_blindness_are_about_no_service() {
    let began = Began { boot: BootId(1), previous: None, version: Text::new("1.2"), checks: 3, services: 2 };
    says(&Fact::Began(began), "agent-began", None, "agent 1.2 began: 3 checks, 2 services");
    let range = SeqRange::new(Seq(3), Seq(5)).unwrap();
    for (reason, words) in
        [(GapReason::SpoolFull, "the spool was full"), (GapReason::Damaged, "they could not be read back")]
    {
        let sentence = std::format!("frames 3-5 of run 00000000000000ab are lost: {words}");
        says(&Fact::Gap(Gap { run: Run(0xab), range, reason }), "gap", None, &sentence);
    }
    let blind = Blind { source: BlindSource::Systemd, lasted: secs(30), differences: 2 };
    let sentence = "systemd was not heard for 30 s; 2 differences found";
    says(&Fact::Blind(blind), "blind-systemd", None, sentence);
}

#[test]
fn starts_and_ends_say_which_process_and_what_was_asked() {
    for (adopted, code, sentence) in [
        (false, "service-started", "web started (pid 7)"),
        (true, "service-adopted", "web found running and adopted (pid 7)"),
    ] {
        says(&Fact::Started(Started { service: web(), pid: 7, adopted }), code, Some("web"), sentence);
    }
    for (pid, exit, asked, sentence) in [
        (7, Exit::Code(1), false, "web (pid 7) exited with status 1 after 2 s"),
        (7, Exit::Signal(15), true, "web (pid 7) was killed by SIGTERM after 2 s, as asked"),
        (7, Exit::Signal(40), false, "web (pid 7) was killed by signal 40 after 2 s"),
        (0, Exit::NotStarted(2), false, "web could not be started (errno 2: no such file)"),
        (0, Exit::NotStarted(99), false, "web could not be started (errno 99: see errno(3))"),
    ] {
        let exited = Exited { service: web(), pid, exit, ran: secs(2), asked };
        assert_eq!(Fact::Exited(exited).to_string(), sentence);
    }
    let last = Evidence { service: web(), pid: 7, last_line: Text::new("no port") };
    says(&Fact::Evidence(last), "evidence", Some("web"), "web (pid 7) last printed: no port");
}

#[test]
fn remedies_and_breakers_say_why_and_what_comes_next() {
    let trigger = || Trigger::Check { check: "web.tcp".parse().unwrap(), cause: Cause::Refused };
    let why = "web is restarted (attempt 2): web.tcp: connection refused: nothing listens";
    for (delay, then) in [(0, ""), (1_000, ", 1 ms after the failure"), (999, "")] {
        let delay = Span::from_micros(delay);
        let (service, remedy, trigger) = (web(), Remedy::Restart, trigger());
        let fact = Fact::Remedy(RemedyBegun { service, remedy, attempt: 2, trigger, delay });
        says(&fact, "remedy-begun", Some("web"), &std::format!("{why}{then}"));
    }
    let because = Because::SameDeath(3);
    let last = Trigger::Exit(Exit::Code(1));
    let open = Breaker::Open { because, attempts: 3, last, retry_in: secs(60) };
    for (to, code, sentence) in [
        (
            open,
            "breaker-open",
            "web not healed, because it failed 3 times in the same way without once being up for 1 s; last: it exited with status 1; one more try in 1 min",
        ),
        (Breaker::HalfOpen, "breaker-half-open", "web gets one more try"),
        (Breaker::Closed, "breaker-closed", "web may be healed again: its breaker closed"),
    ] {
        says(&Fact::Breaker(BreakerMoved { service: web(), to }), code, Some("web"), sentence);
    }
}

#[test]
fn what_was_stopped_says_why_it_was_given_up() {
    let window = secs(600);
    for (because, words) in [
        (Because::Isolated, "no remedy of its ladder held, so it was stopped"),
        (
            Because::SameDeath(3).isolated(),
            "it failed 3 times in the same way without once being up for 1 s, so it was stopped",
        ),
        (
            Because::Budget { allowed: 5, window }.isolated(),
            "the 5 remedies that it may have within 10 min are used up, so it was stopped",
        ),
    ] {
        assert_eq!(because.to_string(), words);
        assert_eq!(because.isolated(), because, "it is stopped once");
    }
}

#[test]
fn what_people_want_is_told_with_who_said_so() {
    for (to, code, sentence) in [
        (Intent::Run, "service-wanted", "web was started: it is kept up again"),
        (Intent::Stopped, "service-left-stopped", "web was stopped by an operator: it is left alone"),
        (Intent::Masked, "service-masked", "web is masked: it is left alone"),
    ] {
        let (from, witness) = (Intent::Unknown, Witness::Job);
        let fact = Fact::Intent(IntentChanged { service: web(), from, to, witness });
        says(&fact, code, Some("web"), sentence);
    }
    for (service, lasts, code, sentence) in [
        (None, Some(secs(60)), "hold-begun", "nothing is healed for 1 min, by root"),
        (Some(web()), None, "hold-lifted", "remedies are allowed again on web, by root"),
    ] {
        let named = service.as_ref().map(|_| "web");
        says(&Fact::Hold(HoldChanged { service, lasts, by: Text::new("root") }), code, named, sentence);
    }
}

#[test]
fn spans_are_told_with_two_significant_parts() {
    for (micros, words) in [
        (999, "999 us"),
        (1_000, "1 ms"),
        (2_000_000, "2 s"),
        (2_250_000, "2.2 s"),
        (59_999_999, "59.9 s"),
        (120_000_000, "2 min"),
        (125_000_000, "2 min 5 s"),
        (3_599_000_000, "59 min 59 s"),
        (3_660_000_000, "1 h 1 min"),
        (90_000_000_000, "1 d 1 h"),
    ] {
        assert_eq!(Span::from_micros(micros).to_string(), words);
    }
}

#[test]
fn signals_and_errnos_are_named_as_their_manuals_do() {
    for (number, name) in [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (3, "SIGQUIT"),
        (4, "SIGILL"),
        (5, "SIGTRAP"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (14, "SIGALRM"),
        (24, "SIGXCPU"),
        (25, "SIGXFSZ"),
        (31, "SIGSYS"),
    ] {
        assert_eq!(Exit::Signal(number).to_string(), std::format!("was killed by {name}"));
    }
    for (errno, words) in [
        (1, "not permitted"),
        (7, "arguments too long"),
        (8, "not an executable format"),
        (11, "too many processes"),
        (12, "out of memory"),
        (13, "permission denied"),
        (20, "not a directory"),
        (24, "too many open files"),
        (26, "the file is being written"),
    ] {
        let told = Exit::NotStarted(errno).to_string();
        assert_eq!(told, std::format!("could not be started (errno {errno}: {words})"));
    }
}

#[test]
fn words_and_numbers_stand_for_themselves() {
    let (run, boot) = (Run(1), BootId(2));
    let stamp = Stamp { run, boot, mono: Default::default(), wall: Default::default(), synced: true };
    let fact = Fact::Started(Started { service: web(), pid: 7, adopted: false });
    assert_eq!(Event { stamp, fact }.to_string(), "web started (pid 7)");
    assert_eq!(std::format!("{boot} {}", Seq(7)), "00000000000000000000000000000002 7");
    let mut ranges = crate::Ranges::new();
    for (first, last) in [(1, 3), (7, 7)] {
        ranges.insert(SeqRange::new(Seq(first), Seq(last)).unwrap()).unwrap();
    }
    assert_eq!(ranges.to_string(), "1-3,7");
    let level = |kind, level| Level(kind, level).to_string();
    assert_eq!(level(CheckKind::Load, 305), "3.05 per core");
    let (kind, intent) = (CheckKind::Memory, Intent::Masked);
    assert_eq!(std::format!("{kind:>7}|{intent}|{:<5}|", Text::new("no")), " memory|masked|no   |");
    let too_long = "x".repeat(65).parse::<Name>().unwrap_err();
    assert_eq!(too_long.to_string(), "is longer than 64 bytes");
}

#[test]
fn remedies_beyond_a_restart_say_what_was_done() {
    let begun = |remedy, trigger| {
        Fact::Remedy(RemedyBegun { service: web(), remedy, attempt: 1, trigger, delay: Span::ZERO })
    };
    let check = || Trigger::Check { check: "web:http".parse().unwrap(), cause: Cause::Status(500) };
    for (fact, sentence) in [
        (begun(Remedy::Reload, check()), "web is reloaded (attempt 1): web:http: HTTP status 500"),
        (
            begun(Remedy::Dependents, check()),
            "web is restarted while those that need it are stopped (attempt 1): web:http: HTTP status 500",
        ),
        (
            begun(Remedy::Rollback, Trigger::Changed(Text::new("/etc/web"))),
            "web is rolled back to its last good files and restarted (attempt 1): it fails since /etc/web changed; \
             what changed is kept in the agent's state",
        ),
        (
            begun(Remedy::Isolate, check()),
            "web is stopped and left to a person (attempt 1): web:http: HTTP status 500",
        ),
        (
            begun(Remedy::Package, Trigger::Changed(Text::new("package web (1.0 to 1.1)"))),
            "web is put back to its last good package and restarted (attempt 1): it fails since package web (1.0 to 1.1) \
             changed",
        ),
        (begun(Remedy::Reboot, check()), "web has its host rebooted (attempt 1): web:http: HTTP status 500"),
        (
            begun(Remedy::Restart, Trigger::Root("db".parse().unwrap())),
            "web is restarted (attempt 1): it was stopped while db was restarted",
        ),
    ] {
        says(&fact, "remedy-begun", Some("web"), sentence);
    }
}

#[test]
fn a_remedy_that_did_harm_or_could_not_be_done_says_so() {
    let ended = |remedy, outcome| {
        Fact::Outcome(RemedyEnded { service: web(), remedy, attempt: 2, outcome, took: Span::ZERO })
    };
    let worse =
        |remedy| ended(remedy, Outcome::Worse { before: 1, after: 3, check: "web:http".parse().unwrap() });
    let sentence = "web made worse by attempt 2: 3 of its checks fail, 1 did before; web:http does now";
    says(&worse(Remedy::Restart), "remedy-worse", Some("web"), sentence);
    let undone = std::format!("{sentence}; the files that were there before are being put back");
    says(&worse(Remedy::Rollback), "remedy-worse", Some("web"), &undone);
    let again = "the package that was there before is being installed again, if its .deb is in apt's cache";
    let again = std::format!("{sentence}; {again}");
    says(&worse(Remedy::Package), "remedy-worse", Some("web"), &again);
    let not_done = ended(Remedy::Rollback, Outcome::NotDone { why: Text::new("the precheck failed: no") });
    says(&not_done, "remedy-not-held", Some("web"), "web not healed by attempt 2: the precheck failed: no");
    let held = Outcome::Held {
        check: "web:http".parse().unwrap(),
        back_after: Span::from_millis(288),
        held_for: Span::from_secs(5),
    };
    let sentence = "web recovered, verified: web:http passed 288 ms after the failure and held for 5 s; it runs with its \
                    last good files, and what they replaced is in the newest good/web/aside-N of the agent's state";
    says(&ended(Remedy::Rollback, held), "remedy-held", Some("web"), sentence);
}

#[test]
fn a_service_that_waits_names_its_root() {
    let waits =
        Fact::Breaker(BreakerMoved { service: web(), to: Breaker::Waits { root: "db".parse().unwrap() } });
    says(&waits, "service-waits", Some("web"), "web waits for db: nothing is done until that is well");
}

#[test]
fn a_service_that_is_not_restarted_on_a_starved_host_names_what_says_so() {
    let to = Breaker::Starved { check: "pressure:memory".parse().unwrap(), longest: Span::from_secs(300) };
    let sentence = "web is not restarted while the host is starved (pressure:memory), for 5 min at most";
    says(&Fact::Breaker(BreakerMoved { service: web(), to }), "host-starved", Some("web"), sentence);
}
