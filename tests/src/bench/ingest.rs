//! Events per CPU-second through the collector: split, checksum, dedupe, decode, signal state, journal (fsynced), ack.
//!
//! Twice: the core and the store in this process, where CPU time can be told apart (`ingest_core`), and a real
//! collector process fed by a scripted agent over mutual TLS (`ingest_wire`). Batches of 256. The yardstick of the
//! wire figure is the raw rate of append + fdatasync of the same bytes on the same folder.
//!
//! A shared disk changes its speed by far more than a collector costs, within seconds. So the wire and the raw rate are
//! measured in turn, each round begun by the other of the two, and the share of the raw rate is the median of the
//! rounds' shares, each of two measurements that stand side by side.

use super::{Budget, Figure};
use crate::rig::clock::{Since, cpu_of_self};
use crate::rig::files::cpu_fine;
use crate::rig::process::PATIENCE;
use crate::rig::scripted::{self, Identity};
use crate::rig::stack::Collector;
use picket_collector_core::ingest::{Hello, Lane, SessionId};
use picket_collector_core::store::{Fact as Stored, Order};
use picket_collector_core::{Collector as Core, Effect, Input, ingest};
use picket_proto::event::{CheckKind, Fact, Verdict, VerdictChanged};
use picket_proto::{Mono, Now, Raw, Run, Span, Wall};
use picket_rpc::v1;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

const BATCH: u64 = 256;
const BATCHES_CORE: u64 = 4_000;
/// Of each round: about 6 MB, and a second or less.
const BATCHES_WIRE: u64 = 256;
/// An odd number, so that one of them is the median.
const ROUNDS: u64 = 9;

/// Measures and prints.
///
/// # Panics
/// If the collector refuses anything.
pub fn run(program: &OsStr) {
    core();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(wire(program));
}

/// A batch of verdict changes: half of them failures that fire signals, half of them recoveries.
pub(super) fn batch(run: Run, first: u64) -> Vec<u8> {
    let frames = (first..first + BATCH).map(|seq| {
        let down = seq % 2 == 0;
        let (from, to) =
            if down { (Verdict::Up, Verdict::Degraded) } else { (Verdict::Degraded, Verdict::Up) };
        let fact = Fact::Verdict(VerdictChanged {
            said: picket_proto::Text::default(),
            check: format!("check-{}", seq / 2 % 20).parse().expect("a name"),
            kind: CheckKind::Tcp,
            service: Some("web".parse().expect("a name")),
            from,
            to,
            cause: None,
            after: Span::from_millis(3),
        });
        scripted::frame(run, seq, fact)
    });
    frames.flatten().collect()
}

fn core() {
    let run = Run(1);
    let batches: Vec<_> = (0..BATCHES_CORE).map(|at| batch(run, 1 + at * BATCH)).collect();
    let mut core = Core::new(1);
    let session = SessionId(1);
    let hello = Hello { stamp: scripted::stamp(run, 0), version: "bench".to_owned(), watched: Vec::new() };
    let host = "bench".parse().expect("a host");
    step(
        &mut core,
        0,
        Input::Session(ingest::Fact::Opened {
            session,
            host,
            hello: Box::new(hello),
            terms: ingest::Terms::default(),
        }),
    );
    let before = cpu_of_self();
    for (at, frames) in (1u64..).zip(batches) {
        step(&mut core, at, Input::Session(ingest::Fact::Batch { session, lane: Lane::Live, frames }));
    }
    let used = (cpu_of_self() - before).as_secs_f64();
    Figure {
        name: "ingest_core_events_per_cpu_second",
        value: (BATCHES_CORE * BATCH) as f64 / used,
        unit: "events/s",
        yardstick: None,
        budget: Some(Budget::AtLeast(500_000.0)),
    }
    .print();
}

fn step(core: &mut Core, at: u64, input: Input) {
    let now = Now {
        mono: Mono::from_micros(1_000_000 + at * 1_000),
        raw: Raw::from_micros(0),
        wall: Wall::from_micros(0),
    };
    core.handle(now, input);
    let mut upto = 0;
    while let Some(effect) = core.poll() {
        if let Effect::Store(Order::Append(entry)) = effect {
            upto = entry.index;
        }
    }
    core.handle(now, Input::Store(Stored::Journaled { upto }));
    while core.poll().is_some() {}
}

async fn wire(program: &OsStr) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let collector = Collector::start(program, &folder.path().join("collector"));
    let credentials = collector.credentials();
    let identity =
        Identity::enrol("bench", &collector.address, &credentials, &folder.path().join("id")).await;
    let session = identity.open(Run(1)).await.expect("the host is enrolled");
    let mut feed = Feed { session, pid: collector.process.pid(), cpu: Duration::ZERO };
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let first = 1 + round * BATCHES_WIRE * BATCH;
        let batches: Vec<_> = (0..BATCHES_WIRE).map(|at| batch(Run(1), first + at * BATCH)).collect();
        let (wire, raw) = if round % 2 == 0 {
            let wire = feed.rate(&batches, first).await;
            (wire, raw_rate(folder.path(), &batches))
        } else {
            let raw = raw_rate(folder.path(), &batches);
            (feed.rate(&batches, first).await, raw)
        };
        rounds.push([wire, raw, wire / raw]);
    }
    print(&rounds, feed.cpu);
}

/// One agent's session, and the CPU that the collector used for it.
struct Feed {
    session: scripted::Session,
    pid: u32,
    cpu: Duration,
}

impl Feed {
    /// Sends the batches, whose frames begin with number `first`, until all are acked: events a second.
    async fn rate(&mut self, batches: &[Vec<u8>], first: u64) -> f64 {
        let (cpu, since) = (cpu_fine(self.pid), Since::now());
        for (at, frames) in (0..).zip(batches) {
            assert!(self.session.batch(v1::Lane::Live, frames.clone()).await, "the session lives");
            // A window of 64 batches in flight: enough for group commit, and bounded as a real agent's is.
            if at % 64 == 63 {
                self.reached(first - 1 + (at - 31) * BATCH).await;
            }
        }
        self.reached(first - 1 + BATCHES_WIRE * BATCH).await;
        self.cpu += cpu_fine(self.pid) - cpu;
        rate(since)
    }

    /// Waits until an ack covers this number.
    async fn reached(&mut self, seq: u64) {
        let reached = tokio::time::timeout(PATIENCE, self.session.reached(seq));
        reached.await.expect("an ack comes in time").expect("the session lives");
    }
}

/// Events a second of one round that began then.
fn rate(since: Since) -> f64 {
    (BATCHES_WIRE * BATCH) as f64 / since.elapsed().as_secs_f64()
}

/// The median of one of what the rounds measured: 0 the wire's rate, 1 the raw one, 2 the share.
fn median(rounds: &[[f64; 3]], which: usize) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(|round| round[which]).collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(rounds: &[[f64; 3]], cpu: Duration) {
    let raw = median(rounds, 1);
    let show = |name, value, unit, yardstick, budget: Option<f64>| {
        Figure { name, value, unit, yardstick, budget: budget.map(Budget::AtLeast) }.print();
    };
    let events = (ROUNDS * BATCHES_WIRE * BATCH) as f64;
    let per_cpu = events / cpu.as_secs_f64();
    show("ingest_wire_events_per_cpu_second", per_cpu, "events/s", None, Some(500_000.0));
    let yardstick = Some(("raw append + fdatasync of the same batches", raw));
    show("ingest_wire_events_per_second", median(rounds, 0), "events/s", yardstick, None);
    show("ingest_wire_share_of_raw", median(rounds, 2), "of the raw rate", None, Some(0.6));
    let shares = rounds.iter().map(|round| round[2]);
    let (least, most) = (shares.clone().fold(f64::MAX, f64::min), shares.fold(0.0, f64::max));
    show("ingest_wire_share_of_raw_least", least, "of the raw rate", None, None);
    show("ingest_wire_share_of_raw_most", most, "of the raw rate", None, None);
}

/// Appends the same batches to a plain file with one fdatasync for every 64 KiB or so, as a journal that syncs each
/// blob would, and says how many events a second that is.
fn raw_rate(folder: &Path, batches: &[Vec<u8>]) -> f64 {
    let file = OpenOptions::new().create(true).append(true).open(folder.join("raw"));
    let mut file = file.expect("the folder can be written");
    let since = Since::now();
    for group in batches.chunks(2) {
        for frames in group {
            file.write_all(frames).expect("the folder has room");
        }
        file.sync_data().expect("the disk takes it");
    }
    rate(since)
}
