//! What the collector makes of what the box tells.

use crate::rig::client;
use crate::rig::clock::wall;
use crate::rig::process::PATIENCE;
use crate::rig::stack::Collector;
use picket_rpc::v1;
use serde_json::{Value, json};

/// How far a date may lie before the start of the run: clocks are set to whole seconds, and measured ones have a bound.
const SLACK: i64 = 5;

/// Waits until `count` deaths of the service are told and over, and says how the newest incident of them is told; deaths that were told live, soon
/// after one another, are one incident that came back. All of its dates must lie in this run, which began at `today`, though the
/// box's clock said otherwise.
///
/// # Panics
/// If it does not come in time, did not end well, or has a date that can't be.
pub(super) async fn incident(collector: &Collector, today: i64, count: usize) -> Value {
    let mut operator = collector.operator().await;
    // Before the first look, so that no change is missed.
    let watch = v1::WatchIncidentsRequest { resume_token: String::new() };
    let mut changes = operator.watch_incidents(watch).await.expect("operators may watch").into_inner();
    loop {
        let mut all = client::incidents(&mut operator).await.expect("operators may read them");
        // While a box is without power the host is silent, which is an incident of its own.
        all.retain(|one| one.incident.as_ref().is_some_and(|incident| incident.services == ["web"]));
        let (deaths, over) = client::deaths(&all);
        if let [v1::GetIncidentResponse { incident: Some(newest), timeline, .. }, ..] = all.as_slice()
            && over
            && deaths == count
        {
            return tell(newest, timeline, today);
        }
        let change = tokio::time::timeout(PATIENCE, changes.message()).await;
        assert!(change.is_ok(), "{count} deaths are not told in time, but {deaths}: {all:#?}");
    }
}

fn tell(incident: &v1::Incident, timeline: &[v1::TimelineEntry], today: i64) -> Value {
    assert!(incident.outcome.contains("recovered, verified"), "{incident:?}");
    assert!(incident.title.contains("was killed by SIGKILL"), "{incident:?}");
    let dates = timeline.iter().map(|entry| &entry.at).chain([&incident.opened, &incident.resolved]);
    for date in dates {
        let seconds = date.as_ref().expect("it has a date").seconds;
        let sound = (today - SLACK..=wall() + SLACK).contains(&seconds);
        assert!(sound, "{seconds} is not of this run, which began at {today}: {incident:?} {timeline:#?}");
    }
    let codes: Vec<&str> = timeline.iter().map(|entry| entry.code.as_str()).collect();
    json!({ "outcome": incident.outcome, "late": incident.late, "timeline": codes })
}
