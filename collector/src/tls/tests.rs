//! Sessions that are resumed: real handshakes over loopback, with the collector's own CA.

use super::*;
use crate::authority::{Authority, Request};
use picket_proto::Wall;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::{Resumption, TicketRequest};
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use std::io::{Read, Write};

/// What a host's TLS is made of.
struct Host {
    _data: tempfile::TempDir,
    authority: Authority,
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    config: Arc<ClientConfig>,
}

/// How an agent over a link that costs money has it; `tickets` as it asks for them.
fn host(tickets: u8) -> Host {
    let data = tempfile::tempdir().unwrap();
    let authority = Authority::create(data.path(), &["localhost".into()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap();
    let request = Request::parse(request.der()).unwrap();
    let chain = authority.agent(&"buoy-1".parse().unwrap(), &request).unwrap();
    let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config =
        builder.with_root_certificates(roots).with_client_auth_cert(chain.clone(), private).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::in_memory_sessions(1);
    config.send_ticket_request =
        Some(TicketRequest { new_session_count: tickets, resumption_count: tickets });
    Host { _data: data, authority, chain, key, config: Arc::new(config) }
}

/// The host and a server that knows its CA.
fn pair(tickets: u8) -> (Host, Arc<ServerConfig>) {
    let host = host(tickets);
    let identity = host.authority.server(host._data.path()).unwrap();
    let server = config(identity, host.authority.certificate()).unwrap();
    (host, server)
}

/// One connection, in memory: how it began, whom the server sees, and how many bytes the handshake took both ways.
fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (HandshakeKind, Peer, usize) {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = rustls::ServerConnection::new(Arc::clone(server)).unwrap();
    let mut carried = 0;
    while client.is_handshaking() || server.is_handshaking() || client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            carried += client.write_tls(&mut bytes).unwrap();
        }
        read(&bytes, |bytes| server.read_tls(bytes));
        server.process_new_packets().unwrap();
        let mut bytes = Vec::new();
        while server.wants_write() {
            carried += server.write_tls(&mut bytes).unwrap();
        }
        read(&bytes, |bytes| client.read_tls(bytes));
        client.process_new_packets().unwrap();
    }
    client.writer().write_all(b"a").unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    read(&bytes, |bytes| server.read_tls(bytes));
    server.process_new_packets().unwrap();
    server.reader().read_exact(&mut [0]).unwrap();
    (server.handshake_kind().unwrap(), Peer::of(server.peer_certificates(), clock::wall()), carried)
}

fn read(mut bytes: &[u8], mut to: impl FnMut(&mut &[u8]) -> io::Result<usize>) {
    while !bytes.is_empty() {
        to(&mut bytes).unwrap();
    }
}

#[test]
fn a_resumed_session_is_that_of_the_certificate_that_it_began_with_and_costs_a_third() {
    let (host, server) = pair(1);
    let is_host = Peer::Agent("buoy-1".parse().unwrap());
    let (first, peer, whole) = connect(&host.config, &server);
    assert_eq!((first, &peer), (HandshakeKind::Full, &is_host));
    for nth in 0..3 {
        let (kind, peer, resumed) = connect(&host.config, &server);
        assert_eq!((kind, &peer), (HandshakeKind::Resumed, &is_host), "{nth}");
        assert!(resumed * 3 < whole, "{resumed} of {whole} bytes");
    }
}

#[test]
fn who_asks_for_no_ticket_gets_none_and_a_restarted_collector_knows_no_session() {
    let (host, server) = pair(0);
    for _ in 0..2 {
        assert_eq!(connect(&host.config, &server).0, HandshakeKind::Full);
    }
    let (host, server) = pair(1);
    connect(&host.config, &server);
    let identity = host.authority.server(host._data.path()).unwrap();
    let again = config(identity, host.authority.certificate()).unwrap();
    assert_eq!(connect(&host.config, &again).0, HandshakeKind::Full);
}

#[test]
fn a_certificate_that_ended_since_the_session_began_is_seen() {
    let (host, _server) = pair(1);
    let now = clock::wall();
    let days = |days: i64| Wall::from_micros(now.micros() + days * 86_400 * 1_000_000);
    assert!(!has_ended(Some(&host.chain), days(89)));
    assert!(has_ended(Some(&host.chain), days(91)));
    assert!(!has_ended(None, days(91)), "who shows none is judged by what it may do");
}

#[test]
fn a_session_that_is_larger_than_a_hosts_own_chain_is_not_kept() {
    let sessions = Sessions(ServerSessionMemoryCache::new(8));
    for (bytes, is_kept) in
        [(1_300, true), (SESSION_BYTES, true), (SESSION_BYTES + 1, false), (60_000, false)]
    {
        let name = bytes.to_string().into_bytes();
        assert_eq!(sessions.put(name.clone(), vec![0; bytes]), is_kept, "{bytes}");
        assert_eq!(sessions.get(&name).is_some(), is_kept, "{bytes}");
    }
}

/// Whether the verifier takes this certificate that many seconds after its end.
fn taken(host: &Host, leaf: &CertificateDer<'_>, after: i64) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(host.authority.certificate().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let strict = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let at = u64::try_from(crate::peer::ended(leaf).unwrap() + after).unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
    Graceful(strict).verify_client_cert(leaf, &[], at).is_ok()
}

#[test]
fn an_agents_certificate_has_a_grace_and_an_operators_has_none() {
    const DAY: i64 = 86_400;
    let (host, _server) = pair(1);
    let leaf = &host.chain[0];
    // It holds from an hour before it was made.
    let (before, first) = (-90 * DAY - 3_601, -90 * DAY - 3_600);
    for (after, is_taken) in [
        (before, false),
        (first, true),
        (-1, true),
        (0, true),
        (1, true),
        (89 * DAY, true),
        (90 * DAY, true),
        (90 * DAY + 1, false),
        (91 * DAY, false),
        (3_000 * DAY, false),
    ] {
        assert_eq!(taken(&host, leaf, after), is_taken, "{after} s after its end");
    }
    host.authority.operator("ann", &host._data.path().join("ann")).unwrap();
    let operator = CertificateDer::from_pem_file(host._data.path().join("ann/cert.pem")).unwrap();
    assert_eq!([-1, 0, 1].map(|after| taken(&host, &operator, after)), [true, true, false]);
    let (stranger, _its_server) = pair(1);
    assert_eq!([-1, 1].map(|after| taken(&host, &stranger.chain[0], after)), [false, false], "of another CA");
}

#[test]
fn what_a_certificate_means_to_whoever_renews_it_is_read_from_it_alone() {
    let (host, _server) = pair(1);
    let end = crate::peer::ended(&host.chain[0]).unwrap();
    let at = |seconds: i64| shown(Some(&host.chain), Wall::from_micros(seconds * 1_000_000)).unwrap();
    let (held, late) = (at(end), at(end + 1));
    assert_eq!((held.has_ended, late.has_ended), (false, true));
    assert_eq!(held.key, crate::authority::hash(host.key.public_key_raw()), "as of an enrolment");
    assert_eq!(held.made.micros(), (end - 90 * 86_400) * 1_000_000);
    assert_eq!(shown(None, clock::wall()), None);
}
