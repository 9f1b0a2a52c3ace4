//! What the tests say: a stack with one agent, and an operator who looks.

use picket_rpc::v1;
use picket_rpc::v1::operator_client::OperatorClient;
use picket_tests::rig::client;
use picket_tests::rig::clock::Since;
use picket_tests::rig::process::{PATIENCE, Process};
use picket_tests::rig::relay::Relay;
use picket_tests::rig::stack::{AgentHome, Collector};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::path::PathBuf;
use tempfile::TempDir;
use tonic::Streaming;
use tonic::transport::Channel;

/// The programs under test.
pub(crate) fn program() -> &'static OsStr {
    OsStr::new(env!("CARGO_BIN_EXE_picket-rig"))
}

/// The examples that the documentation shows.
pub(crate) fn example(name: &str) -> (PathBuf, String) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples"));
    let text = std::fs::read_to_string(folder.join(name)).expect("the example is there");
    (folder, text)
}

/// A collector, one agent `web-1`, an operator and a watcher.
pub(crate) struct Story {
    _folder: TempDir,
    pub(crate) collector: Collector,
    pub(crate) home: AgentHome,
    pub(crate) agent: Process,
    pub(crate) operator: OperatorClient<Channel>,
    pub(crate) changes: Streaming<v1::IncidentChange>,
}

impl Story {
    /// Starts everything with the agent's `config`, and waits until the agent has said hello.
    pub(crate) async fn begin(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let collector = Collector::start(program(), &folder.path().join("collector"));
        let address = collector.address.clone();
        Self::at(folder, collector, &address, config).await
    }

    /// The same with a link that can be cut.
    pub(crate) async fn behind_a_relay(config: &str) -> (Self, Relay) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let collector = Collector::start(program(), &folder.path().join("collector"));
        let relay = Relay::to(&collector.address);
        (Self::at(folder, collector, &relay.address.to_string(), config).await, relay)
    }

    async fn at(folder: TempDir, collector: Collector, address: &str, config: &str) -> Self {
        let home = folder.path().join("agent");
        let home = AgentHome::prepare_at(program(), &home, ("web-1", address), &collector, config).await;
        let mut operator = collector.operator().await;
        let changes = watch(&mut operator, "").await;
        let agent = home.start(&["--stop-services", "--die-with-parent"]);
        Self { _folder: folder, collector, home, agent, operator, changes }
    }

    /// Waits for the next change with this code, of any incident.
    pub(crate) async fn change(&mut self, code: &str) -> v1::IncidentChange {
        let mut seen = Vec::new();
        loop {
            let next = tokio::time::timeout(PATIENCE, self.changes.message()).await;
            let Ok(next) = next else { panic!("no {code} in time; changes so far: {seen:#?}") };
            let change = next.expect("the watch lives").expect("the watch does not end");
            if change.code == code {
                return change;
            }
            seen.push(format!("{}: {}", change.code, change.text));
        }
    }

    /// All incidents, newest first.
    pub(crate) async fn incidents(&mut self) -> Vec<v1::Incident> {
        let asked = self.operator.list_incidents(v1::ListIncidentsRequest::default()).await;
        asked.expect("operators may list").into_inner().incidents
    }

    /// One incident with its timeline.
    pub(crate) async fn incident(&mut self, id: u64) -> v1::GetIncidentResponse {
        self.operator.get_incident(v1::GetIncidentRequest { id }).await.expect("it is there").into_inner()
    }

    /// All events, newest first.
    pub(crate) async fn events(&mut self) -> Vec<v1::Event> {
        client::events(&mut self.operator).await.expect("operators may list")
    }

    /// What the collector knows of a service now.
    pub(crate) async fn service(&mut self, name: &str) -> v1::Service {
        let asked = self.operator.list_services(v1::ListServicesRequest::default()).await;
        let services = asked.expect("operators may list").into_inner().services;
        services.into_iter().find(|service| service.service == name).expect("the service is known")
    }

    /// The same, as soon as it knows a process that runs.
    pub(crate) async fn alive(&mut self, name: &str) -> v1::Service {
        let since = Since::now();
        while since.elapsed() < PATIENCE {
            let asked = self.operator.list_services(v1::ListServicesRequest::default()).await;
            let services = asked.expect("operators may list").into_inner().services;
            let found = services.into_iter().find(|service| service.service == name && service.pid != 0);
            if let Some(service) = found {
                return service;
            }
        }
        panic!("the collector knows no process of {name} in time");
    }

    /// Sends a signal to the process of a service that the agent last reported.
    pub(crate) async fn signal(&mut self, service: &str, signal: Signal) -> u32 {
        let pid = self.alive(service).await.pid;
        let target = Pid::from_raw(pid.cast_signed()).expect("the service has a process");
        kill_process(target, signal).expect("the process is alive");
        pid
    }
}

/// Opens a watch behind `resume_token`.
pub(crate) async fn watch(
    operator: &mut OperatorClient<Channel>,
    resume_token: &str,
) -> Streaming<v1::IncidentChange> {
    let request = v1::WatchIncidentsRequest { resume_token: resume_token.to_owned() };
    operator.watch_incidents(request).await.expect("operators may watch").into_inner()
}

/// The codes of a timeline, in order.
pub(crate) fn codes(detail: &v1::GetIncidentResponse) -> Vec<&str> {
    detail.timeline.iter().map(|entry| entry.code.as_str()).collect()
}
