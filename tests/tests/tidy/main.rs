//! The guards on the real workspace, and a proof that each of them bites.
//!
//! `PICKET_TIDY_WRITE=1` writes the list of exceptions in size anew before it judges; the diff is for review.

mod arrows;
mod cores;
mod plant;
mod sizes;
mod words;

use cargo_metadata::MetadataCommand;
use picket_tests::tidy::{self, house, sizes as measured, tree::Tree};
use std::path::Path;

#[test]
fn the_workspace_keeps_the_house_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace");
    let tree = Tree::read(root).expect("the workspace can be read");
    let list = root.join(house::RATCHET);
    if std::env::var_os("PICKET_TIDY_WRITE").is_some() {
        std::fs::write(&list, measured::write(&tree)).expect("the list can be written");
    }
    let list = std::fs::read_to_string(list).expect("the list is checked in");
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo describes its own workspace");

    let findings = tidy::all(&tree, &metadata, &list);
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} findings\n{}", lines.len(), lines.join("\n"));
}
