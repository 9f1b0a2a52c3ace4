//! A certificate that ended while its host was off: renewed and nothing else within the grace, beyond it a person's matter.

use super::story::program;
use super::ways::{Ground, QUIET, open};
use picket_proto::Run;
use picket_rpc::v1;
use picket_rpc::v1::agents_client::AgentsClient;
use picket_tests::rig::clock::{Since, wall};
use picket_tests::rig::process::PATIENCE;
use picket_tests::rig::scripted::Identity;
use picket_tests::rig::stack::Collector;
use picket_tests::rig::{cannot_run_here, client};
use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
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

/// An agent `web-1` that enrolled and ended, whose certificate ended so long ago; what it is.
async fn was_off(ago: Duration) -> (Ground, String) {
    let ground = Ground::new(QUIET).await;
    let mut agent = ground.home.start(&[]);
    open(&mut agent);
    began(&ground, 1).await;
    agent.end();
    let identity = ground.home.state().join("identity");
    let data = ground.folder.path().join("collector");
    let old = ended(&data, "web-1", &identity.join("key.pem"), ago);
    fs::write(identity.join("cert.pem"), &old).unwrap();
    (ground, old)
}

/// Purpose: a host that was off for two months comes back by itself, with what it has to tell.
#[tokio::test]
async fn a_host_that_was_off_past_its_certificates_end_renews_it_by_itself() {
    let (mut ground, old) = was_off(89 * DAY).await;
    let certificate = ground.home.state().join("identity/cert.pem");
    ground.collector.process.end();
    // A run that nobody hears, so that something waits.
    let mut unheard = ground.home.start(&[]);
    unheard.line_with("\"spool-disk\"");
    unheard.line_with("\"link-refused\"");
    unheard.end();
    ground.collector.again();
    let (page, status) = ground.home.ask("test-link", &[]);
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("FAIL  session") && page.contains("the agent renews it"), "{page}");
    assert_eq!(fs::read_to_string(&certificate).unwrap(), old, "a trial renews nothing");

    let mut agent = ground.home.start(&[]);
    agent.line_with("\"certificate-ended\"");
    open(&mut agent);
    assert_ne!(fs::read_to_string(&certificate).unwrap(), old);
    assert!(ground.collector.process.line_with("renewed").contains("had_ended=true"));
    began(&ground, 3).await;
}

/// Waits until the collector was told of so many starts of the agent.
async fn began(ground: &Ground, count: usize) {
    let since = Since::now();
    loop {
        let events = client::events(&mut ground.collector.operator().await).await.unwrap();
        if events.iter().filter(|event| event.code == "agent-began").count() == count {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{count} starts are not told of: {events:#?}");
    }
}

/// Purpose: beyond the grace nobody comes back by himself, and the way is told.
#[tokio::test]
async fn a_host_that_was_off_for_longer_than_the_grace_is_told_to_enrol_anew() {
    let (ground, old) = was_off(91 * DAY).await;
    let refused = ground.home.start(&[]).line_with("\"link-own-expired\"");
    assert!(refused.contains("this host's certificate has run out"), "{refused}");
    let (page, status) = ground.home.ask("test-link", &[]);
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("link-own-expired") && page.contains("picket token HOST"), "{page}");
    assert_eq!(fs::read_to_string(ground.home.state().join("identity/cert.pem")).unwrap(), old);
}

/// Purpose: a person's word on a host goes before its old key's: an enrolment with a new one ends it.
#[tokio::test]
async fn a_host_that_was_enrolled_anew_meanwhile_is_not_renewed_by_its_old_key() {
    let (ground, old) = was_off(DAY).await;
    let collector = &ground.collector;
    let anew = ground.folder.path().join("anew");
    let anew = Identity::enrol("web-1", &collector.address, &collector.credentials(), &anew).await;
    let refused = ground.home.start(&[]).line_with("\"key-replaced\"");
    assert!(refused.contains("picket token HOST"), "{refused}");
    assert_eq!(fs::read_to_string(ground.home.state().join("identity/cert.pem")).unwrap(), old);
    assert!(anew.open(Run(1)).await.unwrap().hear().await.is_ok());
}

/// Purpose: a board without a battery, at 1970 until a time client has set its clock, which may need the network for it.
#[tokio::test]
async fn an_agent_whose_clock_was_never_set_enrols_and_connects_and_says_so_once() {
    if !Path::new(FAKETIME).exists() {
        cannot_run_here("an_agent_whose_clock_was_never_set", "libfaketime is not installed");
        return;
    }
    let mut ground = Ground::new(QUIET).await;
    let never_set = [
        ("LD_PRELOAD", FAKETIME),
        ("FAKETIME", "@1970-01-01 00:00:10"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let mut agent = ground.home.start_in(&[], &never_set);
    open(&mut agent);
    for _ in 0..2 {
        ground.collector.process.end();
        ground.collector.again();
        open(&mut agent);
    }
    agent.end();
    let said = agent.said();
    let told: Vec<&str> = said.lines().filter(|line| line.contains("this host's clock says")).collect();
    let [told] = told[..] else { panic!("told more or less than once: {told:?}") };
    assert!(told.contains("link-clock") && told.contains("1970-01-01T00:00:1"), "{told}");
    open(&mut ground.home.start_in(&[], &never_set));
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
    let asked = v1::EnrolRequest { host: "web-1".to_owned(), secret: vec![7; 32], csr: request(&same).csr };
    assert!(agents.enrol(asked).await.unwrap_err().message().starts_with("certificate-ended: "));
    let renewed = agents.renew(request(&same)).await.unwrap().into_inner();
    assert_eq!(renewed.chain.len(), 2);
    // As an agent does that knows of no grace: it renews first, and its session begins with the next connection.
    let pem: String =
        renewed.chain.iter().map(|der| pem::encode(&pem::Pem::new("CERTIFICATE", der.as_slice()))).collect();
    fs::write(own.join("cert.pem"), pem).unwrap();
    assert!(identity.open(Run(2)).await.unwrap().hear().await.is_ok());
}
