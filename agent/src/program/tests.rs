//! Real programs: those that end, and those that do not want to.

use super::*;
use std::path::Path;
use tempfile::TempDir;

const AMPLE: Duration = Duration::from_secs(20);
/// Enough for a shell to begin on a loaded machine.
const SHORT: Duration = Duration::from_secs(2);

/// A shell's script, as whom the tests run.
fn shell(script: &str) -> Program {
    let command = ["/bin/sh", "-c", script].map(ToOwned::to_owned).to_vec();
    let own = rustix::process::geteuid().as_raw().to_string();
    Program { command, env: vec![("ADDED".to_owned(), "by the file".to_owned())], user: Some(own) }
}

async fn run(script: &str, time: Duration) -> Ran {
    Seat::default().run(shell(script), time).await
}

fn text(ran: &Ran) -> String {
    String::from_utf8_lossy(&ran.printed).into_owned()
}

/// A folder into which a script writes the pids of its processes.
fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    (folder, path)
}

fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with(['Z', 'X']))
}

/// Waits until the process whose pid stands in this file is gone.
async fn is_gone(file: &Path) {
    let pid = std::fs::read_to_string(file).unwrap();
    let begun = clock::now().mono;
    while runs(pid.trim()) {
        assert!(clock::now().mono.since(begun) < Span::from_secs(20), "{pid} lives on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_it_prints_and_how_it_ends_come_back() {
    let ran = run("echo well; echo ill >&2; exit 2", AMPLE).await;
    assert_eq!((text(&ran).as_str(), ran.end), ("well\n", End::Status(2)));
    assert_eq!(run("kill -SEGV $$", AMPLE).await.end, End::Signal(11));
    let absent = Program { command: vec!["/does/not/exist".to_owned()], ..shell("") };
    let ran = Seat::default().run(absent, AMPLE).await;
    assert!(matches!(ran.end, End::NotStarted(libc::ENOENT, _)), "{ran:?}");
}

#[tokio::test]
async fn it_gets_little_and_keeps_no_terminal() {
    let script = "env | grep -v ^_= | grep -v ^PWD= | grep -v ^SHLVL= | cut -d= -f1 | sort | tr '\\n' ' '; \
                  umask; pwd; ulimit -Sn; ulimit -c; ls -l /proc/self/fd | grep -c ' [0-9]* -> '; \
                  cut -d' ' -f6,7 /proc/$$/stat | sed \"s/$$/own/\"; cat /proc/self/oom_score_adj";
    let (_open_in_the_agent, _too) = io::pipe().unwrap();
    let ran = text(&run(script, AMPLE).await);
    let lines: Vec<&str> = ran.lines().collect();
    // Of ls: its three, and the folder that it reads; a session of its own, and no terminal.
    let wanted = ["ADDED HOME LC_ALL LOGNAME PATH USER 0022", "/", "1024", "0", "4", "own 0", "500"];
    assert_eq!(lines, wanted);
}

#[tokio::test]
async fn root_runs_it_as_nobody_unless_told() {
    let mut program = shell("id -u; id -G; cat /etc/shadow");
    program.user = None;
    let ran = Seat::default().run(program, AMPLE).await;
    let ids = Command::new("id").args(["-G", "nobody"]).output().unwrap();
    if rustix::process::geteuid().is_root() {
        let groups = String::from_utf8_lossy(&ids.stdout).into_owned();
        assert_eq!(text(&ran), format!("65534\n{groups}"), "and it reads nothing that is root's");
    } else {
        assert!(text(&ran).starts_with(&rustix::process::geteuid().as_raw().to_string()));
    }
}

#[tokio::test]
async fn one_that_takes_too_long_may_tidy_up_and_is_told_as_late() {
    let (folder, path) = folder();
    let script =
        format!("trap 'echo tidy > {path}/tidy; exit 0' TERM; echo begun; while :; do sleep 0.01; done");
    let ran = run(&script, SHORT).await;
    assert_eq!((text(&ran).as_str(), ran.end), ("begun\n", End::Late));
    let begun = clock::now().mono;
    while !folder.path().join("tidy").exists() {
        assert!(clock::now().mono.since(begun) < Span::from_secs(20));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_ignores_sigterm_is_killed_with_all_its_group() {
    let (folder, path) = folder();
    let script = format!(
        "trap '' TERM; sh -c 'echo $$ > {path}/child; exec sleep 600' & echo $$ > {path}/leader; wait"
    );
    let seat = Seat::default();
    assert_eq!(seat.clone().run(shell(&script), SHORT).await.end, End::Late);
    // The next one of the seat runs once all of it is gone.
    assert_eq!(seat.run(shell("echo next"), AMPLE).await.end, End::Status(0));
    is_gone(&folder.path().join("child")).await;
    is_gone(&folder.path().join("leader")).await;
}

#[tokio::test]
async fn what_forks_away_ignores_sigterm_and_holds_the_pipe_is_found_and_killed() {
    let (folder, path) = folder();
    let away = format!("trap '' TERM HUP; echo $$ > {path}/away; while :; do sleep 1; done");
    let script = format!(
        "setsid sh -c \"{}\" & while ! [ -s {path}/away ]; do sleep 0.01; done; echo OK",
        away.replace('$', "\\$")
    );
    let seat = Seat::default();
    let begun = clock::now().mono;
    let ran = seat.clone().run(shell(&script), AMPLE).await;
    assert_eq!((text(&ran).as_str(), ran.end), ("OK\n", End::Status(0)));
    assert!(
        clock::now().mono.since(begun) < Span::from_secs(15),
        "the one that holds the pipe is not waited for"
    );
    is_gone(&folder.path().join("away")).await;
    // Also where the leader never ends.
    let (folder, path) = self::folder();
    let away = format!("trap '' TERM HUP; echo $$ > {path}/away; while :; do sleep 1; done");
    let script =
        format!("trap '' TERM; setsid sh -c \"{}\" & while :; do sleep 1; done", away.replace('$', "\\$"));
    assert_eq!(seat.run(shell(&script), SHORT).await.end, End::Late);
    is_gone(&folder.path().join("away")).await;
}

#[tokio::test]
async fn one_that_prints_much_is_cut_and_one_that_prints_without_end_is_ended() {
    let ran = run("head -c 500000 /dev/zero; exit 1", AMPLE).await;
    assert_eq!((ran.printed.len(), ran.end), (KEPT, End::Status(1)));
    let ran = run("while :; do echo again; done", AMPLE).await;
    assert_eq!((ran.printed.len(), ran.end), (KEPT, End::Flood));
}

#[tokio::test]
async fn one_that_closes_its_output_is_waited_for() {
    let ran = run("echo OK; exec >&-; sleep 0.2; exit 1", AMPLE).await;
    assert_eq!((text(&ran).as_str(), ran.end), ("OK\n", End::Status(1)));
}

#[tokio::test]
async fn a_frozen_one_ends_too() {
    assert_eq!(run("kill -STOP $$", SHORT).await.end, End::Late);
}

#[tokio::test]
async fn what_forks_away_and_floods_the_pipe_is_killed_too() {
    let (folder, path) = folder();
    let away = format!("trap '' TERM HUP PIPE; echo \\$\\$ > {path}/away; while :; do echo flood; done");
    let script =
        format!("setsid sh -c \"{away}\" & while ! [ -s {path}/away ]; do sleep 0.01; done; echo OK");
    assert!(matches!(run(&script, AMPLE).await.end, End::Status(0) | End::Flood));
    is_gone(&folder.path().join("away")).await;
}
