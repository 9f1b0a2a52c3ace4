//! From a service's death to an operator's waiting watch stream: agent, spool, mutual TLS, journal (fsynced), core,
//! stream. Beside it, the round trip of one journal-free question on the same connection. Then the same deaths until the
//! journal has them, which is when their ack leaves; that is seen by asking again and again, so it is up to one round trip too long.

use super::{Budget, Figure, Sample};
use crate::rig::clock::Since;
use crate::rig::process::{PATIENCE, Process};
use crate::rig::stack::{AgentHome, Collector};
use picket_rpc::v1;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::time::Duration;

/// How many deaths.
const DEATHS: usize = 60;

/// Measures and prints.
///
/// # Panics
/// If a change does not come.
pub fn run(program: &OsStr) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(measure(program));
}

async fn measure(program: &OsStr) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let collector = Collector::start(program, &folder.path().join("collector"));
    let home = AgentHome::prepare(program, &folder.path().join("agent"), "bench", &collector, CONFIG).await;
    let mut operator = collector.operator().await;
    let request = v1::WatchIncidentsRequest { resume_token: String::new() };
    let mut changes = operator.watch_incidents(request).await.expect("operators may watch").into_inner();
    let mut agent = home.start(&["--stop-services"]);
    let (mut deaths, mut questions) = (Vec::new(), Vec::new());
    for _ in 0..DEATHS {
        let (_, since) = kill(&mut agent);
        let told = tokio::time::timeout(PATIENCE, changes.message()).await.expect("a change comes in time");
        assert!(told.expect("the stream lives").is_some(), "the stream must not end");
        deaths.push(since.elapsed());
        wait_resolved(&mut changes).await;
        questions.push(question(&mut operator).await);
    }
    let mut journaled = Vec::new();
    for _ in 0..DEATHS {
        journaled.push(death_to_journaled(&mut agent, &mut operator).await);
        wait_resolved(&mut changes).await;
    }
    agent.end();
    print_journaled(&Sample::new(journaled));
    print(&Sample::new(deaths), &Sample::new(questions));
}

/// Kills the service's next life; which process that was, and the moment before.
///
/// The agent says which process it is: for a moment after it says so, the process has no command line to be found by.
fn kill(agent: &mut Process) -> (u32, Since) {
    let line = agent.line_with("service-started");
    let (_, rest) = line.split_once("(pid ").expect("a start names its process");
    let pid: u32 = rest.split(')').next().and_then(|pid| pid.parse().ok()).expect("a process id is a number");
    let since = Since::now();
    kill_process(Pid::from_raw(pid.cast_signed()).expect("not 0"), Signal::KILL)
        .expect("the service is alive");
    (pid, since)
}

/// Kills the service and asks until the journal shows its death.
async fn death_to_journaled(
    agent: &mut Process,
    operator: &mut v1::operator_client::OperatorClient<tonic::transport::Channel>,
) -> Duration {
    let (pid, since) = kill(agent);
    let told = format!("(pid {pid}) was killed");
    loop {
        let request = v1::ListEventsRequest { page_size: 8, ..Default::default() };
        let events = operator.list_events(request).await.expect("operators may ask").into_inner().events;
        if events.iter().any(|event| event.text.contains(&told)) {
            return since.elapsed();
        }
        assert!(since.elapsed() < PATIENCE, "the death is not journaled");
    }
}

fn print_journaled(deaths: &Sample) {
    for (name, percent, budget) in
        [("death_to_ack_p50", 50, None), ("death_to_ack_p99", 99, Some(Budget::AtMost(110.0)))]
    {
        let value = deaths.percentile_ms(percent);
        Figure { name, value, unit: "ms", yardstick: None, budget }.print();
    }
}

async fn wait_resolved(changes: &mut tonic::Streaming<v1::IncidentChange>) {
    loop {
        let told = tokio::time::timeout(PATIENCE, changes.message()).await.expect("a change comes in time");
        let change = told.expect("the stream lives").expect("the stream must not end");
        if change.code == "incident-resolved" {
            return;
        }
    }
}

async fn question(operator: &mut v1::operator_client::OperatorClient<tonic::transport::Channel>) -> Duration {
    let since = Since::now();
    operator.list_hosts(v1::ListHostsRequest::default()).await.expect("operators may ask");
    since.elapsed()
}

fn print(deaths: &Sample, questions: &Sample) {
    for (name, percent, budget) in
        [("death_to_watch_p50", 50, None), ("death_to_watch_p99", 99, Some(Budget::AtMost(150.0)))]
    {
        Figure {
            name,
            value: deaths.percentile_ms(percent),
            unit: "ms",
            yardstick: Some(("one question on the same connection", questions.percentile_ms(percent))),
            budget,
        }
        .print();
    }
}

const CONFIG: &str = "[host]\nenabled = false\n\n[[service]]\nname = \"bench\"\ncommand = [\"sleep\", \"86399\"]\n\
    hold = \"100ms\"\nbudget = 32\nbudget_window = \"1s\"\n";
