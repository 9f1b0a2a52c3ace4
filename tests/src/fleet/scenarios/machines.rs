//! A whole machine goes, stands still, starves or fills up.

use super::super::world::{SILENCE, SOON, World};
use super::Scenario;
use super::services::{quiet_about, recovered};
use picket_rpc::v1;
use rustix::process::Signal;

/// The lights go out.
pub(super) const POWER_CUT: Scenario = Scenario {
    name: "power-cut",
    says: "a host loses its power: silent, one incident; back after its boot, resolved",
    smoke: true,
    play: |world| {
        world.host_mut(3).power_off();
        silent(world, "h3")?;
        world.host_mut(3).boot();
        world.host_mut(3).up()?;
        back(world, "h3")
    },
};

/// A virtual machine is paused and goes on.
pub(super) const FROZEN: Scenario = Scenario {
    name: "frozen-machine",
    says: "a host is paused until it is silent and goes on: back, and nothing on it was restarted",
    smoke: false,
    play: |world| {
        let before = world.host(2).property("nginx", "InvocationID");
        world.host(2).freeze(true);
        silent(world, "h2")?;
        world.host(2).freeze(false);
        back(world, "h2")?;
        unchanged(world, 2, "nginx", &before)
    },
};

/// A noisy neighbour.
pub(super) const STARVED: Scenario = Scenario {
    name: "starved",
    says: "a host gets 20 % of a core: its service that dies is healed all the same",
    smoke: false,
    play: |world| {
        world.host(2).starve(20);
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        let healed = recovered(world, 2, "nginx", 1);
        world.host(2).starve(0);
        healed
    },
};

/// PID 1 hangs: nobody can restart anything.
pub(super) const HUNG_SYSTEMD: Scenario = Scenario {
    name: "hung-systemd",
    says: "PID 1 hangs for a while: what serves goes on, the agent waits, and nothing was restarted",
    smoke: false,
    play: |world| {
        let before = world.host(2).property("nginx", "InvocationID");
        world.host(2).signal(Signal::STOP);
        // As long as a service elsewhere needs to die, come back and be proven.
        world.host(3).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "redis-server"])?;
        let healed = recovered(world, 3, "redis-server", 1);
        world.host(2).signal(Signal::CONT);
        healed?;
        connected(world, "h2", SOON)?;
        unchanged(world, 2, "nginx", &before)?;
        quiet_about(world, "h2")
    },
};

/// No room for a state or an event.
pub(super) const FULL_DISK: Scenario = Scenario {
    name: "full-disk",
    says: "a host's disk is full while its service dies: healed and told all the same; nothing is missing once there is room",
    smoke: false,
    play: |world| {
        world.host(2).fill(true);
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        let healed = recovered(world, 2, "nginx", 1);
        world.host(2).fill(false);
        healed?;
        let codes: Vec<String> = world.events("h2")?.into_iter().map(|event| event.code).collect();
        if codes.iter().any(|code| code == "remedy-held") { Ok(()) } else { Err(format!("{codes:?}")) }
    },
};

/// The collector is killed while services die.
pub(super) const COLLECTOR_KILLED: Scenario = Scenario {
    name: "collector-killed",
    says: "kill -9 of the collector while a service dies: it is back by itself, and tells of it once",
    smoke: false,
    play: |world| {
        world.host(1).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "picket-collector"])?;
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        recovered(world, 2, "nginx", 1)?;
        connected(world, "h2", SILENCE)
    },
};

/// Somebody's job eats the memory.
pub(super) const OUT_OF_MEMORY: Scenario = Scenario {
    name: "out-of-memory",
    says: "a job of its own eats a host's memory and is killed for it: what is watched serves on, and nobody is paged",
    smoke: false,
    play: |world| {
        let before = world.host(2).property("nginx", "InvocationID");
        world.host(2).limit_memory(Some(world.host(2).memory() + (64 << 20)));
        let job = ["systemd-run", "--unit=job", "-q", "sh", "-c", "exec tail /dev/zero"];
        world.host(2).does(&job)?;
        world.wait("the job is killed", SOON, |world| {
            Ok(world.host(2).property("job", "ActiveState") == "failed")
        })?;
        world.host(2).limit_memory(None);
        unchanged(world, 2, "nginx", &before)?;
        connected(world, "h2", SOON)?;
        quiet_about(world, "h2")
    },
};

/// The collector's own machine goes.
pub(super) const COLLECTOR_OUT: Scenario = Scenario {
    name: "collector-out",
    says: "the collector's host loses its power while a service dies: all are back without a page for silence, and it is told",
    smoke: false,
    play: |world| {
        world.host_mut(1).power_off();
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        world.wait("it is healed without a collector", SOON, |world| {
            Ok(world.host(2).run(&["picket-agent", "events"]).0.contains("recovered, verified"))
        })?;
        world.host_mut(1).boot();
        world.host_mut(1).up()?;
        world.reconnect()?;
        for host in ["h2", "h3", "h4", "h5"] {
            connected(world, host, SILENCE)?;
        }
        world.wait("what happened meanwhile is told", SOON, |world| {
            let events = world.events("h2")?;
            Ok(events.iter().any(|event| event.code == "remedy-held"))
        })?;
        let incidents = world.incidents()?;
        match incidents.iter().find(|found| found.severity_rule == "sev-host-silent") {
            None => Ok(()),
            Some(found) => Err(format!("a page for silence: {}", found.title)),
        }
    },
};

/// A host is told silent, by one incident.
pub(super) fn silent(world: &mut World, host: &str) -> Result<(), String> {
    world.wait("it is told silent", SILENCE, |world| {
        let incidents = world.incidents()?;
        Ok(incidents.iter().any(|found| found.hosts == [host] && found.severity_rule == "sev-host-silent"))
    })
}

/// A host is connected again, and its incident resolved.
pub(super) fn back(world: &mut World, host: &str) -> Result<(), String> {
    connected(world, host, SILENCE)?;
    world.wait("its incidents are resolved", SILENCE, |world| {
        let incidents = world.incidents()?;
        let mut own = incidents.iter().filter(|found| found.hosts.iter().any(|other| other == host));
        Ok(own.all(|found| found.state() == v1::IncidentState::Resolved))
    })
}

fn connected(world: &mut World, host: &str, limit: std::time::Duration) -> Result<(), String> {
    world.wait("it is connected", limit, |world| {
        let states = world.states()?;
        let found = states.iter().find(|found| found.host == host);
        Ok(found.is_some_and(|found| found.state() == v1::HostState::Connected && found.checks_not_up == 0))
    })
}

fn unchanged(world: &World, number: usize, unit: &str, before: &str) -> Result<(), String> {
    let after = world.host(number).property(unit, "InvocationID");
    if after == before { Ok(()) } else { Err(format!("{unit} was started again")) }
}
