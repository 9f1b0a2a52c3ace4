//! Pages as people see them, on a screen of 80 columns in UTC.

use super::*;
use crate::args::Incidents;

const NOW: &str = "2026-03-01T12:00:00Z";

mod token;

fn stamp(text: &str) -> Option<prost_types::Timestamp> {
    let at: jiff::Timestamp = text.parse().unwrap();
    Some(prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
}

fn incident() -> v1::Incident {
    v1::Incident {
        id: 3,
        revision: 7,
        state: v1::IncidentState::Resolved.into(),
        severity: v1::Severity::P2.into(),
        severity_rule: "sev-service-down".to_owned(),
        title: "nginx on web-1: was killed by SIGKILL".to_owned(),
        cause: "nginx (pid 4711) was killed by SIGKILL after 3 h 2 min".to_owned(),
        outcome: "recovered, verified".to_owned(),
        hosts: vec!["web-1".to_owned()],
        services: vec!["nginx".to_owned()],
        opened: stamp("2026-03-01T11:57:00.100Z"),
        changed: stamp("2026-03-01T11:57:05.400Z"),
        resolved: stamp("2026-03-01T11:57:05.400Z"),
        episode: 2,
        signals: 2,
        ..v1::Incident::default()
    }
}

fn entry(at: &str, code: &str, text: &str) -> v1::TimelineEntry {
    v1::TimelineEntry {
        at: stamp(at),
        host: "web-1".to_owned(),
        code: code.to_owned(),
        text: text.to_owned(),
        ..v1::TimelineEntry::default()
    }
}

fn shown() -> v1::GetIncidentResponse {
    v1::GetIncidentResponse {
        incident: Some(incident()),
        timeline: vec![
            entry(
                "2026-03-01T11:57:00.100Z",
                "service-died",
                "nginx (pid 4711) was killed by SIGKILL after 3 h 2 min",
            ),
            entry(
                "2026-03-01T11:57:00.112Z",
                "remedy-begun",
                "nginx is restarted (attempt 1): it was killed by SIGKILL",
            ),
            entry(
                "2026-03-01T11:57:05.200Z",
                "remedy-held",
                "nginx recovered, verified: nginx:http passed 12 ms after the failure and held for 5 s",
            ),
        ],
        entries_left_out: 0,
        finding: Some(v1::Finding {
            root: "nginx (pid 4711) was killed by SIGKILL".to_owned(),
            symptoms: vec!["nginx:http is down: connection refused".to_owned()],
            reasons: vec!["process-before-checks: the process died, so its checks fail".to_owned()],
        }),
    }
}

#[test]
fn what_a_service_printed_is_shown_line_by_line_and_can_not_paint() {
    assert_eq!(evidence("web-1", "nginx", "one\n  \u{1b}[31mtwo\n"), "one\n   [31mtwo\n");
    let nothing = evidence("web-1", "nginx", "");
    assert_eq!(
        nothing,
        "nginx on web-1 printed nothing that is still there. Of what other programs start only those are heard.\n"
    );
}

#[test]
fn the_page_of_an_incident_tells_what_how_bad_how_it_ended_and_what_happened() {
    let text = detail(&shown(), &Screen::still(80, NOW));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "#3  nginx on web-1: was killed by SIGKILL");
    assert_eq!(lines[1], "    P2 (sev-service-down)  resolved");
    for said in [
        "  Outcome     recovered, verified",
        "  Where       web-1: nginx",
        "  Output      picket evidence web-1 nginx; or on the host: journalctl -u nginx",
        "              of a unit, STATE/services/nginx.log of what the agent starts",
        "  Opened      2026-03-01 11:57:00 +00:00 (3 min ago)",
        "  Lasted      5.3 s",
        "  Episode     2: the failure came back within 30 min",
        "  11:57:00.100            0  ! nginx (pid 4711) was killed by SIGKILL after 3 h",
        "  11:57:00.112       +12 ms  > nginx is restarted (attempt 1): it was killed by",
    ] {
        assert!(lines.contains(&said), "{said:?} in\n{text}");
    }
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn an_incident_without_services_names_no_file_of_their_output() {
    let mut silent = shown();
    silent.incident.as_mut().unwrap().services.clear();
    assert!(!detail(&silent, &Screen::still(80, NOW)).contains("STATE/services"));
}

#[test]
fn what_a_service_printed_cannot_drive_the_terminal() {
    let mut poisoned = shown();
    poisoned.timeline[0].text = "nginx last printed: \x1b]0;owned\x07".to_owned();
    assert!(!detail(&poisoned, &Screen::still(80, NOW)).contains(['\x1b', '\x07']));
}

#[test]
fn lists_fit_the_terminal_and_empty_ones_say_so() {
    let screen = Screen::still(60, NOW);
    let asked = Incidents { all: false, host: None, limit: 10 };
    let text = incidents(&[incident()], &asked, &screen);
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    assert!(text.contains("3 min ago"), "{text}");
    assert_eq!(
        incidents(&[], &asked, &screen),
        "No open incidents. `picket incidents --all` shows the resolved ones too.\n"
    );
    assert!(hosts(&[], &screen).starts_with("No hosts yet."));
    assert!(services(&[], &screen).starts_with("No services"));
    assert!(events(&[], &screen).starts_with("No events"));
}

#[test]
fn host_and_service_stand_on_their_first_line_only() {
    let check = |name: &str, verdict: v1::Verdict| v1::Check {
        check: name.to_owned(),
        verdict: verdict.into(),
        ..v1::Check::default()
    };
    let service = v1::Service {
        host: "web-1".to_owned(),
        service: "nginx".to_owned(),
        checks: vec![check("nginx:process", v1::Verdict::Up), check("nginx:http", v1::Verdict::Down)],
        pid: 4711,
        ..v1::Service::default()
    };
    let text = services(&[service], &Screen::still(80, NOW));
    assert_eq!(text.matches("web-1").count(), 1, "{text}");
    assert_eq!(text.matches("4711").count(), 1, "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn a_checks_name_loses_its_services_only_where_it_would_be_cut() {
    let name = "billing-reconciliation-worker";
    let check = |end: &str| v1::Check {
        check: format!("{name}:{end}"),
        verdict: v1::Verdict::Down.into(),
        cause: "connection refused: nothing listens there".to_owned(),
        ..v1::Check::default()
    };
    let service = v1::Service {
        host: "web-1".to_owned(),
        service: name.to_owned(),
        checks: vec![check("process"), check("http")],
        ..v1::Service::default()
    };
    let narrow = services(std::slice::from_ref(&service), &Screen::still(80, NOW));
    assert!(narrow.contains("  process  ") && narrow.contains("  http  "), "{narrow}");
    assert!(!narrow.contains("worker:"), "{narrow}");
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    let wide = services(&[service], &Screen::still(200, NOW));
    assert!(wide.contains(&format!("{name}:process")), "{wide}");
    assert_eq!(behind("nginx", "nginx-extra:http"), "nginx-extra:http");
    assert_eq!(behind("", "port:80"), "port:80");
}

#[test]
fn an_incident_that_rests_names_the_command_that_ends_that() {
    let mut resting = shown();
    let said = "picket-agent try web";
    assert!(!detail(&resting, &Screen::still(200, NOW)).contains(said));
    let incident = resting.incident.as_mut().unwrap();
    (incident.resolved, incident.outcome) = (None, "web: not healed, because it failed 3 times".to_owned());
    let text = detail(&resting, &Screen::still(200, NOW));
    assert!(text.contains(said), "{text}");
}

#[test]
fn an_incident_with_a_service_that_is_only_observed_says_who_has_to_act() {
    let mut observed = shown();
    let incident = observed.incident.as_mut().unwrap();
    let beside = "shop is only observed, so nothing is done: it would be restarted; it was killed by SIGKILL";
    (incident.resolved, incident.outcome) = (None, format!("pay: not healed, because it failed; {beside}"));
    let text = detail(&observed, &Screen::still(400, NOW));
    assert!(text.contains("picket-agent try pay; bring shop back by hand"), "{text}");
}

#[test]
fn an_incident_of_what_vanished_says_how_it_ends() {
    let mut gone = shown();
    let said = "picket-agent baseline accept";
    let incident = gone.incident.as_mut().unwrap();
    incident.severity_rule = "sev-vanished".to_owned();
    assert!(!detail(&gone, &Screen::still(200, NOW)).contains(said), "it is over");
    gone.incident.as_mut().unwrap().resolved = None;
    assert!(detail(&gone, &Screen::still(200, NOW)).contains(said));
}

#[test]
fn a_late_entry_stands_where_it_happened() {
    let mut detailed = shown();
    detailed.timeline.push(entry("2026-03-01T11:56:59Z", "check-degraded", "what led to it"));
    let text = detail(&detailed, &Screen::still(80, NOW));
    let at = |said: &str| text.find(said).unwrap_or_else(|| panic!("{said:?} in\n{text}"));
    assert!(at("what led to it") < at("! nginx (pid 4711)"), "{text}");
    assert!(text.contains("     -1.1 s  ! what led to it"), "{text}");
}

#[test]
fn a_failed_check_without_words_still_says_why_nothing_is_done() {
    let check = v1::Check {
        check: "a:process".to_owned(),
        verdict: v1::Verdict::Down.into(),
        ..v1::Check::default()
    };
    let service = v1::Service {
        service: "a".to_owned(),
        checks: vec![check],
        not_healed_because: "it failed 3 times".to_owned(),
        ..v1::Service::default()
    };
    let text = services(&[service], &Screen::still(120, NOW));
    assert!(text.contains("not healed, because it failed 3 times"), "{text}");
}

#[test]
fn a_host_is_shown_with_its_sample_and_a_clock_that_is_off_stands_out() {
    let screen = Screen::still(120, NOW);
    let sample = v1::Sample {
        cpu_permille: Some(126),
        memory_permille: Some(400),
        load_hundredths: Some(205),
        frames_waiting: 7,
        frames_lost: 0,
        agent_rss_kib: Some(7_936),
        carried: None,
    };
    let clock = v1::HostClock { wall_ahead_ms: -90_500, synced: false, bound_us: Some(1_200) };
    let mut shown = v1::Host {
        host: "web-1".to_owned(),
        state: v1::HostState::Connected.into(),
        checks: 9,
        frames: 120,
        agent_version: "0.1.0".to_owned(),
        sample: Some(sample),
        clock: Some(clock),
        ..Default::default()
    };
    let page = host(&shown, &screen);
    for part in [
        "CPU 13 %, memory 40 %, load 2.05 per core",
        "0.1.0, 7.7 MiB",
        "7 wait on the host",
        "NOT synchronised, 90500 ms behind the collector's; events are placed to 2 ms",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let row = hosts(std::slice::from_ref(&shown), &screen);
    assert!(row.contains("13 %") && row.contains("-91 s"), "{row}");
    shown.clock = Some(v1::HostClock { wall_ahead_ms: 3, synced: true, bound_us: None });
    assert!(hosts(std::slice::from_ref(&shown), &screen).contains(" ok "));
    assert!(!host(&shown, &screen).contains("metered"), "10 s or an older collector's nothing");
    shown.report_ms = 900_000;
    shown.sample = Some(v1::Sample { carried: Some(v1::Carried { bytes: 3 << 20, cap: 5 << 20 }), ..sample });
    let page = host(&shown, &screen);
    let link = "metered: heard every 15 min, so what is shown may be as old; silent after 37 min 30 s; carried 3072 of 5120 KiB";
    assert!(page.contains(link), "{page}");
    assert!(hosts(std::slice::from_ref(&shown), &screen).contains(", every 15 min"));
    assert!(!page.contains("image"), "{page}");
    shown.same_machine = vec!["web-2".to_owned(), "web-3".to_owned()];
    assert!(hosts(std::slice::from_ref(&shown), &screen).contains("copy of web-2"));
    let copy =
        "image     its machine-id is also that of web-2, web-3: an image must be sealed before it is copied";
    assert!(host(&shown, &screen).contains(copy), "{}", host(&shown, &screen));
    (shown.sample, shown.clock) = (None, None);
    assert!(!host(&shown, &screen).contains("clock"), "what is not known is not shown");
}
