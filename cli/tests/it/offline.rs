//! What needs no collector: help, `explain`, and errors with their exit statuses.

use crate::ground::{document, failure, picket, run, text};
use std::fs;

#[test]
fn every_command_explains_itself() {
    let home = tempfile::tempdir().unwrap();
    for (command, said) in [
        (&[][..], "Exit status: 0 done"),
        (&[][..], "cat DIR/collector.addr"),
        (&["up"], "leaves nothing"),
        (&["up"], "picket up --config picket.toml --data"),
        (&["hosts"], "--limit"),
        (&["services"], "--host"),
        (&["incidents"], "--all"),
        (&["incident"], "resolve"),
        (&["incident", "show"], "[ID]"),
        (&["incident", "ack"], "--revision"),
        (&["incident", "note"], "<TEXT>"),
        (&["incident", "resolve"], "--force"),
        (&["events"], "--within"),
        (&["watch"], "--resume"),
        (&["token"], "<HOST>"),
        (&["explain"], "[CODE]"),
    ] {
        let args: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let help = text(home.path(), &args);
        assert!(help.contains(said), "{args:?}: {help}");
        assert!(help.contains("Usage: picket"), "{args:?}: {help}");
        assert!(!help.contains("__agent"), "the hidden names stay hidden: {help}");
    }
}

#[test]
fn explain_tells_what_a_code_means_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let told = text(home.path(), &["explain", "breaker-open"]);
    assert!(told.starts_with("breaker-open\n  What happened  Not healed"), "{told}");
    assert!(told.contains("What to do"), "{told}");
    let value = document(home.path(), &["explain", "breaker-open", "--json"]);
    assert_eq!(value["code"], "breaker-open");
    assert!(value["meaning"].is_string() && value["next"].is_string());
    let all = document(home.path(), &["explain", "--json"]);
    assert_eq!(all["codes"].as_array().unwrap().len(), picket_proto::code::ALL.len());
}

#[test]
fn an_unknown_code_gets_the_nearest_ones_and_status_4() {
    let home = tempfile::tempdir().unwrap();
    let (status, said) = failure(home.path(), &["explain", "braker-open"]);
    assert_eq!(status, 4);
    assert!(said.starts_with("error: there is no code \"braker-open\". Near it: breaker-open, "), "{said}");
}

#[test]
fn without_a_collector_it_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    for command in ["hosts", "services", "incidents", "events", "watch"] {
        let (status, said) = failure(home.path(), &[command]);
        assert_eq!(status, 69, "{command}: {said}");
        assert!(said.contains("Start one with `picket up`"), "{command}: {said}");
        assert!(said.contains("runs in its default folder") && said.contains("--data DIR"), "{said}");
    }
}

#[test]
fn wrong_usage_is_status_2() {
    let home = tempfile::tempdir().unwrap();
    for wrong in [
        &["host"][..],
        &["incident", "show", "one"],
        &["incident", "ack", "one"],
        &["incident", "note", "1"],
        &["incident", "ack", "1", "--revision", "3", "--force"],
        &["events", "--within", "soon"],
        &["hosts", "--color", "blue"],
        &["hosts", "--limit", "0"],
        &["events", "--limit", "0"],
        &["incidents", "--limit", "1000001"],
        &["services", "--host", "Web 1"],
        &["token", "WEB_1/x"],
    ] {
        assert_eq!(failure(home.path(), wrong).0, 2, "{wrong:?}");
    }
}

#[test]
fn an_address_without_a_port_is_wrong_usage() {
    let home = tempfile::tempdir().unwrap();
    for wrong in ["localhost", "localhost:", "localhost:0", "localhost:picket", ":7440"] {
        let output = picket(home.path()).arg("hosts").env("PICKET_COLLECTOR", wrong).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}: {said}");
        assert!(said.contains("Give HOST:PORT"), "{said}");
        assert_eq!(failure(home.path(), &["hosts", "--collector", wrong]).0, 2, "{wrong}");
    }
}

#[test]
fn a_host_that_cannot_be_one_is_told_with_the_allowed_letters() {
    let home = tempfile::tempdir().unwrap();
    for wrong in [&["token", "WEB_1/x"][..], &["events", "--host", "WEB_1/x"]] {
        let (_, said) = failure(home.path(), wrong);
        assert!(said.contains("1 to 63 of a-z 0-9 . _ -"), "{said}");
    }
}

#[test]
fn credentials_that_are_not_there_are_named() {
    let home = tempfile::tempdir().unwrap();
    let empty = home.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let folder = empty.to_str().unwrap();
    let (status, said) =
        failure(home.path(), &["hosts", "--collector", "127.0.0.1:1", "--credentials", folder]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("ca.pem") && said.contains("--credentials names a folder"), "{said}");
}

#[test]
fn a_folder_of_up_that_others_can_enter_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let planted = home.path().join("picket-up");
    fs::create_dir(&planted).unwrap();
    fs::set_permissions(&planted, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(planted.join("collector.addr"), "127.0.0.1:1").unwrap();
    let (status, said) = failure(home.path(), &["hosts"]);
    assert_eq!(status, 5, "{said}");
    assert!(said.contains("only you can enter"), "{said}");
}

#[test]
fn every_mistake_of_a_broken_configuration_is_told_and_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("broken.toml");
    fs::write(&file, "[[service]]\nnam = \"a\"\n\n[[check]]\nkind = \"tpc\"\n").unwrap();
    let (status, said) = failure(home.path(), &["up", "--config", file.to_str().unwrap()]);
    assert_eq!(status, 64, "{said}");
    assert!(said.contains("did you mean `name`?") && said.contains("did you mean \"tcp\"?"), "{said}");
    assert!(!home.path().join("picket-up").exists());
}

#[test]
fn colour_comes_only_when_asked_for_where_there_is_no_terminal() {
    let home = tempfile::tempdir().unwrap();
    let plain = run(home.path(), &["explain", "gap"]).stdout;
    assert!(!plain.contains(&0x1b));
    let coloured = run(home.path(), &["explain", "gap", "--color", "always"]).stdout;
    assert!(coloured.contains(&0x1b));
}
