//! A service ends, hangs or is stopped, and its host is well.

use super::super::world::{SOON, World};
use super::Scenario;
use picket_rpc::v1;

/// A server is killed three times.
pub(super) const KILLED: Scenario = Scenario {
    name: "service-killed",
    says: "kill -9 of nginx, three times: it serves again each time, in one incident that ends verified",
    smoke: true,
    play: |world| {
        for episode in 1..=3 {
            world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
            recovered(world, 2, "nginx", episode)?;
        }
        Ok(())
    },
};

/// Somebody's script sends SIGTERM to the wrong process.
pub(super) const STRAY_SIGTERM: Scenario = Scenario {
    name: "stray-sigterm",
    says: "SIGTERM to nginx from outside systemd, a clean end that nobody ordered: it is started again and verified",
    smoke: true,
    play: |world| {
        let pid = world.host(2).property("nginx", "MainPID");
        world.host(2).does(&["kill", "-TERM", &pid])?;
        recovered(world, 2, "nginx", 1)?;
        let now = world.host(2).property("nginx", "MainPID");
        if now == pid || now == "0" { Err(format!("its process was {pid} and is {now}")) } else { Ok(()) }
    },
};

/// A process that stands still has no exit to see.
pub(super) const STOPPED_PROCESS: Scenario = Scenario {
    name: "stopped-process",
    says: "SIGSTOP of redis: a check sees it, it is restarted and verified",
    smoke: false,
    play: |world| {
        world.host(3).does(&["systemctl", "kill", "--kill-whom=main", "-s", "STOP", "redis-server"])?;
        recovered(world, 3, "redis-server", 1)
    },
};

/// What an operator stops stays stopped.
pub(super) const OPERATOR_STOPS: Scenario = Scenario {
    name: "operator-stops",
    says: "systemctl stop: told, undone never, nobody is paged; systemctl start: watched again",
    smoke: true,
    play: |world| {
        world.host(4).does(&["systemctl", "stop", "nginx"])?;
        intent(world, v1::Intent::Stopped)?;
        // Longer than any remedy waits: another service dies and is proven meanwhile.
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        recovered(world, 2, "nginx", 1)?;
        let state = world.host(4).property("nginx", "ActiveState");
        if state != "inactive" {
            return Err(format!("what an operator stopped is {state}"));
        }
        quiet_about(world, "h4")?;
        world.host(4).does(&["systemctl", "start", "nginx"])?;
        intent(world, v1::Intent::Run)
    },
};

/// A restart can't help.
pub(super) const BROKEN_CONFIG: Scenario = Scenario {
    name: "broken-config",
    says: "nginx dies and its configuration is broken: not healed, because, and a breaker instead of a loop; mended: healed",
    smoke: false,
    play: |world| {
        world.host(2).does(&["sh", "-c", "echo 'oops' > /etc/nginx/conf.d/broken.conf"])?;
        world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "nginx"])?;
        world.wait("it is said not to be healed, and why", SOON * 6, |world| {
            let services = world.services()?;
            let found = services.iter().find(|found| found.host == "h2" && found.service == "nginx");
            Ok(found.is_some_and(|found| !found.not_healed_because.is_empty()))
        })?;
        let open = world.incidents()?;
        let pages = open.iter().any(|found| found.hosts == ["h2"] && found.severity() == v1::Severity::P1);
        if !pages {
            return Err(format!("nobody is paged: {open:?}"));
        }
        world.host(2).does(&["rm", "/etc/nginx/conf.d/broken.conf"])?;
        world.host(2).does(&["systemctl", "reset-failed", "nginx"])?;
        world.host(2).does(&["systemctl", "start", "nginx"])?;
        recovered(world, 2, "nginx", 1)
    },
};

/// The watch itself dies.
pub(super) const AGENT_KILLED: Scenario = Scenario {
    name: "agent-killed",
    says: "kill -9 of an agent: systemd starts it again, and it restarts nothing",
    smoke: false,
    play: |world| {
        let before = world.host(2).property("nginx", "InvocationID");
        for _ in 0..3 {
            let agent = world.host(2).property("picket-agent", "MainPID");
            world.host(2).does(&["systemctl", "kill", "--kill-whom=main", "-s", "KILL", "picket-agent"])?;
            world.wait("another agent is ready", SOON, |world| {
                let now = world.host(2).property("picket-agent", "MainPID");
                let state = world.host(2).property("picket-agent", "ActiveState");
                Ok(now != "0" && now != agent && state == "active")
            })?;
        }
        let after = world.host(2).property("nginx", "InvocationID");
        if before != after {
            return Err("nginx was started again".to_owned());
        }
        quiet_about(world, "h2")
    },
};

/// A service serves again, and the one incident about it says so.
pub(super) fn recovered(world: &mut World, number: usize, service: &str, episode: u32) -> Result<(), String> {
    let host = format!("h{number}");
    world.wait("its incident is resolved", SOON * 2, |world| {
        let incidents = world.incidents()?;
        let own: Vec<_> = incidents.iter().filter(|found| found.hosts.contains(&host)).collect();
        let is_over =
            |found: &&&v1::Incident| found.state() == v1::IncidentState::Resolved && found.episode == episode;
        match own[..] {
            [_] | [] => Ok(own.first().filter(is_over).is_some()),
            _ => Err(format!("{} incidents", own.len())),
        }
    })?;
    let outcome = world.incidents()?.into_iter().find(|found| found.hosts.contains(&host));
    let outcome = outcome.map_or_else(String::new, |found| found.outcome);
    if !outcome.starts_with("recovered") {
        return Err(format!("{service} of {host}: {outcome}"));
    }
    let state = world.host(number).property(service, "ActiveState");
    if state == "active" { Ok(()) } else { Err(format!("{service} of {host} is {state}")) }
}

/// No incident is about a host.
pub(super) fn quiet_about(world: &mut World, host: &str) -> Result<(), String> {
    let incidents = world.incidents()?;
    match incidents.iter().find(|found| found.hosts.iter().any(|other| other == host)) {
        None => Ok(()),
        Some(found) => Err(format!("an incident that is none: {} ({})", found.title, found.severity_rule)),
    }
}

fn intent(world: &mut World, wanted: v1::Intent) -> Result<(), String> {
    world.wait("what should be of it is known", SOON, |world| {
        let services = world.services()?;
        let found = services.iter().find(|found| found.host == "h4" && found.service == "nginx");
        Ok(found.is_some_and(|found| found.intent() == wanted))
    })
}
