//! What of the baseline outlives the run: the things that should be there, and the losses that were told.
//!
//! Postcard behind a version byte, at most 60 KiB: 384 things at their longest. What does not fit, or can't be read, is
//! learned again. How long a loss has lasted is kept as a span, since another boot counts anew.

use super::{Baseline, Loss, Standing, Thing};
use picket_proto::event::{Change, Gone, ThingKind};
use picket_proto::{Mono, Name, Span, Wall};
use serde::{Deserialize, Serialize};

/// The first byte; another version is not read.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Record {
    kind: ThingKind,
    name: Name,
    of: Option<Name>,
    since: Wall,
    told: Option<(u32, Gone)>,
}

#[derive(Serialize, Deserialize)]
struct KeptLoss {
    number: u32,
    lasts: Span,
    change: Option<Change>,
    name: Name,
    service: Option<Name>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: u8,
    number: u32,
    losses: u8,
}

impl Baseline<'_> {
    /// Writes what is to be kept into `out`: how many bytes, and how many things did not fit.
    pub(crate) fn keep(&self, now: Mono, out: &mut [u8]) -> (usize, u16) {
        let losses = u8::try_from(self.losses.len()).unwrap_or(u8::MAX);
        let head = Head { version: VERSION, number: self.number, losses };
        let (mut used, mut left_out) = (put(&head, out).unwrap_or(0), 0);
        for loss in &self.losses {
            let Loss { number, since, change, name, service } = loss.clone();
            let kept = KeptLoss { number, lasts: now.since(since), change, name, service };
            used += put(&kept, &mut out[used..]).unwrap_or(0);
        }
        for record in self.things().filter_map(record) {
            match put(&record, &mut out[used..]) {
                Some(bytes) => used += bytes,
                None => left_out += 1,
            }
        }
        (used, left_out)
    }

    /// Takes back what an earlier run kept; before anything else happens. How many things; none if it can't be read.
    pub(crate) fn restore(&mut self, now: Mono, kept: &[u8]) -> Option<u16> {
        let (head, mut rest) = postcard::take_from_bytes::<Head>(kept).ok()?;
        if head.version != VERSION {
            return None;
        }
        self.number = head.number;
        for _ in 0..head.losses {
            let (kept, after) = postcard::take_from_bytes::<KeptLoss>(rest).ok()?;
            rest = after;
            let KeptLoss { number, lasts, change, name, service } = kept;
            let since = Mono::from_micros(now.micros().saturating_sub(lasts.micros()));
            let _more_than_there_can_be = self.losses.push(Loss { number, since, change, name, service });
        }
        let mut places = self.things.iter_mut();
        let mut count = 0;
        while !rest.is_empty() {
            let (record, after) = postcard::take_from_bytes::<Record>(rest).ok()?;
            rest = after;
            let Some(place) = places.next() else { break };
            *place = Thing::known((record.kind, record.name, record.of), record.since);
            if let Some((number, gone)) = record.told {
                place.standing = Some(Standing::Gone { gone, since: now, told: Some(number) });
            }
            count += 1;
        }
        Some(count)
    }
}

fn put<T: Serialize>(value: &T, out: &mut [u8]) -> Option<usize> {
    postcard::to_slice(value, out).ok().map(|used| used.len())
}

fn record(thing: &Thing) -> Option<Record> {
    let told = match thing.standing() {
        Standing::Gone { gone, told: Some(number), .. } => Some((number, gone)),
        Standing::Gone { told: None, .. } | Standing::Here | Standing::Resting => None,
    };
    let (name, of) = (thing.name.clone()?, thing.of.clone());
    Some(Record { kind: thing.kind(), name, of, since: thing.since?, told })
}
