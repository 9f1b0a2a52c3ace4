//! What may go wrong next on a host, each with what it means: units that nobody starts again, disks, memory, the clock.
//!
//! Limits are those of the checks that every host has: 90 percent of space and inodes; of the time lost waiting for memory
//! 10 percent, since a host without swap has nowhere to go from there.

use crate::config::Resource;
use crate::probe::{apart::Apart, inodes, mount, mounts, pressure, space};
use crate::sd::Life;
use crate::{clock, open};
use picket_agent_core::baseline::{File, Place, Runs, Sight, Sighting};
use picket_agent_core::check::Reading;
use std::time::Duration;
use tokio::time::timeout;

const MOUNTS_MAX: usize = 16;
const PATIENCE: Duration = Duration::from_secs(1);
/// Percent in use.
const FULL: u64 = 90;
/// Per mille of the last ten seconds.
const SHORT: i64 = 100;

/// A unit that runs and would not start again.
pub(super) fn of_unit(thing: &Sighting) -> Option<String> {
    let Sight::Unit { runs: Runs::Yes, file } = thing.sight else { return None };
    match file {
        File::Masked => Some(format!("{} runs and is masked: once it ends it can't be started", thing.name)),
        File::Missing => Some(format!("{} runs and its file is gone: once it ends it is lost", thing.name)),
        File::Enabled | File::Generated | File::Disabled => None,
    }
}

/// A service that listens and is left dead by systemd.
pub(super) fn of_listener(life: &Life, ports: &[(String, Option<String>)]) -> Option<String> {
    let own = ports.iter().filter(|(_, of)| of.as_deref() == Some(&life.unit));
    let own: Vec<&str> = own.map(|(port, _)| port.as_str()).collect();
    (life.is_daemon && !life.is_restarted()).then(|| {
        let (unit, own, restart) = (&life.unit, own.join(", "), &life.restart);
        format!("{unit} listens on {own} and systemd does not restart it when it fails (Restart={restart})")
    })
}

/// Disks, memory and the clock.
pub(super) async fn of_host() -> Vec<String> {
    let mut found = Vec::new();
    let table = mount::mounts(&open::text("/proc/self/mountinfo").unwrap_or_default());
    let lasting = |thing: &Sighting| thing.sight == Sight::Mounted(Place::Lasting);
    let listed = mounts::list().unwrap_or_default();
    let mut points: Vec<String> =
        listed.iter().filter(|it| lasting(it)).map(|it| it.name.to_string()).collect();
    if !points.iter().any(|point| point == "/") {
        points.insert(0, "/".to_owned());
    }
    for point in points.iter().take(MOUNTS_MAX) {
        // What stands later lies above.
        if table.iter().rfind(|one| one.point == *point).is_some_and(|one| !one.writable) {
            found.push(format!("{point} is read-only"));
        }
        found.extend(room(point).await);
    }
    if !clock::synced() {
        found.push(
            "the clock is not synchronised: when something happened is not sure (see timedatectl)".to_owned(),
        );
    }
    found.extend(memory());
    found
}

/// A mount with little room, or that does not answer.
async fn room(point: &str) -> Option<String> {
    let own = point.to_owned();
    let look = Apart::default().run(move || [space::read(&own), inodes::read(&own)]);
    let Ok(Ok(read)) = timeout(PATIENCE, look).await else {
        return Some(format!("{point} does not answer"));
    };
    let used = |reading| match reading {
        Reading::Room { left, of } if of > 0 => of.saturating_sub(left).saturating_mul(100) / of,
        _ => 0,
    };
    let told = ["space", "inodes"].into_iter().zip(read);
    let told = told.map(|(what, seen)| (what, used(seen.reading))).filter(|(_, used)| *used >= FULL);
    let told: Vec<String> = told.map(|(what, used)| format!("{used} % of its {what} are used")).collect();
    (!told.is_empty()).then(|| format!("{point}: {}", told.join(", ")))
}

/// Memory that is short where there is no swap.
fn memory() -> Option<String> {
    let swaps = open::text("/proc/swaps").unwrap_or_default();
    let Reading::Level(waits) = pressure::read(Resource::Memory) else { return None };
    (swaps.lines().count() < 2 && waits >= SHORT).then(|| {
        format!("memory is short and there is no swap: {} % of the time something waits for it", waits / 10)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(is_daemon: bool, restart: &str) -> Life {
        let (unit, result) = ("web.service".to_owned(), String::new());
        Life { unit, failed: false, result, is_daemon, restart: restart.to_owned() }
    }

    #[test]
    fn who_listens_and_is_left_dead_is_a_risk_with_all_of_its_ports() {
        let port = |name: &str, of: Option<&str>| (name.to_owned(), of.map(str::to_owned));
        let ports = [
            port("tcp/80", Some("web.service")),
            port("tcp/22", Some("ssh.service")),
            port("tcp/443", Some("web.service")),
            port("udp/5", None),
        ];
        let told = of_listener(&life(true, "no"), &ports).unwrap();
        assert!(told.contains("listens on tcp/80, tcp/443 and"), "{told}");
        assert_eq!(of_listener(&life(true, "always"), &ports), None);
        assert_eq!(of_listener(&life(false, "no"), &ports), None, "a socket starts it");
    }

    #[test]
    fn a_unit_that_runs_and_could_not_start_again_is_a_risk() {
        let unit = |runs, file| Sighting {
            kind: picket_proto::event::ThingKind::Service,
            name: "web.service".parse().unwrap(),
            of: None,
            sight: Sight::Unit { runs, file },
        };
        assert!(of_unit(&unit(Runs::Yes, File::Masked)).unwrap().contains("is masked"));
        assert!(of_unit(&unit(Runs::Yes, File::Missing)).unwrap().contains("file is gone"));
        assert_eq!(of_unit(&unit(Runs::No, File::Masked)), None);
        assert_eq!(of_unit(&unit(Runs::Yes, File::Enabled)), None);
    }

    #[tokio::test]
    async fn a_mount_without_blocks_or_that_is_not_there_is_no_risk() {
        assert_eq!(room("/proc").await, None);
        assert_eq!(room("/no/such/mount").await, None, "that is another one's to tell");
    }
}
