//! What `status` says of a link that costs money.

use super::table::{age, alarming, bytes, number, span};
use serde_json::Value;
use std::fmt::Write;

/// How often a collector hears of a host whose link costs nothing.
const USUAL_MS: u64 = 10_000;

/// How often the collector hears of this host where the link costs money, and what it carried of its cap.
pub(super) fn metered(link: &Value, colour: bool) -> String {
    let mut out = String::new();
    let (asked, granted) = (number(link, "report_ms"), link["heartbeat_ms"].as_u64());
    if asked > USUAL_MS {
        let every = span(granted.unwrap_or(asked));
        let refused = if granted.is_some_and(|granted| granted != asked) {
            format!(", not every {} as asked: it is an older collector, or grants no more", span(asked))
        } else {
            String::new()
        };
        let _a_string_takes_it =
            writeln!(out, "  metered: the collector hears of this host every {every}{refused}");
    }
    let carried = &link["carried"];
    if carried.is_object() {
        let only = if carried["only_critical"] == true { ": only critical events go" } else { "" };
        let words = format!(
            "  carried: {} of {} in these 30 days, {} are left{only}",
            bytes(number(carried, "bytes")),
            bytes(number(carried, "cap")),
            age(carried, "left_ms").unwrap_or_default(),
        );
        out.push_str(&alarming(&words, colour && !only.is_empty()));
        out.push('\n');
    }
    out
}
