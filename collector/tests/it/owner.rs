//! What root makes by hand in a folder that is another's, that one can read.

use crate::common::{Collector, binary};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// `nobody` of Debian.
const OTHER: u32 = 65_534;

#[expect(clippy::unwrap_used, reason = "a test that can't go on ends there, and the line says where")]
fn owners(folder: &Path, found: &mut Vec<(String, u32, u32)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let about = entry.metadata().unwrap();
        found.push((entry.path().display().to_string(), about.uid(), about.gid()));
        if about.is_dir() {
            owners(&entry.path(), found);
        }
    }
}

#[tokio::test]
async fn what_root_makes_in_the_folder_of_another_is_that_ones() {
    if !rustix::process::geteuid().is_root() {
        println!("cannot run here: what_root_makes_in_the_folder_of_another_is_that_ones: it needs root");
        return;
    }
    let above = tempfile::tempdir().unwrap();
    std::fs::set_permissions(above.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let data = above.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    chown(&data, Some(OTHER), Some(OTHER)).unwrap();
    let made = binary().args(["init", "--name", "localhost", "--data"]).arg(&data).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    // It runs on what was made, and writes as that user too.
    let collector = Collector::start(&data);
    let _a_token_is_journaled = collector.token("web-1").await;
    let mut found = Vec::new();
    owners(&data, &mut found);
    assert!(found.len() > 5, "{found:?}");
    assert!(found.iter().all(|(_, user, group)| (*user, *group) == (OTHER, OTHER)), "{found:?}");
}
