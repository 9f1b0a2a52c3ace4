//! People on the host: what the running agent says on its local socket, link up or down, and what it keeps.

use super::story::{Story, program};
use picket_tests::rig::clock::Since;
use picket_tests::rig::listen::free_port;
use picket_tests::rig::process::PATIENCE;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};

/// A server that stays up, and one that dies the same way each time.
fn config(address: SocketAddr) -> String {
    with_metrics(address, free_port())
}

fn with_metrics(address: SocketAddr, metrics: SocketAddr) -> String {
    let program = program().to_str().unwrap();
    format!(
        "[host]\nenabled = false\n\n[metrics]\nlisten = \"{metrics}\"\n\n[[service]]\nname = \"web\"\n\
         command = [\"{program}\", \"__listen\", \"{address}\"]\nhold = \"300ms\"\n\n\
         [[service.check]]\nkind = \"tcp\"\naddress = \"{address}\"\ninterval = \"500ms\"\n\n\
         [[service]]\nname = \"broken\"\ncommand = [\"/bin/false\"]\nbackoff_first = \"20ms\"\n\
         backoff_max = \"100ms\"\nretry_after = \"1h\"\n"
    )
}

/// Asks the story's agent as a person would.
fn ask(story: &Story, args: &[&str]) -> Output {
    let (command, rest) = args.split_first().unwrap();
    let state = story.home.state();
    let all = ["__agent", command, "--state", state.to_str().unwrap()];
    Command::new(program()).args(all).args(rest).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn status(story: &Story) -> Value {
    let output = ask(story, &["status", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

/// The status as soon as it is as wanted.
fn status_when(story: &Story, wanted: impl Fn(&Value) -> bool) -> Value {
    let since = Since::now();
    loop {
        let status = status(story);
        if wanted(&status) {
            return status;
        }
        assert!(since.elapsed() < PATIENCE, "it does not come to that: {status:#}");
    }
}

fn service<'s>(status: &'s Value, name: &str) -> &'s Value {
    let services = status["each_service"].as_array().unwrap();
    services.iter().find(|service| service["name"] == name).unwrap()
}

fn kill_web(story: &Story) {
    let status = status_when(story, |status| service(status, "web")["phase"] == "running");
    let pid = service(&status, "web")["pid"].as_i64().unwrap();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
}

/// Purpose: a person sees what is watched and done, and with the collector gone why, and what to do next.
#[tokio::test]
async fn status_tells_what_stands_and_why_the_collector_is_not_reached() {
    let mut story = Story::begin(&config(free_port())).await;
    // Either may come first.
    story.agent.line_with("breaker-open");
    status_when(&story, |status| status["link"]["state"] == "open");
    let well = ask(&story, &["status"]);
    let text = said(&well);
    assert!(well.status.success(), "{text}");
    assert!(text.contains("connected to") && text.contains(&story.collector.address), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("broken") && line.contains("one more try in")),
        "{text}"
    );
    assert!(text.contains("not held: it exited with status 1"), "{text}");
    story.collector.process.kill();
    story.agent.line_with("link-refused");
    let down = ask(&story, &["status"]);
    let text = said(&down);
    assert_eq!(down.status.code(), Some(1), "{text}");
    for part in ["NOT connected", "(link-refused)", "next: Is the collector running"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let document = status(&story);
    assert_eq!(document["link"]["trouble"]["code"], "link-refused", "{document:#}");
    kill_web(&story);
    story.agent.line_with("remedy-held");
    let events = said(&ask(&story, &["events", "-n", "20"]));
    let waits = |line: &&str| line.contains('*') && line.contains("remedy-held");
    assert!(events.lines().any(|line| waits(&line)), "told and still waiting: {events}");
    story.agent.end();
    let nobody = ask(&story, &["status"]);
    assert_eq!(nobody.status.code(), Some(69), "{}", said(&nobody));
    assert!(said(&nobody).contains("agent.sock"), "{}", said(&nobody));
}

/// Purpose: a check is probed at once for whoever asks, by its name.
#[tokio::test]
async fn a_check_is_probed_now_for_whoever_asks() {
    let mut story = Story::begin(&config(free_port())).await;
    story.agent.line_with("breaker-open");
    status_when(&story, |status| service(status, "web")["phase"] == "running");
    let good = ask(&story, &["check", "web:tcp"]);
    assert!(good.status.success() && said(&good).contains("verdict: up"), "{}", said(&good));
    let bad = ask(&story, &["check", "broken:process"]);
    assert_eq!(bad.status.code(), Some(1), "{}", said(&bad));
    assert!(said(&bad).contains("no process"), "{}", said(&bad));
    let unknown = ask(&story, &["check", "nothing"]);
    assert!(said(&unknown).contains("there is no check `nothing`"), "{}", said(&unknown));
}

/// Purpose: why nothing is done about a service, and that one was stopped for good, stand where a person looks first.
#[tokio::test]
async fn status_says_for_whom_a_service_waits_and_which_one_was_stopped() {
    let (program, here, nowhere) = (program().to_str().unwrap(), free_port(), free_port());
    let mut story = Story::begin(&format!(
        "[host]\nenabled = false\n\n[[service]]\nname = \"db\"\ncommand = [\"/bin/false\"]\n\
         backoff_first = \"20ms\"\nbackoff_max = \"100ms\"\nretry_after = \"1h\"\n\n\
         [[service]]\nname = \"web\"\ncommand = [\"/bin/false\"]\nneeds = [\"db\"]\n\n\
         [[service]]\nname = \"sick\"\ncommand = [\"{program}\", \"__listen\", \"{here}\"]\nladder = [\"restart\", \"isolate\"]\n\
         start_timeout = \"300ms\"\nretry_after = \"1h\"\n\n\
         [[service.check]]\nkind = \"tcp\"\naddress = \"{nowhere}\"\ninterval = \"100ms\"\n"
    ))
    .await;
    let told = "sick not healed, because no remedy of its ladder held, so it was stopped";
    story.agent.line_with(told);
    status_when(&story, |status| {
        let phase = |name, phase: &str| service(status, name)["phase"] == phase;
        phase("db", "not healed") && phase("web", "waiting") && phase("sick", "not healed")
    });
    let text = said(&ask(&story, &["status"]));
    let line =
        |begin: &str, end: &str| text.lines().any(|line| line.starts_with(begin) && line.ends_with(end));
    assert!(line("web ", "waits for db"), "{text}");
    assert!(line("sick ", "stopped, left to a person"), "{text}");
}

/// Purpose: who looks at what a log said does not clear it.
#[tokio::test]
async fn a_persons_look_at_a_log_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    std::fs::write(&log, "").unwrap();
    let check = format!(
        "\n[[check]]\nkind = \"log\"\nname = \"log\"\nfile = \"{}\"\nmatch = \"ERROR\"\ninterval = \"5s\"\n",
        log.display()
    );
    let mut story = Story::begin(&(config(free_port()) + &check)).await;
    story.agent.line_with("link-open");
    let of_log = |status: &Value| {
        let checks = status["each_check"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "log").unwrap().clone()
    };
    status_when(&story, |status| of_log(status)["verdict"] == "up");
    std::fs::write(&log, "ERROR 7\n").unwrap();
    status_when(&story, |status| of_log(status)["verdict"] == "down");
    for _ in 0..2 {
        let asked = ask(&story, &["check", "log"]);
        assert_eq!(asked.status.code(), Some(1), "{}", said(&asked));
        for part in ["ago: 1 lines: ERROR 7", "not looked at for asking", "verdict: down"] {
            assert!(said(&asked).contains(part), "{part} in {}", said(&asked));
        }
    }
}

/// Purpose: maintenance. While a hold stands a killed service stays down and is told; afterwards it is healed.
#[tokio::test]
async fn a_hold_keeps_a_killed_service_down_over_a_restart_of_the_agent_until_it_is_lifted() {
    let mut story = Story::begin(&config(free_port())).await;
    story.agent.line_with("breaker-open");
    status_when(&story, |status| service(status, "web")["phase"] == "running");
    let held = ask(&story, &["hold", "30m", "--service", "web"]);
    assert!(held.status.success() && said(&held).contains("30 min"), "{}", said(&held));
    story.agent.line_with("hold-begun");
    kill_web(&story);
    story.agent.line_with("service-died");
    let status = status_when(&story, |status| service(status, "web")["phase"] == "waiting");
    assert!(service(&status, "web")["hold"]["by"].is_string(), "{status:#}");
    story.agent.kill();
    story.agent = story.home.start(&["--stop-services"]);
    story.agent.line_with("agent-began");
    let status = status_when(&story, |status| service(status, "web")["phase"] != "unknown");
    assert_eq!(service(&status, "web")["phase"], "waiting", "the hold stands: {status:#}");
    assert_eq!(service(&status, "broken")["breaker"], "open", "the breaker stands: {status:#}");
    assert_eq!(service(&status, "broken")["phase"], "not healed", "{status:#}");
    assert!(ask(&story, &["hold", "off", "--service", "web"]).status.success());
    story.agent.line_with("hold-lifted");
    status_when(&story, |status| service(status, "web")["phase"] == "running");
    for (args, words) in [(["hold", "10s"], "from 1 min to 7 d"), (["hold", "soon"], "no length of time")] {
        let refused = ask(&story, &args);
        assert!(!refused.status.success() && said(&refused).contains(words), "{}", said(&refused));
    }
}

/// Purpose: who has mended a cause has the service tried now, and is told where there is nothing to try.
#[tokio::test]
async fn what_was_not_healed_is_tried_again_when_a_person_says_so() {
    let mut story = Story::begin(&config(free_port())).await;
    story.agent.line_with("breaker-open");
    status_when(&story, |status| service(status, "web")["phase"] == "running");
    let tried = ask(&story, &["try", "broken"]);
    assert!(
        tried.status.success() && said(&tried).contains("broken is being tried (restart);"),
        "{}",
        said(&tried)
    );
    story.agent.line_with("breaker-half-open");
    story.agent.line_with("breaker-open");
    let tried = ask(&story, &["try", "broken", "--next"]);
    assert!(
        tried.status.success() && said(&tried).contains("(restart);"),
        "it has no other: {}",
        said(&tried)
    );
    story.agent.line_with("breaker-open");
    for (name, words) in
        [("web", "web is running: nothing is to be tried"), ("wbe", "there is no service `wbe`")]
    {
        let refused = ask(&story, &["try", name]);
        assert!(!refused.status.success() && said(&refused).contains(words), "{}", said(&refused));
    }
    assert!(ask(&story, &["hold", "30m"]).status.success());
    let refused = ask(&story, &["try", "broken"]);
    assert!(!refused.status.success() && said(&refused).contains("`hold off`"), "{}", said(&refused));
}

/// Purpose: a power cut in the middle of a write costs the last change and never the start.
#[tokio::test]
async fn a_torn_slot_costs_one_change_and_two_are_told() {
    let mut story = Story::begin(&config(free_port())).await;
    story.agent.line_with("breaker-open");
    let slots = ["keep.0", "keep.1"].map(|name| story.home.state().join(name));
    assert!(ask(&story, &["hold", "1h"]).status.success());
    story.agent.line_with("hold-begun");
    // It is written before the next one comes: a slow disk would write both at once.
    let status = status_when(&story, |status| status["hold"]["by"].is_string());
    let by = status["hold"]["by"].as_str().unwrap().as_bytes().to_vec();
    let names = |slot: &PathBuf| {
        std::fs::read(slot).is_ok_and(|bytes| bytes.windows(by.len()).any(|some| *some == by))
    };
    status_when(&story, |_| slots.iter().any(names));
    assert!(ask(&story, &["hold", "2h"]).status.success());
    story.agent.line_with("hold-begun");
    story.agent.end();
    let generation =
        |slot: &&PathBuf| std::fs::read(slot).unwrap()[16..24].iter().rev().copied().collect::<Vec<_>>();
    let newest = slots.iter().max_by_key(generation).unwrap();
    let bytes = std::fs::read(newest).unwrap();
    std::fs::write(newest, &bytes[..bytes.len() / 2]).unwrap();
    story.agent = story.home.start(&["--stop-services"]);
    story.agent.line_with("a slot of the state file is damaged");
    let status = status_when(&story, |status| service(status, "broken")["phase"] == "not healed");
    assert!(status["hold"].is_object(), "{status:#}");
    story.agent.end();
    for slot in &slots {
        std::fs::write(slot, "garbage").unwrap();
    }
    story.agent = story.home.start(&["--stop-services"]);
    story.agent.line_with("the state file is damaged");
    let status = status_when(&story, |status| service(status, "web")["phase"] == "running");
    assert!(status["hold"].is_null(), "{status:#}");
}

/// Purpose: whoever scrapes the agent reads the same as who asks it.
#[tokio::test]
async fn metrics_say_what_status_says() {
    let metrics = free_port();
    let mut story = Story::begin(&with_metrics(free_port(), metrics)).await;
    // Either may come first.
    story.agent.line_with("breaker-open");
    status_when(&story, |status| status["link"]["state"] == "open");
    status_when(&story, |status| service(status, "web")["phase"] == "running");
    let mut stream = TcpStream::connect(metrics).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    for line in [
        "picket_agent_link_up 1",
        "picket_agent_services_running 1",
        "picket_agent_breakers_open 1",
        "picket_agent_remedies_total{outcome=\"not_held\"} 2",
        "picket_agent_events_total{code=\"breaker-open\"} 1",
    ] {
        assert!(page.lines().any(|told| told == line), "{line} in {page}");
    }
}
