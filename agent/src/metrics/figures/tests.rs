//! A strict reader of the text format, and what it reads of a real page.

use super::*;
use picket_agent_core::{Identity, Input, Storage, check, service, spool};
use picket_proto::{BootId, Mono, Raw, Run, Wall};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Reads a page: samples by name with labels. Everything that the format forbids panics with the line.
fn read(page: &str) -> BTreeMap<String, f64> {
    let (mut types, mut helped, mut samples) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    let mut open = String::new();
    assert!(page.ends_with('\n'), "the last line ends");
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect(line);
            assert!(helped.insert(name.to_owned()) && help.ends_with('.'), "{line}");
            open = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert!(open == name && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
        } else {
            let (series, value) = line.rsplit_once(' ').expect(line);
            let (name, labels) = series
                .split_once('{')
                .map_or((series, ""), |(name, rest)| (name, rest.strip_suffix('}').expect(line)));
            let stem = ["_bucket", "_sum", "_count"].into_iter().find_map(|end| name.strip_suffix(end));
            let is_part = stem.is_some_and(|stem| stem == open && types[stem] == "histogram");
            assert!(name == open || is_part, "{line} stands under {open}");
            assert!(types.contains_key(&open), "{line} has no TYPE");
            check_labels(labels, line);
            let value: f64 = value.parse().expect(line);
            assert!(samples.insert(series.to_owned(), value).is_none(), "{line} twice");
        }
    }
    samples
}

fn check_labels(mut labels: &str, line: &str) {
    while !labels.is_empty() {
        let (name, rest) = labels.split_once("=\"").expect(line);
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
        let mut escaped = false;
        let end = rest.char_indices().find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let (end, _) = end.expect(line);
        labels = &rest[end + 1..];
        labels = labels.strip_prefix(',').unwrap_or(labels);
    }
}

fn now(us: u64) -> Now {
    Now { mono: Mono::from_micros(us), raw: Raw::from_micros(us), wall: Wall::from_micros(0) }
}

#[test]
fn a_page_is_what_prometheus_reads_and_its_figures_are_the_agents() {
    let text = "[[service]]\nname = \"web\"\ncommand = [\"/bin/true\"]\n";
    let config = crate::config::parse(std::path::Path::new("picket.toml"), text).unwrap();
    let mut slots: Vec<_> = config.checks().iter().map(|it| check::Slot::new(it.spec.clone())).collect();
    let mut lives: Vec<_> = config.services().iter().map(|it| service::Slot::new(it.spec.clone())).collect();
    let (mut ring, mut index) = (vec![0; 64 * 1024], vec![spool::Entry::default(); 512]);
    let storage = Storage {
        checks: &mut slots,
        trends: &mut [],
        usuals: &mut [],
        services: &mut lives,
        ring: &mut ring,
        index: &mut index,
        baseline: Default::default(),
        disk: spool::Lent::none(),
    };
    let version = picket_proto::Text::new("test");
    let identity = Identity { run: Run(1), boot: BootId(1), previous: None, version };
    let mut agent = Agent::new(1, identity, storage);
    agent.handle(now(1_000_000), Input::Time);
    let about = About {
        host: "web-1".parse().unwrap(),
        run: Run(1),
        started: Mono::from_micros(1_000_000),
        collector: "localhost:1".to_owned(),
        checks: Arc::from(config.checks().to_vec()),
    };
    let mut figures = Figures::default();
    for code in ["remedy-begun", "remedy-held", "remedy-begun", "breaker-open"] {
        figures.event(code);
    }
    for late in [500, 5_000, 2_000_000] {
        figures.lag.add(Span::from_micros(late));
    }
    let page =
        figures.page(&agent, (&about, &Spoken::default()), (&LinkFacts::default(), 4096), now(3_500_000));
    let samples = read(&page);
    for (series, value) in [
        ("picket_agent_uptime_seconds", 2.5),
        ("picket_agent_checks{verdict=\"unknown\"}", config.checks().len() as f64),
        ("picket_agent_services", 1.0),
        ("picket_agent_remedies_begun_total", 2.0),
        ("picket_agent_remedies_total{outcome=\"held\"}", 1.0),
        ("picket_agent_remedies_total{outcome=\"not_held\"}", 0.0),
        ("picket_agent_events_total{code=\"breaker-open\"}", 1.0),
        ("picket_agent_spool_frames", 1.0),
        ("picket_agent_frames_total", 1.0),
        ("picket_agent_link_up", 0.0),
        ("picket_agent_written_bytes_total", 4096.0),
        ("picket_agent_loop_lag_seconds_bucket{le=\"0.001000\"}", 1.0),
        ("picket_agent_loop_lag_seconds_bucket{le=\"1.000000\"}", 2.0),
        ("picket_agent_loop_lag_seconds_bucket{le=\"+Inf\"}", 3.0),
        ("picket_agent_loop_lag_seconds_sum", 2.0055),
        ("picket_agent_loop_lag_seconds_count", 3.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series} in\n{page}");
    }
    assert!(samples["picket_agent_resident_bytes"] > 1e6, "{page}");
}
