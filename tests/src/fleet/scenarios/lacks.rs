//! Hosts that lack what an agent likes to have: it does the rest, and says once what it does without.

use super::super::agents::service;
use super::super::lack::{self, Lack};
use super::super::world::{SOON, World};
use super::{Play, Scenario};
use crate::rig::clock::Since;
use picket_rpc::v1;
use std::time::Duration;

/// A service of the agent's own, and a unit that it drives by systemctl, as one does where there is no bus.
const OWN: &str = r#"
[[service]]
name = "own"
command = ["/bin/sleep", "1000001"]
hold = "1s"

[[service]]
name = "driven"
start = ["/usr/bin/systemctl", "start", "driven"]
stop = ["/usr/bin/systemctl", "stop", "driven"]
status = ["/usr/bin/systemctl", "is-active", "--quiet", "driven"]
hold = "1s"
"#;
const DRIVEN: &str = "[Service]\nExecStart=/bin/sleep 1000002\n";
/// Levels are watched, and looked at once: they are those of the machine, on which other work may go on, and take three looks.
const LEVELS: &str = "interval = \"24h\"\n";
const NO_BUS: &str = "systemd is not heard over D-Bus";
const NO_PIDFDS: &str = "no pidfds here";
const NO_PRESSURE: &str = "pressure is not watched";
/// For so long nothing of what is missing may be told again.
const MINUTE: Duration = Duration::from_secs(60);
/// Switches of an agent with five services and checks in that time: 160 to 180 were seen, with a bus and without.
const USUAL: u64 = 360;
/// What a process that is not a child costs without pidfds: ten looks a second.
const LOOKS: u64 = 600;

/// All of it at once, as on a small gateway.
pub(super) const BARE: Scenario = Scenario {
    name: "bare-host",
    says: "a host boots without D-Bus, PSI, a root that can be written and what kernels got after 4.19: what the agent itself starts or drives by systemctl is \
           healed, the outage of a unit is told by its port, and what is missing is said once",
    smoke: true,
    needs: &[],
    play: Play::Inside(|world| {
        bare(world, 2, &lack::ALL)?;
        lacks(world, 2, &lack::ALL)?;
        heals(world, 2, "own", "/bin/sleep 1000001")?;
        heals(world, 2, "driven", "/bin/sleep 1000002")?;
        stays_down(world, 2)?;
        said_once(world, 2, &lack::ALL)?;
        world.each_once(2)
    }),
};

/// Each of it alone.
pub(super) const EACH: Scenario = Scenario {
    name: "lacks-one",
    says: "four hosts boot without D-Bus, PSI, a root that can be written, or calls newer than Linux 4.19: services are healed, units too where there is a bus, \
           and in a quiet minute nobody says anything",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        let all = [(2, Lack::Bus), (3, Lack::NewCalls), (4, Lack::Pressure), (5, Lack::WritableRoot)];
        for (number, lack) in all {
            bare(world, number, &[lack])?;
        }
        for (number, lack) in all {
            lacks(world, number, &[lack])?;
            heals(world, number, "own", "/bin/sleep 1000001")?;
            heals(world, number, "driven", "/bin/sleep 1000002")?;
            if lack != Lack::Bus {
                let before = world.count_of(number, "service-started", service(number))?;
                world.host(number).kill(service(number), "KILL")?;
                world.one_more(number, ("service-started", service(number)), before)?;
                is_up(world, number)?;
            }
        }
        stays_down(world, 2)?;
        // From now on its own service is another's process to the agent, which is what costs most without pidfds.
        world.host(3).does(&["systemctl", "restart", "picket-agent"])?;
        is_up(world, 3)?;
        quiet(world)?;
        for (number, lack) in all {
            said_once(world, number, &[lack])?;
            world.each_once(number)?;
        }
        Ok(())
    }),
};

/// Boots a host without these, with an agent that watches its levels and two services more.
fn bare(world: &mut World, number: usize, lacks: &[Lack]) -> Result<(), String> {
    world.host(number).write("/etc/systemd/system/driven.service", DRIVEN)?;
    world.configure(number, |text| text.replacen("enabled = false\n", LEVELS, 1) + OWN)?;
    is_up(world, number)?;
    let before = world.events(&format!("h{number}"))?.len();
    world.host_mut(number).boot_without(lacks)?;
    let host = format!("h{number}");
    world.wait(&format!("{host} is heard again"), SOON * 3, |world| {
        let began = world.events(&host)?.len() > before;
        let found = world.states()?.into_iter().find(|found| found.host == host);
        Ok(began && found.is_some_and(|found| found.state() == v1::HostState::Connected))
    })?;
    world.active(number, "picket-agent")
}

/// The usual service of a host is up. Its levels need not be.
fn is_up(world: &mut World, number: usize) -> Result<(), String> {
    world.wait(&format!("{} of h{number} is up", service(number)), SOON, |world| {
        Ok(world.service(number, service(number))?.is_some_and(|found| found.verdict() == v1::Verdict::Up))
    })
}

/// `doctor` and `status` name what is missing, and nothing that is not.
fn lacks(world: &mut World, number: usize, lacks: &[Lack]) -> Result<(), String> {
    let doctor = world.host(number).doctor()?;
    let (status, _) = world.host(number).run(&["picket-agent", "status"]);
    for (lack, line) in [
        (Lack::Bus, "problem  systemd     does not answer over D-Bus: "),
        (Lack::Pressure, "without  pressure    no PSI: "),
        (Lack::NewCalls, "without  pidfd       the kernel has none (5.3 has): "),
        (Lack::WritableRoot, "without  root        tmpfs, read-only: "),
    ] {
        if doctor.contains(line) != lacks.contains(&lack) {
            return Err(format!("doctor of h{number}, without {lacks:?}: {doctor}"));
        }
    }
    if status.contains(&format!("NOT seen and not restarted: {NO_BUS}")) != lacks.contains(&Lack::Bus) {
        return Err(format!("status of h{number}, without {lacks:?}: {status}"));
    }
    Ok(())
}

/// A service dies and is brought back, and the collector has it.
fn heals(world: &mut World, number: usize, name: &str, process: &str) -> Result<(), String> {
    world.wait(&format!("{name} of h{number} runs"), SOON, |world| {
        Ok(world.host(number).run(&["pgrep", "-xf", process]).1)
    })?;
    let before = world.count_of(number, "remedy-held", name)?;
    world.host(number).does(&["pkill", "-KILL", "-xf", process])?;
    world.one_more(number, ("remedy-held", name), before)?;
    world.wait(&format!("{name} of h{number} runs again"), SOON, |world| {
        Ok(world.host(number).run(&["pgrep", "-xf", process]).1)
    })
}

/// A unit dies on a host without a bus: nobody starts it, its port tells, and why nobody does is told as well.
fn stays_down(world: &mut World, number: usize) -> Result<(), String> {
    let unit = service(number);
    let blind = format!("{unit}:process can't be looked at: the probe failed with errno 107: {NO_BUS}");
    world.wait(&format!("what is missing on h{number} is an incident"), SOON, |world| {
        Ok(world.incidents_of(number)?.iter().any(|found| found.title.contains(&blind)))
    })?;
    world.host(number).kill(unit, "KILL")?;
    world.wait(&format!("the outage of {unit} on h{number} is an incident"), SOON, |world| {
        let mut own = world.incidents_of(number)?.into_iter();
        Ok(own.any(|found| {
            found.title.contains("nothing listens") && found.state() != v1::IncidentState::Resolved
        }))
    })?;
    match world.host(number).property(unit, "ActiveState").as_str() {
        "failed" => world.host(number).does(&["systemctl", "start", unit]).map(drop),
        other => Err(format!("{unit} of h{number}, which nobody can restart, is {other}")),
    }
}

/// The log names what is missing, each once in the life of the agent.
fn said_once(world: &World, number: usize, lacks: &[Lack]) -> Result<(), String> {
    let log = log(world, number)?;
    for (lack, words) in [(Lack::Bus, NO_BUS), (Lack::NewCalls, NO_PIDFDS), (Lack::Pressure, NO_PRESSURE)] {
        // What a check that can't look says is another line, with a code.
        let lines = log.lines().filter(|line| line.contains(words) && !line.contains("check-unknown"));
        let count = lines.count();
        if count != usize::from(lacks.contains(&lack)) {
            return Err(format!("h{number}, without {lacks:?}, says {count} times: {words}"));
        }
    }
    Ok(())
}

/// In a minute in which nothing happens no agent logs a line, and none wakes up much more than the one that lacks no events.
fn quiet(world: &mut World) -> Result<(), String> {
    let numbers: Vec<usize> = world.agents().collect();
    for number in &numbers {
        world.wait(&format!("nothing is open on h{number}"), SOON * 2, |world| {
            let own = world.incidents_of(*number)?;
            let open = own.into_iter().filter(|found| found.state() != v1::IncidentState::Resolved);
            Ok(open.filter(|found| !found.title.contains(NO_BUS)).count() == 0)
        })?;
    }
    let before = numbers.iter().map(|number| seen(world, *number)).collect::<Result<Vec<_>, _>>()?;
    let since = Since::now();
    world.wait("a minute is over", MINUTE * 2, |_| Ok(since.left(MINUTE).is_zero()))?;
    let mut woken = Vec::new();
    for (number, (lines, switches)) in numbers.iter().zip(before) {
        let (_, switches_after) = seen(world, *number)?;
        let log = log(world, *number)?;
        let new: Vec<&str> = log.lines().skip(lines).collect();
        if !new.is_empty() {
            return Err(format!("h{number} logs in a quiet minute: {new:?}"));
        }
        woken.push(switches_after - switches);
    }
    println!(
        "switches of agents in a quiet minute, without a bus, pidfds, PSI, a root that can be written: {woken:?}"
    );
    match woken.iter().zip([0, LOOKS, 0, 0]).all(|(woken, looks)| *woken < USUAL + looks) {
        true => Ok(()),
        false => Err(format!("agents wake up more often than what they do asks for: {woken:?}")),
    }
}

/// Lines of the agent's log in its life, and how often its threads went to sleep.
fn seen(world: &World, number: usize) -> Result<(usize, u64), String> {
    let pid = world.host(number).property("picket-agent", "MainPID");
    let switches =
        format!("cat /proc/{pid}/task/*/status | awk '/^voluntary/ {{ sum += $2 }} END {{ print sum }}'");
    let said = world.host(number).does(&["sh", "-c", &switches])?;
    let count = said.parse().map_err(|_| format!("switches of h{number}: {said}"))?;
    Ok((log(world, number)?.lines().count(), count))
}

fn log(world: &World, number: usize) -> Result<String, String> {
    let life = format!("_SYSTEMD_INVOCATION_ID={}", world.life(number, "picket-agent"));
    world.host(number).does(&["journalctl", &life, "--no-pager", "-o", "cat"])
}
