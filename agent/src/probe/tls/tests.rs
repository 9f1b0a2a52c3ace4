//! Real servers with certificates that end soon, have ended, are for another name, begin tomorrow, are nobody's; and
//! what does not speak TLS.

use super::*;
use crate::config::Starttls;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A CA of this test.
fn ca(common: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, common);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What is heard and then said, byte by byte: characters up to U+00FF.
type Words = (&'static str, &'static str);

/// From when to when it holds, in hours from now.
type Hours = (i64, i64);

fn params(name: &str, (from, to): Hours) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let at = |hours: i64| {
        let seconds = clock::now().wall.micros() / 1_000_000 + hours * 3600 + 600;
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.unsigned_abs())
    };
    (params.not_before, params.not_after) = (at(from), at(to));
    params
}

/// A certificate by `ca`, with its key.
fn issued(
    ca: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    hours: Hours,
) -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (params(name, hours).signed_by(&key, ca).unwrap().der().clone(), key)
}

/// Serves one connection with this chain, after the words that come before TLS.
async fn serve(chain: Vec<CertificateDer<'static>>, key: KeyPair, before: &'static [Words]) -> String {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for (heard, said) in before {
            let mut words = vec![0; heard.chars().count()];
            stream.read_exact(&mut words).await.unwrap();
            assert_eq!(words.into_iter().map(char::from).collect::<String>(), *heard);
            stream.write_all(said.as_bytes()).await.unwrap();
        }
        if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            let _client_may_be_gone = stream.read(&mut [0; 16]).await;
        }
    });
    address
}

fn target(address: String, believed: &CertificateDer<'static>) -> Tls {
    let server_name = ServerName::try_from("web.example").unwrap();
    Tls { address, server_name, ca: vec![believed.clone()], starttls: None }
}

fn system() -> Believed {
    Believed(Arc::new(RootCertStore::empty()))
}

async fn look(believed: &CertificateDer<'static>, chain: Vec<CertificateDer<'static>>, key: KeyPair) -> Seen {
    let address = serve(chain, key, &[]).await;
    read(target(address, believed), system()).await
}

#[tokio::test]
async fn hours_are_left_or_have_passed_and_the_words_name_the_certificate() {
    let ca = ca("Test CA");
    for hours in [1, 47, 8000, -3] {
        let (certificate, key) = issued(&ca, "web.example", (-100, hours));
        let seen = look(ca.der(), vec![certificate], key).await;
        assert_eq!(seen.reading, Reading::Level(hours), "{}", seen.said);
        assert!(seen.said.starts_with("web.example, by Test CA, until 20"), "{}", seen.said);
        assert!(seen.said.ends_with(" UTC"), "{}", seen.said);
    }
}

#[tokio::test]
async fn the_first_end_in_the_chain_counts() {
    let root = ca("Root");
    let mut middle = params("middle", (-10, 20));
    middle.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let middle = CertifiedIssuer::signed_by(middle, KeyPair::generate().unwrap(), &root).unwrap();
    let (own, key) = issued(&middle, "web.example", (-10, 500));
    let seen = look(root.der(), vec![own, middle.der().clone()], key).await;
    assert_eq!(seen.reading, Reading::Level(20));
    assert!(seen.said.starts_with("in the chain: middle, by Root"), "{}", seen.said);
}

/// The same name and key as this CA's, by another one.
fn crossed(
    ca: &CertifiedIssuer<'static, KeyPair>,
    by: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    hours: Hours,
) -> CertificateDer<'static> {
    let mut same = params(name, hours);
    same.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    same.distinguished_name = rcgen::DistinguishedName::new();
    same.distinguished_name.push(DnType::CommonName, name);
    same.signed_by(ca.key(), by).unwrap().der().clone()
}

#[tokio::test]
async fn what_is_sent_and_not_needed_does_not_count() {
    let (root, older, stranger) = (ca("Root"), ca("Older"), ca("Stranger"));
    let mut middle = params("middle", (-10, 900));
    middle.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let middle = CertifiedIssuer::signed_by(middle, KeyPair::generate().unwrap(), &root).unwrap();
    for (hours, wanted) in [(500, 500), (-2, -2)] {
        let (own, key) = issued(&middle, "web.example", (-10, hours));
        let ended = crossed(&root, &older, "Root", (-100, -3));
        let unrelated = issued(&stranger, "elsewhere", (-100, -50)).0;
        let seen = look(root.der(), vec![own, middle.der().clone(), ended, unrelated], key).await;
        assert_eq!(seen.reading, Reading::Level(wanted), "{}", seen.said);
        assert!(seen.said.starts_with("web.example, by middle, until"), "{}", seen.said);
    }
    // Where only the older one is believed, its word is needed.
    let (own, key) = issued(&middle, "web.example", (-10, 500));
    let needed = crossed(&root, &older, "Root", (-100, 30));
    let seen = look(older.der(), vec![own, middle.der().clone(), needed], key).await;
    assert_eq!(seen.reading, Reading::Level(30), "{}", seen.said);
    assert!(seen.said.starts_with("in the chain: Root, by Older"), "{}", seen.said);
}

#[tokio::test]
async fn what_is_refused_is_said_in_words() {
    let (ours, other) = (ca("Ours"), ca("Theirs"));
    for (by, name, hours, why) in [
        (&other, "web.example", (-1, 500), "it says it is by Theirs"),
        (&ours, "mail.example", (-1, 500), "the certificate is for mail.example, not for web.example"),
        (&ours, "web.example", (24, 500), "not valid yet: it begins 20"),
    ] {
        let (certificate, key) = issued(by, name, hours);
        let seen = look(ours.der(), vec![certificate], key).await;
        assert_eq!(seen.reading, Reading::Bad(Cause::Tls));
        assert!(seen.said.contains(why), "{}", seen.said);
    }
}

#[tokio::test]
async fn one_that_vouches_for_itself_is_told_as_such() {
    let ours = ca("Ours");
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let (mut own, key) = (params("web.example", (-1, 300)), KeyPair::generate().unwrap());
        own.is_ca = is_ca;
        let own = own.self_signed(&key).unwrap();
        let seen = look(ours.der(), vec![own.der().clone()], key).await;
        assert_eq!(seen.reading, Reading::Bad(Cause::Tls));
        assert!(
            seen.said.starts_with("nobody but itself vouches for the certificate of web.example"),
            "{}",
            seen.said
        );
    }
}

#[tokio::test]
async fn a_certificate_that_the_check_names_itself_is_believed_while_it_holds_and_for_its_name() {
    for (name, hours, wanted) in [
        ("web.example", (-1, 300), Reading::Level(300)),
        ("web.example", (-9, -5), Reading::Level(-5)),
        ("mail.example", (-1, 300), Reading::Bad(Cause::Tls)),
        ("web.example", (5, 300), Reading::Bad(Cause::Tls)),
    ] {
        let mut own = params(name, hours);
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = own.self_signed(&key).unwrap();
        let seen = look(own.der(), vec![own.der().clone()], key).await;
        assert_eq!(seen.reading, wanted, "{name} {hours:?}: {}", seen.said);
    }
}

#[tokio::test]
async fn protocols_that_turn_to_tls_are_asked_to() {
    let ca = ca("Test CA");
    let smtp = &[
        ("", "220-mail.example\r\n220 ready\r\n"),
        ("EHLO picket\r\n", "250-mail.example\r\n250-SIZE 1\r\n250 STARTTLS\r\n"),
        ("STARTTLS\r\n", "220 go\r\n"),
    ];
    let imap = &[("", "* OK ready\r\n"), ("a STARTTLS\r\n", "* note\r\na OK begin\r\n")];
    let postgres = &[("\0\0\0\x08\x04\u{d2}\x16\x2f", "S")];
    for (protocol, before) in [
        (Starttls::Smtp, smtp.as_slice()),
        (Starttls::Imap, imap.as_slice()),
        (Starttls::Postgres, postgres.as_slice()),
    ] {
        let (certificate, key) = issued(&ca, "web.example", (-1, 60));
        let address = serve(vec![certificate], key, before).await;
        let tls = Tls { starttls: Some(protocol), ..target(address, ca.der()) };
        assert_eq!(read(tls, system()).await.reading, Reading::Level(60));
    }
    let (certificate, key) = issued(&ca, "web.example", (-1, 60));
    let address =
        serve(vec![certificate], key, &[("", "220 ready\r\n"), ("EHLO picket\r\n", "502 no such word\r\n")])
            .await;
    let tls = Tls { starttls: Some(Starttls::Smtp), ..target(address, ca.der()) };
    let seen = read(tls, system()).await;
    assert_eq!((seen.reading, seen.said.as_str()), (Reading::Bad(Cause::Tls), "502 no such word"));
}

#[tokio::test]
async fn what_speaks_no_tls_or_does_not_listen_or_goes_away_is_told_apart() {
    let ca = ca("Test CA");
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    assert_eq!(read(target(free, ca.der()), system()).await.reading, Reading::Bad(Cause::Refused));
    for (said, wanted) in [(b"SSH-2.0-OpenSSH_9.2\r\n".as_slice(), Cause::Tls), (b"", Cause::Closed)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            stream.write_all(said).await.unwrap();
        });
        let seen = read(target(address, ca.der()), system()).await;
        assert_eq!(seen.reading, Reading::Bad(wanted), "{}", seen.said);
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_system_without_cas_says_so() {
    let tls = Tls { ca: Vec::new(), ..target("127.0.0.1:1".to_owned(), ca("unused").der()) };
    let seen = read(tls, system()).await;
    assert_eq!(seen.reading, Reading::Bad(Cause::Local(libc::ENOENT)));
    assert!(seen.said.contains("ca-certificates"), "{}", seen.said);
}
