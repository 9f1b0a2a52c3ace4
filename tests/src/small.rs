//! The agent in a whole small box: a 32-bit ARM machine with 64 MB of memory, emulated with its own kernel, BusyBox init, a root
//! that nobody can write, state on a small disk, no D-Bus and a clock that begins at 1970. `cross/box.sh` makes it and runs this.
//!
//! Three boots on one disk. In the first the agent can't even enrol, since the clock is wrong: it says so, and heals the service that
//! is killed meanwhile. The clock jumps to today as a time client sets it; then it enrols, what happened before arrives, and a second
//! death is seen live. Then the power goes. The second boot is at 1970 again, without pressure figures of the kernel; the service is
//! killed and healed, and the power goes before the collector has heard of it. The third boot tells that as well.
//!
//! An emulator is no hardware: its times show the order of things and no speed. What memory is used is as on such a box, but for
//! drivers. The box reaches this machine's loopback alone, by qemu's own network; its clock is set over its console.

mod machine;
mod memory;

use crate::rig::clock::Since;

use crate::rig::stack::{AgentHome, Collector};
use machine::Machine;
use picket_rpc::v1;
use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The name of the box at the collector.
const HOST: &str = "box-1";

/// BusyBox's web server, asked every second.
const SERVICE: &str = "[[service]]\nname = \"web\"\ncommand = [\"/sbin/httpd\", \"-f\", \"-p\", \"127.0.0.1:80\", \"-h\", \"/www\"]\nhold = \"1s\"\n\n\
    [[service.check]]\nkind = \"http\"\nurl = \"http://127.0.0.1/\"\ninterval = \"1s\"\n";

/// Runs it all with the image in `image`; what was seen, as the line to print. `program` is a binary whose main calls
/// [`crate::rig::role`] first.
///
/// # Panics
/// If any of it does not come about in time, with what the box said.
pub async fn run(program: &OsStr, image: &Path, agent: &Path) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let begun = Since::now();
    let collector = Collector::start(program, &folder.path().join("collector"));
    let disk = disk(program, folder.path(), &collector).await;

    let mut first = Machine::boot(image, &disk, "");
    let boot = first.ready;
    let wrong = first.log("clock", 1);
    heal(&mut first, 1);
    eprintln!("{}", first.ask("logread"));
    let said = first.ask("picket-agent status; picket-agent explain link-clock; true");
    eprintln!("{said}");
    jump(&mut first);
    let jumped = Since::now();
    first.log("link-open", 1);
    let ready = jumped.elapsed();
    heal(&mut first, 2);
    let memory = memory::read(&mut first);
    eprintln!("{memory}");
    eprintln!("{}", first.ask("logread"));
    eprintln!("{}", first.ask("picket-agent events; true"));
    crate::rig::clock::pass(Duration::from_secs(3));
    show(&collector).await;
    eprintln!("{wrong}");
    first.cut();

    serde_json::json!({
        "boot_ms": ms(boot), "memory": memory, "agent_bytes": size(agent), "root_bytes": size(&image.join("root.squashfs")),
        "seconds": begun.elapsed().as_secs(), "ready": ms(ready)
    })
}

async fn show(collector: &Collector) {
    let mut operator = collector.operator().await;
    for event in crate::rig::client::events(&mut operator).await.unwrap() {
        eprintln!(
            "{:?} {:?} {} {} late {} un {}",
            event.at, event.received, event.code, event.text, event.late, event.unsynced
        );
    }
    let list = operator.list_incidents(v1::ListIncidentsRequest::default()).await.unwrap().into_inner();
    for one in list.incidents {
        eprintln!("{one:?}");
        let detail = operator.get_incident(v1::GetIncidentRequest { id: one.id }).await.unwrap().into_inner();
        for entry in detail.timeline {
            eprintln!("   {entry:?}");
        }
    }
}

/// Kills the service in the box and waits until it is healed for the `count`th time.
fn heal(machine: &mut Machine, count: usize) {
    machine.log("service-started", 1);
    machine.ask("kill -9 $(pidof httpd)");
    machine.log("remedy-held", count);
    assert_eq!(machine.ask("wget -q -O - http://127.0.0.1/"), "the box serves");
}

/// Sets the clock of the box to this machine's, as a time client does that finds it decades away.
fn jump(machine: &mut Machine) {
    machine.ask(&format!("date -s @{}", crate::rig::clock::wall()));
}

/// A disk of 16 MB for the state, with what a box is given when it is made: its configuration, its name, its token.
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
        .arg("16M")
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
