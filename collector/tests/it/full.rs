//! A real file system that is full: nothing is acknowledged that is not durable, questions are answered, and all goes
//! on by itself once there is room, whoever made it. Needs root, for a small tmpfs in a mount namespace of its own.
#![expect(clippy::unwrap_used, reason = "also outside of the test functions, a panic is how a test fails")]

use crate::common::{Agent, Collector, SOON, events, frames, last};
use picket_rpc::v1::{self, agent_message, collector_message};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::timeout;

const RUN: u64 = 9;
const MIB: u64 = 1 << 20;
/// Frames of a batch: 60 KiB or so.
const BATCH: u64 = 600;
const SMALL: [&str; 4] = ["--segment-bytes", "1048576", "--snapshot-bytes", "524288"];

/// A tmpfs that only the processes of its namespace see; gone with its holder.
struct Disk {
    holder: Child,
    inside: tempfile::TempDir,
}

impl Disk {
    /// Mounts one of `bytes`; `None` where this process may not, which is said by name.
    fn mount(test: &str, bytes: u64) -> Option<Self> {
        let inside = tempfile::tempdir().unwrap();
        let script = format!("mount -t tmpfs -o size={bytes} none \"$0\" && echo mounted && exec cat");
        let mut holder = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", &script])
            .arg(inside.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take()?).read_line(&mut line).ok()?;
        let disk = Self { holder, inside };
        if line.trim() != "mounted" {
            println!("cannot run here: {test}: no mount namespace (needs root)");
            return None;
        }
        Some(disk)
    }

    /// Where this process finds what lies in it.
    fn seen(&self) -> PathBuf {
        let inside = self.inside.path().strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(inside)
    }

    fn collector(&self, args: &[&str]) -> Collector {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.holder.id().to_string(), "--"]);
        command.arg(env!("CARGO_BIN_EXE_picket-collector"));
        command.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(self.inside.path().join("data"));
        Collector::of(command.args(SMALL).args(args), &self.seen().join("data"))
    }

    fn free(&self) -> u64 {
        let found = rustix::fs::statvfs(self.seen().as_path()).unwrap();
        found.f_bavail * found.f_frsize
    }

    /// Takes what is free but `left` bytes, or all where a running collector takes the rest meanwhile: a snapshot is
    /// written whenever the upkeep comes to it.
    fn fill(&self, left: u64) {
        const STEP: u64 = 64 << 10;
        let mut file = fs::File::create(self.seen().join("fill")).unwrap();
        while let Some(over) = self.free().checked_sub(left).filter(|over| *over > 0) {
            let step = usize::try_from(over.min(STEP)).unwrap();
            match file.write_all(&[0; STEP as usize][..step]) {
                Err(full) if full.kind() == ErrorKind::StorageFull => return,
                written => written.unwrap(),
            }
        }
    }

    fn empty(&self) {
        fs::remove_file(self.seen().join("fill")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _is_dead_already = self.holder.kill();
        let _is_reaped_already = self.holder.wait();
    }
}

/// Sends from behind `from` until the collector refuses; the highest number acknowledged before, and why.
async fn until_refused(agent: Agent, from: u64) -> (u64, String) {
    let Agent { to, from: mut answers, .. } = agent;
    let sending = tokio::spawn(async move {
        for first in (from + 1..).step_by(600) {
            let batch =
                v1::Batch { lane: v1::Lane::Live.into(), frames: frames(RUN, first..first + BATCH, "line") };
            let message = Some(agent_message::Message::Batch(batch));
            if to.send(v1::AgentMessage { message }).await.is_err() {
                break;
            }
        }
    });
    let mut acked = from;
    let refusal = loop {
        match timeout(SOON, answers.message()).await.expect("it acknowledges or refuses") {
            Ok(Some(v1::CollectorMessage { message: Some(collector_message::Message::Ack(ack)) })) => {
                acked = acked.max(last(&ack.ranges));
            }
            Ok(_other) => {}
            Err(status) => break crate::common::code(&status),
        }
    };
    sending.abort();
    (acked, refusal)
}

/// Sends until the disk is full, as the status says: one that is only slower than the sender refuses as well.
async fn until_full(collector: &Collector, credentials: &crate::common::Credentials, mut acked: u64) -> u64 {
    for _ in 0..20 {
        let (agent, known) = comes_again(collector, credentials).await;
        assert!(known >= acked, "acked {acked}, but only {known} are there");
        let (seen, refusal) = until_refused(agent, known).await;
        assert!(["store-full", "too-many"].contains(&refusal.as_str()), "{refusal}");
        acked = seen;
        let mut pause = tokio::time::interval(Duration::from_millis(100));
        loop {
            let status = collector.operator().await.get_status(v1::GetStatusRequest {}).await;
            let status = status.expect("it is answered").into_inner();
            if status.journal() == v1::JournalState::Full {
                assert!(status.failing_since.is_some() && status.waiting_entries > 0);
                return acked;
            }
            if status.waiting_entries == 0 {
                break;
            }
            pause.tick().await;
        }
    }
    panic!("the disk is full some time");
}

async fn is_answered(collector: &Collector) {
    let call = async {
        let mut operator = collector.operator().await;
        let hosts = operator.list_hosts(v1::ListHostsRequest::default()).await.unwrap().into_inner();
        assert_eq!(hosts.hosts.len(), 1);
        operator.list_events(v1::ListEventsRequest::default()).await.unwrap().into_inner()
    };
    let page = timeout(SOON, call).await.expect("questions are answered");
    assert_eq!(page.events.len(), 500);
}

/// Opens a session as an agent does: it comes again while the journal cannot be written.
async fn comes_again(collector: &Collector, credentials: &crate::common::Credentials) -> (Agent, u64) {
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..600 {
        let mut agent = Agent::silent(collector.channel(Some(credentials)).await).await.unwrap();
        agent.say(agent_message::Message::Hello(crate::common::hello(RUN))).await;
        match agent.welcomed().await {
            Ok(known) => return (agent, last(&known)),
            Err(status) => assert_eq!(crate::common::code(&status), "store-full"),
        }
        pause.tick().await;
    }
    panic!("the journal is written again within a minute");
}

/// Sends what is missing up to `upto`; what was acknowledged is there.
async fn goes_on(
    collector: &Collector,
    credentials: &crate::common::Credentials,
    acked: u64,
    upto: u64,
) -> u64 {
    let (mut agent, journaled) = comes_again(collector, credentials).await;
    assert!(journaled >= acked, "acked {acked}, but only {journaled} are there");
    let mut at = journaled;
    while at < upto {
        let end = upto.min(at + BATCH);
        agent.batch(frames(RUN, at + 1..=end, "line")).await;
        agent.acked(end).await;
        at = end;
    }
    at
}

async fn all_once(collector: &Collector, upto: u64) {
    let expected: Vec<_> = (1..=upto).rev().map(|seq| (RUN, seq)).collect();
    let found = events(collector, "web-1").await;
    assert_eq!(found.len(), expected.len());
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_acks_keeps_answering_and_loses_nothing_that_was_acked() {
    const NAME: &str = "a_full_disk_refuses_acks_keeps_answering_and_loses_nothing_that_was_acked";
    let Some(disk) = Disk::mount(NAME, 64 * MIB) else { return };
    let collector = disk.collector(&[]);
    let credentials = collector.enrolled("web-1").await;
    // Full in the middle of a segment, near its end, and with next to nothing left: rolling and snapshots fail too.
    let mut acked = 0;
    for left in [1_500_000, 3_000_000, 100_000] {
        disk.fill(left);
        acked = until_full(&collector, &credentials, acked).await;
        is_answered(&collector).await;
        disk.empty();
        goes_on(&collector, &credentials, acked, acked).await;
    }
    let all = goes_on(&collector, &credentials, acked, acked + 40_000).await;
    all_once(&collector, all).await;
    collector.kill();
    let collector = disk.collector(&[]);
    goes_on(&collector, &credentials, all, all).await;
    all_once(&collector, all).await;
    let halves = fs::read_dir(disk.seen().join("data/snapshots")).into_iter().flatten().flatten();
    assert_eq!(
        halves.filter(|entry| entry.path().extension().is_some()).count(),
        0,
        "no half snapshot is left"
    );
}

/// The numbers of the files in one of the collector's folders, lowest first.
fn numbers(disk: &Disk, folder: &str, before: &str) -> Vec<u64> {
    let found = fs::read_dir(disk.seen().join("data").join(folder)).into_iter().flatten().flatten();
    let number = |name: &str| name.strip_prefix(before)?.trim_end_matches(".db").parse::<u64>().ok();
    let mut numbers: Vec<_> = found.filter_map(|entry| number(entry.file_name().to_str()?)).collect();
    numbers.sort_unstable();
    numbers
}

fn segments(disk: &Disk) -> Vec<u64> {
    numbers(disk, "journal", "journal-")
}

fn snapshots(disk: &Disk) -> Vec<u64> {
    numbers(disk, "snapshots", "snapshot-")
}

/// Sends until there are eight segments and both snapshots reach to the last three of them, a batch at a time; the last
/// number. Each batch waits until a snapshot reaches to the last two: so no two of them lie further apart than these
/// three, however slowly they are made.
async fn kept_up_with(
    disk: &Disk,
    (collector, credentials): (&Collector, &crate::common::Credentials),
) -> u64 {
    let mut acked = 0;
    while segments(disk).len() < 8 || !reaches(disk, snapshots(disk).first(), 3) {
        assert!(acked < 400 * BATCH, "snapshots follow: {:?} of {:?}", snapshots(disk), segments(disk));
        acked = goes_on(collector, credentials, acked, acked + BATCH).await;
        comes("a snapshot follows", || reaches(disk, snapshots(disk).last(), 2)).await;
    }
    acked
}

/// Whether a snapshot reaches into the last so many segments.
fn reaches(disk: &Disk, snapshot: Option<&u64>, last: usize) -> bool {
    segments(disk).iter().rev().nth(last - 1).is_none_or(|first| snapshot.is_some_and(|index| index >= first))
}

/// Waits until it is so: what the upkeep does at its own pace, beside whatever else the machine has to do.
async fn comes(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..12_000 {
        if is_so() {
            return;
        }
        pause.tick().await;
    }
    panic!("{what} within four minutes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lower_limit_makes_room_on_a_disk_that_is_full() {
    const NAME: &str = "a_lower_limit_makes_room_on_a_disk_that_is_full";
    let Some(disk) = Disk::mount(NAME, 32 * MIB) else { return };
    let collector = disk.collector(&[]);
    let credentials = collector.enrolled("web-1").await;
    let acked = kept_up_with(&disk, (&collector, &credentials)).await;
    // What is left fits a few batches: until here retention could drop nearly all, which the pace of a machine must not
    // decide.
    disk.fill(1_000_000);
    let acked = until_full(&collector, &credentials, acked).await;
    let before = segments(&disk);
    collector.kill();
    disk.empty();
    disk.fill(0);
    let collector = disk.collector(&["--keep-bytes", "2000000"]);
    let all = goes_on(&collector, &credentials, acked, acked + 20_000).await;
    comes("the older half makes room", || segments(&disk)[0] > before[3]).await;
    let found = events(&collector, "web-1").await;
    let left: Vec<_> = (1..=all).rev().map(|seq| (RUN, seq)).take(found.len()).collect();
    assert_eq!(found, left, "what is left is whole");
    assert!((1..all).contains(&(found.len() as u64)), "{} of {all} are left", found.len());
}
