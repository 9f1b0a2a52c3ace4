//! The service that operators call. Every method checks the certificate, parses the request whole, asks the core or
//! the journal, and renders the answer.

mod events;

use super::{Door, operator, refusal, refusal_because, render, watch};
use crate::authority::{Secret, token_expiry};
use crate::clock;
use crate::ports::{Answered, Ask};
use crate::store::NoPage;
use picket_collector_core::incident::{IncidentId, Verb};
use picket_collector_core::order::Evidence;
use picket_collector_core::view::{Answer, Question};
use picket_proto::{HostId, Name};
use picket_rpc::convert::{self, BadMessage};
use picket_rpc::v1::{self, operator_server};
use tonic::{Request, Response, Status};

/// Longest note or reason in bytes.
const TEXT_MAX: usize = 1_000;
/// Items in a page when the caller names no number, and at most.
const PAGE_MAX: u16 = 500;

pub(super) struct Operator {
    door: Door,
}

/// Where a page of services ended.
type ServicesPlace = (HostId, Option<Name>);
type Answering<T> = Result<Response<T>, Status>;

impl Operator {
    pub(super) const fn new(door: Door) -> Self {
        Self { door }
    }

    async fn view(&self, question: Question) -> Result<Answer, Status> {
        match self.door.ask(Ask::View(question)).await? {
            Answered::View(answer) => Ok(answer),
            Answered::Incident(_) | Answered::Evidence(_) | Answered::Allowed => Err(mismatch()),
        }
    }

    async fn change(&self, operator: Name, id: u64, revision: u32, verb: Verb) -> Answering<v1::Incident> {
        let revision = if revision == 0 { None } else { Some(revision) };
        let code = match &verb {
            Verb::Acknowledge => "incident-acknowledged",
            Verb::Note(_) => "incident-note",
            Verb::Resolve(_) => "incident-resolved",
        };
        let ask =
            Ask::Change { operator: Box::new(operator.clone()), incident: IncidentId(id), revision, verb };
        match self.door.ask(ask).await? {
            Answered::Incident(incident) => {
                tracing::info!(%operator, incident = id, code, "changed by an operator");
                Ok(Response::new(render::incident(*incident)))
            }
            Answered::View(_) | Answered::Evidence(_) | Answered::Allowed => Err(mismatch()),
        }
    }
}

#[tonic::async_trait]
impl operator_server::Operator for Operator {
    async fn list_hosts(&self, request: Request<v1::ListHostsRequest>) -> Answering<v1::ListHostsResponse> {
        operator(&request)?;
        let asked = request.into_inner();
        let after = optional_host("page_token", &asked.page_token)?.map(Box::new);
        let question = Question::Hosts { after, limit: limit(asked.page_size)? };
        match self.view(question).await? {
            Answer::Hosts(hosts, more) => Ok(Response::new(render::hosts(hosts, more))),
            Answer::Services(..) | Answer::Incidents(..) | Answer::Incident(_) | Answer::Summary(_) => {
                Err(mismatch())
            }
        }
    }

    async fn list_services(
        &self,
        request: Request<v1::ListServicesRequest>,
    ) -> Answering<v1::ListServicesResponse> {
        operator(&request)?;
        let asked = request.into_inner();
        let host = optional_host("host", &asked.host)?.map(Box::new);
        let after = services_place(&asked.page_token)?;
        match self.view(Question::Services { host, after, limit: limit(asked.page_size)? }).await? {
            Answer::Services(services, more) => Ok(Response::new(render::services(services, more))),
            Answer::Hosts(..) | Answer::Incidents(..) | Answer::Incident(_) | Answer::Summary(_) => {
                Err(mismatch())
            }
        }
    }

    async fn list_incidents(
        &self,
        request: Request<v1::ListIncidentsRequest>,
    ) -> Answering<v1::ListIncidentsResponse> {
        operator(&request)?;
        let asked = request.into_inner();
        let question = Question::Incidents {
            open_only: asked.open_only,
            host: optional_host("host", &asked.host)?.map(Box::new),
            before: number("page_token", &asked.page_token)?.map(IncidentId),
            limit: limit(asked.page_size)?,
        };
        match self.view(question).await? {
            Answer::Incidents(incidents, more) => Ok(Response::new(render::incidents(incidents, more))),
            Answer::Hosts(..) | Answer::Services(..) | Answer::Incident(_) | Answer::Summary(_) => {
                Err(mismatch())
            }
        }
    }

    async fn get_incident(
        &self,
        request: Request<v1::GetIncidentRequest>,
    ) -> Answering<v1::GetIncidentResponse> {
        operator(&request)?;
        match self.view(Question::Incident(IncidentId(request.into_inner().id))).await? {
            Answer::Incident(Some(detail)) => Ok(Response::new(render::detail(*detail))),
            Answer::Incident(None) => Err(refusal("not-found")),
            Answer::Hosts(..) | Answer::Services(..) | Answer::Incidents(..) | Answer::Summary(_) => {
                Err(mismatch())
            }
        }
    }

    async fn acknowledge_incident(
        &self,
        request: Request<v1::AcknowledgeIncidentRequest>,
    ) -> Answering<v1::Incident> {
        let operator = operator(&request)?;
        let asked = request.into_inner();
        self.change(operator, asked.id, asked.revision, Verb::Acknowledge).await
    }

    async fn note_incident(&self, request: Request<v1::NoteIncidentRequest>) -> Answering<v1::Incident> {
        let operator = operator(&request)?;
        let asked = request.into_inner();
        let text = text(&asked.text)?;
        if text.is_empty() {
            return Err(refusal_because("bad-input", "text is empty"));
        }
        self.change(operator, asked.id, 0, Verb::Note(text)).await
    }

    async fn resolve_incident(
        &self,
        request: Request<v1::ResolveIncidentRequest>,
    ) -> Answering<v1::Incident> {
        let operator = operator(&request)?;
        let asked = request.into_inner();
        let text = text(&asked.text)?;
        self.change(operator, asked.id, asked.revision, Verb::Resolve(text)).await
    }

    async fn ask_evidence(
        &self,
        request: Request<v1::AskEvidenceRequest>,
    ) -> Answering<v1::AskEvidenceResponse> {
        let operator = operator(&request)?;
        let asked = request.into_inner();
        let host = convert::host("host", &asked.host).map_err(bad_input)?;
        let service = convert::name("service", &asked.service).map_err(bad_input)?;
        tracing::info!(%operator, %host, %service, code = "evidence-asked", "a host is asked by an operator");
        let (operator, host, service) = (Box::new(operator), Box::new(host), Box::new(service));
        match self.door.ask(Ask::Order { operator, host, service }).await? {
            Answered::Evidence(evidence) => {
                let Evidence { token, text } = *evidence;
                Ok(Response::new(v1::AskEvidenceResponse { token, text }))
            }
            Answered::View(_) | Answered::Incident(_) | Answered::Allowed => Err(mismatch()),
        }
    }

    async fn get_status(&self, request: Request<v1::GetStatusRequest>) -> Answering<v1::CollectorStatus> {
        operator(&request)?;
        match self.view(Question::Summary).await? {
            Answer::Summary(summary) => {
                let journal = self.door.health.look().await;
                Ok(Response::new(render::status(&summary, &journal, self.door.begun)))
            }
            Answer::Hosts(..) | Answer::Services(..) | Answer::Incidents(..) | Answer::Incident(_) => {
                Err(mismatch())
            }
        }
    }

    type WatchIncidentsStream = watch::Changes;

    async fn watch_incidents(
        &self,
        request: Request<v1::WatchIncidentsRequest>,
    ) -> Answering<Self::WatchIncidentsStream> {
        operator(&request)?;
        let after = number("resume_token", &request.into_inner().resume_token)?;
        Ok(Response::new(watch::open(self.door.clone(), after).await))
    }

    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answering<v1::ListEventsResponse> {
        operator(&request)?;
        let question = events::question(request.into_inner())?;
        match self.door.events.ask(question).await {
            Ok(page) => Ok(Response::new(render::events(page))),
            Err(NoPage::Busy) => Err(refusal("too-many")),
            Err(NoPage::Unreadable) => {
                Err(Status::internal("the journal could not be read; the collector's log says why"))
            }
        }
    }

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Answering<v1::CreateTokenResponse> {
        let operator = operator(&request)?;
        let host = convert::host("host", &request.into_inner().host).map_err(bad_input)?;
        let secret = Secret::new().map_err(|failure| {
            tracing::error!(%failure, "could not make a token");
            Status::internal("no token could be made; the collector's log says why")
        })?;
        let expires = token_expiry(clock::wall());
        let ask = Ask::Mint {
            operator: Box::new(operator.clone()),
            host: Box::new(host.clone()),
            hash: Box::new(secret.hash()),
        };
        self.door.ask(ask).await?;
        tracing::info!(%operator, %host, "token made");
        let token = secret.token(self.door.authority.fingerprint());
        Ok(Response::new(v1::CreateTokenResponse { token, expires: Some(render::time(expires)) }))
    }
}

fn mismatch() -> Status {
    Status::internal("the answer does not fit the question; this is a fault of the collector")
}

fn bad_input(bad: BadMessage) -> Status {
    refusal_because("bad-input", &bad.to_string())
}

fn limit(page_size: u32) -> Result<u16, Status> {
    match u16::try_from(page_size) {
        Ok(0) => Ok(PAGE_MAX),
        Ok(size) if size <= PAGE_MAX => Ok(size),
        Ok(_) | Err(_) => Err(refusal_because("bad-input", "page_size is more than 500")),
    }
}

fn optional_host(field: &'static str, text: &str) -> Result<Option<HostId>, Status> {
    if text.is_empty() { Ok(None) } else { convert::host(field, text).map(Some).map_err(bad_input) }
}

fn number(field: &'static str, text: &str) -> Result<Option<u64>, Status> {
    let unknown = |_| refusal_because("bad-input", &format!("{field} is none that was given out"));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(unknown) }
}

/// Control characters become spaces, so that nobody can paint another's terminal.
fn text(given: &str) -> Result<String, Status> {
    if given.len() > TEXT_MAX {
        return Err(refusal_because("bad-input", "text is longer than 1,000 bytes"));
    }
    Ok(given.trim().chars().map(|found| if found.is_control() { ' ' } else { found }).collect())
}

/// `HOST/SERVICE`, as [`render::services`] gives it out; a host's id has no slash.
fn services_place(token: &str) -> Result<Option<Box<ServicesPlace>>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let unknown = || refusal_because("bad-input", "page_token is none that was given out");
    let (host, service) = token.split_once('/').ok_or_else(unknown)?;
    let host = convert::host("page_token", host).map_err(bad_input)?;
    let service = convert::optional_name("page_token", service).map_err(bad_input)?;
    Ok(Some(Box::new((host, service))))
}
