//! The world of a run: collector, relay, agent, two services; and what the operator sees of it at the end.

use super::plan::{Fault, SERVICES};
use crate::rig::account::Account;
use crate::rig::client;
use crate::rig::clock::Since;
use crate::rig::files::processes_with;
use crate::rig::listen::{free_port, wait_listening};
use crate::rig::process::{PATIENCE, Process};
use crate::rig::relay::Relay;
use crate::rig::stack::{AgentHome, Collector};
use picket_rpc::v1;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;

const HOST: &str = "web-1";
/// How often the collector is asked whether all is well, at least.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const FLAGS: [&str; 2] = ["--stop-services", "--die-with-parent"];

/// What the operator sees: the same for two runs that ended alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    host: v1::HostState,
    checks: Vec<(String, v1::Verdict)>,
    not_healed: Vec<String>,
    active: Vec<String>,
}

/// See the module.
pub(super) struct World {
    folder: TempDir,
    program: OsString,
    collector: Collector,
    relay: Relay,
    home: AgentHome,
    agent: Process,
    ports: Vec<SocketAddr>,
    is_cut: bool,
    account: Account,
}

impl World {
    /// Starts everything and waits until all services are up and the collector knows it.
    pub(super) async fn begin(program: &OsStr) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let collector = Collector::start(program, &folder.path().join("collector"));
        let relay = Relay::to(&collector.address);
        let ports: Vec<SocketAddr> = (0..SERVICES).map(|_| free_port()).collect();
        let config: String = ports.iter().enumerate().map(|(at, port)| service(program, at, *port)).collect();
        let config = format!("[host]\nenabled = false\n\n{config}");
        let home = folder.path().join("agent");
        let address = relay.address.to_string();
        let home = AgentHome::prepare_at(program, &home, (HOST, &address), &collector, &config).await;
        let agent = home.start(&FLAGS);
        let program = program.to_owned();
        let account = Account::default();
        let mut world =
            Self { folder, program, collector, relay, home, agent, ports, is_cut: false, account };
        let _state_before = world.settle().await;
        world
    }

    pub(super) fn suffer(&mut self, fault: Fault) {
        match fault {
            Fault::Service(which) => self.kill_service(usize::try_from(which).unwrap_or(0)),
            Fault::Agent => {
                self.agent.kill();
                self.hear();
                self.agent = self.home.start(&FLAGS);
            }
            Fault::Collector => {
                self.collector.process.kill();
                self.collector.again();
            }
            Fault::Link if self.is_cut => self.heal(),
            Fault::Link => {
                self.relay.cut();
                self.is_cut = true;
            }
        }
    }

    /// Heals the link and waits until all is well and every frame is accounted for; or for as long as is patient.
    pub(super) async fn settle(&mut self) -> (State, Account) {
        self.heal();
        for port in &self.ports {
            wait_listening(*port, PATIENCE);
        }
        let since = Since::now();
        loop {
            for line in self.agent.lines_within(LOOK_AGAIN) {
                self.account.line(&line);
            }
            let state = self.look().await;
            let well = state.as_ref().is_some_and(|state| self.is_well(state));
            if since.elapsed() > PATIENCE {
                self.tell().await;
            }
            if since.elapsed() > PATIENCE || (well && self.account.is_complete()) {
                let state = state.expect("the collector answers");
                return (state, std::mem::take(&mut self.account));
            }
        }
    }

    /// Prints what is not over, for whoever looks for the reason.
    async fn tell(&mut self) {
        let mut operator = self.collector.operator().await;
        let open = v1::ListIncidentsRequest { open_only: true, ..Default::default() };
        let incidents = operator.list_incidents(open).await.map(tonic::Response::into_inner);
        for incident in incidents.map(|listed| listed.incidents).unwrap_or_default() {
            let detail = operator.get_incident(v1::GetIncidentRequest { id: incident.id }).await;
            println!("{:#?}", detail.map(tonic::Response::into_inner));
        }
        println!("{}", self.agent.said());
    }

    /// Ends all of it; what a straight replay finds otherwise than the collector is a violation.
    pub(super) fn end(mut self) -> Option<String> {
        let _ended_in_order = self.agent.end();
        let _ended_in_order = self.collector.process.end();
        let ended = self.collector.process.line_with("\"snapshot\"");
        let replayed = Collector::hash(&self.program, &self.folder.path().join("collector"));
        (Collector::snapshot(&ended) != Collector::snapshot(&replayed))
            .then(|| format!("ended {ended}, replayed {replayed}"))
    }

    fn heal(&mut self) {
        if std::mem::take(&mut self.is_cut) {
            self.relay.heal();
        }
    }

    /// Takes what a killed agent had said.
    fn hear(&mut self) {
        for line in self.agent.last_lines() {
            self.account.line(&line);
        }
    }

    fn kill_service(&self, which: usize) {
        let Some(port) = self.ports.get(which) else { return };
        for pid in processes_with(&format!("__listen {port}")) {
            let pid = Pid::from_raw(pid.cast_signed()).expect("a process has a number above zero");
            let _died_meanwhile = kill_process(pid, Signal::KILL);
        }
    }

    fn is_well(&self, state: &State) -> bool {
        let up = state.checks.iter().all(|(_, verdict)| *verdict == v1::Verdict::Up);
        up && state.checks.len() == self.ports.len() * 2
            && state.host == v1::HostState::Connected
            && state.active.is_empty()
            && state.not_healed.is_empty()
    }

    /// Asks the collector for everything; `None` where it does not answer.
    async fn look(&mut self) -> Option<State> {
        let mut operator = self.collector.operator().await;
        let events = client::events(&mut operator).await.ok()?;
        self.account.events(&events);
        let hosts = operator.list_hosts(v1::ListHostsRequest::default()).await.ok()?.into_inner().hosts;
        let services =
            operator.list_services(v1::ListServicesRequest::default()).await.ok()?.into_inner().services;
        let open = v1::ListIncidentsRequest { open_only: true, ..Default::default() };
        let incidents = operator.list_incidents(open).await.ok()?.into_inner().incidents;
        let checks = services.iter().flat_map(|service| &service.checks);
        Some(State {
            host: hosts.first().map_or(v1::HostState::Unspecified, v1::Host::state),
            checks: checks.map(|check| (check.check.clone(), check.verdict())).collect(),
            not_healed: services
                .iter()
                .map(|service| service.not_healed_because.clone())
                .filter(|because| !because.is_empty())
                .collect(),
            active: incidents.into_iter().map(|incident| incident.title).collect(),
        })
    }
}

/// A service that answers on a port, healed without end and fast.
fn service(program: &OsStr, at: usize, port: SocketAddr) -> String {
    let program = program.to_str().expect("the program's path is text");
    format!(
        "[[service]]\nname = \"web-{at}\"\ncommand = [\"{program}\", \"__listen\", \"{port}\"]\nhold = \"200ms\"\n\
         backoff_first = \"10ms\"\nbackoff_max = \"50ms\"\nbudget = 32\nbudget_window = \"1s\"\nsame_deaths = 100\n\n\
         [[service.check]]\nname = \"port-{at}\"\nkind = \"tcp\"\naddress = \"{port}\"\ninterval = \"500ms\"\n\n"
    )
}
