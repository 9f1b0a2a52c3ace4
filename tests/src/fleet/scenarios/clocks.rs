//! A host's wall clock jumps. Its agent runs with libfaketime, since the machine's own clock is not to be touched.

use super::super::world::SOON;
use super::{Play, Scenario};
use picket_rpc::v1;
use std::collections::BTreeSet;

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const OFFSET: &str = "/run/wall-clock";

/// Somebody sets the clock, and sets it back.
pub(super) const JUMP: Scenario = Scenario {
    name: "wall-clock-jump",
    says: "a host's wall clock jumps an hour ahead and two back while its service dies: healed each time, in order, and nobody is silent",
    smoke: false,
    needs: &[(LIBRARY, "libfaketime")],
    play: Play::Inside(|world| {
        let set = |world: &super::super::world::World, offset: &str| world.host(2).write(OFFSET, offset);
        set(world, "+0s\n")?;
        world.host(2).write(
            "/etc/systemd/system/picket-agent.service.d/clock.conf",
            &format!(
                "[Service]\nEnvironment=LD_PRELOAD={LIBRARY} FAKETIME_TIMESTAMP_FILE={OFFSET} FAKETIME_NO_CACHE=1 \
                 FAKETIME_DONT_FAKE_MONOTONIC=1\n"
            ),
        )?;
        world.host(2).does(&["systemctl", "daemon-reload"])?;
        world.host(2).does(&["systemctl", "restart", "picket-agent"])?;
        world.connected(2, SOON)?;
        for (episode, offset) in [(1, "+3600s\n"), (2, "-3600s\n")] {
            set(world, offset)?;
            world.host(2).kill("nginx", "KILL")?;
            world.recovered(2, "nginx", episode)?;
        }
        let hours: BTreeSet<String> = world
            .host(2)
            .does(&["journalctl", "-o", "cat", "-u", "picket-agent"])?
            .lines()
            .filter_map(hour)
            .collect();
        if hours.len() < 3 {
            return Err(format!("the agent's clock did not jump: {hours:?}"));
        }
        // The collector measures how an agent's clock lies to its own.
        if let Some(event) = world.events("h2")?.iter().find(|event| off(event) > 5) {
            return Err(format!("an event is {} s off: {}", off(event), event.text));
        }
        world.never_silent()?;
        world.connected(2, SOON)
    }),
};

/// The hour of a line of log.
fn hour(line: &str) -> Option<String> {
    let hour = line.get(..13)?;
    (hour.as_bytes()[10] == b'T').then(|| hour.to_owned())
}

/// Seconds between when it happened and when it was received, as the collector shows them.
fn off(event: &v1::Event) -> u64 {
    let received = event.received.as_ref().map_or(0, |time| time.seconds);
    received.abs_diff(event.at.as_ref().map_or(0, |time| time.seconds))
}
