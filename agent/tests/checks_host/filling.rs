//! Mounts that fill up: told before they are full, and not where they are emptied again.

use crate::only;
use crate::watch::{Said, Watch, cannot_run_here, hindrance};
use picket_agent::entry::now;
use picket_proto::Span;
use std::fs::File;
use std::path::PathBuf;

/// What a mount holds, and in how many seconds it is filled.
const SIZE: u64 = 64 << 20;
const TAKES: u64 = 75;

/// A file of the agent's mounts, at this size from now on.
fn sized(watch: &Watch, name: &str, bytes: u64) {
    let path = watch.path(name);
    let seen = PathBuf::from(format!("/proc/{}/root", watch.pid())).join(path.strip_prefix("/").unwrap());
    let file = File::options().create(true).append(true).open(seen).unwrap();
    let has = file.metadata().unwrap().len();
    if bytes < has {
        file.set_len(bytes).unwrap();
    } else {
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), has, (bytes - has).max(1)).unwrap();
    }
}

/// One grows steadily, and full in a minute it is degraded; the other one is filled and emptied every four seconds.
#[test]
fn a_mount_that_grows_is_told_before_it_is_full_and_one_that_is_emptied_again_is_not() {
    if let Some(why) = hindrance() {
        return cannot_run_here("a mount that fills up", &why);
    }
    let setup = "mount -t tmpfs -o size=64m none \"$1/mnt\"\nmkdir \"$1/saw\"\nmount -t tmpfs -o size=64m none \"$1/saw\"";
    let watch = Watch::begin(setup, |folder| {
        let [mnt, saw] = ["mnt", "saw"].map(|name| folder.join(name).display().to_string());
        only(&format!(
            "space = [{{ mount = \"{mnt}\", full_within = \"1m\" }}, {{ mount = \"{saw}\", full_within = \"1m\" }}]"
        ))
    });
    let [mnt, saw] = ["mnt", "saw"].map(|name| format!("space:{}", watch.path(name).display()));
    watch.until(&mnt, "up");
    watch.until(&saw, "up");
    let begun = now().mono;
    let (told, at) = loop {
        let at = now().mono.since(begun);
        assert!(at < Span::from_secs(TAKES - 10), "nothing is told of what is full in 10 s");
        sized(&watch, "mnt/log", SIZE * at.micros() / (TAKES * 1_000_000));
        let teeth = at.micros() % 4_000_000;
        sized(&watch, "saw/log", SIZE / 2 * teeth / 4_000_000);
        assert_eq!(watch.status(&saw).unwrap().verdict, "up");
        match watch.status(&mnt) {
            Some(Said { verdict, why, .. }) if verdict == "degraded" => break (why, at),
            Some(_) | None => {}
        }
    };
    assert!(at > Span::from_secs(25), "it was seen growing for {at} only");
    assert!(told.starts_with("full in about ") && told.contains(" MiB/h, for "), "{told}");
    sized(&watch, "mnt/log", 0);
    assert_eq!(watch.until_by_itself(&mnt, "up").why, "");
}
