//! What is missing between and behind the segments is told at every start, and no index is given twice.

use super::super::holes::count;
use super::super::segment::{Segment, beside, list};
use super::*;

fn open(data: &Path) -> Journal {
    Journal::open(data, Limits { segment: 64 * 1024, ..Limits::default() }).unwrap()
}

fn segments(data: &Path) -> Vec<Segment> {
    list(&data.join("journal")).unwrap()
}

fn snapshot(data: &Path) {
    let health = Arc::new(Health::default());
    let limits = Limits::default();
    Upkeep::new(data.join("journal"), data.join("snapshots"), limits, (health, 0)).snapshot().unwrap();
}

/// A journal of 350 entries in many segments, with a snapshot of all of them.
async fn whole() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<_> = (1..=350).map(|index| batch(index, "web-1", index * 100, index % 40 + 1)).collect();
    let (most, rest) = entries.split_at(325);
    for group in most.chunks(25) {
        write(open(data.path()), group).await;
    }
    // How a group is committed decides when a segment is full: the last one must not end one.
    write(Journal::open(data.path(), Limits::default()).unwrap(), rest).await;
    snapshot(data.path());
    let found = segments(data.path());
    assert!(found.len() > 5 && found.last().unwrap().first <= 350, "{found:?}");
    data
}

/// A start like the collector's that journals one entry: where it begins, what it counts as missing, and what status
/// and metrics show.
async fn start(data: &Path) -> (u64, u64) {
    let mut journal = open(data);
    let Recovered { core, read, .. } = journal.recover(3).unwrap();
    journal.mend(read.last).unwrap();
    let next = core.index() + 1;
    journal.go_on(next).unwrap();
    assert_eq!(Health::get(&journal.health.missing), read.missing);
    write(journal, &[batch(next, "web-1", next * 100, 3)]).await;
    (next, read.missing)
}

fn remove(segment: &Segment) {
    segment::remove_all(&segment.path);
}

#[tokio::test]
async fn a_segment_missing_behind_the_snapshot_is_told_at_every_start() {
    let data = whole().await;
    let found = segments(data.path());
    let gone = [&found[2], &found[4]];
    gone.into_iter().for_each(remove);
    let lost = found[3].first - found[2].first + found[5].first - found[4].first;
    assert_eq!(start(data.path()).await, (351, lost));
    snapshot(data.path());
    assert_eq!(start(data.path()).await, (352, lost), "as long as it is there");
    // Counted once where a whole replay meets it as well.
    fs::remove_dir_all(data.path().join("snapshots")).unwrap();
    assert_eq!(start(data.path()).await, (353, lost));
}

#[tokio::test]
async fn what_is_removed_from_the_old_end_is_no_hole() {
    let data = whole().await;
    let found = segments(data.path());
    found[..3].iter().for_each(remove);
    assert_eq!(start(data.path()).await, (351, 0));
}

#[tokio::test]
async fn an_emptied_segment_in_the_middle_counts_like_one_that_is_gone() {
    let data = whole().await;
    let found = segments(data.path());
    fs::write(&found[2].path, []).unwrap();
    let lost = found[3].first - found[2].first;
    assert_eq!(start(data.path()).await, (351, lost));
    assert_eq!(start(data.path()).await, (352, lost));
}

#[tokio::test]
async fn behind_a_newest_segment_that_is_lost_the_snapshots_index_goes_on() {
    for lost_files in [1, 2] {
        let data = whole().await;
        let found = segments(data.path());
        let (kept, lost) = found.split_at(found.len() - lost_files);
        lost.iter().for_each(remove);
        let missing = 350 - (lost[0].first - 1);
        assert_eq!(start(data.path()).await, (351, missing), "{kept:?}");
        assert_eq!(segments(data.path()).last().unwrap().first, 351, "its name shows the hole");
        snapshot(data.path());
        assert_eq!(start(data.path()).await, (352, missing));
        assert_eq!(start(data.path()).await, (353, missing));
    }
}

#[tokio::test]
async fn behind_a_newest_segment_of_no_bytes_no_index_is_given_twice() {
    let data = whole().await;
    let newest = segments(data.path()).pop().unwrap();
    fs::write(&newest.path, []).unwrap();
    let missing = 350 - (newest.first - 1);
    assert_eq!(start(data.path()).await, (351, missing));
    assert_eq!(start(data.path()).await, (352, missing));
}

#[tokio::test]
async fn an_empty_segment_ahead_of_the_snapshot_is_where_the_journal_goes_on() {
    for with_snapshot in [true, false] {
        let data = whole().await;
        if !with_snapshot {
            fs::remove_dir_all(data.path().join("snapshots")).unwrap();
        }
        fs::write(Segment::at(&data.path().join("journal"), 401).path, []).unwrap();
        for next in 401..404 {
            assert_eq!(start(data.path()).await, (next, 50), "snapshot: {with_snapshot}");
        }
    }
}

#[tokio::test]
async fn an_empty_segment_that_is_all_there_is_does_not_stop_the_writer() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("journal");
    drop(open(data.path()));
    remove(&Segment::at(&folder, 1));
    fs::write(Segment::at(&folder, 401).path, []).unwrap();
    for next in 401..404 {
        assert_eq!(start(data.path()).await.0, next);
    }
}

#[tokio::test]
async fn a_log_whose_file_was_emptied_still_gives_its_entries() {
    let data = tempfile::tempdir().unwrap();
    let segment = Segment::at(&data.path().join("journal"), 1);
    let writer = open(data.path()).newest.connection;
    for index in 1..=5 {
        let row = row::Row::of(&batch(index, "web-1", index * 10, 2)).unwrap();
        row.insert(&mut writer.prepare(row::INSERT).unwrap()).unwrap();
    }
    let log = fs::read(beside(&segment.path, "-wal")).unwrap();
    drop(writer);
    fs::write(&segment.path, []).unwrap();
    fs::write(beside(&segment.path, "-wal"), log).unwrap();
    assert_eq!(start(data.path()).await, (6, 0));
}

#[test]
fn holes_that_overlap_count_once() {
    let hole = |first, last| Hole { first, last };
    assert_eq!(count(vec![hole(5, 9), hole(1, 2), hole(6, 7), hole(8, 11)]), 9);
    assert_eq!(Hole::between(4, 5), None);
    assert_eq!(count(vec![]), 0);
}
