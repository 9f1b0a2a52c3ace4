//! A real collector process and a scripted agent: real TLS, real gRPC, over loopback. It plays no tricks that a peer
//! could not play; what a test wants to break, it breaks by what it sends or by killing the process.

#![expect(clippy::unwrap_used, reason = "a vocabulary for tests; a panic is how they fail")]

mod made;

pub(crate) use made::*;

use hyper_util::rt::TokioIo;
use picket_rpc::v1::agents_client::AgentsClient;
use picket_rpc::v1::operator_client::OperatorClient;
use picket_rpc::v1::{self, AgentMessage, CollectorMessage, agent_message, collector_message};
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Status, Streaming};

/// Nothing here takes longer on a loaded machine; what does is a fault.
pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_picket-collector"))
}

/// A collector process on a folder; killed when it is dropped.
pub(crate) struct Collector {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) data: PathBuf,
    pub(crate) address: String,
    /// Where it serves `/metrics`, if it was told to.
    pub(crate) metrics: Option<String>,
}

impl Collector {
    /// Starts one and waits until it serves.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts one with further arguments and waits until it serves.
    pub(crate) fn start_with(data: &Path, args: &[&str]) -> Self {
        Self::of(binary().args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(args), data)
    }

    /// Starts a prepared command, whose data the test finds at `data`.
    pub(crate) fn of(command: &mut Command, data: &Path) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let ready = line_after(&mut stdout, "ready ");
        let address = ready["listen"].as_str().unwrap().to_owned();
        let metrics = ready["metrics"].as_str().map(str::to_owned);
        Self { child, stdout, data: data.to_owned(), address, metrics }
    }

    /// SIGKILL: no chance to do anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: the exit status, and the digest of the state that it ended with.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let ended = line_after(&mut self.stdout, "ended ");
        (self.child.wait().unwrap(), ended["snapshot"].as_str().unwrap().to_owned())
    }

    pub(crate) fn ca(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.data.join("operator/ca.pem")).unwrap()
    }

    /// The first operator's credentials.
    pub(crate) fn admin(&self) -> Credentials {
        Credentials::read(&self.data.join("operator"))
    }

    pub(crate) async fn operator(&self) -> OperatorClient<Channel> {
        OperatorClient::new(self.channel(Some(&self.admin())).await)
    }

    /// Makes a token for `host`; its secret.
    pub(crate) async fn token(&self, host: &str) -> Vec<u8> {
        let request = v1::CreateTokenRequest { host: host.into() };
        let made = self.operator().await.create_token(request).await.unwrap().into_inner();
        let parts: Vec<_> = made.token.split('.').collect();
        assert_eq!((parts.len(), parts[0], parts[1].len(), parts[2].len()), (3, "pkt1", 64, 64));
        (0..32).map(|at| u8::from_str_radix(&parts[1][at * 2..at * 2 + 2], 16).unwrap()).collect()
    }

    /// Enrols `host` with a fresh token.
    pub(crate) async fn enrolled(&self, host: &str) -> Credentials {
        let secret = self.token(host).await;
        self.enrol(host, secret).await.unwrap()
    }

    /// Enrols with the secret given.
    pub(crate) async fn enrol(&self, host: &str, secret: Vec<u8>) -> Result<Credentials, Status> {
        let key = KeyPair::generate().unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
        let request = v1::EnrolRequest { host: host.into(), secret, csr };
        let answer = AgentsClient::new(self.channel(None).await).enrol(request).await?.into_inner();
        let chain = answer.chain.into_iter().map(CertificateDer::from).collect();
        Ok(Credentials { chain, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() })
    }

    /// A channel over one TLS connection, with or without a client certificate.
    pub(crate) async fn channel(&self, credentials: Option<&Credentials>) -> Channel {
        self.try_channel(credentials).await.unwrap()
    }

    pub(crate) async fn try_channel(&self, credentials: Option<&Credentials>) -> std::io::Result<Channel> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match credentials {
            Some(own) => builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key()).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tcp = TcpStream::connect(&self.address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
        let mut once = Some(TokioIo::new(stream));
        let connector = tower::service_fn(move |_: Uri| {
            std::future::ready(
                once.take().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected)),
            )
        });
        let endpoint = Endpoint::from_static("https://collector");
        endpoint.connect_with_connector(connector).await.map_err(std::io::Error::other)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _is_dead_already = self.child.kill();
        let _is_reaped_already = self.child.wait();
    }
}

fn line_after(stdout: &mut impl BufRead, word: &str) -> serde_json::Value {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let json = line.strip_prefix(word).unwrap_or_else(|| panic!("expected `{word}`, got `{line}`"));
    serde_json::from_str(json).unwrap()
}

/// What a replay of the folder's journal finds.
pub(crate) fn hash(data: &Path) -> serde_json::Value {
    let output = binary().args(["hash", "--data"]).arg(data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A certificate chain and its key.
pub(crate) struct Credentials {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Credentials {
    pub(crate) fn read(folder: &Path) -> Self {
        Self {
            chain: vec![CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap()],
            key: PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap(),
        }
    }
}

/// A scripted agent on one session.
pub(crate) struct Agent {
    pub(crate) to: mpsc::Sender<AgentMessage>,
    pub(crate) from: Streaming<CollectorMessage>,
}

impl Agent {
    /// Opens a session without saying anything.
    pub(crate) async fn silent(channel: Channel) -> Result<Self, Status> {
        let (to, messages) = mpsc::channel(16);
        let from = AgentsClient::new(channel).session(ReceiverStream::new(messages)).await?.into_inner();
        Ok(Self { to, from })
    }

    /// Opens a session and says Hello; what the collector knows of the run already.
    pub(crate) async fn hello(channel: Channel, run: u64) -> (Self, Vec<v1::SeqRange>) {
        let mut agent = Self::silent(channel).await.unwrap();
        agent.say(agent_message::Message::Hello(hello(run))).await;
        let known = agent.welcomed().await.unwrap();
        (agent, known)
    }

    /// Waits for Welcome, and says as an agent does that it is there while the session before it is not known to be over.
    pub(crate) async fn welcomed(&mut self) -> Result<Vec<v1::SeqRange>, Status> {
        loop {
            match self.next().await? {
                collector_message::Message::Welcome(welcome) => return Ok(welcome.known),
                collector_message::Message::Challenge(v1::Challenge { nonce }) => {
                    self.say(agent_message::Message::Answer(v1::Answer { nonce })).await;
                }
                other => panic!("expected Welcome, got {other:?}"),
            }
        }
    }

    pub(crate) async fn say(&self, message: agent_message::Message) {
        self.to.send(AgentMessage { message: Some(message) }).await.unwrap();
    }

    pub(crate) async fn batch(&self, frames: Vec<u8>) {
        self.say(agent_message::Message::Batch(v1::Batch { lane: v1::Lane::Live.into(), frames })).await;
    }

    /// The collector's next message, or the status that ended the session.
    pub(crate) async fn next(&mut self) -> Result<collector_message::Message, Status> {
        let message = timeout(SOON, self.from.message()).await.expect("the collector says something soon")?;
        Ok(message.ok_or_else(|| Status::ok("ended"))?.message.unwrap())
    }

    /// Reads until `upto` is acknowledged.
    pub(crate) async fn acked(&mut self, upto: u64) {
        loop {
            match self.next().await.unwrap() {
                collector_message::Message::Ack(ack) if last(&ack.ranges) >= upto => return,
                collector_message::Message::Ack(_) => {}
                other => panic!("expected Ack, got {other:?}"),
            }
        }
    }

    /// Reads until the session is refused; the refusal's stable code.
    pub(crate) async fn refused(&mut self) -> String {
        loop {
            if let Err(status) = self.next().await {
                return code(&status);
            }
        }
    }
}

/// The stable code of a refusal.
pub(crate) fn code(status: &Status) -> String {
    status.message().split(':').next().unwrap().to_owned()
}

/// The highest number that is known without a hole from 1.
pub(crate) fn last(ranges: &[v1::SeqRange]) -> u64 {
    ranges.first().filter(|range| range.first == 1).map_or(0, |range| range.last)
}

/// Every journaled event of `host`, by way of the operators' API: run and number, newest first.
pub(crate) async fn events(collector: &Collector, host: &str) -> Vec<(u64, u64)> {
    let mut operator = collector.operator().await;
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListEventsRequest { host: host.into(), page_token, ..Default::default() };
        let page = operator.list_events(request).await.unwrap().into_inner();
        found.extend(page.events.iter().map(|event| (event.run, event.seq)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}
