//! What an answer tells of one frame, and of a row that is damaged.

use super::super::row::{self, Row};
use picket_collector_core::Record;
use picket_proto::event::{Gap, GapReason, OrderSaid, Ordered};
use picket_proto::frame::{Content, Frame};
use picket_proto::{Fact, Name, Run, Seq, SeqRange, Wall, code, frame};

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

/// What a damaged row lost, if it still says so.
pub(super) fn unsound(found: &rusqlite::Row<'_>) -> Option<Found> {
    let Record::Damaged { host, run, range } = row::loss(found)? else { return None };
    let received = found.get(3).map_or(Wall::from_micros(0), Wall::from_micros);
    Some(gap(host.to_string(), received, Gap { run, range, reason: GapReason::Damaged }))
}

/// Frames that are lost by the collector's own account have no frame that says so; they read like one that does.
pub(super) fn gap(host: String, received: Wall, gap: Gap) -> Found {
    let (run, range) = (gap.run, gap.range);
    let fact = Fact::Gap(gap);
    Found {
        host,
        run,
        seq: range.first(),
        at: received,
        received,
        service: None,
        code: code::of(&fact),
        text: fact.to_string(),
        late: false,
        unsynced: false,
        lost: Some((run, range)),
    }
}

pub(super) fn split(mut bytes: &[u8]) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    while let Ok((frame, rest)) = frame::split(bytes) {
        frames.push(frame);
        bytes = rest;
    }
    frames
}

pub(super) fn told(row: &Row, frame: &Frame<'_>) -> Found {
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
        if let Fact::Ordered(Ordered { said: OrderSaid::Part { text, .. }, .. }) = &event.fact {
            // Whoever reads events of the host may read what was asked for before.
            found.text = format!("{}:\n{}", found.text, text.as_str());
        }
        found.unsynced = !event.stamp.synced;
        if let Fact::Gap(gap) = &event.fact {
            found.lost = Some((gap.run, gap.range));
        }
    }
    found
}
