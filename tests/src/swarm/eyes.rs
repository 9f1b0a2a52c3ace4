//! What an operator sees: hosts, incidents, and the stream of their changes. Never the ground truth.

use crate::rig::clock::Since;
use crate::rig::stack::Collector;
use picket_rpc::v1::operator_client::OperatorClient;
use picket_rpc::v1::{self, HostState};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tonic::transport::Channel;

/// Between two looks: a bounded poll, where there is no event to wait for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// An operator.
#[derive(Debug, Clone)]
pub(super) struct Eyes(pub(super) OperatorClient<Channel>);

impl Eyes {
    /// An operator of this collector.
    pub(super) async fn of(collector: &Collector) -> Self {
        Self(collector.operator().await)
    }

    /// All hosts.
    ///
    /// # Panics
    /// If the collector does not answer; so it is with the others.
    pub(super) async fn hosts(&mut self) -> Vec<v1::Host> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListHostsRequest { page_token, page_size: 0 };
            let page = self.0.list_hosts(request).await.expect("operators may ask").into_inner();
            all.extend(page.hosts);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    /// The hosts that it calls so.
    pub(super) async fn hosts_that_are(&mut self, state: HostState) -> BTreeSet<String> {
        let is = |host: &v1::Host| host.state() == state;
        self.hosts().await.into_iter().filter(is).map(|host| host.host).collect()
    }

    /// All incidents, or those that are not resolved.
    pub(super) async fn incidents(&mut self, open_only: bool) -> Vec<v1::Incident> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListIncidentsRequest { open_only, page_token, ..Default::default() };
            let page = self.0.list_incidents(request).await.expect("operators may ask").into_inner();
            all.extend(page.incidents);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    /// Hosts that an incident's timeline calls silent.
    pub(super) async fn called_silent(&mut self, incident: &v1::Incident) -> BTreeSet<String> {
        let request = v1::GetIncidentRequest { id: incident.id };
        let found = self.0.get_incident(request).await.expect("the incident is kept").into_inner();
        if incident.title.ends_with("hosts are silent") {
            return incident.hosts.iter().cloned().collect();
        }
        let silent = found.timeline.into_iter().filter(|entry| entry.code == "host-silent");
        silent.map(|entry| entry.host).collect()
    }

    /// How the collector itself is.
    pub(super) async fn status(&mut self) -> v1::CollectorStatus {
        self.0.get_status(v1::GetStatusRequest {}).await.expect("operators may ask").into_inner()
    }

    /// Watches every change from now on.
    pub(super) async fn watch(&mut self) -> Watch {
        let (told, changes) = mpsc::unbounded_channel();
        let request = v1::WatchIncidentsRequest { resume_token: String::new() };
        let stream = self.0.watch_incidents(request).await.expect("operators may watch").into_inner();
        tokio::spawn(follow(self.clone(), stream, told));
        Watch(changes)
    }
}

/// The changes of incidents, and when each came.
pub(super) struct Watch(pub(super) mpsc::UnboundedReceiver<Told>);

/// What a watcher is told.
pub(super) enum Told {
    /// A change.
    Change(Since, Box<v1::IncidentChange>),
    /// It was cut for being slow, and went on with its last token.
    Cut,
}

async fn follow(
    mut eyes: Eyes,
    mut stream: tonic::Streaming<v1::IncidentChange>,
    told: mpsc::UnboundedSender<Told>,
) {
    let mut resume_token = String::new();
    loop {
        if let Ok(Some(change)) = stream.message().await {
            resume_token.clone_from(&change.resume_token);
            if told.send(Told::Change(Since::now(), Box::new(change))).is_err() {
                return;
            }
            continue;
        }
        let request = v1::WatchIncidentsRequest { resume_token: resume_token.clone() };
        match eyes.0.watch_incidents(request).await {
            Ok(again) if told.send(Told::Cut).is_ok() => stream = again.into_inner(),
            Ok(_) | Err(_) => return,
        }
    }
}

/// Looks until `done` holds; how long that took, or `None` if it did not within `limit`.
pub(super) async fn until(limit: Duration, mut done: impl FnMut() -> bool) -> Option<Duration> {
    let since = Since::now();
    loop {
        if done() {
            return Some(since.elapsed());
        }
        if since.elapsed() >= limit {
            return None;
        }
        sleep(LOOK_EVERY / 10).await;
    }
}

/// A pause between two looks at the collector.
pub(super) async fn pause() {
    sleep(LOOK_EVERY).await;
}
