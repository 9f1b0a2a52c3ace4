//! The service that agents call: enrolment, renewal, and the opening of the one stream.

use super::{Door, agent, pace, peer, refusal, refusal_because, session};
use crate::authority::{Request as CertificateRequest, hash};
use crate::peer::Peer;
use crate::ports::Ask;
use crate::tls::Wire;
use picket_proto::HostId;
use picket_rpc::convert;
use picket_rpc::v1::{
    AgentMessage, CollectorMessage, Credentials, EnrolRequest, RenewRequest, agents_server,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// A token's secret has this many bytes.
const SECRET_LEN: usize = 32;

pub(super) struct Agents {
    door: Door,
}

impl Agents {
    pub(super) const fn new(door: Door) -> Self {
        Self { door }
    }

    fn sign(&self, host: &HostId, request: &CertificateRequest) -> Result<Response<Credentials>, Status> {
        match self.door.authority.agent(host, request) {
            Ok(chain) => Ok(Response::new(Credentials { chain })),
            Err(failure) => {
                tracing::error!(%host, %failure, "could not sign an agent's certificate");
                Err(Status::internal("the certificate could not be signed; the collector's log says why"))
            }
        }
    }
}

fn parse(csr: &[u8]) -> Result<CertificateRequest, Status> {
    CertificateRequest::parse(csr).map_err(|_| {
        refusal_because("bad-input", "csr must be a PKCS#10 request in DER, signed by its own key")
    })
}

#[tonic::async_trait]
impl agents_server::Agents for Agents {
    /// The request is checked before the token, so that a broken one costs no token.
    async fn enrol(&self, request: Request<EnrolRequest>) -> Result<Response<Credentials>, Status> {
        if let Peer::Late(_) = peer(&request) {
            return Err(refusal("certificate-ended"));
        }
        let asked = request.into_inner();
        let host = convert::host("host", &asked.host)
            .map_err(|bad| refusal_because("bad-input", &bad.to_string()))?;
        if asked.secret.len() != SECRET_LEN {
            return Err(refusal("token-unknown"));
        }
        let csr = parse(&asked.csr)?;
        let key = Box::new(hash(csr.public_key()));
        let ask = Ask::Enrol { host: Box::new(host.clone()), hash: Box::new(hash(&asked.secret)), key };
        self.door.ask(ask).await?;
        tracing::info!(%host, "enrolled");
        self.sign(&host, &csr)
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<Credentials>, Status> {
        let host = match peer(&request) {
            Peer::Late(host) => host.clone(),
            Peer::Agent(_) | Peer::Operator(_) | Peer::Unknown => agent(&request)?,
        };
        let shown = request.extensions().get::<Wire>().and_then(|wire| wire.shown.clone());
        let shown = Box::new(shown.ok_or_else(|| refusal("no-certificate"))?);
        let csr = request.into_inner().csr;
        // Who asks for nothing wants to hear how it stands: an agent that tries its link.
        if shown.has_ended && csr.is_empty() {
            return Err(refusal("certificate-ended"));
        }
        let csr = parse(&csr)?;
        if shown.has_ended && shown.key != hash(csr.public_key()) {
            return Err(refusal_because(
                "bad-input",
                "a certificate that has ended is renewed for its own key only",
            ));
        }
        let had_ended = shown.has_ended;
        self.door.ask(Ask::Renew { host: Box::new(host.clone()), shown }).await.inspect_err(|status| {
            tracing::warn!(%host, had_ended, why = status.message(), "not renewed");
        })?;
        tracing::info!(%host, had_ended, "renewed");
        self.sign(&host, &csr)
    }

    type SessionStream = ReceiverStream<Result<CollectorMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (host, pace) = (agent(&request)?, pace(&request));
        Ok(Response::new(session::open(self.door.clone(), host, pace, request.into_inner())))
    }
}
