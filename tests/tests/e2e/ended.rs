//! A certificate that ended while its host was off: renewed and nothing else within the grace, beyond it a person's matter.

use super::story::program;
use picket_proto::Run;
use picket_rpc::v1;
use picket_rpc::v1::agents_client::AgentsClient;
use picket_tests::rig::client;
use picket_tests::rig::clock::wall;
use picket_tests::rig::scripted::Identity;
use picket_tests::rig::stack::{AgentHome, Collector};
use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);

/// What the collector's CA would have signed for this key 90 days before the certificate's end, which was `ago`.
fn ended(data: &Path, host: &str, key: &Path, ago: Duration) -> String {
    let ca = KeyPair::from_pem(&fs::read_to_string(data.join("ca/key.pem")).unwrap()).unwrap();
    let mut authority = CertificateParams::default();
    authority.distinguished_name = DistinguishedName::new();
    authority.distinguished_name.push(DnType::CommonName, "Picket CA");
    let mut leaf = CertificateParams::default();
    let uri = format!("picket://agent/{host}").try_into().unwrap();
    leaf.subject_alt_names = vec![rcgen::SanType::URI(uri)];
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let now = Duration::from_secs(wall().unsigned_abs());
    leaf.not_after = rcgen::date_time_ymd(1970, 1, 1) + (now - ago);
    leaf.not_before = leaf.not_after - 90 * DAY;
    let key = KeyPair::from_pem(&fs::read_to_string(key).unwrap()).unwrap();
    leaf.signed_by(&key, &Issuer::new(authority, ca)).unwrap().pem()
}

/// Purpose: a host that was off for two months comes back by itself, with what it has to tell.
#[tokio::test]
async fn a_host_that_was_off_past_its_certificates_end_renews_it_by_itself() {
    let folder = TempDir::new().unwrap();
    let mut collector = Collector::start(program(), &folder.path().join("collector"));
    let home = AgentHome::prepare(program(), &folder.path().join("agent"), "web-1", &collector, "").await;
    home.start(&[]).line_with("\"link-open\"");
    let identity = home.state().join("identity");
    let old = ended(&folder.path().join("collector"), "web-1", &identity.join("key.pem"), 89 * DAY);
    fs::write(identity.join("cert.pem"), &old).unwrap();
    let mut agent = home.start(&[]);
    agent.line_with("certificate-ended");
    agent.line_with("\"link-open\"");
    assert_ne!(fs::read_to_string(identity.join("cert.pem")).unwrap(), old);
    assert!(collector.process.line_with("renewed").contains("had_ended=true"));
    drop(agent);

    let old = ended(&folder.path().join("collector"), "web-1", &identity.join("key.pem"), 91 * DAY);
    fs::write(identity.join("cert.pem"), &old).unwrap();
    let refused = home.start(&[]).line_with("link-own-expired");
    assert!(refused.contains("this host's certificate has run out"), "{refused}");
    assert_eq!(fs::read_to_string(identity.join("cert.pem")).unwrap(), old);
}

/// Purpose: what the grace is good for: this one call, and for the same key.
#[tokio::test]
async fn a_certificate_that_has_ended_opens_no_session_and_serves_no_other_key() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("collector");
    let collector = Collector::start(program(), &data);
    let own = folder.path().join("id");
    let identity = Identity::enrol("web-1", &collector.address, &collector.credentials(), &own).await;
    fs::write(own.join("cert.pem"), ended(&data, "web-1", &own.join("key.pem"), DAY)).unwrap();
    let refused = match identity.open(Run(1)).await {
        Ok(mut session) => session.hear().await.unwrap_err(),
        Err(status) => status,
    };
    assert!(refused.message().starts_with("certificate-ended: "), "{refused}");

    let tls = client::tls(&own.join("ca.pem"), Some((&own.join("cert.pem"), &own.join("key.pem"))));
    let channel = client::channel(&collector.address, tls).await.unwrap();
    let asked = v1::operator_client::OperatorClient::new(channel.clone())
        .list_hosts(v1::ListHostsRequest::default())
        .await;
    assert!(asked.unwrap_err().message().starts_with("not-an-operator: "));
    let request = |key: &KeyPair| {
        let csr = CertificateParams::default().serialize_request(key).unwrap().der().to_vec();
        v1::RenewRequest { csr }
    };
    let mut agents = AgentsClient::new(channel);
    let other = agents.renew(request(&KeyPair::generate().unwrap())).await.unwrap_err();
    assert!(other.message().contains("for its own key only"), "{other}");
    let same = KeyPair::from_pem(&fs::read_to_string(own.join("key.pem")).unwrap()).unwrap();
    assert_eq!(agents.renew(request(&same)).await.unwrap().into_inner().chain.len(), 2);
}
