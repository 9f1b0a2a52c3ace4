//! A command inside a host: in its namespaces, in a control group below its own, without the rights over the machine
//! that its systemd does not have either.

use super::groups::Groups;
use super::{host, root};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

/// Becomes the command `words` in host `name`, whose systemd is process `pid` in the anchor's sight.
pub(super) fn enter(name: &str, pid: &str, words: &[&str]) -> ExitCode {
    Groups::given().join(name, "rig").expect("the host is up");
    let failed = Command::new("/usr/bin/nsenter")
        .args(["-t", pid, "-m", "-n", "-p", "-u", "-i", "-C", "-r", "-w", "--", "/usr/bin/setpriv"])
        .arg(root::dropped())
        .args(words)
        .env_clear()
        .envs(host::ENVIRONMENT)
        .exec();
    eprintln!("error: nsenter does not start: {failed}");
    ExitCode::FAILURE
}

/// Runs a command in a host; what it said, and whether it succeeded.
pub(super) fn run(name: &str, pid: u32, words: &[&str]) -> (String, bool) {
    let pid = pid.to_string();
    let mut command = Command::new("/mnt/fleet");
    let output = command.args(["__enter", name, &pid]).args(words).stdin(Stdio::null()).output();
    let output = output.expect("the anchor holds this program");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).trim().to_owned(), output.status.success())
}
