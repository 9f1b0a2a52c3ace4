//! Arrows between crates, as Cargo itself reads them.
//!
//! Our own crates are held to [`house::CRATES`] for building and for tests alike: a test that needs two sides lives in
//! `picket-tests`. Foreign crates are held to a list only where a crate must stay pure, and only for building, since a
//! test of a pure crate may use std.

use super::tree::Tree;
use super::{Finding, house};
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};

const RULE: &str = "arrows";

/// Dependencies of workspace members that the table does not allow.
pub fn between_crates(metadata: &Metadata) -> Vec<Finding> {
    let members: Vec<&Package> = metadata.workspace_packages();
    let ours: Vec<&str> = members.iter().map(|package| package.name.as_str()).collect();
    members.iter().flat_map(|package| of_package(metadata, package, &ours)).collect()
}

/// Crates that do not inherit the workspace's lints: every ban of clippy.toml is silent for them.
pub fn lints_are_inherited(tree: &Tree) -> Vec<Finding> {
    let manifests = tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    manifests
        .filter(|file| !file.text.contains("[lints]\nworkspace = true"))
        .map(|file| {
            let advice = "add `[lints]` with `workspace = true`: without it no ban holds here";
            Finding::new(&file.path, 1, "lints", advice.to_owned())
        })
        .collect()
}

fn of_package(metadata: &Metadata, package: &Package, ours: &[&str]) -> Vec<Finding> {
    let path = manifest(metadata, package);
    let name = package.name.as_str();
    let Some(row) = house::CRATES.iter().find(|row| row.name == name) else {
        let advice =
            format!("give {name} a row in tests/src/tidy/house.rs: which of our crates may it import?");
        return vec![Finding::new(&path, 1, RULE, advice)];
    };
    let forbidden = |dependency: &&Dependency| {
        let target = dependency.name.as_str();
        if ours.contains(&target) || dependency.path.is_some() {
            return !row.may_import.contains(&target);
        }
        dependency.kind != DependencyKind::Development
            && row.foreign.is_some_and(|allowed| !allowed.contains(&target))
    };
    let advice = |target: &str| {
        format!(
            "{name} may not import {target}: move the code to where the arrow is allowed (house.rs: CRATES)"
        )
    };
    let found = package.dependencies.iter().filter(forbidden);
    found.map(|dependency| Finding::new(&path, 1, RULE, advice(&dependency.name))).collect()
}

fn manifest(metadata: &Metadata, package: &Package) -> String {
    let path = package.manifest_path.strip_prefix(&metadata.workspace_root);
    path.unwrap_or(&package.manifest_path).to_string()
}
