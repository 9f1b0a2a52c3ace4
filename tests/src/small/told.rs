//! What the collector makes of what the box tells.

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
        let asked = operator.list_incidents(v1::ListIncidentsRequest::default()).await;
        let mut all = asked.expect("operators may list").into_inner().incidents;
        // While a box is without power the host is silent, which is an incident of its own.
        all.retain(|one| one.services == ["web"]);
        let over = all.iter().all(|one| one.state() == v1::IncidentState::Resolved);
        let mut timelines = Vec::new();
        for one in &all {
            let request = v1::GetIncidentRequest { id: one.id };
            let detail = operator.get_incident(request).await.expect("operators may read it").into_inner();
            timelines.push(detail.timeline);
        }
        let deaths = timelines.iter().flatten().filter(|entry| entry.code == "service-died").count();
        if let ([newest, ..], [timeline, ..]) = (all.as_slice(), timelines.as_slice())
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
