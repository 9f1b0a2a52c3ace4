//! A reboot is heard of before it is done.

use super::story::Story;
use picket_tests::rig::clock::Since;
use picket_tests::rig::process::PATIENCE;
use std::time::Duration;

/// Purpose: a collector that is there hears of a reboot first, and holds it up for no longer than that takes.
#[tokio::test]
async fn the_collector_has_heard_of_a_reboot_when_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let down = folder.path().join("down");
    let config = format!(
        "[host]\nenabled = false\n\n[agent.reboot]\ncommand = [\"/bin/sh\", \"-c\", \"echo down > {}\"]\n\n\
         [[service]]\nname = \"web\"\ncommand = [\"/bin/sh\", \"-c\", \"exit 3\"]\nladder = [\"restart\", \"reboot\"]\n\
         backoff_first = \"20ms\"\nsame_deaths = 100\nhold = \"300ms\"\n",
        down.display()
    );
    let mut story = Story::begin(&config).await;
    story.agent.line_with("has its host rebooted");
    let since = Since::now();
    while !down.exists() {
        assert!(since.elapsed() < PATIENCE, "no reboot");
        std::thread::yield_now();
    }
    assert!(since.elapsed() < Duration::from_secs(9), "it was heard: nobody waits for the whole ten seconds");
    let events = story.events().await;
    let told = events.iter().any(|event| event.text.contains("web has its host rebooted (attempt 2)"));
    assert!(told, "{events:#?}");
}
