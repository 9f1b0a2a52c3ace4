//! `job`: by a file that the job touches, and by what `picket-agent job run` records.

use crate::host::{Host, soon};
use std::fs::{File, FileTimes};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn check(name: &str, keys: &str) -> String {
    format!("[[check]]\nkind = \"job\"\nname = \"{name}\"\nfall = 1\n{keys}\n")
}

/// Sets when the file was touched last.
fn touch(host: &Host, age: Duration) {
    let file = File::create(host.path("stamp")).unwrap();
    file.set_times(FileTimes::new().set_modified(file.metadata().unwrap().modified().unwrap() - age))
        .unwrap();
}

#[test]
fn a_stamp_is_as_old_as_the_last_run() {
    let keys = "stamp = \"stamp\"\nmax_age = { degraded = \"25h\", down = \"2d\" }";
    let host = Host::with(&check("nightly", keys), |_| {});
    assert_eq!(host.becomes("nightly", "down")["cause"], "it is not there");
    touch(&host, Duration::from_secs(3600));
    assert_eq!(host.becomes("nightly", "up")["reading"], "1 h 0 min");
    touch(&host, Duration::from_secs(26 * 3600));
    let late = host.becomes("nightly", "degraded");
    assert_eq!(late["reading"], "1 d 2 h", "{late}");
    touch(&host, Duration::from_secs(3 * 86_400));
    host.becomes("nightly", "down");
    let file = File::open(host.path("stamp")).unwrap();
    let ahead = file.metadata().unwrap().modified().unwrap() + Duration::from_secs(9 * 86_400);
    file.set_times(FileTimes::new().set_modified(ahead)).unwrap();
    let down = host.becomes("nightly", "down");
    let cause = down["cause"].as_str().unwrap();
    assert!(cause.starts_with("dated ") && cause.ends_with(" ahead of the clock, 5 min may be"), "{down}");
}

fn wrapper(host: &Host, job: &str, script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
    command.args(["job", "run", job, "--state"]).arg(host.path("state"));
    command.args(["--", "/bin/sh", "-c", script]);
    command
}

fn run(host: &Host, job: &str, script: &str) -> Output {
    wrapper(host, job, script).output().unwrap()
}

#[test]
fn what_the_wrapper_records_is_what_the_check_says() {
    let tables = check("dump", "run = \"dump\"\nmax_age = \"1h\"\nmax_runtime = \"1s\"");
    let host = Host::with(&tables, |_| {});
    let never = host.becomes("dump", "down");
    assert_eq!(never["said"], "it never ran, by the records of `picket-agent job run dump`");
    let well = run(&host, "dump", "echo out; echo err >&2");
    assert_eq!((well.status.code(), &*well.stdout, &*well.stderr), (Some(0), &b"out\n"[..], &b"err\n"[..]));
    host.becomes("dump", "up");
    assert_eq!(run(&host, "dump", "exit 7").status.code(), Some(7));
    assert_eq!(host.becomes("dump", "down")["cause"], "it ended with status 7");
    assert_eq!(run(&host, "dump", "kill -9 $$").status.code(), Some(137));
    assert_eq!(host.look("dump").0, "it ended with status 137");
    assert_eq!(run(&host, "dump", "true").status.code(), Some(0));
    host.becomes("dump", "up");
    let name = run(&host, "no/name", "echo not run");
    assert_eq!((name.status.code(), name.stdout.len()), (Some(64), 0));
}

#[test]
fn a_run_that_takes_too_long_is_told_and_one_whose_wrapper_was_killed_has_failed() {
    let tables = check("slow", "run = \"slow\"\nmax_age = \"1h\"\nmax_runtime = \"1s\"");
    let host = Host::with(&tables, |_| {});
    let mut slow = wrapper(&host, "slow", "exec sleep 600").stdout(Stdio::null()).spawn().unwrap();
    // The first looks may come before the wrapper has recorded anything.
    soon("a run that takes too long", || {
        host.look("slow").1.starts_with("it has been running for ").then_some(())
    });
    assert_eq!(run(&host, "slow", "true").status.code(), Some(0));
    assert!(host.look("slow").1.ends_with(" s, longer than 1 s"), "the older one is not hidden");
    // SIGTERM is handed on, and the end of the command recorded.
    let pid = rustix::process::Pid::from_child(&slow);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(slow.wait().unwrap().code(), Some(143));
    assert_eq!(host.look("slow").0, "it ended with status 143");
    let mut killed = wrapper(&host, "slow", "echo begun; read line");
    let mut begun = [0; 6];
    let mut killed = killed.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(killed.stdout.as_mut().unwrap(), &mut begun).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let (reading, said, _) = host.look("slow");
    assert_eq!(reading, "it ended with status -1");
    assert!(said.starts_with("its end was not recorded"), "{said}");
}

#[test]
fn a_record_that_can_not_be_written_keeps_no_job_from_running() {
    let tables = check("any", "run = \"any\"\nmax_age = \"1h\"");
    let host = Host::with(&tables, |folder| {
        std::fs::create_dir(folder.path().join("state")).unwrap();
        std::fs::write(folder.path().join("state/jobs"), "a file where a folder should be").unwrap();
    });
    let ran = run(&host, "any", "echo ran; exit 3");
    assert_eq!((ran.status.code(), &*ran.stdout), (Some(3), &b"ran\n"[..]));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("the job's record"));
    assert_eq!(host.becomes("any", "unknown")["verdict"], "unknown");
}

#[test]
fn a_state_folder_that_is_not_there_is_told_and_not_made_and_the_command_runs() {
    let folder = tempfile::tempdir().unwrap();
    let run = |state: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
        command.args(["job", "run", "nightly", "--state"]).arg(folder.path().join(state));
        command.args(["--", "/bin/sh", "-c", "echo done; exit 3"]).output().unwrap()
    };
    let ran = run("typo");
    assert_eq!((ran.status.code(), &*ran.stdout), (Some(3), &b"done\n"[..]));
    let typo = folder.path().join("typo");
    let told =
        format!("picket-agent: no agent keeps its state in {}: the job is not recorded\n", typo.display());
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), told);
    assert!(!typo.exists());
    std::fs::create_dir(folder.path().join("state")).unwrap();
    let ran = run("state");
    assert_eq!((ran.status.code(), &*ran.stderr), (Some(3), &b""[..]));
    let mode = std::fs::metadata(folder.path().join("state/jobs")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
