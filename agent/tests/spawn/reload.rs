//! The configuration is changed under a running agent: by its folder's watch, by SIGHUP, by `reload`; and at a start.

use super::SLEEPS;
use super::host::{Agent, Host, runs, soon};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::path::Path;
use std::process::{Command, Output};

/// Another service, whose process ends with the value.
const SECOND: &str = "[[service]]\nname = \"two\"\ncommand = [\"/bin/sleep\", \"1000\"]\nhold = \"200ms\"\n";

/// What ends with the test.
struct Ends(Pid);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ended_already = kill_process_group(self.0, Signal::KILL);
    }
}

/// Puts a text in a file's place at once, as editors do.
fn save(file: &Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, file).unwrap();
}

fn text(host: &Host) -> String {
    std::fs::read_to_string(host.path("picket.toml")).unwrap()
}

fn ask(host: &Host, what: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
    command.arg(what).arg("--state").arg(host.path("state")).output().unwrap()
}

fn asked(host: &Host, what: &str) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = ask(host, what);
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

/// An agent whose service is up and proved, and the service's process.
fn up(host: &Host) -> (Agent, Pid) {
    let agent = host.start(&[]);
    let pid = agent.awaits_pid("service-started");
    host.saved_soon();
    (agent, pid)
}

#[test]
fn a_saved_drop_in_is_in_force_without_anyone_asking_and_what_did_not_change_runs_on() {
    let host = Host::with(SLEEPS);
    let (agent, pid) = up(&host);
    std::fs::create_dir(host.path("picket.toml.d")).unwrap();
    save(&host.path("picket.toml.d/two.toml"), SECOND);
    assert!(agent.awaits("config-reloaded").contains("services new: two"));
    let second = Ends(agent.awaits_pid("service-started"));
    assert!(runs(pid) && host.saved() == Some(pid));
    kill_process(second.0, Signal::KILL).unwrap();
    agent.awaits("service-died");
    let second = Ends(agent.awaits_pid("service-started"));
    agent.awaits("remedy-held");
    std::os::unix::fs::symlink("/nonexistent", host.path("picket.toml.d/nowhere.toml")).unwrap();
    agent.awaits("config-kept");
    assert!(agent.awaits("config-kept").contains("nowhere.toml: cannot be read"));
    std::fs::remove_file(host.path("picket.toml.d/nowhere.toml")).unwrap();
    agent.awaits("config-reloaded");
    std::fs::remove_file(host.path("picket.toml.d/two.toml")).unwrap();
    assert!(agent.awaits("config-reloaded").contains("services gone: two"));
    assert!(runs(second.0) && runs(pid), "what is gone from the file is let alone");
    save(&host.path("picket.toml.d/two.toml"), SECOND);
    agent.awaits("config-reloaded");
    assert_eq!(agent.awaits_pid("service-adopted"), second.0, "it is taken over");
}

#[test]
fn a_file_with_mistakes_changes_nothing_and_status_says_so_until_it_is_mended() {
    let host = Host::with(SLEEPS);
    let (agent, pid) = up(&host);
    let sound = text(&host);
    save(
        &host.path("picket.toml"),
        &sound.replace("hold", "hodl").replace("name = \"it\"", "name = \"i t\""),
    );
    assert!(agent.awaits("config-kept").contains("2 mistakes"));
    let lines = [agent.awaits("config-kept"), agent.awaits("config-kept")].join("\n");
    assert!(lines.contains("did you mean `hold`?") && lines.contains("service.name: must be"), "{lines}");
    let (_, status) = asked(&host, "status");
    assert!(status.contains("config: running on the configuration of 2"), "{status}");
    assert!(status.contains("; the file has 2 mistakes"), "{status}");
    let (code, told) = asked(&host, "reload");
    assert!(code == Some(64) && told.contains("2 mistakes; the configuration in force stays"), "{told}");
    save(&host.path("picket.toml"), &sound);
    assert!(agent.awaits("config-reloaded").contains("nothing changed"));
    let (_, status) = asked(&host, "status");
    assert!(!status.contains("config:"), "{status}");
    assert!(runs(pid) && host.saved() == Some(pid));
}

#[test]
fn what_only_a_start_can_change_is_refused_by_its_key() {
    let host = Host::with(SLEEPS);
    let (agent, pid) = up(&host);
    let sound = text(&host);
    let other = sound.replace("[agent]\n", "[agent]\nspool = 32\n").replace("127.0.0.1:1", "127.0.0.1:2");
    save(&host.path("picket.toml"), &other);
    agent.awaits("config-kept");
    let lines = [agent.awaits("config-kept"), agent.awaits("config-kept")].join("\n");
    for part in ["picket.toml:2: agent.spool: can't change", "collector: can't change", "restart the agent"] {
        assert!(lines.contains(part), "{part} in {lines}");
    }
    assert!(runs(pid));
}

#[test]
fn a_configuration_that_grew_beyond_its_places_is_refused_and_says_what_to_do() {
    let host = Host::with(SLEEPS);
    let (agent, pid) = up(&host);
    let sound = text(&host);
    let with = |many: usize| {
        let check =
            |n| format!("[[check]]\nname = \"c{n}\"\nkind = \"file\"\npath = \"/\"\ninterval = \"1h\"\n");
        (0..many).map(check).fold(sound.clone(), |all, one| all + &one)
    };
    save(&host.path("picket.toml"), &with(64));
    assert!(agent.awaits("config-reloaded").contains("checks"));
    save(&host.path("picket.toml"), &with(65));
    assert!(agent.awaits("config-kept").contains("the configuration in force stays"));
    let line = agent.awaits("config-kept");
    assert!(
        line.contains("no place for so many checks: this run has 65") && line.contains("restart"),
        "{line}"
    );
    assert!(runs(pid));
}

#[test]
fn a_signal_and_a_person_make_it_read_again_and_new_limits_are_no_event() {
    let host = Host::with(SLEEPS);
    let (agent, pid) = up(&host);
    let (code, told) = asked(&host, "reload");
    assert!(code == Some(0) && told.contains("1 services, 1 checks; nothing changed"), "{told}");
    agent.awaits("config-reloaded");
    kill_process(Pid::from_child(&agent.child), Signal::HUP).unwrap();
    assert!(agent.awaits("config-reloaded").contains("nothing changed"));
    save(&host.path("picket.toml"), &(text(&host) + "\nbudget = 9\n"));
    assert!(agent.awaits("config-reloaded").contains("services with other limits: it"));
    let (_, status) = asked(&host, "status");
    assert!(status.contains("0 of 9 used"), "{status}");
    let (_, codes) = agent.ends_by(Signal::TERM);
    assert!(!codes.iter().any(|code| code.starts_with("service") || code.starts_with("check")), "{codes:?}");
    assert!(runs(pid));
}

#[test]
fn a_start_with_mistakes_goes_by_the_last_sound_file_unless_it_is_strict() {
    let host = Host::with(SLEEPS);
    let (agent, pid) = up(&host);
    soon("a kept configuration", || host.path("state/config.good").exists().then_some(()));
    assert_eq!(agent.ends_by(Signal::TERM).0, Some(0));
    let sound = text(&host);
    save(&host.path("picket.toml"), "[agent]\nstate = \"state\"\n[service\n");
    let strict = host.command(&["--strict"]).output().unwrap();
    assert_eq!(strict.status.code(), Some(64));
    let next = host.start(&[]);
    assert!(next.awaits("config-kept").contains("the agent runs on the configuration of 2"));
    assert_eq!(next.awaits_pid("service-adopted"), pid);
    let (_, status) = asked(&host, "status");
    assert!(status.contains("; the file has 1 mistake"), "{status}");
    save(&host.path("picket.toml"), &sound);
    assert!(next.awaits("config-reloaded").contains("nothing changed"));
    assert!(runs(pid));
}
