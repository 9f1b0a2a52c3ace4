//! The fleet as a scenario sees it: hosts by number, the collector as an operator asks it, and waits with deadlines.
//!
//! h1 has the collector. The others have an agent each and one service, as Debian's own unit starts it: nginx on hosts of even
//! numbers, redis on the odd ones. Everything asked about the fleet is asked over gRPC.

use super::groups::Groups;
use super::host::Host;
use super::{ground, net};
use crate::rig::client;
use crate::rig::clock::Since;
use crate::rig::private_systemd::look_again;
use picket_rpc::v1;
use picket_rpc::v1::operator_client::OperatorClient;
use std::time::Duration;
use tonic::transport::Channel;

/// The unit as it is shipped.
const COLLECTOR_UNIT: &str = include_str!("../../../systemd/picket-collector.service");
const COLLECTOR_USER: &str = include_str!("../../../systemd/picket-collector.sysusers");
/// How long anything may take that is a matter of less than a second on a quiet machine.
pub(super) const SOON: Duration = Duration::from_secs(20);
/// How long until silence is told, and some: 25 s, and the rest for a busy machine.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct World {
    hosts: Vec<Host>,
    runtime: tokio::runtime::Runtime,
    operator: Option<OperatorClient<Channel>>,
}

impl World {
    /// A fleet of so many hosts, none of it booted.
    ///
    /// # Errors
    /// What can't be made.
    pub(super) fn new(count: usize) -> Result<Self, String> {
        ground::lay().map_err(|error| format!("the ground: {error}"))?;
        let groups = Groups::given();
        let hosts = (1..=count).map(|number| Host::new(number, groups.clone())).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        Ok(Self { hosts, runtime, operator: None })
    }

    /// Boots all hosts.
    ///
    /// # Errors
    /// What did not come up.
    pub(super) fn boot(&mut self) -> Result<(), String> {
        self.hosts.iter_mut().for_each(Host::boot);
        self.hosts.iter_mut().try_for_each(Host::up)
    }

    /// Boots and installs all of it, until everybody is heard.
    ///
    /// # Errors
    /// What did not come up.
    pub(super) fn begin(&mut self) -> Result<(), String> {
        self.boot()?;
        self.collector()?;
        self.agents().try_for_each(|number| self.agent(number))?;
        let count = self.agents().count();
        self.wait("all hosts are connected and all services are up", SOON, |world| {
            let (hosts, services) = (world.states()?, world.services()?);
            let connected = hosts.iter().filter(|host| host.state() == v1::HostState::Connected).count();
            let up = services.iter().filter(|found| found.verdict() == v1::Verdict::Up).count();
            Ok(connected == count && up >= count)
        })
    }

    fn collector(&mut self) -> Result<(), String> {
        let host = &self.hosts[0];
        host.write("/etc/systemd/system/picket-collector.service", COLLECTOR_UNIT)?;
        let names = format!("h1,{},{}", net::address(1), net::address6(1));
        let data = "/var/lib/picket-collector";
        host.write("/usr/lib/sysusers.d/picket-collector.conf", COLLECTOR_USER)?;
        host.does(&["systemd-sysusers", "picket-collector.conf"])?;
        host.does(&["picket-collector", "init", "--data", data, "--name", &names])?;
        host.does(&["systemctl", "daemon-reload"])?;
        host.does(&["systemctl", "enable", "--now", "picket-collector"])?;
        self.reconnect()
    }

    /// Connects to the collector, the first time or after its host was away.
    pub(super) fn reconnect(&mut self) -> Result<(), String> {
        let host = &self.hosts[0];
        let credentials = host.path("/var/lib/picket-collector/operator");
        let address = format!("{}:7440", net::address(1));
        let runtime = &self.runtime;
        let mut operator = None;
        until("the collector answers", SOON, || {
            operator = runtime.block_on(client::operator(&address, &credentials)).ok();
            Ok(operator.is_some())
        })?;
        self.operator = operator;
        Ok(())
    }

    /// The numbers of the hosts that have an agent.
    pub(super) fn agents(&self) -> std::ops::RangeInclusive<usize> {
        2..=self.hosts.len()
    }

    /// A host.
    pub(super) fn host(&self, number: usize) -> &Host {
        &self.hosts[number - 1]
    }

    /// A host, to boot it or to take its power.
    pub(super) fn host_mut(&mut self, number: usize) -> &mut Host {
        &mut self.hosts[number - 1]
    }

    pub(super) fn operator(&self) -> OperatorClient<Channel> {
        self.operator.clone().expect("the collector was first")
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Asks the collector.
    fn ask<T>(
        &mut self,
        ask: impl AsyncFnOnce(OperatorClient<Channel>) -> Result<T, tonic::Status>,
    ) -> Result<T, String> {
        let operator = self.operator();
        let answer = async { tokio::time::timeout(SOON, ask(operator)).await };
        match self.runtime.block_on(answer) {
            Ok(answer) => answer.map_err(|status| status.to_string()),
            Err(_late) => Err("the collector does not answer".to_owned()),
        }
    }

    /// All hosts as the collector knows them.
    pub(super) fn states(&mut self) -> Result<Vec<v1::Host>, String> {
        self.ask(async |mut operator| {
            Ok(operator.list_hosts(v1::ListHostsRequest::default()).await?.into_inner().hosts)
        })
    }

    /// All services as the collector knows them.
    pub(super) fn services(&mut self) -> Result<Vec<v1::Service>, String> {
        let services = self.ask(async |mut operator| {
            Ok(operator.list_services(v1::ListServicesRequest::default()).await?.into_inner().services)
        })?;
        Ok(services.into_iter().filter(|found| !found.service.is_empty()).collect())
    }

    /// Incidents that are not over.
    pub(super) fn open_incidents(&mut self) -> Result<Vec<v1::Incident>, String> {
        self.ask(async |mut operator| {
            let open = v1::ListIncidentsRequest { open_only: true, ..Default::default() };
            Ok(operator.list_incidents(open).await?.into_inner().incidents)
        })
    }

    /// All incidents, newest first.
    pub(super) fn incidents(&mut self) -> Result<Vec<v1::Incident>, String> {
        self.ask(async |mut operator| {
            Ok(operator.list_incidents(v1::ListIncidentsRequest::default()).await?.into_inner().incidents)
        })
    }

    /// What happened in an incident, in words.
    pub(super) fn timeline(&mut self, id: u64) -> Result<Vec<String>, String> {
        let found = self.ask(async move |mut operator| {
            Ok(operator.get_incident(v1::GetIncidentRequest { id }).await?.into_inner())
        })?;
        Ok(found.timeline.into_iter().map(|entry| entry.text).collect())
    }

    /// What a service printed last, by its host's own word.
    pub(super) fn evidence(&mut self, number: usize, service: &str) -> Result<String, String> {
        let asked = v1::AskEvidenceRequest { host: format!("h{number}"), service: service.to_owned() };
        self.ask(async move |mut operator| Ok(operator.ask_evidence(asked).await?.into_inner().text))
    }

    /// All events, newest first.
    pub(super) fn all_events(&mut self) -> Result<Vec<v1::Event>, String> {
        self.ask(async |mut operator| client::events(&mut operator).await)
    }

    /// All events of a host, newest first.
    pub(super) fn events(&mut self, host: &str) -> Result<Vec<v1::Event>, String> {
        let mut events = self.all_events()?;
        events.retain(|event| event.host == host);
        Ok(events)
    }

    /// Waits until something holds.
    pub(super) fn wait(
        &mut self,
        what: &str,
        limit: Duration,
        mut holds: impl FnMut(&mut Self) -> Result<bool, String>,
    ) -> Result<(), String> {
        until(what, limit, || holds(self))
    }

    /// Says how to enter the hosts, and stays until the runner ends. `out` tells this rig from another runner's.
    pub(super) fn keep(&self, out: &std::path::Path) {
        println!(
            "the hosts stay up until Ctrl-C. Each has an agent and a service but h1, which has the collector; there, ask with picket:"
        );
        println!("{}", super::inside::operators_program(self.host(1)));
        println!("to enter one, as root (words behind it are run instead of a shell):");
        for host in &self.hosts {
            println!("  {}", host.entry(out));
        }
        loop {
            std::thread::park();
        }
    }

    /// What a failure leaves for those who look into it: the journal of each host, and all that the collector says.
    pub(super) fn leave(&mut self, out: &std::path::Path) {
        for host in self.hosts.iter().filter(|host| host.is_up()) {
            let (journal, _) = host.run(&["journalctl", "--no-pager", "-o", "short-precise"]);
            let _no_room = ground::write(&out.join(format!("{}.journal", host.name)), &journal);
        }
        if self.operator.is_none() {
            return;
        }
        let incidents = self.incidents();
        let _no_room = ground::write(&out.join("incidents"), &format!("{incidents:#?}"));
        let events = self.all_events();
        let _no_room = ground::write(&out.join("events"), &format!("{events:#?}"));
    }
}

/// Looks until something holds; a question that fails is asked again.
pub(super) fn until(
    what: &str,
    limit: Duration,
    mut holds: impl FnMut() -> Result<bool, String>,
) -> Result<(), String> {
    let since = Since::now();
    let mut why = String::new();
    while !since.left(limit).is_zero() {
        match holds() {
            Ok(true) => return Ok(()),
            Ok(false) => why.clear(),
            Err(error) => why = format!(" ({error})"),
        }
        look_again();
    }
    Err(format!("not within {} s: {what}{why}", limit.as_secs()))
}
