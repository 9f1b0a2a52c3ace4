//! A command inside a host: in its namespaces, in a control group below its own, without the rights over the machine
//! that its systemd does not have either.

use super::groups::Groups;
use super::host::Host;
use super::{host, root};
use std::fs;
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

/// The operator's program, in the anchor's sight.
pub(super) const PICKET: &str = "/mnt/picket";

/// Puts the operator's program into the collector's host, with an operator's credentials; how to ask with it.
pub(super) fn operators_program(collector: &Host) -> String {
    let script = "#!/bin/sh\nexport PICKET_COLLECTOR=h1:7440 PICKET_CREDENTIALS=/var/lib/picket-collector/operator\n\
                  exec /usr/lib/picket \"$@\"\n";
    let laid = fs::copy(PICKET, collector.path("/usr/lib/picket")).map_err(|error| error.to_string());
    let laid = laid.and_then(|_| collector.write("/usr/bin/picket", script));
    match laid.and_then(|()| collector.does(&["chmod", "755", "/usr/bin/picket"])) {
        Ok(_) => "  picket hosts, picket incidents, picket events".to_owned(),
        Err(why) => format!("  it is not there ({why}): cargo build --release -p picket, beside fleet"),
    }
}
