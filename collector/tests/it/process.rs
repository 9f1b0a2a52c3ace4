//! How the process lives and dies with the one that started it, as `picket up` relies on.

use crate::common::{Collector, SOON, binary};
use picket_rpc::v1;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn with_die_with_parent_the_end_of_the_parent_is_an_orderly_end() {
    let data = tempfile::tempdir().unwrap();
    let mut parent = Command::new("/bin/sh")
        .args(["-c", "\"$0\" run --die-with-parent --listen 127.0.0.1:0 --data \"$1\" & wait"])
        .arg(binary().get_program())
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
    assert_eq!(crate::common::hash(data.path())["damaged"], 0);
}

#[test]
fn an_empty_folder_is_made_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let collector = Collector::start(&data);
    for folder in ["", "ca", "operator", "journal"] {
        let mode = std::fs::metadata(data.join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
    collector.kill();
}

/// With every line that the log has, to a stderr that takes none of them.
#[test]
fn a_stderr_that_takes_nothing_costs_the_log_and_not_the_collector() {
    for format in ["plain", "json"] {
        let data = tempfile::tempdir().unwrap();
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = binary();
        command.args(["run", "--listen", "127.0.0.1:0", "--log-format", format, "--data"]).arg(data.path());
        command.env("RUST_LOG", "trace").stderr(Stdio::from(full));
        let collector = Collector::of(&mut command, data.path());
        assert!(std::net::TcpStream::connect(&collector.address).is_ok());
        let (status, _digest) = collector.stop();
        assert_eq!(status.code(), Some(0), "{format}");
    }
}

#[test]
fn a_failure_that_stderr_does_not_take_is_still_an_exit_status() {
    let data = tempfile::tempdir().unwrap();
    let _first = Collector::start(data.path());
    let failed = |stderr: Stdio| {
        let mut command = binary();
        command.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
        command.stderr(stderr).status().unwrap().code()
    };
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let told = failed(Stdio::null());
    assert!(told.is_some_and(|code| code != 0 && code != 101), "{told:?}");
    assert_eq!(failed(Stdio::from(full)), told);
}

/// A pipe takes 64 KiB, some 400 lines of log.
#[tokio::test]
async fn a_log_that_nobody_reads_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = binary();
    command.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(&data).stderr(Stdio::piped());
    let collector = Collector::of(&mut command, &data);
    let mut operator = collector.operator().await;
    for number in 0..1_500 {
        let request = v1::CreateTokenRequest { host: format!("h{number}") };
        tokio::time::timeout(SOON, operator.create_token(request)).await.unwrap().unwrap();
    }
    let (status, _) = collector.stop();
    assert!(status.success());
}
