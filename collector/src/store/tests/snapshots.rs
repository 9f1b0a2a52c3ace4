//! A start from a snapshot gives what a straight replay gives; retention drops nothing that a start needs.

use super::super::segment::{Segment, list};
use super::super::{retention, snapshot};
use super::*;
use picket_collector_core::Collector;

fn small() -> Limits {
    Limits { segment: 64 * 1024, keep_bytes: 200 * 1024, ..Limits::default() }
}

/// Without limits on what is kept: here the tests call retention themselves.
fn open(data: &Path) -> Journal {
    Journal::open(data, Limits { keep_bytes: u64::MAX, ..small() }).unwrap()
}

fn upkeep(data: &Path, limits: Limits) -> Upkeep {
    let health = Arc::new(Health::default());
    Health::set(&health.index, 1);
    Upkeep::new(data.join("journal"), data.join("snapshots"), limits, (health, 0))
}

fn straight(entries: &[Entry]) -> Vec<u8> {
    let mut core = Collector::new(3);
    for entry in entries {
        core.replay(entry.index, entry.now, entry.record.clone());
    }
    core.snapshot()
}

/// A journal with a snapshot after 100, 200 and 300 of its 350 entries.
async fn with_snapshots() -> (tempfile::TempDir, Vec<Entry>) {
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<_> = (1..=350).map(|index| batch(index, "web-1", index * 100, index % 40 + 1)).collect();
    for (nth, group) in entries.chunks(25).enumerate() {
        write(open(data.path()), group).await;
        if [3, 7, 11].contains(&nth) {
            upkeep(data.path(), small()).snapshot().unwrap();
        }
    }
    (data, entries)
}

fn snapshots(data: &Path) -> Vec<u64> {
    snapshot::list(&data.join("snapshots")).unwrap().into_iter().map(|(index, _)| index).collect()
}

fn segments(data: &Path) -> Vec<Segment> {
    list(&data.join("journal")).unwrap()
}

/// Where a start begins, whether it comes to the straight replay's state, and how many entries it reads.
fn start(data: &Path, entries: &[Entry]) -> (u64, bool, u64) {
    let found = open(data).recover(9).unwrap();
    (found.from, found.core.snapshot() == straight(entries), found.read.entries)
}

fn flip(data: &Path, index: u64, at: usize) {
    let path = data.join(format!("snapshots/snapshot-{index:012}"));
    let mut bytes = fs::read(&path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 0x10;
    fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn a_start_takes_the_newest_snapshot_and_replays_only_the_tail() {
    let (data, entries) = with_snapshots().await;
    assert_eq!(snapshots(data.path()), [300, 200], "two stay");
    assert_eq!(start(data.path(), &entries), (300, true, 50));
}

#[tokio::test]
async fn a_damaged_snapshot_costs_a_longer_start_and_nothing_else() {
    // In the magic, the format, the logic version, the index, the digest, the header's checksum, the state.
    for at in [0, 9, 13, 17, 70, 98, 200, usize::MAX] {
        let (data, entries) = with_snapshots().await;
        flip(data.path(), 300, at);
        assert_eq!(start(data.path(), &entries), (200, true, 150), "byte {at}");
        flip(data.path(), 200, at);
        assert_eq!(start(data.path(), &entries), (0, true, 350), "byte {at}");
        // The next one replaces them and is good.
        upkeep(data.path(), small()).snapshot().unwrap();
        assert_eq!(start(data.path(), &entries), (350, true, 0));
    }
    let (data, entries) = with_snapshots().await;
    let path = data.path().join("snapshots/snapshot-000000000300");
    let whole = fs::read(&path).unwrap();
    for length in [0, 10, 99, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(start(data.path(), &entries), (200, true, 150), "{length} bytes");
    }
}

/// Gives a snapshot another logic version, with a header that is sound.
fn of_version(data: &Path, index: u64, logic: u32) {
    let path = data.join(format!("snapshots/snapshot-{index:012}"));
    let mut bytes = fs::read(&path).unwrap();
    bytes[12..16].copy_from_slice(&logic.to_le_bytes());
    let crc = row::CRC32C.checksum(&bytes[..snapshot::HEADER - 4]);
    bytes[snapshot::HEADER - 4..snapshot::HEADER].copy_from_slice(&crc.to_le_bytes());
    fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn a_snapshot_of_another_logic_version_is_passed_over_while_the_journal_is_whole() {
    let (data, entries) = with_snapshots().await;
    of_version(data.path(), 300, picket_collector_core::LOGIC + 1);
    assert_eq!(start(data.path(), &entries), (200, true, 150));
    of_version(data.path(), 200, picket_collector_core::LOGIC + 1);
    assert_eq!(start(data.path(), &entries), (0, true, 350));
}

#[tokio::test]
async fn retention_by_bytes_drops_whole_segments_that_two_snapshots_have() {
    let (data, entries) = with_snapshots().await;
    let before = segments(data.path());
    let upkeep = upkeep(data.path(), small());
    retention::drop_old(&upkeep).unwrap();
    let after = segments(data.path());
    let dropped = before.len() - after.len();
    assert!(dropped > 2, "{before:?} {after:?}");
    assert!(after[0].first <= 201, "the older snapshot's tail stays: {after:?}");
    assert_eq!(Health::get(&upkeep.health.dropped_segments), dropped as u64);
    assert!(Health::get(&upkeep.health.dropped_bytes) > 100 * 1024);
    // Any of the two snapshots still gives the whole state.
    assert_eq!(start(data.path(), &entries), (300, true, 50));
    flip(data.path(), 300, 70);
    assert_eq!(start(data.path(), &entries), (200, true, 150));
    // And the journal goes on where it was.
    write(open(data.path()), &[batch(351, "web-1", 40_000, 3)]).await;
    assert_eq!(open(data.path()).recover(1).unwrap().read.last, 351);
}

#[tokio::test]
async fn retention_waits_until_two_snapshots_are_sound() {
    for wrong in [200, 300] {
        let (data, _) = with_snapshots().await;
        let before = segments(data.path());
        flip(data.path(), wrong, 150);
        retention::drop_old(&upkeep(data.path(), small())).unwrap();
        assert_eq!(segments(data.path()), before);
    }
}

#[tokio::test]
async fn retention_by_age_follows_the_journals_own_time() {
    let (data, entries) = with_snapshots().await;
    // One entry a second, the newest at 350 s.
    let limits = |seconds| Limits { keep: Span::from_secs(seconds), keep_bytes: u64::MAX, ..small() };
    let before = segments(data.path());
    retention::drop_old(&upkeep(data.path(), limits(400))).unwrap();
    assert_eq!(segments(data.path()), before);
    retention::drop_old(&upkeep(data.path(), limits(250))).unwrap();
    let after = segments(data.path());
    assert!(after.len() < before.len());
    let end = |nth: usize| after[nth].first - 1;
    assert!(end(1) >= 99, "what is younger than 250 s stays: {after:?}");
    assert!(after[0].first > 40, "what is older went: {after:?}");
    assert!(start(data.path(), &entries).1);
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_removed_by_the_next_snapshot() {
    let (data, entries) = with_snapshots().await;
    let half = data.path().join("snapshots/snapshot-000000000340.new");
    fs::write(&half, b"half").unwrap();
    assert_eq!(start(data.path(), &entries), (300, true, 50));
    upkeep(data.path(), small()).snapshot().unwrap();
    assert!(!half.exists());
    assert_eq!(snapshots(data.path()), [350, 300]);
}

#[tokio::test]
async fn without_any_snapshot_and_beginning_the_rest_of_the_journal_is_taken() {
    let (data, entries) = with_snapshots().await;
    retention::drop_old(&upkeep(data.path(), small())).unwrap();
    fs::remove_dir_all(data.path().join("snapshots")).unwrap();
    let first = segments(data.path())[0].first;
    assert!(first > 1);
    let found = open(data.path()).recover(1).unwrap();
    assert_eq!((found.read.last, found.read.entries), (350, 351 - first));
    drop(entries);
}

#[tokio::test]
async fn a_snapshot_of_a_readable_version_is_taken_where_the_beginning_was_dropped() {
    let (data, entries) = with_snapshots().await;
    retention::drop_old(&upkeep(data.path(), small())).unwrap();
    let oldest = segments(data.path())[0].first;
    // A hole behind it, as when newer snapshots were lost: nearer to the truth than nothing.
    fs::remove_file(data.path().join("snapshots/snapshot-000000000300")).unwrap();
    fs::rename(
        data.path().join("snapshots/snapshot-000000000200"),
        data.path().join("snapshots/snapshot-000000000199"),
    )
    .unwrap();
    assert!(oldest <= 201);
    assert_eq!(start(data.path(), &entries), (200, true, 150), "the header says which it is, not the name");
}

#[tokio::test]
async fn verification_reads_sealed_segments_and_finds_the_flipped_page() {
    let (data, _) = with_snapshots().await;
    let found = segments(data.path());
    let mut bytes = fs::read(&found[1].path).unwrap();
    let page = bytes.len() / 4_096 / 2;
    for byte in &mut bytes[page * 4_096 + 2_000..][..600] {
        *byte ^= 0xa5;
    }
    fs::write(&found[1].path, bytes).unwrap();
    let health = Health::default();
    let mut verify = verify::Verify::new(data.path().join("journal"));
    for _ in 0..found.len() * 4 {
        verify.begin();
        verify.turn(&health);
    }
    assert_eq!(Health::get(&health.verified), found.len() as u64 - 1, "each sealed one, once a day");
    assert!(Health::get(&health.damaged) > 0);
}
