//! How the collector is: whether its journal is written, how full its disk is, how much it carries.

use super::at;
use crate::screen::{Ink, Screen};
use crate::words::{self, plain};
use picket_rpc::v1::{CollectorStatus, JournalState};
use std::fmt::Write as _;

/// The page, one line per part.
pub(crate) fn status(status: &CollectorStatus, screen: &Screen) -> String {
    let mut lines = vec![("collector", collector(status, screen)), ("journal", journal(status, screen))];
    if status.damaged + status.missing > 0 {
        let told = format!(
            "{} damaged rows, {} missing entries: events in them are gone; the log names them",
            status.damaged, status.missing
        );
        lines.push(("damage", screen.paint(Ink::Bad, &told)));
    }
    let made = match &status.snapshot_made {
        Some(made) => format!("{}, up to entry {}", at(Some(made), screen), status.snapshot_index),
        None => "none yet: a start replays the whole journal".to_owned(),
    };
    lines.push(("snapshot", made));
    lines.push(("disk", format!("{} free", size(status.disk_free))));
    lines.push(("fleet", fleet(status)));
    let mut page = String::new();
    for (name, text) in lines {
        let _a_string_takes_it = writeln!(page, "{:10} {text}", name);
    }
    page
}

fn collector(status: &CollectorStatus, screen: &Screen) -> String {
    format!("{}, started {}", plain(&status.version), at(status.started.as_ref(), screen))
}

fn journal(status: &CollectorStatus, screen: &Screen) -> String {
    let (word, ink) = words::journal_state(status.journal);
    let mut text = screen.paint(ink, &word);
    if status.journal() != JournalState::Writing {
        let since = at(status.failing_since.as_ref(), screen);
        let next = match status.journal() {
            JournalState::Full => {
                "nothing is acknowledged, agents keep their events; free space, it goes on by itself"
            }
            JournalState::Failing | JournalState::Unspecified | JournalState::Writing => {
                "nothing is acknowledged, agents keep their events; the collector's log says why"
            }
        };
        let _a_string_takes_it =
            write!(text, " since {since}: {next}. {} entries wait", status.waiting_entries);
    }
    let (count, bytes) = (status.segments, size(status.journal_bytes));
    let _a_string_takes_it = write!(text, "; entry {}, {bytes} in {count} files", status.journal_index);
    if status.oldest_index > 1 {
        let _a_string_takes_it = write!(text, ", from entry {}", status.oldest_index);
    }
    text
}

fn fleet(status: &CollectorStatus) -> String {
    format!(
        "{} hosts, {} sessions, {} watchers; {} incidents open, {} conditions fire; {} events, {} lost",
        status.hosts,
        status.sessions,
        status.watchers,
        status.incidents_open,
        status.signals_firing,
        status.frames,
        status.frames_lost
    )
}

/// Bytes in the largest unit that leaves a number above 1, with a digit behind the point.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let unit = (1..=units.len()).rev().find(|power| bytes >> (10 * power) > 0);
    let Some(power) = unit else { return format!("{bytes} B") };
    let tenths = (bytes >> (10 * (power - 1))) * 10 / 1024;
    format!("{}.{} {}", tenths / 10, tenths % 10, units[power - 1])
}

/// The line below a list of events that ends where older ones were dropped; empty where it does not.
pub(crate) fn kept_since(since: Option<prost_types::Timestamp>, screen: &Screen) -> String {
    match since {
        Some(since) => format!(
            "Events before {} were dropped: the collector keeps no more (--keep, --keep-days).\n",
            at(Some(&since), screen)
        ),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        let told = [0, 1_023, 1_024, 1_536, 300 << 20, 20 << 30, 3 << 40].map(size);
        assert_eq!(told, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "300.0 MiB", "20.0 GiB", "3.0 TiB"]);
    }
}
