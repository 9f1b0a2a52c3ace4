//! What runs or is installed beside an agent: systemd, the journal, package managers, container engines, sensors, a watchdog.

use super::Finding;
use crate::baseline::has_systemd;
use crate::config::BusAddress;
use crate::probe::temperature;
use crate::sd::Survey;
use rustix::fs::Access;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_millis(700);
const ENGINES: [&str; 2] = ["/run/docker.sock", "/run/podman/podman.sock"];
const JOURNALS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// systemd over D-Bus.
pub(super) async fn systemd() -> Finding {
    let bus = BusAddress::System;
    if !has_systemd(&bus) && std::env::var_os("DBUS_SYSTEM_BUS_ADDRESS").is_none() {
        let costs =
            "units are neither watched nor restarted; services with `command` or of another init system are";
        return Finding::without("systemd", "does not run here", costs);
    }
    let costs = "units are neither watched nor restarted: install and start dbus, or give a service `start`, `stop` and `status` with systemctl";
    let asked = async { Survey::open(&bus).await?.version().await };
    match timeout(PATIENCE, asked).await {
        Ok(Ok(version)) => Finding::ok("systemd", format!("{version}, answers over D-Bus")),
        Ok(Err(error)) => Finding::problem("systemd", format!("does not answer over D-Bus: {error}"), costs),
        Err(_) => Finding::problem("systemd", "does not answer over D-Bus within 700 ms", costs),
    }
}

fn may(path: impl AsRef<Path>, access: Access) -> bool {
    rustix::fs::access(path.as_ref(), access).is_ok()
}

fn installed(program: &str) -> bool {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].iter().any(|at| Path::new(at).join(program).exists())
}

/// The journal, which holds a unit's last words: the files of the system, not those of users.
pub(super) fn journal() -> Finding {
    const COSTS: &str = "a unit's last words are not told, and its log is not watched";
    let folders =
        JOURNALS.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let files: Vec<_> = folders.map(|folder| folder.path().join("system.journal")).collect();
    let there = files.iter().find(|file| file.exists());
    match files.iter().find(|file| may(file, Access::READ_OK)) {
        _ if there.is_none() || !installed("journalctl") => Finding::without("journal", "none", COSTS),
        Some(file) => Finding::ok("journal", file.display().to_string()),
        None => {
            let costs = format!("{COSTS}: run as root or in the group systemd-journal");
            Finding::without("journal", "can't be read by this user", costs)
        }
    }
}

/// The rest.
pub(super) fn all() -> Vec<Finding> {
    vec![packages(), engine(), sensors(), watchdog()]
}

fn packages() -> Finding {
    if installed("dpkg") && installed("apt-get") {
        return Finding::ok("packages", "dpkg and apt: they are named as causes, and can be put back");
    }
    let costs = "a service's packages can't be put back";
    match ["dpkg", "rpm", "apk", "pacman"].into_iter().find(|program| installed(program)) {
        Some(program) => Finding::without("packages", format!("{program}, without apt"), costs),
        None => {
            Finding::without("packages", "no package manager", format!("{costs}, nor named as what changed"))
        }
    }
}

fn engine() -> Finding {
    let there: Vec<&str> = ENGINES.into_iter().filter(|socket| Path::new(socket).exists()).collect();
    match there.iter().find(|socket| may(socket, Access::WRITE_OK)) {
        Some(socket) => Finding::ok("containers", *socket),
        None if there.is_empty() => {
            Finding::without("containers", "no socket of Docker or Podman", "containers can't be checked")
        }
        None => {
            let costs = "containers can't be checked: run as root, since who may ask there is root in effect";
            Finding::without("containers", format!("{} refuses this user", there.join(", ")), costs)
        }
    }
}

fn sensors() -> Finding {
    let below =
        |class: &str| std::fs::read_dir(Path::new("/sys/class").join(class)).into_iter().flatten().flatten();
    let all = below("hwmon").chain(below("thermal"));
    match all.filter(|entry| temperature::hottest(&entry.path()).is_ok()).count() {
        0 => Finding::without("sensors", "none that can be read", "temperatures are not watched"),
        count => Finding::ok("sensors", format!("{count} chips and zones tell a temperature")),
    }
}

/// The agent never opens it: opening arms it, and it has one owner.
fn watchdog() -> Finding {
    let state = std::fs::read_to_string("/sys/class/watchdog/watchdog0/state");
    match state.as_deref().map(str::trim) {
        Ok("active") => Finding::ok("watchdog", "of the hardware, in use"),
        Ok(_) => {
            let costs =
                "a host that hangs stays so: RuntimeWatchdogSec= has systemd use it; the agent does not";
            Finding::without("watchdog", "of the hardware, not used", costs)
        }
        Err(_) if Path::new("/dev/watchdog").exists() => {
            Finding::without("watchdog", "/dev/watchdog", "whether anybody uses it can't be seen")
        }
        Err(_) => Finding::without("watchdog", "none", "a host that hangs stays so"),
    }
}
