//! What a link that costs money carries: bytes at the interface, both ways, with the headers of IP and TCP.
//!
//! Agent and collector are real processes in two network namespaces with nothing but a pair of links between them: no
//! neighbours are looked up (they are written down) and IPv6 is off, so that every packet is the link's own. Ethernet's
//! 14 bytes a packet are taken off: a provider does not count them. The agent has the 50 checks of `bench idle`.
//!
//! Thirty days are not waited for. Measured are a heartbeat (over a span with one every 20 s, so with time scaled 45
//! times against the usual quarter of an hour), a reconnect with all that follows it in two seconds, and an incident from
//! the kill to the recovery; the sum for 30 days is 2,880 heartbeats and 600 reconnects, as the budget says. `--minutes N` also
//! measures N minutes with the intervals as they are. The yardstick is the same agent over a link that costs nothing.
//!
//! Needs root, `unshare` and `ip`; says so by name where it can't run.

use super::idle::{PORTS, config, rest};
use super::{Budget, Figure};
use crate::rig::cannot_run_here;
use crate::rig::files::processes_with;
use crate::rig::process::Process;
use crate::rig::relay::Relay;
use crate::rig::stack::{AgentHome, Collector};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// The collector's end of the link, and the agent's.
const ENDS: [&str; 2] = ["10.78.0.1", "10.78.0.2"];
/// The agent's namespace, and the device on the collector's side.
const SPACE: &str = "picket-metered";
const DEVICE: &str = "agent0";
/// Of Ethernet, on every packet.
const ETHERNET: u64 = 14;
const RECONNECTS: u32 = 20;
/// In 30 days: one heartbeat in a quarter of an hour, and 20 reconnects a day.
const HEARTBEATS_30_DAYS: f64 = 2_880.0;
const RECONNECTS_30_DAYS: f64 = 600.0;
const HEARTBEAT: Duration = Duration::from_secs(20);
const MB: f64 = 1e6;

/// Runs the measurement in namespaces of its own: calls this program again with `--inside`.
pub fn run(program: &OsStr, minutes: u64, quick: bool) -> ExitCode {
    if !rustix::process::geteuid().is_root() {
        cannot_run_here("bench metered", "it makes network namespaces: run it as root");
        return ExitCode::SUCCESS;
    }
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--"]).arg(program).args(["metered", "--inside"]);
    if minutes > 0 {
        command.args(["--minutes", &minutes.to_string()]);
    }
    if quick {
        command.arg("--quick");
    }
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            cannot_run_here("bench metered", &format!("unshare: {error} (apt-get install util-linux)"));
            ExitCode::SUCCESS
        }
    }
}

/// Measures; in a network namespace of its own.
///
/// # Panics
/// If collector or agent do not start.
pub fn inside(program: &OsStr, minutes: u64, quick: bool) {
    if let Err(reason) = link() {
        return cannot_run_here("bench metered", &reason);
    }
    let span = if quick { HEARTBEAT * 3 } else { HEARTBEAT * 9 };
    let usual = Measured::of(program, "", span, quick);
    let metered = "report = \"20s\"\ncap = \"1GiB\"\n";
    let metered = Measured::of(program, metered, span, quick);
    let beats = span.as_secs_f64() / HEARTBEAT.as_secs_f64();
    let beat = metered.rest / beats;
    print("metered_heartbeat", beat, "bytes", Some(usual.rest / (span.as_secs_f64() / 10.0)), None);
    print("metered_reconnect", metered.reconnect, "bytes", Some(usual.reconnect), None);
    print("metered_incident", metered.incident / 1024.0, "KiB", Some(usual.incident / 1024.0), Some(20.0));
    let sum = (HEARTBEATS_30_DAYS * beat + RECONNECTS_30_DAYS * metered.reconnect) / MB;
    let usual_days = usual.rest / span.as_secs_f64() * 30.0 * 86_400.0;
    let usual_sum = (usual_days + RECONNECTS_30_DAYS * usual.reconnect) / MB;
    print("metered_30_days_at_rest", sum, "MB", Some(usual_sum), Some(5.0));
    print("metered_counted_by_the_agent", metered.counted, "of what was carried", None, None);
    if minutes > 0 {
        as_it_is(program, minutes);
    }
}

/// With the intervals as they are, for as long as was asked.
fn as_it_is(program: &OsStr, minutes: u64) {
    let ground = Ground::new(program);
    let address = ground.collector.address.clone();
    let mut agent = ground.agent(program, &address, "profile = \"metered\"\n");
    agent.line_with("link-open");
    rest(Duration::from_secs(5));
    let before = carried();
    rest(Duration::from_secs(minutes * 60));
    let per_month = (carried() - before) as f64 / (minutes as f64 * 60.0) * 30.0 * 86_400.0;
    agent.end();
    print("metered_30_days_at_rest_without_reconnects_as_it_is", per_month / MB, "MB", None, None);
}

fn print(name: &str, value: f64, unit: &str, usual: Option<f64>, budget: Option<f64>) {
    let yardstick = usual.map(|usual| ("the same over a link that costs nothing", usual));
    Figure { name, value, unit, yardstick, budget: budget.map(Budget::AtMost) }.print();
}

/// Bytes of one profile.
struct Measured {
    rest: f64,
    reconnect: f64,
    incident: f64,
    /// Of what was carried, what the agent itself says; 0 where it has no cap.
    counted: f64,
}

impl Measured {
    fn of(program: &OsStr, profile: &str, span: Duration, quick: bool) -> Self {
        let ground = Ground::new(program);
        let address = ground.collector.address.clone();
        let from = carried();
        let mut agent = ground.agent(program, &address, profile);
        agent.line_with("link-open");
        // The first heartbeat comes a second after the welcome, and 20 processes have started by then.
        rest(Duration::from_secs(12));
        let before = carried();
        rest(span);
        let at_rest = (carried() - before) as f64;
        let incident = ground.incident(&mut agent);
        let all = (carried() - from) as f64;
        let counted = ground.counted() as f64 / all;
        agent.end();
        // Behind a relay on the collector's side the link's own packets are the same, and it can be cut.
        let relay = Relay::on(&format!("{}:0", ENDS[0]), &address);
        let mut agent = ground.agent(program, &relay.address.to_string(), profile);
        agent.line_with("link-open");
        rest(Duration::from_secs(3));
        let times = if quick { 3 } else { RECONNECTS };
        let before = carried();
        for _ in 0..times {
            relay.cut();
            agent.line_with("link-closed");
            relay.heal();
            agent.line_with("link-open");
            rest(Duration::from_secs(2));
        }
        let reconnect = (carried() - before) as f64 / f64::from(times);
        agent.end();
        Self { rest: at_rest, reconnect, incident, counted }
    }
}

/// A collector on the link, and a folder for an agent.
struct Ground {
    folder: tempfile::TempDir,
    collector: Collector,
    /// What the checks of ports connect to, in the agent's namespace.
    listening: Vec<(SocketAddr, Process)>,
    runtime: tokio::runtime::Runtime,
}

impl Ground {
    fn new(program: &OsStr) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let data = folder.path().join("collector");
        let made = Command::new(program)
            .args(["__collector", "init", "--name", ENDS[0], "--data"])
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "the collector's folder can be made");
        let collector = Collector::start_on(program, &data, &format!("{}:0", ENDS[0]));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let listening = (0..PORTS).map(|at| {
            let address = SocketAddr::from(([127, 0, 0, 1], 7_001 + at as u16));
            let text = address.to_string();
            let words = ["netns", "exec", SPACE].map(OsStr::new);
            let words = [&words[..], &[program, OsStr::new("__listen"), OsStr::new(&text)]].concat();
            (address, Process::start("listener", OsStr::new("ip"), &words))
        });
        let runtime = runtime.expect("a runtime starts");
        Self { folder, collector, listening: listening.collect(), runtime }
    }

    /// Starts the agent in its namespace, with its way to the collector.
    fn agent(&self, program: &OsStr, address: &str, profile: &str) -> Process {
        let home = self.folder.path().join("agent");
        let addresses: Vec<SocketAddr> = self.listening.iter().map(|(address, _)| *address).collect();
        let config = config(&addresses, 10, "");
        let prepared = AgentHome::prepare_at(program, &home, ("bench", address), &self.collector, &config);
        let mut home = self.runtime.block_on(prepared);
        home.reach_by(&format!("address = \"{address}\"\n{profile}"));
        let script = self.folder.path().join("agent.sh");
        let text = format!(
            "#!/bin/sh\nexec ip netns exec {SPACE} {} __agent \"$@\"\n",
            Path::new(program).display()
        );
        fs::write(&script, text).expect("the folder can be written");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is there");
        home.use_binary(script.as_os_str());
        home.start(&["--stop-services"])
    }

    /// A process is killed: until it is believed to be back.
    fn incident(&self, agent: &mut Process) -> f64 {
        let before = carried();
        let pid = processes_with("sleep 86398").first().copied().expect("a service runs");
        kill_process(Pid::from_raw(pid.cast_signed()).expect("it is a process"), Signal::KILL)
            .expect("it is ours");
        agent.line_with("remedy-held");
        rest(Duration::from_secs(3));
        (carried() - before) as f64
    }

    /// What the agent says that the link carried.
    fn counted(&self) -> u64 {
        let state = self.folder.path().join("agent/state");
        let said = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["__agent", "status", "--json", "--state"])
            .arg(state)
            .output();
        let said: serde_json::Value =
            said.ok().and_then(|said| serde_json::from_slice(&said.stdout).ok()).unwrap_or_default();
        said["link"]["carried"]["bytes"].as_u64().unwrap_or(0)
    }
}

/// Makes the two ends.
fn link() -> Result<(), String> {
    let private = rustix::mount::mount_change(
        "/",
        rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC,
    );
    private.map_err(|error| format!("mounts can't be made private: {error}"))?;
    fs::create_dir_all("/run/netns").map_err(|error| format!("/run/netns: {error}"))?;
    rustix::mount::mount("metered", "/run/netns", "tmpfs", rustix::mount::MountFlags::empty(), None)
        .map_err(|error| format!("/run/netns: {error}"))?;
    ip("", &["netns", "add", SPACE])?;
    ip("", &["link", "set", "lo", "up"])?;
    ip("", &["link", "add", DEVICE, "type", "veth", "peer", "name", DEVICE, "netns", SPACE])?;
    ip(SPACE, &["link", "set", "lo", "up"])?;
    for (space, own, other) in [("", 0, 1), (SPACE, 1, 0)] {
        let (own_mac, other_mac) = (format!("02:00:00:00:00:0{own}"), format!("02:00:00:00:00:0{other}"));
        ip(space, &["link", "set", DEVICE, "address", &own_mac, "addrgenmode", "none", "gso_max_segs", "1"])?;
        ip(space, &["addr", "add", &format!("{}/24", ENDS[own]), "dev", DEVICE])?;
        ip(space, &["link", "set", DEVICE, "up"])?;
        ip(space, &["neigh", "add", ENDS[other], "lladdr", &other_mac, "dev", DEVICE, "nud", "permanent"])?;
    }
    Ok(())
}

fn ip(space: &str, words: &[&str]) -> Result<(), String> {
    let inside: &[&str] = if space.is_empty() { &[] } else { &["-n", space] };
    let made = Command::new("ip").args(inside).args(words).output();
    let made = made.map_err(|error| format!("ip: {error} (apt-get install iproute2)"))?;
    if made.status.success() {
        return Ok(());
    }
    Err(format!("ip {}: {}", words.join(" "), String::from_utf8_lossy(&made.stderr).trim()))
}

/// What the link carried so far, both ways, without Ethernet's part.
fn carried() -> u64 {
    let text = fs::read_to_string("/proc/self/net/dev").expect("the kernel tells it");
    let line = text.lines().find_map(|line| line.trim().strip_prefix(DEVICE)).expect("the device is there");
    let numbers: Vec<u64> =
        line.trim_start_matches(':').split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
    let (bytes, packets) = (numbers[0] + numbers[8], numbers[1] + numbers[9]);
    bytes - packets * ETHERNET
}
