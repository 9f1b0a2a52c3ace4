//! Levels of a host: what its agent reads of it, and not of the machine.

use super::super::world::{SOON, World};
use super::{Play, Scenario};

/// Holds so many bytes of memory.
const HOLDER: &str = "import sys, time; held = bytearray(b'x') * int(sys.argv[1]); time.sleep(3600)";

/// Somebody's job takes most of the memory and gives it back.
pub(super) const MEMORY: Scenario = Scenario {
    name: "memory-level",
    says: "a job takes a host's memory to 94 %: the host's agent tells that level as degraded, and that it is over; no other host's does",
    smoke: true,
    needs: &[("/usr/bin/python3", "python3-minimal")],
    play: Play::Inside(|world| {
        let total = world.host(2).memory() + (300 << 20);
        world.host(2).show_memory(total);
        world.watch_levels(2)?;
        let bytes = total * 94 / 100 - world.host(2).memory();
        let job = ["systemd-run", "-q", "--unit=job", "/usr/bin/python3", "-c", HOLDER, &bytes.to_string()];
        world.host(2).does(&job)?;
        level(world, total, "check-degraded")?;
        world.host(2).does(&["systemctl", "stop", "job"])?;
        level(world, total, "check-up")?;
        match world
            .all_events()?
            .iter()
            .find(|event| event.host != "h2" && event.text.contains("host:memory"))
        {
            None => Ok(()),
            Some(other) => Err(format!("{} tells {}", other.host, other.text)),
        }
    }),
};

/// The newest word on the level of memory.
fn level(world: &mut World, total: u64, code: &str) -> Result<(), String> {
    world.wait(&format!("{code} of the memory's level"), SOON, |world| {
        world.host(2).show_memory(total);
        let events = world.events("h2")?;
        let last = events.iter().find(|event| event.text.starts_with("host:memory"));
        Ok(last.is_some_and(|event| event.code == code))
    })
}
