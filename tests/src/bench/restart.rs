//! How long a collector takes to serve again on a long journal, with its snapshot and without.
//!
//! The journal is made by the real thing: a collector process fed over mutual TLS by scripted agents, in batches of
//! 256 failures and recoveries. Then it is started again twice: as it was left (the newest snapshot and the tail
//! behind it), and with its snapshots taken away (the whole journal). In between, `hash` compares the two states.
//! 2 GiB by default, 64 MiB with `--quick`, or as `--gib N` says; the folder lies in TMPDIR and goes at the end.

use super::{Budget, Figure, ingest};
use crate::rig::clock::Since;
use crate::rig::process::Process;
use crate::rig::scripted::{Identity, Session};
use crate::rig::stack::Collector;
use picket_proto::Run;
use picket_rpc::v1;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const HOSTS: usize = 16;
const BATCH: u64 = 256;
/// Batches of an agent on the way: 16 agents together stay below what a collector lets wait.
const WINDOW: u64 = 32;
/// Bytes of frames that may follow the last snapshot, and a little more for what was under way.
const TAIL: u64 = 144 << 20;
/// The budget is 5 s for 10 GiB; what a start reads does not grow with the journal.
const SECONDS_MAX: f64 = 5.0;

/// Measures and prints.
///
/// # Panics
/// If the collector refuses anything, or the two states differ.
pub fn run(program: &OsStr, bytes: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("collector");
    let (process, address, _) = launch(program, &data, bytes);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let process = runtime.block_on(feed(process, &address, (folder.path(), &data), bytes));
    drop(process);
    let journal = size(&data.join("journal"));
    let (process, _, with) = launch(program, &data, bytes);
    drop(process);
    compare(program, &data);
    fs::rename(data.join("snapshots"), folder.path().join("snapshots")).expect("there are snapshots");
    let (process, _, without) = launch(program, &data, bytes);
    drop(process);
    let mib = (journal >> 20) as f64;
    figure("restart_journal_mib", mib, "MiB", (None, None));
    let budget = Some(Budget::AtMost(SECONDS_MAX));
    let yardstick = Some(("replay of the whole journal", without.as_secs_f64()));
    figure("restart_with_snapshot_seconds", with.as_secs_f64(), "s", (yardstick, budget));
    figure("restart_without_snapshot_seconds", without.as_secs_f64(), "s", (None, None));
}

type Held<'a> = (Option<(&'a str, f64)>, Option<Budget>);

fn figure(name: &str, value: f64, unit: &str, (yardstick, budget): Held<'_>) {
    Figure { name, value, unit, yardstick, budget }.print();
}

/// Starts a collector and says how long it took until it served. It logs only what its journal does.
fn launch(program: &OsStr, data: &Path, bytes: u64) -> (Process, String, Duration) {
    let mut command = Command::new(program);
    command.args(["__collector", "run", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    if bytes < 1 << 30 {
        // A small share takes a small snapshot and small segments, so that it goes the same way.
        command.args([
            "--snapshot-bytes",
            &(bytes / 8).to_string(),
            "--segment-bytes",
            &(bytes / 4).to_string(),
        ]);
    }
    command.env("RUST_LOG", "warn,picket_collector::store=info,picket_collector::start=info");
    let since = Since::now();
    let mut process = Process::spawn("collector", &mut command);
    let ready = process.line_with("\"listen\"");
    let took = since.elapsed();
    let address =
        ready.split('"').find(|part| part.starts_with("127.0.0.1:")).expect("ready names the address");
    (process, address.to_owned(), took)
}

async fn feed(mut process: Process, address: &str, (folder, data): (&Path, &Path), bytes: u64) -> Process {
    let mut sessions = Vec::new();
    for at in 0..HOSTS {
        let host = format!("bench-{at}");
        let identity = Identity::enrol(&host, address, &data.join("operator"), &folder.join(&host)).await;
        let run = Run(1 + at as u64);
        sessions.push((run, identity.open(run).await.expect("the host is enrolled")));
    }
    let (mut sent, mut round) = (0, 0);
    while sent < bytes {
        for (run, session) in &mut sessions {
            sent += send(session, *run, round).await;
        }
        round += 1;
    }
    for (_, session) in &mut sessions {
        session.reached(round * BATCH).await.expect("frames are acked");
    }
    // What a collector does that is given time: snapshots up to the last 128 MiB.
    let each = sent / (round * HOSTS as u64);
    while snapshot(&process.line_with("snapshot made")) * each + TAIL.min(sent / 4) < sent {}
    assert!(process.end().success(), "the collector ends in order");
    process
}

/// The index that the line tells; about as many batches were journaled then.
fn snapshot(line: &str) -> u64 {
    let index = line.split("index=").nth(1).and_then(|rest| rest.split_whitespace().next());
    index.and_then(|index| index.parse().ok()).expect("the line tells the index")
}

async fn send(session: &mut Session, run: Run, round: u64) -> u64 {
    let frames = ingest::batch(run, 1 + round * BATCH);
    let bytes = frames.len() as u64;
    assert!(session.batch(v1::Lane::Live, frames).await, "the session lives");
    if round % WINDOW == WINDOW - 1 {
        session.reached((round + 1 - WINDOW / 2) * BATCH).await.expect("frames are acked");
    }
    bytes
}

/// The state by the whole journal and the state by the snapshot are one.
fn compare(program: &OsStr, data: &Path) {
    let said: serde_json::Value =
        serde_json::from_str(&Collector::hash(program, data)).expect("hash prints one JSON document");
    assert_ne!(said["resumed_from"], 0, "the start began with a snapshot: {said}");
    assert_eq!(said["snapshot"], said["resumed"], "{said}");
    assert_eq!((&said["damaged"], &said["missing"]), (&0.into(), &0.into()), "{said}");
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("the journal is there");
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
}
