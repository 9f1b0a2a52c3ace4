//! Services that the agent starts itself, in scopes of their own, under a PID 1 that is really the host's.

use super::super::world::{SOON, World};
use super::{Play, Scenario};

const HOST: usize = 2;
/// As many as show how long it takes.
const SERVICES: usize = 8;
/// Where they write about themselves.
const FOLDER: &str = "/var/log/scopes";

/// What each runs: it writes when it began, starts a child at once, and writes, when it is asked to end, whether that is before the
/// agent's unit has ended. By itself: systemd signals what it would start for that too.
const PROGRAM: &str = r#"#!/bin/sh
name=/var/log/scopes/$1
date +%s%N > $name.begun
sleep 1000000 &
echo $! > $name.child
agent=system.slice/picket-agent.service/cgroup.procs
when=after
trap 'for tree in "" /systemd; do read -r pid < /sys/fs/cgroup$tree/$agent && when=before; done 2>/dev/null
      echo $when >> $name.ended; exit 0' TERM
echo start >> $name.starts
wait
"#;
/// How many microseconds after its begin each was in its scope, as systemd has it.
const TOOK: &str = r#"
for scope in $(systemctl list-units --plain --no-legend "picket-$1-*.scope" | cut -d' ' -f1); do
    name=${scope#picket-}
    entered=$(date -d "$(systemctl show --timestamp=us+utc -p ActiveEnterTimestamp --value $scope)" +%s%N)
    echo $(((entered - $(cat /var/log/scopes/${name%-*}.begun)) / 1000))
done | sort -n | tr '\n' ' '
"#;

/// From the start to the shutdown.
pub(super) const OWN: Scenario = Scenario {
    name: "service-scopes",
    says: "services that the agent starts have scopes of their own: what kills the agent's unit or is limited there leaves them alone, a \
           new life has a new scope, and a shutdown stops the agent before them",
    smoke: true,
    needs: &[],
    play: Play::Inside(|world| {
        begin(world)?;
        let before = lives(world)?;
        agent_is_killed(world, &before)?;
        dies(world, &before)?;
        shuts_down(world)
    }),
};

fn begin(world: &mut World) -> Result<(), String> {
    let host = world.host(HOST);
    host.write("/root/scopes", PROGRAM)?;
    host.does(&["mkdir", "-p", FOLDER])?;
    let service = |nth| {
        format!(
            "\n[[service]]\nname = \"own-{nth}\"\ncommand = [\"/bin/sh\", \"/root/scopes\", \"own-{nth}\"]\n"
        )
    };
    world.watch_too(HOST, &(1..=SERVICES).map(service).collect::<String>())?;
    world.wait("all are in scopes, with their children", SOON, |world| {
        Ok(lives(world)?.lines().filter(|line| line.ends_with(".scope")).count() == 2 * SERVICES)
    })?;
    tell(world, "scope_micros_at_start", "*")
}

fn tell(world: &World, figure: &str, services: &str) -> Result<(), String> {
    let micros = world.host(HOST).does(&["sh", "-c", TOOK, "sh", services])?;
    println!("{{\"figure\":\"{figure}\",\"values\":\"{}\"}}", micros.trim());
    Ok(())
}

/// Each process with its start and its group, children too: a line each.
fn lives(world: &World) -> Result<String, String> {
    let script = "for pid in $(pgrep -xf '/bin/sh /root/scopes .*') $(cat /var/log/scopes/*.child); do \
                  echo $pid $(cut -d' ' -f22 /proc/$pid/stat) $(sed -n 's/^.*\\(name=systemd\\|0:\\)://p' /proc/$pid/cgroup | head -1); \
                  done | sort";
    world.host(HOST).does(&["sh", "-c", script])
}

/// Whoever signals the agent's unit signals none of them.
fn agent_is_killed(world: &mut World, before: &str) -> Result<(), String> {
    let scope = scopes(world)?.lines().next().unwrap_or_default().to_owned();
    let property = |name: &str| world.host(HOST).property(&scope, name);
    let (slice, order) = (property("Slice"), property("Before"));
    if slice != "system.slice" || !order.split(' ').any(|unit| unit == "picket-agent.service") {
        return Err(format!("{scope:?} is in {slice:?}, before {order:?}"));
    }
    world.host(HOST).does(&["systemctl", "kill", "-s", "KILL", "picket-agent"])?;
    world.connected(HOST, SOON)?;
    world.host(HOST).does(&["systemctl", "restart", "picket-agent"])?;
    world.connected(HOST, SOON)?;
    match lives(world)? {
        after if after == before => Ok(()),
        after => Err(format!("before: {before}\nafter: {after}")),
    }
}

fn scopes(world: &World) -> Result<String, String> {
    let list = "systemctl list-units --all --plain --no-legend 'picket-*.scope' | cut -d' ' -f1";
    world.host(HOST).does(&["sh", "-c", list])
}

/// One of them is killed: its next life has another scope, and no other scope is touched.
fn dies(world: &mut World, before: &str) -> Result<(), String> {
    let old = scopes(world)?;
    world.host(HOST).does(&["pkill", "-KILL", "-xf", "/bin/sh /root/scopes own-1"])?;
    world.wait("it has a new scope and the old one is gone", SOON, |world| {
        let (now, lives) = (scopes(world)?, lives(world)?);
        let others = old.lines().filter(|scope| !now.contains(scope)).count();
        let is_moved = lives.lines().filter(|line| line.ends_with(".scope")).count() == 2 * SERVICES;
        Ok(is_moved && others == 1 && now.lines().count() == SERVICES)
    })?;
    tell(world, "scope_micros_at_restart", "own-1")?;
    let untouched = lives(world)?.lines().filter(|line| before.contains(line)).count();
    if untouched == 2 * (SERVICES - 1) { Ok(()) } else { Err(format!("untouched are {untouched}")) }
}

/// The agent ends first, so it starts nothing again that shutdown ends.
fn shuts_down(world: &mut World) -> Result<(), String> {
    world.host(HOST).does(&["rm", "-f", "/root/scopes"])?;
    world.host(HOST).does(&["systemctl", "start", "--no-block", "poweroff.target"])?;
    let _it_ends_by_a_signal = world.host_mut(HOST).ended();
    world.host_mut(HOST).boot();
    world.host_mut(HOST).up()?;
    let read = |what: &str| {
        world.host(HOST).does(&[
            "sh",
            "-c",
            &format!("cat {FOLDER}/*.{what} | sort | uniq -c | tr -s ' \\n' ' '"),
        ])
    };
    let (ended, starts) = (read("ended")?, read("starts")?);
    let (ended, starts) = (ended.trim().to_owned(), starts.trim().to_owned());
    if ended == format!("{SERVICES} after") && starts == format!("{} start", SERVICES + 1) {
        return Ok(());
    }
    Err(format!("they ended {ended:?} the agent; {starts:?}"))
}
