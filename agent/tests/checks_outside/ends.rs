//! Certificates and dates that end.

use super::host::{Host, text};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::PrivateKeyDer;
use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// A certificate for `name` that ends so many hours from now or ended before, and its key.
fn certificate(name: &str, hours: i64) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = picket_agent::entry::now().wall.micros() / 1_000_000;
    let end = Duration::from_secs((now + hours * 3600 + 1200).unsigned_abs());
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + end;
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap(), key)
}

/// Serves TLS with this certificate for as long as the test lasts.
fn serve(certificate: &rcgen::Certificate, key: &KeyPair) -> String {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let _the_client_is_gone = rustls::Stream::new(&mut session, &mut stream).read(&mut [0; 16]);
        }
    });
    address
}

fn check(name: &str, keys: &str) -> String {
    format!("[[check]]\nname = \"{name}\"\ninterval = \"200ms\"\n{keys}\n")
}

#[test]
fn servers_files_and_dates_are_told_with_what_is_left_and_when_they_end() {
    let host = Host::new();
    let mut checks = String::new();
    for (name, hours) in [("good", 1000), ("soon", 100), ("last", 30), ("ended", -5)] {
        let (own, key) = certificate("web.example", hours);
        let address = serve(&own, &key);
        std::fs::write(host.path(&format!("{name}.pem")), own.pem()).unwrap();
        let keys = format!(
            "kind = \"tls\"\naddress = \"{address}\"\nserver_name = \"web.example\"\nca = \"{name}.pem\""
        );
        checks += &check(name, &keys);
    }
    let (other, key) = certificate("mail.example", 1000);
    std::fs::write(host.path("other.pem"), other.pem()).unwrap();
    let address = serve(&other, &key);
    checks += &check("wrong", &format!("kind = \"tls\"\naddress = \"{address}\"\nca = \"other.pem\""));
    checks += &check("file", "kind = \"expires\"\nfile = \"soon.pem\"");
    checks += &check("domain", "kind = \"expires\"\ndate = \"2001-01-01\"\nwhat = \"example.org\"");
    let agent = host.start(&checks);
    let ends = |name: &str, verdict: &str| {
        let check = agent.awaits(name, verdict);
        assert!(
            text(&check, "said").starts_with("web.example") && text(&check, "said").ends_with(" UTC"),
            "{check}"
        );
        text(&check, "reading").to_owned()
    };
    assert_eq!(ends("good", "up"), "41 days");
    assert_eq!(ends("soon", "degraded"), "4 days");
    assert_eq!(ends("last", "down"), "30 h");
    assert_eq!(ends("ended", "down"), "-5 h");
    assert_eq!(ends("file", "degraded"), "4 days");
    let wrong = agent.awaits("wrong", "down");
    assert_eq!(text(&wrong, "said"), "the certificate is for mail.example, not for 127.0.0.1");
    let domain = agent.awaits("domain", "down");
    assert_eq!(text(&domain, "said"), "example.org ends 2001-01-01 00:00:00 UTC");
    let looked = agent.looks("soon");
    assert_eq!((text(&looked, "reading"), text(&looked, "verdict")), ("4 days", "degraded"));
}
