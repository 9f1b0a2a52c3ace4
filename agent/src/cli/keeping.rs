//! What an agent keeps and where, in words: events that wait, and a disk that does not answer.

use super::table::{bytes, number, span, text};
use crate::run::STUCK;
use serde_json::Value;

/// A disk that hangs can't be left by the kernel, so neither by a restart.
pub(super) fn stuck(whole: &Value) -> String {
    let millis = number(whole, "state_stuck_ms");
    if millis < STUCK.millis() {
        return String::new();
    }
    let lasts = span(millis);
    format!(
        "state:  the disk does NOT ANSWER for {lasts}: holds and budgets wait, and a restart of the agent would hang\n"
    )
}

/// What waits for the collector, and where. The disk keeps its segments for reuse, so what stands there while nothing
/// waits is not told.
pub(super) fn waiting(spool: &Value) -> String {
    let idle = number(spool, "frames") == 0 && number(spool, "runs") == 0;
    let mut out = if idle {
        "nothing waits".to_owned()
    } else {
        let (held, room) = (bytes(number(spool, "bytes")), bytes(number(spool, "room")));
        format!("{} events wait, {held} of {room} in memory", number(spool, "frames"))
    };
    match text(spool, "mode") {
        "disk" if idle => {}
        "disk" => {
            let (frames, segments) = (number(spool, "on_disk"), number(spool, "segments"));
            out.push_str(&format!("; {frames} on disk in {segments} segments"));
        }
        "opening" => out.push_str("; the disk is being read"),
        _ => out.push_str("; NOT durable: the disk can't be written"),
    }
    if number(spool, "lost") > 0 {
        out.push_str(&format!(", {} LOST", number(spool, "lost")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn segments_that_are_kept_for_reuse_do_not_look_stuck() {
        let mut spool = json!({ "mode": "disk", "frames": 0, "runs": 0, "on_disk": 7, "segments": 1 });
        assert_eq!(waiting(&spool), "nothing waits");
        spool["runs"] = json!(1);
        assert!(waiting(&spool).ends_with("7 on disk in 1 segments"), "an earlier run waits");
        spool["runs"] = json!(0);
        spool["mode"] = json!("memory");
        assert!(waiting(&spool).contains("NOT durable"));
        assert_eq!(stuck(&json!({ "state_stuck_ms": 1_999 })), "");
        assert!(stuck(&json!({ "state_stuck_ms": 40_000 })).contains("does NOT ANSWER for 40 s"));
    }
}
