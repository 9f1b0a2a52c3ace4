//! Who may do what: tokens, certificates, and the folder's lock, against the real binary.

use crate::common::{Agent, Collector, binary, code};
use picket_rpc::v1::agents_client::AgentsClient;
use picket_rpc::v1::operator_client::OperatorClient;
use picket_rpc::v1::{self};
use rcgen::{CertificateParams, KeyPair};
use tonic::Code;

#[tokio::test]
async fn a_token_enrols_its_host_once_and_no_other() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let secret = collector.token("web-1").await;
    let wrong = collector.enrol("web-2", secret.clone()).await.err().unwrap();
    assert_eq!((wrong.code(), code(&wrong).as_str()), (Code::PermissionDenied, "token-unknown"));
    let credentials = collector.enrol("web-1", secret.clone()).await.unwrap();
    let used = collector.enrol("web-1", secret).await.err().unwrap();
    assert_eq!(code(&used), "token-used");
    let never_made = collector.enrol("web-1", vec![7; 32]).await.err().unwrap();
    assert_eq!(code(&never_made), "token-unknown");
    let (_agent, known) = Agent::hello(collector.channel(Some(&credentials)).await, 1).await;
    assert!(known.is_empty());
    let hosts = collector.operator().await.list_hosts(v1::ListHostsRequest::default()).await.unwrap();
    let hosts = hosts.into_inner().hosts;
    assert_eq!(hosts.iter().map(|host| host.host.as_str()).collect::<Vec<_>>(), ["web-1"]);
    assert_eq!(hosts[0].state(), v1::HostState::Connected);
}

#[tokio::test]
async fn a_used_token_stays_used_after_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let secret = collector.token("web-1").await;
    collector.enrol("web-1", secret.clone()).await.unwrap();
    collector.kill();
    let collector = Collector::start(data.path());
    assert_eq!(code(&collector.enrol("web-1", secret).await.err().unwrap()), "token-used");
}

#[tokio::test]
async fn a_broken_request_costs_no_token() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let secret = collector.token("web-1").await;
    let request = v1::EnrolRequest { host: "web-1".into(), secret: secret.clone(), csr: vec![0x30, 0] };
    let refused = AgentsClient::new(collector.channel(None).await).enrol(request).await.err().unwrap();
    assert_eq!(code(&refused), "bad-input");
    assert!(collector.enrol("web-1", secret).await.is_ok());
}

#[tokio::test]
async fn each_certificate_opens_its_own_service_and_none_opens_neither() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let agent = collector.enrolled("web-1").await;
    let hosts = v1::ListHostsRequest::default;
    let mut as_agent = OperatorClient::new(collector.channel(Some(&agent)).await);
    assert_eq!(code(&as_agent.list_hosts(hosts()).await.err().unwrap()), "not-an-operator");
    let mut as_nobody = OperatorClient::new(collector.channel(None).await);
    let refused = as_nobody.list_hosts(hosts()).await.err().unwrap();
    assert_eq!((refused.code(), code(&refused).as_str()), (Code::Unauthenticated, "no-certificate"));
    let as_operator = Agent::silent(collector.channel(Some(&collector.admin())).await).await;
    assert_eq!(code(&as_operator.err().unwrap()), "not-an-agent");
    let as_nobody = Agent::silent(collector.channel(None).await).await;
    assert_eq!(code(&as_nobody.err().unwrap()), "no-certificate");
}

#[tokio::test]
async fn a_certificate_of_another_ca_does_not_pass_tls() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ours, theirs) = (Collector::start(ours.path()), Collector::start(theirs.path()));
    // With TLS 1.3 the server's refusal may come with the first answer instead of with the handshake.
    let refused = match ours.try_channel(Some(&theirs.admin())).await {
        Err(_at_once) => true,
        Ok(channel) => {
            OperatorClient::new(channel).list_hosts(v1::ListHostsRequest::default()).await.is_err()
        }
    };
    assert!(refused);
    let mut served = ours.operator().await;
    assert!(served.list_hosts(v1::ListHostsRequest::default()).await.is_ok());
}

#[tokio::test]
async fn an_agent_renews_for_itself_alone() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let agent = collector.enrolled("web-1").await;
    let csr = || {
        let key = KeyPair::generate().unwrap();
        CertificateParams::default().serialize_request(&key).unwrap().der().to_vec()
    };
    let mut renewing = AgentsClient::new(collector.channel(Some(&agent)).await);
    let renewed = renewing.renew(v1::RenewRequest { csr: csr() }).await.unwrap().into_inner();
    assert_eq!(renewed.chain.len(), 2);
    assert_eq!(renewed.chain[1], collector.ca().to_vec());
    let mut as_operator = AgentsClient::new(collector.channel(Some(&collector.admin())).await);
    let refused = as_operator.renew(v1::RenewRequest { csr: csr() }).await.err().unwrap();
    assert_eq!(code(&refused), "not-an-agent");
}

#[tokio::test]
async fn another_operator_is_issued_beside_the_running_collector() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let out = data.path().join("alice");
    let issued =
        binary().args(["operator", "alice", "--data"]).arg(data.path()).arg("--out").arg(&out).output();
    assert!(issued.unwrap().status.success());
    let alice = crate::common::Credentials::read(&out);
    let mut operator = OperatorClient::new(collector.channel(Some(&alice)).await);
    assert!(operator.list_hosts(v1::ListHostsRequest::default()).await.is_ok());
}

#[tokio::test]
async fn mistakes_on_the_command_line_end_with_64_and_say_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let run = |args: &[&str]| {
        let output = binary().args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let path = data.path().to_str().unwrap();
    let (status, words) = run(&["run", "--data", path, "--listen", "127.0.0.1:0"]);
    assert_eq!(status, Some(64));
    assert!(words.contains("another collector runs on"), "{words}");
    let other = tempfile::tempdir().unwrap();
    let other = other.path().to_str().unwrap();
    let (status, words) = run(&["run", "--data", other, "--listen", &collector.address]);
    assert_eq!(status, Some(64));
    assert!(words.contains(&collector.address), "{words}");
    assert_eq!(
        run(&["init", "--data", other, "--name", "collector.example"]).0,
        Some(64),
        "it was made by run"
    );
    assert_eq!(run(&["operator", "../x", "--data", path, "--out", other]).0, Some(64));
    assert_eq!(run(&["nonsense"]).0, Some(64));
}
