//! The agent at rest with 50 checks (20 processes of its own, 26 TCP ports, 4 of the host): memory, CPU, wake-ups, and
//! what it writes to disk and sends in a day, by what it did in the span. Bytes sent are those of the TLS stream, both
//! ways; TCP and IP add 52 a packet.
//!
//! The yardstick is monit with 20 processes and 26 ports at the same interval, started in the same run, if it is
//! installed (`apt-get install monit`); else the line says so by name. Private dirty is what memory really costs; RSS
//! and PSS move with the page cache. `--agent PATH` measures a packaged binary instead of this program's own copy,
//! whose code pages are larger.

use super::{Budget, Figure};
use crate::rig::clock::Since;
use crate::rig::files::{Memory, cpu_fine, memory, wake_ups, written};
use crate::rig::process::Process;
use crate::rig::relay::Relay;
use crate::rig::stack::{AgentHome, Collector};
use rustix::process::{Pid, Signal};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

pub(super) const SERVICES: usize = 20;
pub(super) const PORTS: usize = 26;
/// What is on the host is learned for 60 s and then written down: rest begins after that. A short run shows only that
/// figures are made.
const SETTLED: Duration = Duration::from_secs(75);
/// From here on a run is no short one.
const WHOLE: Duration = Duration::from_secs(30);
/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// What was seen of one program at rest.
struct Rest {
    memory: Memory,
    cpu_seconds_per_hour: f64,
    wake_ups_per_second: f64,
    written_mib_per_day: f64,
    sent_kib_per_day: f64,
}

/// Measures for `span` at each interval and prints.
///
/// # Panics
/// If the agent does not start.
pub fn run(program: &OsStr, agent: Option<&OsStr>, span: Duration) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let listeners: Vec<_> =
        (0..PORTS).map(|_| TcpListener::bind("127.0.0.1:0").expect("loopback has a free port")).collect();
    for listener in &listeners {
        let listener = listener.try_clone().expect("a socket can be cloned");
        std::thread::spawn(move || listener.incoming().for_each(drop));
    }
    let addresses: Vec<SocketAddr> = listeners
        .iter()
        .map(|listener| listener.local_addr().expect("a bound socket has an address"))
        .collect();
    name_measured(agent);
    for interval in [10, 1] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let collector = Collector::start(program, &folder.path().join("collector"));
        let config = config(&addresses, interval, "");
        let agent_folder = folder.path().join("agent");
        let relay = Relay::to(&collector.address);
        let address = relay.address.to_string();
        let home = AgentHome::prepare_at(program, &agent_folder, ("bench", &address), &collector, &config);
        let mut home = runtime.block_on(home);
        if let Some(agent) = agent {
            home.use_binary(agent);
        }
        let mut process = home.start(&["--stop-services"]);
        for _ in 0..SERVICES {
            process.line_with("service-started");
        }
        let yardstick = monit(folder.path(), &listeners, interval);
        let (agent, monit) = watch((&process, &relay), yardstick.as_ref(), span);
        print(interval, &agent, monit.as_ref());
        print_calls(interval, (&process, yardstick.as_ref()), span);
        process.end();
    }
}

/// Says whose figures follow: the two differ most in RSS and PSS.
pub(super) fn name_measured(agent: Option<&OsStr>) {
    let path = agent.map_or_else(|| "this bench's own copy of the agent".into(), OsStr::to_string_lossy);
    let bytes = agent.and_then(|path| fs::metadata(path).ok()).map(|found| found.len());
    println!("{}", serde_json::json!({ "measured": path, "bytes": bytes }));
}

/// Lets both settle, then measures both over the span.
fn watch(
    (agent, relay): (&Process, &Relay),
    monit: Option<&Process>,
    span: Duration,
) -> (Rest, Option<Rest>) {
    rest(if span < WHOLE { span / 3 } else { SETTLED });
    let pids = [Some(agent.pid()), monit.map(Process::pid)];
    let before = pids.map(|pid| pid.map(|pid| (cpu_fine(pid), wake_ups(pid), written(pid))));
    let carried = relay.carried();
    let since = Since::now();
    rest(span);
    let seconds = since.elapsed().as_secs_f64();
    let mut seen = pids.into_iter().zip(before).map(|(pid, before)| {
        let (pid, (cpu, wakes, bytes)) = (pid?, before?);
        Some(Rest {
            memory: memory(pid),
            cpu_seconds_per_hour: (cpu_fine(pid) - cpu).as_secs_f64() / seconds * 3600.0,
            wake_ups_per_second: (wake_ups(pid) - wakes) as f64 / seconds,
            written_mib_per_day: (written(pid) - bytes) as f64 / seconds * DAY / 1_048_576.0,
            sent_kib_per_day: (relay.carried() - carried) as f64 / seconds * DAY / 1024.0,
        })
    });
    let agent = seen.next().flatten().expect("the agent is the first");
    (agent, seen.next().flatten())
}

/// Time passing is what this bench measures, so it waits; nothing else depends on it.
#[expect(clippy::disallowed_methods, reason = "a bench at rest measures over a span of time")]
pub(super) fn rest(span: Duration) {
    std::thread::sleep(span);
}

/// What both ask of the kernel, seen by strace for a third of the span: it slows them down, so that nothing else is measured then.
fn print_calls(interval: u32, (agent, monit): (&Process, Option<&Process>), span: Duration) {
    let name = format!("idle_syscalls_50_checks_at_{interval}s");
    let Some(value) = calls(agent.pid(), span / 3) else {
        return crate::rig::cannot_run_here(
            &format!("bench idle: {name}"),
            "strace is missing or may not trace",
        );
    };
    let yardstick = monit.and_then(|monit| calls(monit.pid(), span / 3));
    let yardstick = yardstick.map(|calls| ("monit, same processes and ports", calls));
    let budget = (interval == 10).then_some(Budget::AtMost(30.0));
    Figure { name: &name, value, unit: "1/s", yardstick, budget }.print();
}

/// System calls per second of a process and its threads.
fn calls(pid: u32, span: Duration) -> Option<f64> {
    let file = tempfile::NamedTempFile::new().ok()?;
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-q", "-p", &pid.to_string(), "-o"]).arg(file.path()).stderr(Stdio::null());
    let mut strace = strace.spawn().ok()?;
    let since = Since::now();
    rest(span);
    let seconds = since.elapsed().as_secs_f64();
    let _ended_already = rustix::process::kill_process(Pid::from_child(&strace), Signal::INT);
    strace.wait().ok()?;
    let said = fs::read_to_string(file.path()).ok()?;
    let total = said.lines().find(|line| line.ends_with("total"))?;
    let calls: f64 = total.split_whitespace().nth(3)?.parse().ok()?;
    Some(calls / seconds)
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

fn print(interval: u32, agent: &Rest, monit: Option<&Rest>) {
    let show = |what: &str, unit: &str, read: fn(&Rest) -> f64, budget: Option<f64>| {
        let name = format!("idle_{what}_50_checks_at_{interval}s");
        let yardstick = monit.map(|monit| ("monit, same processes and ports", read(monit)));
        Figure { name: &name, value: read(agent), unit, yardstick, budget: budget.map(Budget::AtMost) }
            .print();
    };
    let cpu = if interval == 1 { 6.0 } else { 2.0 };
    show("rss", "MiB", |rest| mib(rest.memory.rss), Some(7.0));
    show("pss", "MiB", |rest| mib(rest.memory.pss), Some(6.0));
    show("private_dirty", "MiB", |rest| mib(rest.memory.private_dirty), Some(2.0));
    show("cpu", "s/h", |rest| rest.cpu_seconds_per_hour, Some(cpu));
    show("wake_ups", "1/s", |rest| rest.wake_ups_per_second, (interval == 10).then_some(5.0));
    show("written", "MiB/day", |rest| rest.written_mib_per_day, Some(10.0));
    let name = format!("idle_sent_50_checks_at_{interval}s");
    Figure { name: &name, value: agent.sent_kib_per_day, unit: "KiB/day", yardstick: None, budget: None }
        .print();
}

pub(super) fn config(addresses: &[SocketAddr], interval: u32, keys: &str) -> String {
    let mut text = format!("[host]\ninterval = \"{interval}s\"\n");
    for at in 0..SERVICES {
        let _strings_take_all =
            write!(text, "\n[[service]]\nname = \"s{at}\"\ncommand = [\"sleep\", \"86398\"]\n{keys}");
    }
    for (at, address) in addresses.iter().enumerate() {
        let _strings_take_all = write!(
            text,
            "\n[[check]]\nname = \"p{at}\"\nkind = \"tcp\"\naddress = \"{address}\"\ninterval = \"{interval}s\"\n"
        );
    }
    text
}

/// Starts monit on the same ports and on 20 processes of its own kind.
fn monit(folder: &Path, listeners: &[TcpListener], interval: u32) -> Option<Process> {
    let program =
        ["/usr/bin/monit", "/usr/local/bin/monit"].into_iter().find(|path| Path::new(path).exists());
    let Some(program) = program else {
        crate::rig::cannot_run_here("bench idle yardstick", "monit is not installed (apt-get install monit)");
        return None;
    };
    let mut text = format!(
        "set daemon {interval}\nset pidfile {0}/pid\nset idfile {0}/id\nset statefile {0}/st\n",
        folder.display()
    );
    for (at, pid) in crate::rig::files::processes_with("sleep 86398").into_iter().enumerate() {
        let file = folder.join(format!("p{at}.pid"));
        fs::write(&file, pid.to_string()).expect("the folder can be written");
        let _strings_take_all = writeln!(text, "check process p{at} with pidfile {}", file.display());
    }
    for (at, listener) in listeners.iter().enumerate() {
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let _strings_take_all =
            writeln!(text, "check host h{at} with address 127.0.0.1\n  if failed port {port} then alert");
    }
    let file = folder.join("monitrc");
    crate::rig::files::write_secret(&file, &text);
    let args = [OsStr::new("-I"), OsStr::new("-c"), file.as_os_str()];
    Some(Process::start("monit", OsStr::new(program), &args))
}
