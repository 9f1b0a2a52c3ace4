//! The disk that an agent keeps its state and its events on hangs or dies: it goes on without.

use super::super::disk::{Disk, NEEDS};
use super::super::net;
use super::super::world::{SOON, World};
use super::{Play, Scenario};

const STATE: &str = "/var/lib/picket-agent";

/// A storage network that does not answer.
pub(super) const HUNG: Scenario = Scenario {
    name: "hung-disk",
    says: "the disk of an agent's state hangs while a service dies: healed and told meanwhile; it goes on: nothing is missing",
    smoke: true,
    needs: NEEDS,
    play: Play::Inside(|world| {
        let disk = state_on_disk(world)?;
        disk.hang(true)?;
        world.host(2).kill("nginx", "KILL")?;
        let healed = world.recovered(2, "nginx", 1);
        disk.hang(false)?;
        healed?;
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

fn state_on_disk(world: &mut World) -> Result<Disk, String> {
    world.host(2).does(&["systemctl", "stop", "picket-agent"])?;
    let disk = Disk::below(world.host(2), STATE)?;
    world.host(2).does(&["systemctl", "start", "picket-agent"])?;
    world.connected(2, SOON)?;
    Ok(disk)
}
