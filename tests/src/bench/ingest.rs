//! Events per CPU-second through the collector: split, checksum, dedupe, decode, signal state, journal (fsynced), ack.
//!
//! Twice: the core and the store in this process, where CPU time can be told apart (`ingest_core`), and a real
//! collector process fed by a scripted agent over mutual TLS (`ingest_wire`). Batches of 256. The yardstick of the
//! wire figure is the raw rate of append + fdatasync of the same bytes on the same folder.

use super::{Budget, Figure};
use crate::rig::clock::{Since, cpu_of_self};
use crate::rig::scripted::{self, Identity};
use crate::rig::stack::Collector;
use picket_collector_core::ingest::{Hello, Lane, SessionId};
use picket_collector_core::store::{Fact as Stored, Order};
use picket_collector_core::{Collector as Core, Effect, Input, ingest};
use picket_proto::event::{CheckKind, Fact, Verdict, VerdictChanged};
use picket_proto::{Mono, Now, Raw, Run, Span, Wall};
use picket_rpc::v1;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::Path;

const BATCH: u64 = 256;
const BATCHES_CORE: u64 = 4_000;
const BATCHES_WIRE: u64 = 2_000;

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
    step(&mut core, 0, Input::Session(ingest::Fact::Opened { session, host, hello: Box::new(hello) }));
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
    let run = Run(1);
    let batches: Vec<_> = (0..BATCHES_WIRE).map(|at| batch(run, 1 + at * BATCH)).collect();
    let mut session = identity.open(run).await.expect("the host is enrolled");
    let pid = collector.process.pid();
    let (cpu, since) = (crate::rig::files::cpu_fine(pid), Since::now());
    for (at, frames) in batches.iter().enumerate() {
        assert!(session.batch(v1::Lane::Live, frames.clone()).await, "the session lives");
        // A window of 64 batches in flight: enough for group commit, and bounded as a real agent's is.
        if at % 64 == 63 {
            session.acked((at as u64 - 31) * BATCH).await.expect("frames are acked");
        }
    }
    session.acked(BATCHES_WIRE * BATCH).await.expect("frames are acked");
    let (wall, used) =
        (since.elapsed().as_secs_f64(), (crate::rig::files::cpu_fine(pid) - cpu).as_secs_f64());
    let events = (BATCHES_WIRE * BATCH) as f64;
    let raw = raw_rate(folder.path(), &batches);
    Figure {
        name: "ingest_wire_events_per_cpu_second",
        value: events / used,
        unit: "events/s",
        yardstick: None,
        budget: Some(Budget::AtLeast(500_000.0)),
    }
    .print();
    Figure {
        name: "ingest_wire_events_per_second",
        value: events / wall,
        unit: "events/s",
        yardstick: Some(("raw append + fdatasync of the same batches", raw)),
        budget: Some(Budget::AtLeast(0.6 * raw)),
    }
    .print();
}

/// Appends the same batches to a plain file with one fdatasync for every 64 KiB or so, as a journal that syncs each
/// blob would, and says how many events a second that is.
fn raw_rate(folder: &Path, batches: &[Vec<u8>]) -> f64 {
    let mut file = File::create(folder.join("raw")).expect("the folder can be written");
    let since = Since::now();
    for group in batches.chunks(2) {
        for frames in group {
            file.write_all(frames).expect("the folder has room");
        }
        file.sync_data().expect("the disk takes it");
    }
    (batches.len() as u64 * BATCH) as f64 / since.elapsed().as_secs_f64()
}
