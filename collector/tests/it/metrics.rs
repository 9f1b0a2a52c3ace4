//! What a scraper and an operator are told, read by a parser that takes nothing but the format.
#![expect(clippy::unwrap_used, reason = "also outside of the test functions, a panic is how a test fails")]

use crate::common::{Agent, Collector, binary, code, frames};
use picket_rpc::v1;
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const RUN: u64 = 9;

async fn get(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = format!("Content-Length: {}", body.len());
    assert!(head.lines().any(|line| line == length), "{head}");
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

async fn scrape(address: &str) -> Figures {
    let (status, body) = get(address, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    Figures::parse(&body)
}

/// Samples by name and labels as they stand.
struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Panics on anything that version 0.0.4 of the format does not allow.
    fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'));
        let (mut families, mut samples) = (BTreeMap::new(), BTreeMap::new());
        let mut family = (String::new(), String::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                assert!(help.ends_with('.'), "{line}");
                family = (name.to_owned(), String::new());
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                assert_eq!(name, family.0, "TYPE stands behind its HELP: {line}");
                assert!(["gauge", "counter", "histogram"].contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                kind.clone_into(&mut family.1);
                assert!(families.insert(family.0.clone(), ()).is_none(), "one family, one place: {line}");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
                let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
                assert!(value.is_finite() && value >= 0.0, "{line}");
                let name = series.split('{').next().unwrap();
                Self::belongs(name, &family, line);
                Self::labels(&series[name.len()..], line);
                assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {line}");
            }
        }
        Self(samples)
    }

    fn belongs(name: &str, (family, kind): &(String, String), line: &str) {
        assert!(name.starts_with("picket_collector_"), "{line}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
        let endings: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(endings.iter().any(|ending| *name == format!("{family}{ending}")), "{line} in {family}");
    }

    fn labels(text: &str, line: &str) {
        let Some(inner) = text.strip_prefix('{') else { return assert_eq!(text, "", "{line}") };
        let inner = inner.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
        for label in inner.split(',') {
            let (name, value) = label.split_once('=').unwrap_or_else(|| panic!("{line}"));
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{line}");
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            assert!(value.is_some_and(|value| !value.contains(['"', '\\'])), "{line}");
        }
    }

    fn at(&self, series: &str) -> f64 {
        let series = format!("picket_collector_{series}");
        *self.0.get(&series).unwrap_or_else(|| panic!("no {series} in {:?}", self.0.keys()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_and_status_tell_what_happened() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start_with(data.path(), &["--metrics", "127.0.0.1:0"]);
    let place = collector.metrics.clone().unwrap();
    let before = scrape(&place).await;
    assert_eq!(before.at("frames_total"), 0.0);
    assert_eq!(before.at("journal_segments"), 1.0);
    let credentials = collector.enrolled("web-1").await;
    let (mut agent, _) = Agent::hello(collector.channel(Some(&credentials)).await, RUN).await;
    for first in [1, 11, 21] {
        agent.batch(frames(RUN, first..first + 10, "line")).await;
        agent.acked(first + 9).await;
    }
    let mut operator = collector.operator().await;
    let unknown = operator.acknowledge_incident(v1::AcknowledgeIncidentRequest { id: 77, revision: 0 }).await;
    assert_eq!(code(&unknown.unwrap_err()), "not-found");
    let found = scrape(&place).await;
    let expected = [
        ("frames_total", 30.0),
        ("batches_total", 3.0),
        ("sessions", 1.0),
        ("hosts{state=\"connected\"}", 1.0),
        ("hosts{state=\"silent\"}", 0.0),
        ("incidents{severity=\"p0\",state=\"open\"}", 0.0),
        ("refused_total{code=\"not-found\"}", 1.0),
        ("journal_failed{reason=\"full\"}", 0.0),
        ("waiting_entries", 0.0),
        ("snapshot_index", 0.0),
        ("journal_damaged_rows_total", 0.0),
    ];
    for (series, value) in expected {
        assert_eq!(found.at(series), value, "{series}");
    }
    assert!(found.at("acks_total") >= 3.0);
    assert!(found.at("journal_written_bytes_total") > 30.0 * 60.0);
    let commits = found.at("journal_commit_seconds_count");
    assert!(commits > 3.0);
    assert_eq!(found.at("journal_commit_seconds_bucket{le=\"+Inf\"}"), commits);
    assert!(found.at("journal_commit_seconds_sum") > 0.0);
    let mut last = 0.0;
    for bound in ["0.000250", "0.001000", "0.100000", "2.500000", "+Inf"] {
        let upto = found.at(&format!("journal_commit_seconds_bucket{{le=\"{bound}\"}}"));
        assert!(upto >= last, "{bound}");
        last = upto;
    }
    let status = operator.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.journal(), v1::JournalState::Writing);
    assert_eq!((status.frames, status.sessions, status.hosts, status.segments), (30, 1, 1, 1));
    assert_eq!((status.failing_since, status.snapshot_made), (None, None));
    assert_eq!((status.oldest_index, status.damaged, status.missing), (1, 0, 0));
    assert!(status.disk_free > 0 && status.journal_bytes > 0 && status.journal_index > 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_metrics_are_served_and_only_on_loopback() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start_with(data.path(), &["--metrics", "[::1]:0"]);
    let place = collector.metrics.clone().unwrap();
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(5_000));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
        (&long, "HTTP/1.1 400 Bad Request"),
    ] {
        assert_eq!(get(&place, request).await.0, status);
    }
    let args = ["run", "--data", "/nowhere", "--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:9440"];
    let refused = binary().args(args).output().unwrap();
    assert_eq!(refused.status.code(), Some(64));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("can be reached from outside") && said.contains("127.0.0.1:9440"), "{said}");
    let (status, _) = tokio::task::spawn_blocking(move || collector.stop()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}
