//! A watch that is blind, and what stood before there was a session: an operator sees both, with why.

use super::ways::{Ground, open};
use picket_rpc::v1;
use picket_tests::rig::clock::Since;
use picket_tests::rig::listen::free_port;
use picket_tests::rig::process::PATIENCE;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

/// The incidents, as soon as they are as wanted.
async fn incidents_that(ground: &Ground, wanted: impl Fn(&[v1::Incident]) -> bool) -> Vec<v1::Incident> {
    let since = Since::now();
    loop {
        let asked =
            ground.collector.operator().await.list_incidents(v1::ListIncidentsRequest::default()).await;
        let incidents = asked.unwrap().into_inner().incidents;
        if wanted(&incidents) {
            return incidents;
        }
        assert!(since.elapsed() < PATIENCE, "{incidents:#?}");
    }
}

/// The check of this name, as soon as it is so.
async fn check_that_is(ground: &Ground, verdict: v1::Verdict, name: &str) -> v1::Check {
    let since = Since::now();
    loop {
        let asked = ground.collector.operator().await.list_services(v1::ListServicesRequest::default()).await;
        let services = asked.unwrap().into_inner().services;
        let mut checks = services.iter().flat_map(|service| &service.checks);
        let found = checks.find(|check| check.check == name);
        if let Some(check) = found.filter(|check| check.verdict() == verdict) {
            return check.clone();
        }
        assert!(since.elapsed() < PATIENCE, "{services:#?}");
    }
}

/// Purpose: a plugin that can't run is no check that passes: somebody is told, until it can.
#[tokio::test]
async fn a_plugin_that_can_not_run_is_an_incident_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let plugin = folder.path().join("check_it");
    let config = format!(
        "[host]\nenabled = false\n\n[[check]]\nkind = \"exec\"\nname = \"it\"\ncommand = [\"{}\"]\ninterval = \"1s\"\n",
        plugin.display()
    );
    let ground = Ground::new(&config).await;
    let mut agent = ground.home.start(&["--die-with-parent"]);
    open(&mut agent);
    let incidents = incidents_that(&ground, |all| !all.is_empty()).await;
    let blind = &incidents[0];
    assert_eq!(
        (blind.severity(), &*blind.severity_rule),
        (v1::Severity::P3, "sev-check-blind"),
        "{blind:#?}"
    );
    assert!(
        blind.title.contains("it can't be looked at") && blind.cause.contains("can't be started"),
        "{blind:#?}"
    );
    std::fs::write(&plugin, "#!/bin/sh\necho it is well\n").unwrap();
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
    agent.line_with("\"check-up\"");
    let is_over = |all: &[v1::Incident]| all.iter().all(|it| it.state() != v1::IncidentState::Open);
    incidents_that(&ground, is_over).await;
}

/// Purpose: what failed while the collector was away says why once it is back, and since when; so it does after a reload.
#[tokio::test]
async fn what_failed_without_a_collector_says_why_and_since_when() {
    let (server, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), free_port());
    let address = server.local_addr().unwrap();
    let check = |name: &str, address| {
        format!(
            "[[check]]\nkind = \"tcp\"\nname = \"{name}\"\naddress = \"{address}\"\ninterval = \"500ms\"\n"
        )
    };
    let mut ground = Ground::new(&format!("[host]\nenabled = false\n\n{}", check("db", address))).await;
    let mut agent = ground.home.start(&["--die-with-parent"]);
    open(&mut agent);
    check_that_is(&ground, v1::Verdict::Up, "db").await;
    ground.collector.process.kill();
    agent.line_with("\"link-");
    drop(server);
    agent.line_with("\"check-down\"");
    ground.collector.again();
    open(&mut agent);
    let told = check_that_is(&ground, v1::Verdict::Down, "db").await;
    assert_eq!(told.cause, "connection refused: nothing listens");
    let file = ground.folder.path().join("agent/agent.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{}", check("other", other))).unwrap();
    agent.line_with("\"config-reloaded\"");
    open(&mut agent);
    check_that_is(&ground, v1::Verdict::Down, "other").await;
    let again = check_that_is(&ground, v1::Verdict::Down, "db").await;
    let at = |check: &v1::Check| check.since.map(|at| at.seconds * 1_000 + i64::from(at.nanos) / 1_000_000);
    let (first, then) = (at(&told).unwrap(), at(&again).unwrap());
    assert!((first - then).abs() < 50, "it is down since {first} ms, not {then} ms");
}
