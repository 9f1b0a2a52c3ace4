//! The anchor: one process that everything hangs from, and that nothing outlives.
//!
//! The runner starts `unshare` with a signal for the runner's own death (`setpriv --pdeathsig`), `unshare` kills its child
//! with itself, and that child is PID 1 of its namespace: its end ends every process in it, and with the last of them
//! the kernel frees mounts, links and namespaces.

use super::groups::Groups;
use super::scenarios::{Play, Scenario};
use super::{Wishes, ending, net};
use crate::rig::clock::Since;
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, WaitOptions, geteuid, wait};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// What the rig needs, and the Debian package that has it.
const TOOLS: [(&str, &str); 10] = [
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/nsenter", "util-linux"),
    ("/usr/bin/setpriv", "util-linux"),
    ("/usr/sbin/ip", "iproute2"),
    ("/usr/sbin/tc", "iproute2"),
    ("/usr/sbin/nft", "nftables"),
    ("/lib/systemd/systemd", "systemd"),
    ("/usr/bin/dbus-daemon", "dbus"),
    ("/usr/sbin/nginx", "nginx-light"),
    ("/usr/bin/redis-server", "redis-server"),
];

/// The name of the story that makes one host and does not boot it.
pub(super) const TRY: &str = "try";

/// Why the rig can't run here.
pub fn lacks() -> Option<String> {
    if !geteuid().is_root() {
        return Some("hosts of its own need root".to_owned());
    }
    if let Some(reason) = missing(&TOOLS) {
        return Some(reason);
    }
    // Everything that a host's boot needs of the kernel, up to the moment before systemd.
    let (groups, mut command) = anchor(TRY, Path::new("")).ok()?;
    let tried = command.output();
    groups.remove();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Some(format!("a host's namespaces and mounts can't be made: {}", said.trim().replace('\n', "; ")))
        }
        Err(error) => Some(error.to_string()),
    }
}

/// The first of these programs that is not there, and how to get it.
pub(super) fn missing(needs: &[(&str, &str)]) -> Option<String> {
    let (program, package) = needs.iter().find(|(program, _)| !Path::new(program).exists())?;
    Some(format!("{program} is not installed (apt-get install {package})"))
}

/// Plays a scenario, on hosts of its own as a rule; whether all held. What it leaves on a failure goes into `out`.
///
/// # Panics
/// If this program can't be started again.
pub fn play(scenario: &Scenario, wishes: Wishes, out: &Path) -> bool {
    if let Play::Outside(play) = scenario.play {
        let (since, told) = (Since::now(), play());
        super::story::say(scenario.name, &told, (since, None), out);
        return told.is_ok();
    }
    let (groups, mut command) = anchor(scenario.name, out).expect("control groups can be made");
    command.env(Wishes::VARIABLE, wishes.to_text());
    let can_end_early = !wishes.lasts.is_zero();
    if can_end_early {
        ending::prepare(&mut command);
    }
    let mut child = command.spawn().expect("setpriv starts");
    if can_end_early {
        ending::hand_on(&mut child);
    }
    let status = child.wait().expect("it is our child");
    groups.remove();
    status.success()
}

/// The command that is the anchor.
fn anchor(name: &str, out: &Path) -> std::io::Result<(Groups, Command)> {
    let groups = Groups::make()?;
    let own = std::env::current_exe()?;
    let mut command = Command::new("/usr/bin/setpriv");
    command
        .args(["--pdeathsig", "KILL", "/usr/bin/unshare", "--mount", "--net", "--pid"])
        .args(["--propagation", "private", "--fork", "--kill-child=SIGKILL", "--mount-proc"])
        .arg(own)
        .args(["__anchor", name])
        .arg(out)
        .env(Groups::VARIABLE, groups.to_text())
        .stdin(Stdio::null());
    Ok((groups, command))
}

/// PID 1 of the namespace: lays the ground, tells the story in a process of its own, and reaps whatever ends.
#[expect(clippy::zombie_processes, reason = "the loop reaps it with all others, and ends with it")]
pub(super) fn init(words: &[&str]) -> ExitCode {
    prepare().unwrap_or_else(|error| panic!("the anchor: {error}"));
    let story = Command::new("/mnt/fleet").arg("__story").args(words).spawn().expect("the story starts");
    let story = i32::try_from(story.id()).ok().and_then(Pid::from_raw);
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if Some(ended) == story => {
                return ExitCode::from(u8::from(status.exit_status() != Some(0)));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_nobody_is_left) => return ExitCode::FAILURE,
        }
    }
}

/// Hosts' disks are on /mnt and `ip netns` keeps its names on /run, both out of the machine's sight.
fn prepare() -> std::io::Result<()> {
    let own = fs::read("/proc/self/exe")?;
    for place in ["/mnt", "/run"] {
        mount("tmpfs", place, "tmpfs", MountFlags::empty(), Some(c"mode=755,size=8g"))?;
    }
    fs::create_dir_all("/run/netns")?;
    fs::create_dir_all("/run/lock")?;
    fs::write("/mnt/fleet", own)?;
    super::ground::executable("/mnt/fleet".as_ref())?;
    if let Some(agent) = std::env::var_os(super::root::AGENT_VARIABLE) {
        let named = |error| std::io::Error::other(format!("{}: {error}", agent.display()));
        fs::copy(&agent, super::root::AGENT).map_err(named)?;
        super::ground::executable(super::root::AGENT.as_ref())?;
    }
    super::own::take_along()?;
    // The operator's program, if it was built beside this one, for whoever is to look around.
    let beside = std::env::current_exe()?.with_file_name("picket");
    if Wishes::given().keep && beside.exists() {
        fs::copy(beside, super::inside::PICKET)?;
    }
    net::bridge();
    Ok(())
}
