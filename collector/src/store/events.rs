//! Event queries: journaled frames, newest first, on a read-only connection of their own.
//!
//! A page has at most 500 events and reads at most 20,000 rows: a rare service may get a short page with a token to
//! go on, and no query holds the thread for more than about a second. Rows are pruned by host and by the time they
//! were received; frames are decoded only here. A row that is damaged is skipped, as in recovery. "Within" stops at
//! the first row that is too old, so a wall clock that was set back can end such a list early.

use super::row::{Row, SELECT_FRAMES, SELECT_HOSTS_FRAMES};
use picket_proto::event::Gap;
use picket_proto::frame::{Content, Frame};
use picket_proto::{Fact, HostId, Name, Run, Seq, SeqRange, Wall, code, frame};
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

const ROWS_MAX: usize = 20_000;

/// A question about events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) host: Option<HostId>,
    pub(crate) service: Option<Name>,
    /// Not received before this.
    pub(crate) since: Option<Wall>,
    /// Where the page before ended.
    pub(crate) after: Option<Place>,
    /// 1 to 500.
    pub(crate) limit: usize,
}

/// Where a page goes on: in this row, behind this many of its frames from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) index: u64,
    pub(crate) skip: usize,
}

/// An event as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) host: String,
    pub(crate) run: Run,
    pub(crate) seq: Seq,
    pub(crate) at: Wall,
    pub(crate) received: Wall,
    pub(crate) service: Option<Name>,
    pub(crate) code: &'static str,
    pub(crate) text: String,
    pub(crate) late: bool,
    pub(crate) unsynced: bool,
    /// What a gap names.
    pub(crate) lost: Option<(Run, SeqRange)>,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    pub(crate) events: Vec<Found>,
    pub(crate) next: Option<Place>,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPage {
    /// Four questions wait already.
    Busy,
    /// The journal could not be read, or the collector is ending; the log says which.
    Unreadable,
}

type Asked = (Question, oneshot::Sender<rusqlite::Result<Page>>);

/// The way to the reading thread.
#[derive(Debug, Clone)]
pub(crate) struct Events(pub(super) mpsc::Sender<Asked>);

impl Events {
    /// Asks, and waits for the page.
    pub(crate) async fn ask(&self, question: Question) -> Result<Page, NoPage> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send((question, reply)).map_err(|_full_or_closed| NoPage::Busy)?;
        match answer.await {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(failure)) => {
                tracing::error!(%failure, "could not read the journal for a query");
                Err(NoPage::Unreadable)
            }
            Err(_ended) => Err(NoPage::Unreadable),
        }
    }
}

/// Opens the reader's connection.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Answers until the channel closes.
pub(super) fn answer(journal: &Connection, mut asked: mpsc::Receiver<Asked>) {
    while let Some((question, reply)) = asked.blocking_recv() {
        let _asker_may_be_gone = reply.send(page(journal, &question));
    }
}

/// One page.
pub(super) fn page(journal: &Connection, question: &Question) -> rusqlite::Result<Page> {
    let from =
        question.after.map_or(i64::MAX, |place| place.index.min(i64::MAX.cast_unsigned()).cast_signed());
    let (mut by_host, mut all);
    let mut rows = match &question.host {
        Some(host) => {
            by_host = journal.prepare(SELECT_HOSTS_FRAMES)?;
            by_host.query(params![from, host.as_str()])?
        }
        None => {
            all = journal.prepare(SELECT_FRAMES)?;
            all.query(params![from])?
        }
    };
    let mut page = Page::default();
    let mut seen = 0;
    while let Some(found) = rows.next()? {
        let row = Row::read(found).ok().filter(|row| row.verify().is_ok());
        let Some(row) = row else {
            // Counted like any other: a query reads its share of rows, sound or not.
            seen += 1;
            continue;
        };
        if question.since.is_some_and(|since| row.now.wall.micros() < since.micros()) {
            return Ok(page);
        }
        if seen >= ROWS_MAX {
            page.next = Some(Place { index: row.index, skip: 0 });
            return Ok(page);
        }
        seen += 1;
        if take(&row, question, &mut page) {
            return Ok(page);
        }
    }
    Ok(page)
}

/// Takes what matches of one row. True once the page is full; then it says where to go on.
fn take(row: &Row, question: &Question, page: &mut Page) -> bool {
    if let Some(gap) = gap(row) {
        if page.events.len() == question.limit {
            page.next = Some(Place { index: row.index, skip: 0 });
            return true;
        }
        if question.service.is_none() {
            page.events.push(gap);
        }
        return false;
    }
    let skip = question.after.filter(|place| place.index == row.index).map_or(0, |place| place.skip);
    let frames = split(&row.blob);
    for (at, frame) in frames.iter().rev().enumerate().skip(skip) {
        if page.events.len() == question.limit {
            page.next = Some(Place { index: row.index, skip: at });
            return true;
        }
        let event = told(row, frame);
        if question.service.is_none() || question.service == event.service {
            page.events.push(event);
        }
    }
    false
}

/// Frames that are lost by the collector's own account have no frame that says so; they read like one that does.
fn gap(row: &Row) -> Option<Found> {
    let (run, range, reason) = row.gap()?;
    let fact = Fact::Gap(Gap { run, range, reason });
    Some(Found {
        host: row.host.clone(),
        run,
        seq: range.first(),
        at: row.now.wall,
        received: row.now.wall,
        service: None,
        code: code::of(&fact),
        text: fact.to_string(),
        late: false,
        unsynced: false,
        lost: Some((run, range)),
    })
}

fn split(mut bytes: &[u8]) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    while let Ok((frame, rest)) = frame::split(bytes) {
        frames.push(frame);
        bytes = rest;
    }
    frames
}

fn told(row: &Row, frame: &Frame<'_>) -> Found {
    let header = frame.header;
    let mut found = Found {
        host: row.host.clone(),
        run: header.run,
        seq: header.seq,
        at: row.now.wall,
        received: row.now.wall,
        service: None,
        code: "unknown-kind",
        text: format!(
            "kind {} version {}: kept until this collector can read it",
            header.kind, header.kind_version
        ),
        late: row.is_late(),
        unsynced: false,
        lost: None,
    };
    if let Ok(Content::Known(event)) = frame.content() {
        found.at = event.stamp.wall;
        found.service = event.fact.service().cloned();
        found.code = code::of(&event.fact);
        found.text = event.to_string();
        found.unsynced = !event.stamp.synced;
        if let Fact::Gap(gap) = &event.fact {
            found.lost = Some((gap.run, gap.range));
        }
    }
    found
}
