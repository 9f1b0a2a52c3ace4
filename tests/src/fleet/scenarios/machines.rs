//! A whole machine goes, stands still, starves or fills up.

use super::super::world::{SILENCE, SOON};
use super::{Play, Scenario};
use rustix::process::Signal;

/// The lights go out.
pub(super) const POWER_CUT: Scenario = Scenario {
    name: "power-cut",
    says: "a host loses its power: silent, one incident; back after its boot, resolved",
    smoke: true,
    needs: &[],
    play: Play::Inside(|world| {
        world.host_mut(3).power_off();
        world.silent(3)?;
        world.host_mut(3).boot();
        world.host_mut(3).up()?;
        world.back(3)
    }),
};

/// A virtual machine is paused and goes on.
pub(super) const FROZEN: Scenario = Scenario {
    name: "frozen-machine",
    says: "a host is paused until it is silent and goes on: back, and nothing on it was restarted",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        let before = world.life(2, "nginx");
        world.host(2).freeze(true);
        world.silent(2)?;
        world.host(2).freeze(false);
        world.back(2)?;
        world.unchanged(2, "nginx", &before)
    }),
};

/// A noisy neighbour.
pub(super) const STARVED: Scenario = Scenario {
    name: "starved",
    says: "a host gets 20 % of a core: its service that dies is healed all the same",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        world.host(2).starve(20);
        world.host(2).kill("nginx", "KILL")?;
        let healed = world.recovered(2, "nginx", 1);
        world.host(2).starve(0);
        healed
    }),
};

/// PID 1 hangs: nobody can restart anything.
pub(super) const HUNG_SYSTEMD: Scenario = Scenario {
    name: "hung-systemd",
    says: "PID 1 hangs for a while: what serves goes on, the agent waits, and nothing was restarted",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        let before = world.life(2, "nginx");
        world.host(2).signal(Signal::STOP);
        // As long as a service elsewhere needs to die, come back and be proven.
        world.host(3).kill("redis-server", "KILL")?;
        let healed = world.recovered(3, "redis-server", 1);
        world.host(2).signal(Signal::CONT);
        healed?;
        world.connected(2, SOON)?;
        world.unchanged(2, "nginx", &before)?;
        world.quiet_about(2)
    }),
};

/// No room for a state or an event.
pub(super) const FULL_DISK: Scenario = Scenario {
    name: "full-disk",
    says: "a host's disk is full while its service dies: healed and told all the same; nothing is missing once there is room",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        world.host(2).fill(true);
        world.host(2).kill("nginx", "KILL")?;
        let healed = world.recovered(2, "nginx", 1);
        world.host(2).fill(false);
        healed?;
        world.told(2, "remedy-held")
    }),
};

/// The collector is killed while services die.
pub(super) const COLLECTOR_KILLED: Scenario = Scenario {
    name: "collector-killed",
    says: "kill -9 of the collector while a service dies: it is back by itself, and tells of it once",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        world.host(1).kill("picket-collector", "KILL")?;
        world.host(2).kill("nginx", "KILL")?;
        world.recovered(2, "nginx", 1)?;
        world.connected(2, SILENCE)
    }),
};

/// Somebody's job eats the memory.
pub(super) const OUT_OF_MEMORY: Scenario = Scenario {
    name: "out-of-memory",
    says: "a job of its own eats a host's memory and is killed for it: what is watched serves on, and nobody is paged",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        let before = world.life(2, "nginx");
        world.host(2).limit_memory(Some(world.host(2).memory() + (64 << 20)));
        let job = ["systemd-run", "--unit=job", "-q", "sh", "-c", "exec tail /dev/zero"];
        world.host(2).does(&job)?;
        world.wait("the job is killed", SOON, |world| {
            Ok(world.host(2).property("job", "ActiveState") == "failed")
        })?;
        world.host(2).limit_memory(None);
        world.unchanged(2, "nginx", &before)?;
        world.connected(2, SOON)?;
        world.quiet_about(2)
    }),
};

/// The collector's own machine goes.
pub(super) const COLLECTOR_OUT: Scenario = Scenario {
    name: "collector-out",
    says: "the collector's host loses its power while a service dies: all are back without a page for silence, and it is told",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        world.host_mut(1).power_off();
        world.host(2).kill("nginx", "KILL")?;
        world.wait("it is healed without a collector", SOON, |world| {
            Ok(world.host(2).run(&["picket-agent", "events"]).0.contains("recovered, verified"))
        })?;
        world.host_mut(1).boot();
        world.host_mut(1).up()?;
        world.reconnect()?;
        world.agents().try_for_each(|host| world.connected(host, SILENCE))?;
        world.told(2, "remedy-held")?;
        world.never_silent()
    }),
};
