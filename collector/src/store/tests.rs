//! The journal keeps what it said it kept, finds what others changed, and pages without loss or repeat.

mod holes;
mod segments;
mod snapshots;
mod spoiled;

use super::events::page;
use super::*;
use picket_collector_core::ingest::Lane;
use picket_collector_core::store::Entry;
use picket_proto::event::{Event, Evidence};
use picket_proto::{Fact as EventFact, Mono, Raw, Run, Seq, SeqRange, Stamp, Text, Wall, frame};
use rusqlite::Connection;

fn now(second: u64) -> Now {
    let us = second * 1_000_000;
    Now {
        mono: Mono::from_micros(us),
        raw: Raw::from_micros(us),
        wall: Wall::from_micros(i64::try_from(us).unwrap()),
    }
}

fn evidence(run: u64, seq: u64, service: &str) -> Vec<u8> {
    let stamp = Stamp {
        run: Run(run),
        boot: BootId(1),
        mono: Mono::from_micros(seq),
        wall: Wall::from_micros(0),
        synced: true,
    };
    let last_line = Text::new(&format!("line {seq}"));
    let fact = EventFact::Evidence(Evidence { service: service.parse().unwrap(), pid: 7, last_line });
    let mut buffer = [0; frame::FRAME_MAX];
    let len = frame::encode(Seq(seq), &Event { stamp, fact }, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

fn batch(index: u64, host: &str, first: u64, count: u64) -> Entry {
    let frames = (first..first + count).flat_map(|seq| evidence(9, seq, "nginx")).collect();
    let record = Record::Frames {
        host: host.parse().unwrap(),
        run: Run(9),
        lane: if index.is_multiple_of(2) { Lane::Backlog } else { Lane::Live },
        span: SeqRange::new(Seq(first), Seq(first + count - 1)).unwrap(),
        frames,
    };
    Entry { index, now: now(index), record }
}

fn open(data: &Path) -> Journal {
    Journal::open(data, Limits::default()).unwrap()
}

/// Writes entries through the real thread and waits until they are durable.
async fn written(data: &Path, entries: &[Entry]) {
    write(open(data), entries).await;
}

async fn write(journal: Journal, entries: &[Entry]) {
    let mut store = journal.start().unwrap();
    for entry in entries {
        store.append(Order::Append(Box::new(entry.clone())));
    }
    let last = entries.last().unwrap().index;
    while let Some(fact) = store.facts.recv().await {
        if fact == (Fact::Journaled { upto: last }) {
            break;
        }
    }
    store.flush().await.unwrap();
}

#[tokio::test]
async fn every_entry_comes_back_as_it_was_written() {
    let data = tempfile::tempdir().unwrap();
    let mut entries = vec![Entry { index: 1, now: now(1), record: Record::Resumed { boot: BootId(5) } }];
    entries.extend((2..40).map(|index| batch(index, "web-1", index * 100, 3)));
    entries.push(Entry {
        index: 40,
        now: now(40),
        record: Record::Goodbye { host: "web-1".parse().unwrap() },
    });
    written(data.path(), &entries).await;
    let mut back = Vec::new();
    let read =
        open(data.path()).read_all(|index, now, record| back.push(Entry { index, now, record })).unwrap();
    assert_eq!(back, entries);
    assert_eq!(read, Read { entries: 40, last: 40, mono: now(40).mono, damaged: 0, missing: 0 });
}

/// An index, and the numbers lost there.
type Seen = (u64, Option<(u64, u64)>);

/// What is at each index: `None` where entries are as they were written, else what is lost there.
fn losses(journal: &mut Journal) -> (Read, Vec<Seen>) {
    let mut found = Vec::new();
    let read = journal.read_all(|index, _, record| {
        found.push((
            index,
            match record {
                Record::Damaged { range, .. } => Some((range.first().0, range.last().0)),
                _ => None,
            },
        ));
    });
    (read.unwrap(), found)
}

#[tokio::test]
async fn a_damaged_row_is_named_in_its_place_once_and_kept_aside() {
    let damages = [
        ("UPDATE journal SET first = first + 1 WHERE idx = 2", (20, 21)),
        ("UPDATE journal SET blob = x'00' WHERE idx = 2", (20, 21)),
        ("UPDATE journal SET wall = 'late' WHERE idx = 2", (20, 21)),
        ("UPDATE journal SET blob = 5, mono = x'00' WHERE idx = 2", (20, 21)),
        ("UPDATE journal SET kind = 0 WHERE idx = 2", (20, 21)),
    ];
    for (damage, lost) in damages {
        let data = tempfile::tempdir().unwrap();
        let entries: Vec<_> = (1..=3).map(|index| batch(index, "web-1", index * 10, 2)).collect();
        written(data.path(), &entries).await;
        let mut journal = open(data.path());
        journal.newest.connection.execute(damage, []).unwrap();
        drop(journal);
        journal = open(data.path());
        let (read, found) = losses(&mut journal);
        assert_eq!(found, [(1, None), (2, Some(lost)), (3, None)], "{damage}");
        assert_eq!((read.damaged, read.missing, read.last), (1, 0, 3));
        journal.mend(read.last).unwrap();
        let (read, again) = losses(&mut journal);
        assert_eq!((again, read.damaged), (found, 0), "mended: {damage}");
        let aside: i64 = journal
            .newest
            .connection
            .query_row("SELECT count(*) FROM damaged", [], |row| row.get(0))
            .unwrap();
        assert_eq!(aside, 1);
        let question = Question { host: None, service: None, since: None, after: None, limit: 500 };
        let told = page(&journal.newest.folder, &question).unwrap().events;
        let gaps: Vec<_> = told.iter().filter(|event| event.code == "gap").collect();
        assert_eq!((told.len(), gaps.len()), (5, 1));
        assert_eq!(
            gaps[0].text,
            format!("frames 20-21 of run {} are lost: they could not be read back", Run(9))
        );
        assert_eq!((gaps[0].host.as_str(), gaps[0].seq), ("web-1", Seq(20)));
    }
}

#[tokio::test]
async fn damage_that_names_too_much_or_nothing_is_counted_and_closes_nothing() {
    let damages = [
        "UPDATE journal SET last = last + (1 << 40), blob = x'00' WHERE idx = 2",
        "UPDATE journal SET host = 'not a host', blob = x'00' WHERE idx = 2",
        "DELETE FROM journal WHERE idx = 2",
    ];
    for damage in damages {
        let data = tempfile::tempdir().unwrap();
        let entries: Vec<_> = (1..=3).map(|index| batch(index, "web-1", index * 10, 2)).collect();
        written(data.path(), &entries).await;
        let mut journal = open(data.path());
        journal.newest.connection.execute(damage, []).unwrap();
        let (read, found) = losses(&mut journal);
        assert_eq!(found, [(1, None), (3, None)], "{damage}");
        assert_eq!((read.missing, read.last), (1, 3));
    }
}

#[tokio::test]
async fn a_damaged_end_makes_room_for_the_next_entry_and_is_kept_aside() {
    let data = tempfile::tempdir().unwrap();
    written(data.path(), &[batch(1, "web-1", 1, 2), batch(2, "web-1", 3, 2)]).await;
    let mut journal = open(data.path());
    journal
        .newest
        .connection
        .execute("UPDATE journal SET blob = x'00', host = '' WHERE idx = 2", [])
        .unwrap();
    let read = journal.read_all(|_, _, _| ()).unwrap();
    assert_eq!((read.last, read.damaged), (1, 1));
    journal.mend(read.last).unwrap();
    drop(journal);
    written(data.path(), &[batch(2, "web-1", 3, 2)]).await;
    let mut journal = open(data.path());
    assert_eq!(journal.read_all(|_, _, _| ()).unwrap().entries, 2);
    let aside: i64 =
        journal.newest.connection.query_row("SELECT count(*) FROM damaged", [], |row| row.get(0)).unwrap();
    assert_eq!(aside, 1);
}

#[tokio::test]
async fn pages_meet_without_loss_or_repeat_newest_first() {
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<_> =
        (1..=6).map(|index| batch(index, if index == 3 { "db-1" } else { "web-1" }, index * 10, 5)).collect();
    written(data.path(), &entries).await;
    let journal = open(data.path());
    let mut question =
        Question { host: Some("web-1".parse().unwrap()), service: None, since: None, after: None, limit: 4 };
    let mut seqs = Vec::new();
    loop {
        let page = page(&journal.newest.folder, &question).unwrap();
        assert!(page.events.len() <= 4);
        seqs.extend(page.events.iter().map(|event| event.seq.0));
        match page.next {
            Some(next) => question.after = Some(next),
            None => break,
        }
    }
    let expected: Vec<u64> = [6, 5, 4, 2, 1].iter().flat_map(|row| (row * 10..row * 10 + 5).rev()).collect();
    assert_eq!(seqs, expected);
}

#[tokio::test]
async fn events_are_found_by_service_and_time_and_say_whether_they_were_late() {
    let data = tempfile::tempdir().unwrap();
    written(data.path(), &[batch(1, "web-1", 1, 1), batch(2, "web-1", 2, 1)]).await;
    let journal = open(data.path());
    let ask = |service: Option<&str>, since: Option<u64>| {
        let question = Question {
            host: None,
            service: service.map(|name| name.parse().unwrap()),
            since: since.map(|second| now(second).wall),
            after: None,
            limit: 500,
        };
        page(&journal.newest.folder, &question).unwrap().events
    };
    assert_eq!(ask(Some("redis"), None), []);
    let all = ask(Some("nginx"), None);
    assert_eq!(all.iter().map(|event| event.late).collect::<Vec<_>>(), [true, false]);
    assert_eq!(all[1].text, "nginx (pid 7) last printed: line 1");
    assert_eq!(all[1].code, "evidence");
    assert_eq!(ask(None, Some(2)).len(), 1);
}

#[tokio::test]
async fn a_failed_write_keeps_its_entries_for_retry_in_order() {
    let data = tempfile::tempdir().unwrap();
    let journal = open(data.path());
    let blocker = Connection::open(&journal.newest.segment.path).unwrap();
    // The page limit is SQLite's own way to a full disk: nothing more fits until it is lifted.
    let pages: i64 = blocker.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limited: i64 = journal
        .newest
        .connection
        .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0))
        .unwrap();
    assert_eq!(limited, pages);
    let mut store = journal.start().unwrap();
    store.append(Order::Append(Box::new(batch(1, "web-1", 1, 400))));
    assert_eq!(store.facts.recv().await, Some(Fact::Failed { full: true }));
    store.append(Order::Append(Box::new(batch(2, "web-1", 401, 400))));
    store.append(Order::Retry);
    assert_eq!(store.facts.recv().await, Some(Fact::Failed { full: true }));
    assert!(matches!(store.flush().await, Err(Failure::Unflushed)));
    let read = open(data.path()).read_all(|_, _, _| ()).unwrap();
    assert_eq!(read.entries, 0);
}
