//! Network interfaces: whether there is a link, and errors and drops from one look to the next.
//!
//! From sysfs, in six short reads. Drivers without carrier detection say `unknown`, which passes.

use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use std::path::Path;

const COUNTERS: [&str; 4] = ["rx_errors", "tx_errors", "rx_dropped", "tx_dropped"];

/// Looks at one; `since_last` knows what its counters said last.
pub(super) fn read(interface: &str, since_last: impl FnOnce(u64) -> u64) -> Reading {
    let folder = Path::new("/sys/class/net").join(interface);
    if !folder.exists() {
        return Reading::Bad(Cause::Absent);
    }
    let count = since_last(count(&folder));
    if has_link(&folder) {
        Reading::Level(i64::try_from(count).unwrap_or(i64::MAX))
    } else {
        Reading::Bad(Cause::NoLink)
    }
}

/// Whether it has a link, as far as its driver can tell.
pub(crate) fn has_link(folder: &Path) -> bool {
    let state = std::fs::read_to_string(folder.join("operstate")).unwrap_or_default();
    matches!(state.trim(), "up" | "unknown")
}

fn count(folder: &Path) -> u64 {
    let one = |name: &&str| {
        let text = std::fs::read_to_string(folder.join("statistics").join(name)).ok()?;
        text.trim().parse::<u64>().ok()
    };
    COUNTERS.iter().filter_map(one).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_a_link_and_an_interface_that_is_not_there_is_absent() {
        assert_eq!(read("lo", |_| 0), Reading::Level(0));
        assert_eq!(read("no-such-net", |count| count), Reading::Bad(Cause::Absent));
    }
}
