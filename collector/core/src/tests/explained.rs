//! Every code that the core's sources hold is explained.

use alloc::collections::BTreeSet;

/// The codes that are refused or shown outside of stories, found where they are written.
#[test]
fn every_code_in_the_source_is_explained() {
    let sources = [
        include_str!("../correlate.rs"),
        include_str!("../identity.rs"),
        include_str!("../incident/command.rs"),
        include_str!("../ingest/on.rs"),
        include_str!("../ingest/taken.rs"),
        include_str!("../order.rs"),
        include_str!("../signal.rs"),
        include_str!("../live/healing.rs"),
        include_str!("../state.rs"),
        include_str!("../state/commanded.rs"),
        include_str!("../state/ending.rs"),
        include_str!("../state/firing.rs"),
        include_str!("../state/fleet.rs"),
        include_str!("../state/presence.rs"),
        include_str!("../state/root.rs"),
        include_str!("../state/standing.rs"),
        include_str!("../store/outbox.rs"),
        include_str!("../view/answer.rs"),
        include_str!("../view/finding.rs"),
        include_str!("../view/watch.rs"),
    ];
    let is_code = |text: &&str| {
        text.contains('-') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let written: BTreeSet<&str> =
        sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2)).filter(is_code).collect();
    assert!(written.len() > 40, "the sources hold codes: {written:?}");
    for code in written {
        assert!(picket_proto::code::find(code).is_some(), "{code} is not in the table of codes");
    }
}
