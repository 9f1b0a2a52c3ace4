//! Why an agent is not connected: each reason made by real means, and told by its own code with what to do next.

use super::story::program;
use super::ways::{Ground, QUIET, open};
use picket_tests::rig::listen;
use picket_tests::rig::stack::{AgentHome, Collector};
use std::fs;

/// A host that enrolled at one collector, and another collector that knows nothing of it.
async fn elsewhere() -> (Ground, Collector) {
    let ground = Ground::new(QUIET).await;
    let mut agent = ground.home.start(&["--die-with-parent"]);
    open(&mut agent);
    agent.end();
    let other = Collector::start(program(), &ground.folder.path().join("other"));
    ground.home.reach_by(&format!("address = \"{}\"", other.address));
    (ground, other)
}

/// Purpose: a collector whose data was made anew is told from a device that opens TLS.
#[tokio::test]
async fn another_collectors_ca_is_named_as_such() {
    let (ground, other) = elsewhere().await;
    let line = ground.home.start(&["--die-with-parent"]).line_with("\"link-ca\"");
    assert!(line.contains(&other.address) && line.contains("another CN=Picket CA"), "{line}");
}

/// Purpose: with TLS 1.3 the collector refuses a certificate after the handshake; that is no "stream ended".
#[tokio::test]
async fn a_certificate_that_the_collector_refuses_is_told_as_this_hosts_own() {
    let (ground, other) = elsewhere().await;
    // The host believes the other collector's CA now, which does not believe this host.
    fs::copy(other.credentials().join("ca.pem"), ground.home.state().join("identity/ca.pem")).unwrap();
    let line = ground.home.start(&["--die-with-parent"]).line_with("\"link-revoked\"");
    assert!(line.contains("does not accept this host's certificate"), "{line}");
    let (page, status) = ground.home.ask("test-link", &[]);
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("ok    tls") && page.contains("FAIL  session"), "{page}");
    assert!(page.contains("picket token HOST"), "the next step: {page}");
}

/// Purpose: names that are not there, with or without a resolver that answers.
#[tokio::test]
async fn a_name_that_is_not_there_is_told_as_a_matter_of_names() {
    let ground = Ground::new(QUIET).await;
    ground.home.reach_by("address = \"collector.invalid:7440\"");
    let (page, status) = ground.home.ask("test-link", &[]);
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("FAIL  resolve"), "{page}");
    assert!(page.contains("link-unresolved") || page.contains("link-no-resolver"), "{page}");
}

/// Purpose: a certificate is for the names that it has; `server_name` is the way to use another address.
#[tokio::test]
async fn a_name_that_the_certificate_lacks_is_told_with_those_that_it_has() {
    let ground = Ground::new(QUIET).await;
    let address = ground.collector.address.clone();
    ground.home.reach_by(&format!("address = \"{address}\"\nserver_name = \"c.example\""));
    let line = ground.home.start(&["--die-with-parent"]).line_with("\"link-name\"");
    assert!(line.contains("localhost") && line.contains("not for c.example"), "{line}");
    ground.home.reach_by(&format!("address = \"{address}\"\nserver_name = \"localhost\""));
    open(&mut ground.home.start(&["--die-with-parent"]));
}

/// Purpose: a token that was used already is told with the collector's own code, at once.
#[tokio::test]
async fn a_token_used_by_another_key_is_told_by_its_code() {
    let ground = Ground::new(QUIET).await;
    open(&mut ground.home.start(&["--die-with-parent"]));
    let token = fs::read_to_string(ground.folder.path().join("agent/token")).unwrap();
    let other = ground.folder.path().join("other");
    let home = AgentHome::prepare(program(), &other, "web-1", &ground.collector, QUIET).await;
    picket_tests::rig::files::write_secret(&other.join("token"), &token);
    let line = home.start(&["--die-with-parent"]).line_with("\"token-used\"");
    assert!(line.contains("Make a new one"), "{line}");
}

/// Purpose: a proxy that is not there is not taken for a collector that is not there.
#[tokio::test]
async fn a_proxy_that_is_away_is_named_and_not_the_collector() {
    let ground = Ground::new(QUIET).await;
    let nobody = listen::free_port();
    let address = &ground.collector.address;
    ground.home.reach_by(&format!("address = \"{address}\"\nproxy = \"http://{nobody}\""));
    let line = ground.home.start(&["--die-with-parent"]).line_with("\"link-proxy-away\"");
    assert!(line.contains(&format!("the proxy {nobody} can't be reached")), "{line}");
}
