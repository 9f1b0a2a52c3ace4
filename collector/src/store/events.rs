//! Event queries: journaled frames, newest first, on read-only connections, one segment at a time.
//!
//! A page has at most 500 events and reads at most 20,000 rows of 256 segments: a rare service may get a short page
//! with a token to go on, and no query holds the thread for more than about a second. Rows are pruned by host and by
//! the time they were received; frames are decoded only here. A damaged row reads as the gap that it is, if it still
//! says which frames it held; the rest of a segment that SQLite cannot read is passed over. A page that ends where
//! older segments were dropped says so. "Within" stops at the first row that is too old, so a wall clock that was
//! set back can end such a list early.

mod found;

pub(crate) use found::Found;

use super::row::{Row, SELECT_FRAMES, SELECT_HOSTS_FRAMES};
use super::segment::{self, Sealed, Segment, is_damage};
use crate::error::Failure;
use found::{gap, split, told, unsound};
use picket_proto::event::Gap;
use picket_proto::{HostId, Name, Wall};
use rusqlite::{Connection, OptionalExtension, params};
use std::ops::ControlFlow;
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

const ROWS_MAX: usize = 20_000;
/// Segments that one page opens: some tenths of a second, and 64 GiB.
const SEGMENTS_MAX: usize = 256;

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

/// A page of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    pub(crate) events: Vec<Found>,
    pub(crate) next: Option<Place>,
    /// When the oldest entry was received that is still there, if older ones were dropped and the page ends there.
    pub(crate) kept_since: Option<Wall>,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPage {
    /// Four questions wait already.
    Busy,
    /// The journal could not be read, or the collector is ending; the log says which.
    Unreadable,
}

type Asked = (Question, oneshot::Sender<Result<Page, Failure>>);

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

/// Answers until the channel closes.
pub(super) fn answer(folder: &Path, mut asked: mpsc::Receiver<Asked>) {
    while let Some((question, reply)) = asked.blocking_recv() {
        let _asker_may_be_gone = reply.send(page(folder, &question));
    }
}

/// One page.
pub(super) fn page(folder: &Path, question: &Question) -> Result<Page, Failure> {
    let from = question.after.map_or(u64::MAX, |place| place.index);
    let segments = segment::list(folder)?;
    let mut walk = Walk { question, from, rows: 0, page: Page::default() };
    let older = segments.iter().rev().enumerate().filter(|(_, segment)| segment.first <= from);
    for (opened, (age, segment)) in older.enumerate() {
        if opened == SEGMENTS_MAX {
            walk.page.next = Some(Place { index: segments[segments.len() - age].first - 1, skip: 0 });
            return Ok(walk.page);
        }
        let sealed = if age == 0 { Sealed::No } else { Sealed::Yes };
        let newer = segments.get(segments.len() - age).map_or(u64::MAX, |newer| newer.first - 1);
        walk.from = walk.from.min(newer);
        if walk.segment(segment, sealed)?.is_break() {
            return Ok(walk.page);
        }
    }
    let sealed = if segments.len() > 1 { Sealed::Yes } else { Sealed::No };
    let oldest = segments.first().filter(|oldest| oldest.first > 1);
    walk.page.kept_since = oldest.and_then(|oldest| first_wall(oldest, sealed));
    Ok(walk.page)
}

/// When the first entry of a segment was received.
pub(super) fn first_wall(segment: &Segment, sealed: Sealed) -> Option<Wall> {
    let journal = segment.view(sealed).ok()?;
    let found = journal.query_row("SELECT wall FROM journal ORDER BY idx LIMIT 1", [], |row| row.get(0));
    found.optional().ok()?.map(Wall::from_micros)
}

/// A page in the making.
struct Walk<'a> {
    question: &'a Question,
    /// The highest index that is still to be looked at.
    from: u64,
    /// Rows looked at.
    rows: usize,
    page: Page,
}

impl Walk<'_> {
    /// Takes what one segment has. A break ends the page. Where a page of the file is broken, the walk jumps down
    /// behind it, in growing steps; a file of which nothing can be read is passed over.
    fn segment(&mut self, segment: &Segment, sealed: Sealed) -> Result<ControlFlow<()>, Failure> {
        let mut step = 1;
        loop {
            let (rows, from) = (self.rows, self.from);
            let failure = match segment.view(sealed).and_then(|journal| self.frames(&journal)) {
                Ok(next) => return Ok(next),
                Err(failure) => failure,
            };
            if !segment.path.exists() {
                // Retention unlinked it after it was listed.
                return Ok(ControlFlow::Continue(()));
            }
            if !is_damage(&failure) {
                return Err(failure.into());
            }
            if self.rows > rows || step == 1 {
                let path = segment.path.display();
                tracing::error!(%failure, %path, "a segment is damaged; the query goes on behind the damage");
                step = 1;
            }
            step *= 4;
            self.from = self.from.min(from).saturating_sub(step);
            if self.from < segment.first {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    fn frames(&mut self, journal: &Connection) -> rusqlite::Result<ControlFlow<()>> {
        let from = self.from.min(i64::MAX.cast_unsigned()).cast_signed();
        let (mut by_host, mut all);
        let mut rows = match &self.question.host {
            Some(host) => {
                by_host = journal.prepare(SELECT_HOSTS_FRAMES)?;
                by_host.query(params![from, host.as_str()])?
            }
            None => {
                all = journal.prepare(SELECT_FRAMES)?;
                all.query(params![from])?
            }
        };
        while let Some(found) = rows.next()? {
            if self.row(found).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn row(&mut self, found: &rusqlite::Row<'_>) -> ControlFlow<()> {
        // Counted like any other: a query reads its share of rows, sound or not.
        self.rows += 1;
        let index = found.get::<_, i64>(0).unwrap_or(0).cast_unsigned();
        self.from = index.saturating_sub(1);
        let Some(row) = Row::read(found).ok().filter(|row| row.verify().is_ok()) else {
            return self.push(unsound(found), index);
        };
        if self.question.since.is_some_and(|since| row.now.wall.micros() < since.micros()) {
            return ControlFlow::Break(());
        }
        if self.rows > ROWS_MAX {
            self.page.next = Some(Place { index: row.index, skip: 0 });
            return ControlFlow::Break(());
        }
        self.take(&row)
    }

    /// Takes what matches of one row.
    fn take(&mut self, row: &Row) -> ControlFlow<()> {
        if let Some((run, range, reason)) = row.gap() {
            let gap = gap(row.host.clone(), row.now.wall, Gap { run, range, reason });
            return self.push(Some(gap), row.index);
        }
        let place = self.question.after.filter(|place| place.index == row.index);
        let frames = split(&row.blob);
        for (at, frame) in frames.iter().rev().enumerate().skip(place.map_or(0, |place| place.skip)) {
            if self.page.events.len() == self.question.limit {
                self.page.next = Some(Place { index: row.index, skip: at });
                return ControlFlow::Break(());
            }
            let event = told(row, frame);
            if self.question.service.is_none() || self.question.service == event.service {
                self.page.events.push(event);
            }
        }
        ControlFlow::Continue(())
    }

    /// Takes a gap, which belongs to no service. A break once the page is full; then it says where to go on.
    fn push(&mut self, gap: Option<Found>, index: u64) -> ControlFlow<()> {
        let Some(gap) = gap.filter(|_| self.question.service.is_none()) else {
            return ControlFlow::Continue(());
        };
        if self.page.events.len() == self.question.limit {
            self.page.next = Some(Place { index, skip: 0 });
            return ControlFlow::Break(());
        }
        self.page.events.push(gap);
        ControlFlow::Continue(())
    }
}
