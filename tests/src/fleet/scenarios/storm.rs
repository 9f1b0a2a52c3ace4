//! The agent's package in a storm, with hardly more memory than it needs.
//!
//! What it prints of its frames goes to the journal, and its state lies on a disk of its own: the pages of a host's other files are those
//! of a tmpfs here, which would count as the agent's and can't be taken back. So what counts is its own memory, what the kernel keeps for
//! it (sockets, tables), and pages of its state's files, which the kernel takes back at the limit.

use super::super::disk::{Disk, NEEDS};
use super::super::own::{clear, make};
use super::super::world::{SILENCE, SOON, World};
use super::{Play, Scenario};
use crate::rig::account::Account;
use crate::rig::clock::{Since, pass};
use crate::rig::files::number;
use picket_rpc::v1;
use serde_json::json;
use std::fmt::Write as _;
use std::time::Duration;

const HOST: usize = 5;
const NAME: &str = "h5";
const CONFIG: &str = "/etc/picket/agent.toml";
const STATE: &str = "/var/lib/picket-agent";
const UNIT: &str = include_str!("../../../../systemd/picket-agent.service");
/// Twice what it was seen to hold here (8.4 MiB, of it 4.3 MiB anonymous): the rest is for the kernel and for its files' pages.
const LIMIT: &str = "MemoryMax=16M\n";
/// Of these all are killed, and all ports closed, at the begin of each round: as many as the bench `storm` has.
const UNITS: usize = 20;
const PORTS: std::ops::Range<u16> = 7000..7026;
const ROUNDS: u32 = 16;
const CLOSED: Duration = Duration::from_secs(5);
const OPEN: Duration = Duration::from_secs(10);
/// Rounds are not to use remedies up.
const PATIENT: &str = "budget = 32\nbudget_window = \"10s\"\nsame_deaths = 100\n";
/// Listens on the ports that its words begin and end; SIGUSR1 closes them, SIGUSR2 opens them.
const LISTENER: &str = "import signal, socket, sys\nheld = []\ndef close(*_):\n    while held: held.pop().close()\ndef serve(*_):\n    \
                        close()\n    held.extend(socket.create_server(('127.0.0.1', port), backlog=64) for port in range(int(sys.argv[1]), int(sys.argv[2])))\n\
                        signal.signal(signal.SIGUSR1, close)\nsignal.signal(signal.SIGUSR2, serve)\nserve()\nwhile True: signal.pause()\n";

/// See the module.
pub(super) const STORM: Scenario = Scenario {
    name: "storm-in-16m",
    says: "the agent's package under MemoryMax=16M: for 4 minutes 20 units are killed and 26 ports close at once every 15 s; it is not killed, \
           all units are healed, and every event is at the collector",
    smoke: false,
    needs: NEEDS,
    play: Play::Inside(|world| {
        let disk = begin(world)?;
        let agent = world.host(HOST).property("picket-agent", "MainPID");
        let since = Since::now();
        let mut held = vec![resident(world, &agent)?];
        for _ in 0..ROUNDS {
            strike(world)?;
            held.push(resident(world, &agent)?);
        }
        println!(
            "{}",
            json!({ "fleet": "storm-in-16m", "rss_kib_and_anonymous_before_and_after_each_round": held })
        );
        let lasted = since.elapsed();
        // Ports that flapped are told so until they were calm for 5 minutes, which is not waited for.
        world.wait("all units are up again", SILENCE, |world| {
            let up = world
                .services()?
                .into_iter()
                .filter(|found| found.host == NAME && found.verdict() == v1::Verdict::Up);
            Ok(up.count() > UNITS)
        })?;
        let judged = ends(world, &agent, lasted);
        drop(disk);
        judged
    }),
};

/// The package in place of the rig's agent, with its state on a disk and all that it watches well.
fn begin(world: &mut World) -> Result<Disk, String> {
    let host = world.host(HOST);
    clear(host)?;
    let unit = "[Service]\nExecStart=/bin/sleep infinity\nRestart=no\n";
    host.write("/etc/systemd/system/storm@.service", unit)?;
    host.write("/root/listener.py", LISTENER)?;
    let start = UNIT.lines().find(|line| line.starts_with("ExecStart=")).unwrap_or_default();
    let drop_in = format!("[Service]\n{LIMIT}ExecStart=\n{start} --log-format json\n");
    host.write("/etc/systemd/system/picket-agent.service.d/storm.conf", &drop_in)?;
    host.does(&["systemctl", "daemon-reload"])?;
    let (first, end) = (PORTS.start.to_string(), PORTS.end.to_string());
    host.does(&[
        "systemd-run",
        "-q",
        "--unit=listener",
        "/usr/bin/python3",
        "/root/listener.py",
        &first,
        &end,
    ])?;
    units(world, "start")?;
    let host = world.host(HOST);
    let disk = Disk::below(host, STATE)?;
    host.does(&["sh", "-c", &format!("cat >>{CONFIG} <<'EOF'\n{}EOF\n", config())])?;
    let file = make(host, "1.0", false)?;
    host.does(&["dpkg", "--install", &file])?;
    host.does(&["picket-agent", "check", "--config", CONFIG])?;
    world.connected(HOST, SILENCE)?;
    match world.host(HOST).property("picket-agent", "MemoryMax").as_str() {
        "16777216" => Ok(disk),
        other => Err(format!("its limit is {other}")),
    }
}

fn units(world: &World, verb: &str) -> Result<String, String> {
    let names: Vec<String> = (1..=UNITS).map(|at| format!("storm@{at}")).collect();
    let words: Vec<&str> = ["systemctl", verb].into_iter().chain(names.iter().map(String::as_str)).collect();
    world.host(HOST).does(&words)
}

fn config() -> String {
    let mut text = String::new();
    for at in 1..=UNITS {
        write!(
            text,
            "\n[[service]]\nname = \"storm-{at}\"\nunit = \"storm@{at}.service\"\nhold = \"1s\"\n{PATIENT}"
        )
        .expect("a string takes all");
    }
    for port in PORTS {
        write!(
            text,
            "\n[[check]]\nname = \"port-{port}\"\nkind = \"tcp\"\naddress = \"127.0.0.1:{port}\"\ninterval = \"1s\"\n"
        )
        .expect("a string takes all");
    }
    text
}

/// One round: all at once, and all is well again before the next.
fn strike(world: &World) -> Result<(), String> {
    let host = world.host(HOST);
    host.does(&["systemctl", "kill", "-s", "USR1", "listener"])?;
    host.does(&["systemctl", "kill", "-s", "KILL", "storm@*"])?;
    pass(CLOSED);
    host.does(&["systemctl", "kill", "-s", "USR2", "listener"])?;
    pass(OPEN);
    Ok(())
}

/// What it holds now, and what of it no file has.
fn resident(world: &World, agent: &str) -> Result<[u64; 2], String> {
    let status = world.host(HOST).does(&["cat", &format!("/proc/{agent}/status")])?;
    Ok(["VmRSS:", "RssAnon:"].map(|name| number(&status, name).unwrap_or_default()))
}

/// What it held, and whether anything is missing.
fn ends(world: &mut World, agent: &str, lasted: Duration) -> Result<(), String> {
    let mut account = Account::default();
    world.wait("every event is there", SOON * 3, |world| {
        let (lines, _) =
            world.host(HOST).run(&["journalctl", "--no-pager", "-o", "cat", "-u", "picket-agent"]);
        lines.lines().for_each(|line| account.line(line));
        account.events(&world.all_events()?);
        Ok(account.violations().is_empty())
    })?;
    let (told, late, lost) = account.figures();
    let host = world.host(HOST);
    let status = host.does(&["cat", &format!("/proc/{agent}/status")])?;
    let kib = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    let killed = host.unit_memory("picket-agent", "oom_control", "events");
    let killed = killed.lines().find_map(|line| line.strip_prefix("oom_kill ")).unwrap_or("?").to_owned();
    let now = host.property("picket-agent", "MainPID");
    println!(
        "{}",
        json!({
            "fleet": "storm-in-16m", "storm_s": lasted.as_secs(), "told": told, "told_per_s": (told as f64 / lasted.as_secs_f64() * 10.0).round() / 10.0,
            "late": late, "named_lost": lost, "rss_peak": kib("VmHWM:"), "rss": kib("VmRSS:"), "anonymous": kib("RssAnon:"), "oom_kill": killed,
            "group_peak_bytes": host.unit_memory("picket-agent", "max_usage_in_bytes", "peak"),
            "limit_hits": host.unit_memory("picket-agent", "failcnt", "swap.peak"),
            "kernel_peak_bytes": host.unit_memory("picket-agent", "kmem.max_usage_in_bytes", "none"),
        })
    );
    // Each round is at least a death and a start of each unit, and each port down and up.
    let least = u64::from(ROUNDS) * 2 * (UNITS + PORTS.len()) as u64;
    if told < least {
        return Err(format!("{told} events are no storm: {least} should be the least"));
    }
    if lost > 0 || killed != "0" || now != agent {
        return Err(format!(
            "{lost} events are lost, {killed} processes were killed, the agent was {agent} and is {now}"
        ));
    }
    Ok(())
}
