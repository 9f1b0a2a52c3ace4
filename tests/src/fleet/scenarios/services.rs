//! A service ends, hangs or is stopped, and its host is well.

use super::super::world::SOON;
use super::{Play, Scenario};
use picket_rpc::v1;

/// A server is killed three times.
pub(super) const KILLED: Scenario = Scenario {
    name: "service-killed",
    says: "kill -9 of nginx, three times: it serves again each time, in one incident that ends verified",
    smoke: true,
    needs: &[],
    play: Play::Inside(|world| {
        for episode in 1..=3 {
            world.host(2).kill("nginx", "KILL")?;
            world.recovered(2, "nginx", episode)?;
        }
        Ok(())
    }),
};

/// Somebody's script sends SIGTERM to the wrong process.
pub(super) const STRAY_SIGTERM: Scenario = Scenario {
    name: "stray-sigterm",
    says: "SIGTERM to nginx from outside systemd, a clean end that nobody ordered: it is started again and verified",
    smoke: true,
    needs: &[],
    play: Play::Inside(|world| {
        let pid = world.host(2).property("nginx", "MainPID");
        world.host(2).does(&["kill", "-TERM", &pid])?;
        world.recovered(2, "nginx", 1)?;
        let now = world.host(2).property("nginx", "MainPID");
        if now == pid || now == "0" { Err(format!("its process was {pid} and is {now}")) } else { Ok(()) }
    }),
};

/// A process that stands still has no exit to see.
pub(super) const STOPPED_PROCESS: Scenario = Scenario {
    name: "stopped-process",
    says: "SIGSTOP of redis: a check sees it, it is restarted and verified",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        world.host(3).kill("redis-server", "STOP")?;
        world.recovered(3, "redis-server", 1)
    }),
};

/// What an operator stops stays stopped.
pub(super) const OPERATOR_STOPS: Scenario = Scenario {
    name: "operator-stops",
    says: "systemctl stop: told, undone never, nobody is paged; systemctl start: watched again",
    smoke: true,
    needs: &[],
    play: Play::Inside(|world| {
        world.host(4).does(&["systemctl", "stop", "nginx"])?;
        world.intent(4, "nginx", v1::Intent::Stopped)?;
        // Longer than any remedy waits: another service dies and is proven meanwhile.
        world.host(2).kill("nginx", "KILL")?;
        world.recovered(2, "nginx", 1)?;
        let state = world.host(4).property("nginx", "ActiveState");
        if state != "inactive" {
            return Err(format!("what an operator stopped is {state}"));
        }
        world.quiet_about(4)?;
        world.host(4).does(&["systemctl", "start", "nginx"])?;
        world.intent(4, "nginx", v1::Intent::Run)
    }),
};

/// A restart can't help.
pub(super) const BROKEN_CONFIG: Scenario = Scenario {
    name: "broken-config",
    says: "nginx dies and its configuration is broken: not healed, because, and a breaker instead of a loop; who asks reads what the journal has; mended: healed",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        world.host(2).does(&["sh", "-c", "echo 'oops' > /etc/nginx/conf.d/broken.conf"])?;
        world.host(2).kill("nginx", "KILL")?;
        world.not_healed(2, "nginx")?;
        let printed = world.evidence(2, "nginx")?;
        if !printed.contains("broken.conf") {
            return Err(format!("its evidence does not name the file: {printed}"));
        }
        world.host(2).does(&["rm", "/etc/nginx/conf.d/broken.conf"])?;
        world.host(2).does(&["systemctl", "reset-failed", "nginx"])?;
        world.host(2).does(&["systemctl", "start", "nginx"])?;
        world.recovered(2, "nginx", 1)
    }),
};

/// The watch itself dies.
pub(super) const AGENT_KILLED: Scenario = Scenario {
    name: "agent-killed",
    says: "kill -9 of an agent: systemd starts it again, and it restarts nothing",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        let before = world.life(2, "nginx");
        for _ in 0..3 {
            let agent = world.host(2).property("picket-agent", "MainPID");
            world.host(2).kill("picket-agent", "KILL")?;
            world.wait("another agent is ready", SOON, |world| {
                let now = world.host(2).property("picket-agent", "MainPID");
                let state = world.host(2).property("picket-agent", "ActiveState");
                Ok(now != "0" && now != agent && state == "active")
            })?;
        }
        world.unchanged(2, "nginx", &before)?;
        world.quiet_about(2)
    }),
};
