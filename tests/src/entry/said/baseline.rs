//! What vanished and what came back, of random bytes.

use super::*;

pub(super) fn vanished(cursor: &mut Cursor<'_>) -> Vanished {
    let kinds = [ThingKind::Service, ThingKind::Timer, ThingKind::Socket, ThingKind::Mount, ThingKind::Port];
    let gone = [
        Gone::NoFile,
        Gone::Disabled,
        Gone::Masked,
        Gone::Idle,
        Gone::Closed,
        Gone::WithItsUnit,
        Gone::Unmounted,
    ];
    let changes = [
        ChangeKind::Installed,
        ChangeKind::Upgraded,
        ChangeKind::Removed,
        ChangeKind::Packages,
        ChangeKind::UnitFile,
        ChangeKind::Config,
    ];
    let count = cursor.below(1 + LOST_MAX);
    let things = core::iter::repeat_with(|| Lost {
        kind: kinds[cursor.below(kinds.len())],
        name: name(cursor),
        owner: some_name(cursor),
        gone: gone[cursor.below(gone.len())],
    });
    let things = things.take(count).collect();
    let change = cursor.flag().then(|| Change {
        kind: changes[cursor.below(changes.len())],
        name: text(cursor),
        before: span(cursor),
    });
    let (number, again, more) = (cursor.half() % 8, cursor.flag(), cursor.short());
    Vanished { number, again, things, more, service: some_name(cursor), change, since: span(cursor) }
}

pub(super) fn returned(cursor: &mut Cursor<'_>) -> Returned {
    let ended = if cursor.flag() { Ended::Back } else { Ended::Accepted };
    let (number, name, service) = (cursor.half() % 8, name(cursor), some_name(cursor));
    Returned { number, ended, name, service, by: text(cursor), after: span(cursor) }
}
