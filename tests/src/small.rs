//! The agent in a whole small box: a 32-bit ARM machine with 64 MB of memory, emulated with its own kernel, BusyBox init, a root
//! that nobody can write, state on a small disk, no D-Bus and a clock that begins at 1970. `cross/box.sh` makes it and runs this.
//!
//! Three boots on one disk. In the first the agent says that the clock was never set, or that it has its session all the same, and
//! heals the service that is killed meanwhile. The clock is set as a time client sets it; what happened before
//! has arrived or does, and a second death is seen live. Then the power goes. The second boot is at 1970 again, on a kernel without pressure
//! figures; the service is killed and healed, and the power goes before the clock is set. The third boot tells of that as well.
//!
//! An emulator is no hardware: its times show the order of things and no speed. What memory is used is as on such a box, but for
//! drivers. The box reaches this machine's loopback alone, by qemu's own network; its clock is set over its console.

mod machine;
mod memory;
mod told;

use crate::rig::clock::{Since, wall};
use crate::rig::stack::{AgentHome, Collector};
use machine::Machine;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The name of the box at the collector.
const HOST: &str = "box-1";

/// BusyBox's web server, asked now and then. It may take its time, since the machine that emulates the box may be busy.
const SERVICE: &str = r#"[[service]]
name = "web"
command = ["/sbin/httpd", "-f", "-p", "127.0.0.1:80", "-h", "/www"]
hold = "1s"

[[service.check]]
kind = "http"
url = "http://127.0.0.1/"
interval = "10s"
timeout = "10s"

[host]
space = [{ mount = "/var/lib", degraded = 90, down = 97 }]
mount = [{ mount = "/", writable = false }, { mount = "/var/lib", writable = true }]
"#;

/// Runs it all with the image in `image`; what was seen, as the line to print. `program` is a binary whose main calls
/// [`crate::rig::role`] first.
///
/// # Panics
/// If any of it does not come about in time, with what the box said.
pub async fn run(program: &OsStr, image: &Path, agent: &Path) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (begun, today) = (Since::now(), wall());
    let collector = Collector::start(program, &folder.path().join("collector"));
    let disk = disk(program, folder.path(), &collector).await;

    let first = first(image, &disk, (&collector, today)).await;
    let unpressed = second(image, &disk);
    let mut third = Machine::boot(image, &disk, "");
    let delivered = jump(&mut third);
    let after_power_cut = told::incident(&collector, today, 3).await;
    third.cut();

    json!({
        "memory_mib": machine::MEMORY, "agent_bytes": size(agent), "root_bytes": size(&image.join("root.squashfs")),
        "first": first, "without_pressure": unpressed, "delivered_ms_after_power_cut": delivered,
        "after_power_cut": after_power_cut, "seconds": begun.elapsed().as_secs(),
    })
}

/// At 1970, with everything still to come; then with the right clock.
async fn first(image: &Path, disk: &Path, (collector, today): (&Collector, i64)) -> Value {
    let mut machine = Machine::boot(image, disk, "");
    let boot = ms(machine.ready);
    assert!(!machine.try_ask("touch /etc/touched").1, "the root is read-only");
    assert!(machine.ask("date").ends_with("1970"), "its clock is not set");
    let link = said(&machine.log("link-clock\\|link-open", 1));
    let at_1970 = heal(&mut machine, 1);
    let doctor = doctor(&mut machine);
    assert!(doctor.iter().any(|line| line.contains(" clock ")), "{doctor:?}");
    assert!(doctor.iter().any(|line| line.starts_with("without systemd")), "{doctor:?}");
    let delivered = jump(&mut machine);
    let late = told::incident(collector, today, 1).await;
    let healed = heal(&mut machine, 2);
    let live = told::incident(collector, today, 2).await;
    let memory = memory::read(&mut machine);
    machine.cut();
    json!({
        "boot_ms": boot, "said_at_1970": link, "healed_at_1970": at_1970, "doctor": doctor,
        "delivered_ms": delivered, "of_1970": late, "healed": healed, "live": live, "memory": memory,
    })
}

/// At 1970 again, without pressure figures; the power goes before the clock is ever right. What is said of the pressure.
fn second(image: &Path, disk: &Path) -> Option<String> {
    let mut machine = Machine::boot(image, disk, "psi=0");
    assert!(!machine.try_ask("test -e /proc/pressure").1, "the kernel gives no pressure figures");
    heal(&mut machine, 1);
    let said = doctor(&mut machine).into_iter().find(|line| line.contains(" pressure "));
    assert!(said.as_ref().is_some_and(|line| line.starts_with("without")), "{said:?}");
    // What is older than a tenth of a second is on the disk, by the agent's own doing.
    machine.ask("usleep 1000000");
    machine.cut();
    said
}

/// What the agent says that the box lacks or has to mend.
fn doctor(machine: &mut Machine) -> Vec<String> {
    let all = machine.ask("picket-agent doctor --state /var/lib/picket-agent | cat");
    let lines = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.starts_with("ok ")).collect()
}

/// Kills the service in the box and waits until it is healed for the `count`th time; what the agent says of that.
fn heal(machine: &mut Machine, count: usize) -> String {
    machine.log("web:http is up", 1);
    machine.ask("kill -9 $(pidof httpd)");
    machine.log("service-died", count);
    let held = machine.log("remedy-held", count);
    assert_eq!(machine.ask("wget -q -O - http://127.0.0.1/"), "the box serves");
    said(&held)
}

/// A line of the log without who wrote it and when.
fn said(line: &str) -> String {
    let text = line.split_once(" INFO ").or_else(|| line.split_once(" WARN "));
    text.map_or(line, |(_, text)| text).to_owned()
}

/// Sets the clock of the box to this machine's, as a time client does that finds it decades away; how long it took until the
/// agent had its session.
fn jump(machine: &mut Machine) -> u64 {
    machine.ask(&format!("date -s @{}", wall()));
    let since = Since::now();
    machine.log("link-open", 1);
    ms(since.elapsed())
}

/// A disk of 64 MB for the state, with what a box is given when it is made: its configuration, its name, its token.
async fn disk(program: &OsStr, folder: &Path, collector: &Collector) -> PathBuf {
    let given = folder.join("given");
    let home = AgentHome::prepare(program, &given.join("picket"), HOST, collector, SERVICE).await;
    let port = collector.address.rsplit_once(':').expect("an address has a port").1;
    // 10.0.2.2 is this machine's loopback as qemu shows it to the box; the collector's certificate is for loopback.
    home.reach_by(&format!("address = \"10.0.2.2:{port}\"\nserver_name = \"127.0.0.1\""));
    let disk = folder.join("state.ext4");
    let made = Command::new("mke2fs")
        .args(["-q", "-t", "ext4", "-E", "root_owner=0:0", "-d"])
        .arg(&given)
        .arg(&disk)
        .arg("64M")
        .status();
    assert!(made.expect("mke2fs is there").success(), "a disk can be made");
    disk
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
