//! What an operator sees: hosts, incidents, and the stream of their changes. Never the ground truth.

use crate::rig::clock::Since;
use crate::rig::stack::Collector;
use picket_rpc::v1::operator_client::OperatorClient;
use picket_rpc::v1::{self, HostState};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;
use tokio::time::{Instant, interval_at};
use tonic::Code;
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
        let stream = self.watch_from("").await.expect("operators may watch");
        tokio::spawn(follow(self.clone(), stream, told));
        Watch(changes)
    }

    async fn watch_from(&mut self, token: &str) -> Option<tonic::Streaming<v1::IncidentChange>> {
        let request = v1::WatchIncidentsRequest { resume_token: token.to_owned() };
        self.0.watch_incidents(request).await.ok().map(tonic::Response::into_inner)
    }

    /// Shows by a list what is open, to one who has lost the place in the stream.
    async fn show_open(&mut self, told: &mpsc::UnboundedSender<Told>) -> Result<(), SendError<Told>> {
        let open = self.incidents(true).await;
        told.send(Told::Lost)?;
        open.into_iter().try_for_each(|incident| told.send(Told::Shown(Since::now(), incident.hosts)))
    }
}

/// The changes of incidents, and when each came.
pub(super) struct Watch(pub(super) mpsc::UnboundedReceiver<Told>);

/// What a watcher is told.
pub(super) enum Told {
    /// Something about these hosts' incidents, and when that came.
    Shown(Since, Vec<String>),
    /// It was cut for being slow, and went on with its last token.
    Cut,
    /// Its last token was too old: it began anew, and was shown by a list what is open.
    Lost,
}

/// Watches as an operator's program does, until nobody listens.
async fn follow(
    mut eyes: Eyes,
    mut stream: tonic::Streaming<v1::IncidentChange>,
    told: mpsc::UnboundedSender<Told>,
) {
    let mut token = String::new();
    loop {
        let said = match stream.message().await {
            Ok(Some(change)) => {
                token = change.resume_token;
                let hosts = change.incident.map(|incident| incident.hosts);
                told.send(Told::Shown(Since::now(), hosts.unwrap_or_default()))
            }
            ended => {
                let is_lost = ended.is_err_and(|status| status.code() == Code::OutOfRange);
                if is_lost {
                    token.clear();
                }
                let Some(again) = eyes.watch_from(&token).await else { return };
                stream = again;
                if is_lost { eyes.show_open(&told).await } else { told.send(Told::Cut) }
            }
        };
        if said.is_err() {
            return;
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
        pass(LOOK_EVERY / 10).await;
    }
}

/// A pause between two looks at the collector.
pub(super) async fn pause() {
    pass(LOOK_EVERY).await;
}

/// One tick of so long: for polls, and where time passing is what is measured.
pub(super) async fn pass(span: Duration) {
    if !span.is_zero() {
        interval_at(Instant::now() + span, span).tick().await;
    }
}
