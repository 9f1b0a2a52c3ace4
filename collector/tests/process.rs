//! How the process lives and dies with the one that started it, as `picket up` relies on.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn with_die_with_parent_the_end_of_the_parent_is_an_orderly_end() {
    let data = tempfile::tempdir().unwrap();
    let mut parent = Command::new("/bin/sh")
        .args(["-c", "\"$0\" run --die-with-parent --listen 127.0.0.1:0 --data \"$1\" & wait"])
        .arg(common::binary().get_program())
        .arg(data.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("ready "));
    let address = std::fs::read_to_string(data.path().join("collector.addr")).unwrap();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The pipe ends only when the collector, its last writer, is gone.
    let last = lines.last().unwrap();
    assert!(last.starts_with("ended "), "{last}");
    assert!(!data.path().join("collector.addr").exists());
    assert_eq!(common::hash(data.path())["damaged"], 0);
}

#[test]
fn an_empty_folder_is_made_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let collector = common::Collector::start(&data);
    for folder in ["", "ca", "operator", "journal"] {
        let mode = std::fs::metadata(data.join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
    collector.kill();
}
