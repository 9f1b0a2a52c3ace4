//! The journal keeps what it said it kept, finds what others changed, and pages without loss or repeat.

use super::events::page;
use super::*;
use picket_collector_core::ingest::Lane;
use picket_collector_core::store::Entry;
use picket_proto::event::{Event, Evidence};
use picket_proto::{Fact as EventFact, Mono, Raw, Run, Seq, SeqRange, Stamp, Text, Wall, frame};

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

/// Writes entries through the real thread and waits until they are durable.
async fn written(data: &Path, entries: &[Entry]) {
    let mut store = Journal::open(data).unwrap().start().unwrap();
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
    let read = Journal::open(data.path())
        .unwrap()
        .read(|index, now, record| back.push(Entry { index, now, record }))
        .unwrap();
    assert_eq!(back, entries);
    assert_eq!(read, Read { entries: 40, last: 40, mono: now(40).mono, damaged: 0 });
}

#[tokio::test]
async fn a_flipped_bit_costs_one_entry_and_is_counted() {
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<_> = (1..=3).map(|index| batch(index, "web-1", index * 10, 2)).collect();
    written(data.path(), &entries).await;
    let journal = Journal::open(data.path()).unwrap();
    journal.writer.execute("UPDATE journal SET first = first + 1 WHERE idx = 2", []).unwrap();
    let mut indexes = Vec::new();
    let read = journal.read(|index, _, _| indexes.push(index)).unwrap();
    assert_eq!(indexes, [1, 3]);
    assert_eq!((read.damaged, read.last), (1, 3));
}

#[tokio::test]
async fn a_damaged_end_makes_room_for_the_next_entry_and_is_kept_aside() {
    let data = tempfile::tempdir().unwrap();
    written(data.path(), &[batch(1, "web-1", 1, 2), batch(2, "web-1", 3, 2)]).await;
    let mut journal = Journal::open(data.path()).unwrap();
    journal.writer.execute("UPDATE journal SET blob = x'00' WHERE idx = 2", []).unwrap();
    let read = journal.read(|_, _, _| ()).unwrap();
    assert_eq!((read.last, read.damaged), (1, 1));
    journal.set_aside(read.last).unwrap();
    drop(journal);
    written(data.path(), &[batch(2, "web-1", 3, 2)]).await;
    let journal = Journal::open(data.path()).unwrap();
    assert_eq!(journal.read(|_, _, _| ()).unwrap().entries, 2);
    let aside: i64 = journal.writer.query_row("SELECT count(*) FROM damaged", [], |row| row.get(0)).unwrap();
    assert_eq!(aside, 1);
}

#[tokio::test]
async fn pages_meet_without_loss_or_repeat_newest_first() {
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<_> =
        (1..=6).map(|index| batch(index, if index == 3 { "db-1" } else { "web-1" }, index * 10, 5)).collect();
    written(data.path(), &entries).await;
    let journal = Journal::open(data.path()).unwrap();
    let reader = events::open(&journal.path).unwrap();
    let mut question =
        Question { host: Some("web-1".parse().unwrap()), service: None, since: None, after: None, limit: 4 };
    let mut seqs = Vec::new();
    loop {
        let page = page(&reader, &question).unwrap();
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
    let journal = Journal::open(data.path()).unwrap();
    let ask = |service: Option<&str>, since: Option<u64>| {
        let question = Question {
            host: None,
            service: service.map(|name| name.parse().unwrap()),
            since: since.map(|second| now(second).wall),
            after: None,
            limit: 500,
        };
        page(&journal.writer, &question).unwrap().events
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
    let journal = Journal::open(data.path()).unwrap();
    let blocker = Connection::open(&journal.path).unwrap();
    // The page limit is SQLite's own way to a full disk: nothing more fits until it is lifted.
    let pages: i64 = blocker.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limited: i64 =
        journal.writer.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
    assert_eq!(limited, pages);
    let mut store = journal.start().unwrap();
    store.append(Order::Append(Box::new(batch(1, "web-1", 1, 400))));
    assert_eq!(store.facts.recv().await, Some(Fact::Failed { full: true }));
    store.append(Order::Append(Box::new(batch(2, "web-1", 401, 400))));
    store.append(Order::Retry);
    assert_eq!(store.facts.recv().await, Some(Fact::Failed { full: true }));
    assert!(matches!(store.flush().await, Err(Failure::Unflushed)));
    let read = Journal::open(data.path()).unwrap().read(|_, _, _| ()).unwrap();
    assert_eq!(read.entries, 0);
}
