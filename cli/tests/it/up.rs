//! `picket up` end to end: real agent, real collector, a real service that is killed.

use crate::ground::{Running, document, ended, failure, handle, picket, pid_in, processes_naming, text};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A host with one service that sleeps.
fn config(home: &Path) -> PathBuf {
    let file = home.join("napper.toml");
    fs::write(
        &file,
        "[agent]\nhost = \"box\"\n[host]\nenabled = false\n\
         [[service]]\nname = \"napper\"\ncommand = [\"sleep\", \"1000\"]\nhold = \"300ms\"\n",
    )
    .unwrap();
    file
}

fn up(home: &Path) -> Running {
    Running::start(picket(home).args(["up", "--config"]).arg(config(home)))
}

/// Waits for the service's start; the answer is its pid.
fn started(running: &mut Running) -> i32 {
    pid_in(&running.line("napper started (pid "))
}

fn kill_9(pid: i32) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_killed_service_comes_back_a_person_reads_why_and_ctrl_c_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut up = up(home.path());
    kill_9(started(&mut up));
    up.line("was killed by SIGKILL");
    let again = started(&mut up);
    up.line("resolved: recovered, verified");

    asked_by_people(home.path());
    asked_by_programs(home.path());

    let service = handle(again);
    up.signal(Signal::INT);
    let (status, said) = up.end();
    assert!(status.success(), "{said}");
    ended(&service, "the service");
    assert_eq!(processes_naming(home.path()), Vec::<i32>::new(), "{said}");
    assert!(!home.path().join("picket-up").exists(), "{said}");
}

fn asked_by_people(home: &Path) {
    let list = text(home, &["incidents", "--all"]);
    assert!(list.contains("recovered, verified"), "{list}");
    let page = text(home, &["incident", "show"]);
    let id = page.split_whitespace().next().and_then(|number| number.strip_prefix('#')).unwrap();
    for said in ["killed by SIGKILL", "recovered, verified", "Why this is one incident", "Timeline of"] {
        assert!(page.contains(said), "{said:?} in\n{page}");
    }
    for list in [&["services"][..], &["incidents"], &["incidents", "--all", "--json"], &["events"]] {
        let args: Vec<&str> = list.iter().copied().chain(["--host", "bax"]).collect();
        let (status, said) = failure(home, &args);
        assert_eq!(status, 4, "{said}");
        assert_eq!(said, "error: no host \"bax\". Known: box (see `picket hosts`).\n");
    }
    let none = text(home, &["events", "--host", "box", "--service", "other"]);
    assert!(none.starts_with("No events"), "a known host without events is no mistake: {none}");
    let nothing = text(home, &["evidence", "box", "napper"]);
    assert!(nothing.starts_with("napper on box printed nothing that is still there. "), "{nothing}");
    let (status, said) = failure(home, &["evidence", "box", "other"]);
    assert!(status == 4 && said.starts_with("error: order-stranger: "), "{status} {said}");
    let (status, said) = failure(home, &["evidence", "bax", "napper"]);
    assert_eq!((status, said.as_str()), (4, "error: no host \"bax\". Known: box (see `picket hosts`).\n"));
    let noted = text(home, &["incident", "note", id, "it", "was", "me"]);
    assert!(noted.starts_with("The note stands"), "{noted}");
    assert!(text(home, &["incident", "show", id]).contains("it was me"));
    assert!(text(home, &["services"]).contains("napper:process"));
}

fn asked_by_programs(home: &Path) {
    let hosts = document(home, &["hosts", "--json"]);
    assert_eq!(hosts["hosts"][0]["host"], "box");
    assert_eq!(hosts["hosts"][0]["state"], "connected");
    let services = document(home, &["services", "--json"]);
    assert_eq!(services["services"][0]["service"], "napper");
    assert_eq!(services["services"][0]["checks"][0]["verdict"], "up");
    let shown = document(home, &["incident", "show", "--json"]);
    let id = shown["incident"]["id"].to_string();
    assert_eq!(shown["incident"]["state"], "resolved");
    assert_eq!(shown["incident"]["outcome"], "recovered, verified");
    assert!(shown["incident"]["opened"].as_str().unwrap().ends_with('Z'));
    assert!(shown["timeline"].as_array().unwrap().iter().any(|entry| entry["code"] == "service-died"));
    let evidence = document(home, &["evidence", "box", "napper", "--json"]);
    assert_eq!((&evidence["service"], &evidence["text"]), (&"napper".into(), &"".into()));
    let events = text(home, &["events", "--json", "--service", "napper", "--limit", "100"]);
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().filter(|event| event["code"] == "remedy-held").count(), 1, "{events:?}");
    let (status, said) = failure(home, &["incident", "ack", &id]);
    assert_eq!(status, 5, "a resolved incident can't be taken: {said}");
    let (status, said) = failure(home, &["incident", "resolve", &id, "--revision", "1"]);
    assert_eq!(status, 5, "{said}");
    assert!(
        said.contains(&format!("`picket incident show {id}`")) || said.contains("already-resolved"),
        "{said}"
    );
}

#[test]
fn a_watch_beside_it_tells_every_change_and_can_be_resumed() {
    let home = tempfile::tempdir().unwrap();
    let mut up = up(home.path());
    let first = started(&mut up);
    let mut watch = Running::start(picket(home.path()).args(["watch", "--json"]));
    watch.line("watching all incidents");
    let mut seen = Running::start(picket(home.path()).arg("watch"));
    seen.line("watching all incidents");
    kill_9(first);
    up.line("resolved: recovered, verified");
    let last = document(home.path(), &["incident", "show", "--json"]);
    let id = last["incident"]["id"].to_string();
    let line = seen.line("recovered, verified");
    assert!(line.contains(&format!("#{id}")), "{line}");
    let change: Value = serde_json::from_str(&watch.line("incident-resolved")).unwrap();
    assert_eq!(change["incident"]["id"], last["incident"]["id"]);
    assert_eq!(change["incident"]["revision"], last["incident"]["revision"]);
    let token = change["resume_token"].as_str().unwrap();
    let mut resumed = Running::start(picket(home.path()).args(["watch", "--json", "--resume", token]));
    text(home.path(), &["incident", "note", &id, "after the token"]);
    let next: Value = serde_json::from_str(&resumed.line("{")).unwrap();
    assert_eq!(next["code"], "incident-note");
}

#[test]
fn a_watch_says_that_the_up_beside_it_has_ended() {
    let home = tempfile::tempdir().unwrap();
    let mut up = up(home.path());
    started(&mut up);
    let mut watch = Running::start(picket(home.path()).arg("watch"));
    watch.line("watching all incidents");
    up.signal(Signal::TERM);
    let (status, said) = watch.end();
    assert_eq!(status.code(), Some(69), "{said}");
    assert!(said.contains("error: the `picket up` that was asked has ended."), "{said}");
    assert!(!said.contains("https://"), "{said}");
    assert!(up.end().0.success());
}

#[test]
fn nothing_outlives_up_when_it_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let mut up = up(home.path());
    let service = handle(started(&mut up));
    let parts: Vec<_> =
        processes_naming(home.path()).into_iter().filter(|pid| *pid != up.pid().as_raw_pid()).collect();
    let handles: Vec<_> = parts.iter().map(|pid| handle(*pid)).collect();
    assert_eq!(handles.len(), 2, "agent and collector");
    up.signal(Signal::KILL);
    for part in &handles {
        ended(part, "a part");
    }
    ended(&service, "the service");
}

#[test]
fn an_agent_that_dies_is_told_and_nothing_stays() {
    let home = tempfile::tempdir().unwrap();
    let mut up = up(home.path());
    let service = handle(started(&mut up));
    let agent = processes_naming(&home.path().join("picket-up/agent"));
    assert_eq!(agent.len(), 1);
    kill_9(agent[0]);
    let (status, said) = up.end();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("error: the agent ended by itself"), "{said}");
    ended(&service, "the service");
    assert!(!home.path().join("picket-up").exists());
}

#[test]
fn a_second_up_is_refused_and_does_no_harm() {
    let home = tempfile::tempdir().unwrap();
    let mut first = up(home.path());
    let service = started(&mut first);
    let file = config(home.path());
    let (status, said) = failure(home.path(), &["up", "--config", file.to_str().unwrap()]);
    assert_eq!(status, 5, "{said}");
    assert!(said.contains("another `picket up` runs in"), "{said}");
    kill_9(service);
    first.line("resolved: recovered, verified");
}

#[test]
fn a_named_folder_stays_and_the_commands_are_printed_with_it() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("kept");
    let mut up = Running::start(picket(home.path()).args(["up", "--data"]).arg(&data));
    let command = up.line(" --credentials ");
    let args: Vec<&str> = command.split_whitespace().skip(1).collect();
    let answered = text(home.path(), &args);
    assert!(answered.starts_with("HOST") || answered.starts_with("No services"), "{answered}");
    up.signal(Signal::TERM);
    let (status, said) = up.end();
    assert!(status.success(), "{said}");
    assert!(data.join("collector").exists() && !data.join("collector.addr").exists());
}
