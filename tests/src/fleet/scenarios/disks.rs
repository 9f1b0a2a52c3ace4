//! The disk that an agent keeps its state and its events on hangs or dies: it goes on without.

use super::super::disk::{Disk, NEEDS};
use super::super::net;
use super::super::world::{SOON, World};
use super::{Play, Scenario};

const STATE: &str = "/var/lib/picket-agent";

/// A service that the agent starts itself, with a log that is due to be turned over when it dies.
const WORDY: &str = r#"
[[service]]
name = "wordy"
command = ["/bin/sh", "-c", "test -e /run/wordy || yes | head -c 1200000; touch /run/wordy; exec sleep 1000000"]
hold = "1s"
"#;

/// A storage network that does not answer.
pub(super) const HUNG: Scenario = Scenario {
    name: "hung-disk",
    says: "the disk of an agent's state hangs while services die, a unit and one of the agent's own: healed and told meanwhile; \
           it goes on: nothing is missing",
    smoke: true,
    needs: NEEDS,
    play: Play::Inside(|world| {
        world.watch_too(2, WORDY)?;
        let disk = state_on_disk(world)?;
        world.wait("the wordy service has printed", SOON, |world| {
            let printed = world.host(2).path("/run/wordy").exists();
            if printed { Ok(true) } else { Err("it has not".to_owned()) }
        })?;
        disk.hang(true)?;
        let healed = both_die(world);
        disk.hang(false)?;
        healed?;
        // Now its log is turned over, and the one before is kept.
        wordy_dies(world)?;
        world.host(2).does(&["test", "-s", &format!("{STATE}/services/wordy.log.1")])?;
        world.told(2, "remedy-held")?;
        world.each_once(2)?;
        world.connected(2, SOON)
    }),
};

/// A flash card at its end.
pub(super) const DEAD: Scenario = Scenario {
    name: "dead-disk",
    says: "the disk of an agent's state dies: a service that dies while the link is down is healed, its host says that what \
           waits is not durable, and it is told once the link is up",
    smoke: false,
    needs: NEEDS,
    play: Play::Inside(|world| {
        let disk = state_on_disk(world)?;
        disk.die()?;
        net::set("h2", false);
        world.host(2).kill("nginx", "KILL")?;
        world.wait("the agent's status says that what waits is not durable", SOON, |world| {
            let (status, _) = world.host(2).run(&["picket-agent", "status"]);
            if status.contains("NOT durable") { Ok(true) } else { Err(status) }
        })?;
        net::set("h2", true);
        world.recovered(2, "nginx", 1)?;
        world.told(2, "remedy-held")?;
        world.each_once(2)
    }),
};

fn both_die(world: &mut World) -> Result<(), String> {
    world.host(2).kill("nginx", "KILL")?;
    world.recovered(2, "nginx", 1)?;
    wordy_dies(world)
}

/// The wordy service is killed, and another process of it is there.
fn wordy_dies(world: &mut World) -> Result<(), String> {
    const WHOM: [&str; 2] = ["-f", "^sleep 1000000$"];
    let living = |world: &World| world.host(2).run(&[&["pgrep"][..], &WHOM].concat()).0;
    let before = living(world);
    world.host(2).does(&[&["pkill", "-KILL"][..], &WHOM].concat())?;
    world.wait("the wordy service lives again", SOON, |world| {
        let now = living(world);
        if now.is_empty() || now == before { Err("it does not".to_owned()) } else { Ok(true) }
    })
}

fn state_on_disk(world: &mut World) -> Result<Disk, String> {
    world.host(2).does(&["systemctl", "stop", "picket-agent"])?;
    let disk = Disk::below(world.host(2), STATE)?;
    world.host(2).does(&["systemctl", "start", "picket-agent"])?;
    world.connected(2, SOON)?;
    Ok(disk)
}
