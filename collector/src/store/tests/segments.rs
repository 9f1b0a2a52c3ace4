//! Many segments read like one journal, whichever of them is damaged or gone.

use super::super::segment::{Segment, list};
use super::*;

const MANY: u64 = 300;

fn small() -> Limits {
    Limits { segment: 128 * 1024, ..Limits::default() }
}

fn open(data: &Path) -> Journal {
    Journal::open(data, small()).unwrap()
}

/// A journal of many segments.
async fn many() -> (tempfile::TempDir, Vec<Entry>) {
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<_> =
        (1..=MANY).map(|index| batch(index, "web-1", index * 100, index % 40 + 1)).collect();
    // In groups: the writer rolls between two transactions.
    for group in entries.chunks(25) {
        write(open(data.path()), group).await;
    }
    (data, entries)
}

fn segments(data: &Path) -> Vec<Segment> {
    list(&data.join("journal")).unwrap()
}

fn read(data: &Path) -> (Read, Vec<Entry>) {
    let mut back = Vec::new();
    let read = open(data).read_all(|index, now, record| back.push(Entry { index, now, record })).unwrap();
    (read, back)
}

/// Every event of every page, newest first, and what the last page says.
fn pages(data: &Path, host: Option<&str>) -> (Vec<Found>, Option<Wall>) {
    let host = host.map(|host| host.parse().unwrap());
    let mut question = Question { host, service: None, since: None, after: None, limit: 97 };
    let mut found = Vec::new();
    loop {
        let page = page(&data.join("journal"), &question).unwrap();
        found.extend(page.events);
        match page.next {
            Some(next) => question.after = Some(next),
            None => return (found, page.kept_since),
        }
    }
}

fn seqs(found: &[Found]) -> Vec<u64> {
    found.iter().map(|event| event.seq.0).collect()
}

fn expected(entries: &[Entry]) -> Vec<u64> {
    let spans = entries.iter().rev().map(|entry| match &entry.record {
        Record::Frames { span, .. } => (span.first().0..=span.last().0).rev(),
        other => panic!("{other:?}"),
    });
    spans.flatten().collect()
}

/// Flips eight bytes in a page of a segment.
fn flip(segment: &Segment, page: usize) {
    let mut bytes = fs::read(&segment.path).unwrap();
    for byte in &mut bytes[page * 4_096 + 2_000..][..8] {
        *byte ^= 0xa5;
    }
    fs::write(&segment.path, bytes).unwrap();
}

#[tokio::test]
async fn many_segments_read_and_page_like_one_journal() {
    let (data, entries) = many().await;
    let found = segments(data.path());
    assert!(found.len() > 4, "{found:?}");
    let (read, back) = read(data.path());
    assert_eq!(back, entries);
    assert_eq!((read.damaged, read.missing), (0, 0));
    for host in [None, Some("web-1")] {
        assert_eq!(seqs(&pages(data.path(), host).0), expected(&entries), "{host:?}");
    }
    assert_eq!(pages(data.path(), Some("db-1")), (vec![], None));
}

#[tokio::test]
async fn a_reading_begins_behind_any_entry() {
    let (data, entries) = many().await;
    for last in [0, 1, 24, 25, 26, 150, 299, 300] {
        let mut indexes = Vec::new();
        let read = open(data.path()).read((last, BEGINNING), |index, _, _| indexes.push(index)).unwrap();
        assert_eq!(indexes, (last + 1..=entries.len() as u64).collect::<Vec<_>>());
        assert_eq!((read.last, read.missing), (300, 0));
    }
}

#[tokio::test]
async fn the_clocks_offset_goes_along_into_the_next_segment() {
    let data = tempfile::tempdir().unwrap();
    open(data.path()).keep_offset(BootId(3), 30).unwrap();
    open(data.path()).keep_offset(BootId(4), -40).unwrap();
    for index in 1..=4 {
        write(open(data.path()), &[batch(index, "web-1", index * 1_000, 700)]).await;
    }
    assert!(segments(data.path()).len() > 1);
    let journal = open(data.path());
    assert_eq!(journal.offset(BootId(4)).unwrap(), Some(-40));
    assert_eq!(journal.offset(BootId(3)).unwrap(), Some(30));
}

#[tokio::test]
async fn a_flipped_page_of_any_segment_costs_that_page_and_is_named() {
    let (data, entries) = many().await;
    let found = segments(data.path());
    let all = expected(&entries);
    for segment in [&found[0], &found[found.len() / 2], &found[found.len() - 1]] {
        let sound = fs::read(&segment.path).unwrap();
        for page in 3..sound.len() / 4_096 {
            flip(segment, page);
            // A query first: nobody has looked at the segment yet.
            let told = pages(data.path(), None).0;
            let rest = told.iter().filter(|event| event.code != "gap").count();
            assert!(
                rest + 300 > all.len(),
                "page {page} of {}: {rest} of {}",
                segment.path.display(),
                all.len()
            );
            let (read, back) = read(data.path());
            let lost = entries.iter().filter(|entry| !back.contains(entry)).count();
            let named = back.iter().filter(|entry| matches!(entry.record, Record::Damaged { .. })).count();
            assert!(lost <= 30, "page {page}: {lost} entries");
            // Nothing is lost without a trace: a damaged row in its place, or a number that is missing.
            let trace = named as u64 + read.missing + (MANY - read.last);
            assert_eq!(lost as u64, trace, "page {page}: {read:?}");
            // The rows that could still be read, and the gap for each that says what it held.
            let told = pages(data.path(), None).0;
            assert_eq!(told.iter().filter(|event| event.code == "gap").count(), named, "page {page}");
            fs::write(&segment.path, &sound).unwrap();
            remove_aside(data.path());
        }
    }
}

fn remove_aside(data: &Path) {
    for entry in fs::read_dir(data.join("journal")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains("damaged") || name.ends_with("-wal") || name.ends_with("-shm") {
            fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test]
async fn a_page_that_ends_where_segments_were_dropped_says_since_when_they_are_kept() {
    let (data, entries) = many().await;
    let found = segments(data.path());
    for segment in &found[..2] {
        fs::remove_file(&segment.path).unwrap();
    }
    let kept: Vec<_> = entries.iter().filter(|entry| entry.index >= found[2].first).cloned().collect();
    let (told, since) = pages(data.path(), None);
    assert_eq!(seqs(&told), expected(&kept));
    assert_eq!(since, Some(kept[0].now.wall));
    let (read, back) = read(data.path());
    assert_eq!(back, kept);
    assert_eq!((read.missing, read.damaged), (0, 0), "what was dropped is not missing");
}

#[tokio::test]
async fn a_log_that_was_left_behind_by_a_crash_is_read_with_its_segment() {
    let data = tempfile::tempdir().unwrap();
    written(data.path(), &[batch(1, "web-1", 1, 5)]).await;
    let first = segments(data.path()).remove(0);
    // A process that dies between making the next segment and folding this one's log in.
    let writer = Connection::open(&first.path).unwrap();
    writer.execute("UPDATE journal SET raw = raw", []).unwrap();
    let row = row::Row::of(&batch(2, "web-1", 10, 5)).unwrap();
    row.insert(&mut writer.prepare(row::INSERT).unwrap()).unwrap();
    let log = segment::beside(&first.path, "-wal");
    let copy = fs::read(&log).unwrap();
    let folder = data.path().join("journal");
    drop(segment::connect(&Segment::at(&folder, 3).path).unwrap());
    drop(writer);
    written(data.path(), &[batch(3, "web-1", 20, 5)]).await;
    let old = fs::read(&first.path).unwrap();
    fs::write(&log, copy).unwrap();
    let (read, back) = read(data.path());
    assert_eq!((read.last, back.len()), (3, 3));
    segment::sealed(&first);
    assert!(!log.exists() || fs::metadata(&log).unwrap().len() == 0);
    assert_eq!(fs::read(&first.path).unwrap().len(), old.len());
    assert_eq!(seqs(&pages(data.path(), None).0).len(), 15);
}
