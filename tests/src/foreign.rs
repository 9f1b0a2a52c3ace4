//! An agent built for another processor, run through an emulator (`qemu-aarch64-static`), against a collector of this machine:
//! that what was only compiled also works. `cross/session.sh` builds and runs it.
//!
//! The agent enrols over mutual TLS and starts a service; the service is killed, healed and its incident is read at the
//! collector. Then the agent itself is killed and its next run adopts the service, whose second death it sees and heals though
//! the process is no child of its own. An emulator in user mode passes the system calls on to this machine's kernel: what it
//! shows are the program's own code and its calls' layouts, not a foreign kernel and no speed.

use crate::rig::clock::Since;
use crate::rig::files::processes_with;
use crate::rig::listen::{free_port, wait_listening};
use crate::rig::process::{PATIENCE, Process};
use crate::rig::stack::{AgentHome, Collector};
use picket_rpc::v1;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tonic::Streaming;

/// What a run saw.
#[derive(Debug)]
pub struct Seen {
    /// How the incident of the death ended, as the collector says it.
    pub outcome: String,
    /// The codes of its timeline, in order.
    pub timeline: Vec<String>,
    /// From the agent's start to its service known to the collector, the enrolment included.
    pub ready: Duration,
    /// From the kill to the service accepting again.
    pub healed: Duration,
    /// The whole run, with the second life.
    pub all: Duration,
}

/// Runs the agent `binary`, else that of `program`, by `through` (an emulator or a tracer, with its arguments; none where this
/// machine runs it itself). `program` is a binary whose main calls [`crate::rig::role`] first.
///
/// # Panics
/// If any of it does not come about in time, with what the agent and the collector said.
pub async fn run(program: &OsStr, through: &[String], binary: Option<&Path>) -> Seen {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let begun = Since::now();
    let collector = Collector::start(program, &folder.path().join("collector"));
    let address = free_port();
    let config = config(program, address);
    let mut home =
        AgentHome::prepare(program, &folder.path().join("agent"), "gateway-1", &collector, &config).await;
    if let Some(binary) = binary {
        home.use_binary(binary.as_os_str());
    }
    home.run_through(through);
    let mut changes = watch(&collector).await;

    let started = Since::now();
    let mut agent = home.start(&["--die-with-parent"]);
    known(&collector).await;
    let ready = started.elapsed();
    assert!(wait_listening(address, PATIENCE), "it serves");
    home.identity_written("web");
    let healed = kill_and_see_healed(&mut agent, address);
    let first = ended(&mut changes).await;
    let detail = collector.operator().await.get_incident(v1::GetIncidentRequest { id: first.id }).await;
    let detail = detail.expect("operators may read it").into_inner();

    // Its own end, without a word.
    home.identity_written("web");
    agent.kill();
    let mut agent = home.start(&["--die-with-parent", "--stop-services"]);
    agent.line_with("service-adopted");
    let _its_own_time = kill_and_see_healed(&mut agent, address);
    ended(&mut changes).await;
    assert!(agent.end().success(), "it ends as it was asked");
    assert!(server(address).is_empty(), "and its service with it");
    Seen {
        outcome: first.outcome,
        timeline: detail.timeline.into_iter().map(|entry| entry.code).collect(),
        ready,
        healed,
        all: begun.elapsed(),
    }
}

pub(crate) fn config(program: &OsStr, address: SocketAddr) -> String {
    let program = program.to_str().expect("the program's path is a text");
    format!(
        "[[service]]\nname = \"web\"\ncommand = [\"{program}\", \"__listen\", \"{address}\"]\nhold = \"300ms\"\n\n\
         [[service.check]]\nkind = \"tcp\"\naddress = \"{address}\"\nexpect = \"+HELLO\"\ninterval = \"500ms\"\n"
    )
}

pub(crate) fn server(address: SocketAddr) -> Vec<u32> {
    processes_with(&format!("__listen {address}"))
}

/// Kills the server that listens on `address`; how long it took until another does.
pub(crate) fn kill_and_see_healed(agent: &mut Process, address: SocketAddr) -> Duration {
    let killed = server(address);
    let [pid] = killed.as_slice() else { panic!("one server, not {killed:?}") };
    let since = Since::now();
    kill_process(Pid::from_raw(pid.cast_signed()).expect("it is no 0"), Signal::KILL).expect("it lives");
    agent.line_with("service-died");
    assert!(wait_listening(address, PATIENCE), "it serves again");
    let healed = since.elapsed();
    agent.line_with("remedy-held");
    assert_ne!(server(address), killed, "another process serves");
    healed
}

async fn watch(collector: &Collector) -> Streaming<v1::IncidentChange> {
    let request = v1::WatchIncidentsRequest { resume_token: String::new() };
    collector.operator().await.watch_incidents(request).await.expect("operators may watch").into_inner()
}

/// Waits until the collector knows the process of the service, so that its death is no news of the past.
pub(crate) async fn known(collector: &Collector) {
    let mut operator = collector.operator().await;
    let since = Since::now();
    while since.elapsed() < PATIENCE {
        let asked = operator.list_services(v1::ListServicesRequest::default()).await;
        let services = asked.expect("operators may list").into_inner().services;
        if services.iter().any(|service| service.service == "web" && service.pid != 0) {
            return;
        }
    }
    panic!("the collector knows no process of web in time");
}

/// Waits for the end of an incident; of one that the agent could tell only afterwards, since it was not connected yet, that
/// is its first word.
async fn ended(changes: &mut Streaming<v1::IncidentChange>) -> v1::Incident {
    loop {
        let next = tokio::time::timeout(PATIENCE, changes.message()).await.expect("a change comes in time");
        let change = next.expect("the watch lives").expect("the watch does not end");
        if ["incident-resolved", "incident-late"].contains(&change.code.as_str()) {
            return change.incident.expect("a change has its incident");
        }
    }
}
