//! Arrows bite: between crates from planted metadata, between rooms from planted sources.

use crate::plant;
use cargo_metadata::Metadata;
use picket_tests::tidy::house::{Admitted, CORES, Core};
use picket_tests::tidy::{Finding, tree::Tree};
use picket_tests::tidy::{arrows, rooms};
use serde_json::{Value, json};

/// A dependency: its name, its kind, and whether it is a path, so one of ours.
type Arrow = (&'static str, &'static str, bool);

/// What Cargo would say about members that each have these dependencies.
fn metadata(members: &[(&str, &[Arrow])]) -> Metadata {
    let id = |name: &str| format!("path+file:///house/{name}#0.1.0");
    let packages: Vec<Value> = members
        .iter()
        .map(|(name, dependencies)| {
            let dependencies: Vec<Value> = dependencies
                .iter()
                .map(|(name, kind, ours)| {
                    json!({
                        "name": name, "req": "*", "kind": if *kind == "normal" { Value::Null } else { json!(kind) },
                        "optional": false, "uses_default_features": true, "features": [],
                        "path": ours.then(|| format!("/house/{name}")),
                    })
                })
                .collect();
            json!({
                "name": name, "version": "0.1.0", "id": id(name), "dependencies": dependencies, "targets": [],
                "features": {}, "manifest_path": format!("/house/{name}/Cargo.toml"),
            })
        })
        .collect();
    let ids: Vec<String> = members.iter().map(|(name, _)| id(name)).collect();
    serde_json::from_value(json!({
        "packages": packages, "workspace_members": ids, "workspace_default_members": ids, "resolve": null,
        "workspace_root": "/house", "target_directory": "/house/target", "version": 1,
    }))
    .expect("the shape of cargo metadata")
}

#[test]
fn allowed_arrows_are_silent() {
    let planted = metadata(&[
        ("picket-proto", &[("serde", "normal", false), ("proptest", "dev", false)]),
        ("picket-agent-core", &[("picket-proto", "normal", true)]),
        ("picket-agent", &[("picket-agent-core", "normal", true), ("tokio", "normal", false)]),
    ]);
    plant::expect(&arrows::between_crates(&planted), &[]);
}

#[test]
fn a_core_that_imports_the_other_core_is_found() {
    let planted = metadata(&[
        ("picket-agent-core", &[("picket-collector-core", "normal", true)]),
        ("picket-collector-core", &[("picket-agent-core", "dev", true)]),
    ]);
    let wanted = [
        ("picket-agent-core/Cargo.toml", 1, "may not import picket-collector-core"),
        ("picket-collector-core/Cargo.toml", 1, "may not import picket-agent-core"),
    ];
    plant::expect(&arrows::between_crates(&planted), &wanted);
}

#[test]
fn a_shell_that_imports_the_tests_is_found() {
    let planted = metadata(&[("picket-agent", &[("picket-tests", "dev", true)]), ("picket-tests", &[])]);
    plant::expect(&arrows::between_crates(&planted), &[("picket-agent/Cargo.toml", 1, "picket-tests")]);
}

#[test]
fn a_core_with_a_foreign_crate_outside_the_list_is_found_even_as_a_build_dependency() {
    let planted = metadata(&[(
        "picket-agent-core",
        &[("tokio", "normal", false), ("cc", "build", false), ("proptest", "dev", false)],
    )]);
    let wanted = [("picket-agent-core/Cargo.toml", 1, "tokio"), ("picket-agent-core/Cargo.toml", 1, "cc")];
    plant::expect(&arrows::between_crates(&planted), &wanted);
}

#[test]
fn a_crate_without_a_row_is_found() {
    let planted = metadata(&[("picket-extra", &[])]);
    plant::expect(
        &arrows::between_crates(&planted),
        &[("picket-extra/Cargo.toml", 1, "give picket-extra a row")],
    );
}

#[test]
fn a_crate_that_escapes_the_lints_is_found() {
    let planted = plant::tree(&[
        ("agent/Cargo.toml", "[package]\nname = \"a\"\n"),
        ("cli/Cargo.toml", "[package]\nname = \"c\"\n\n[lints]\nworkspace = true\n"),
        ("Cargo.toml", "[workspace]\n"),
    ]);
    plant::expect(&arrows::lints_are_inherited(&planted), &[("agent/Cargo.toml", 1, "[lints]")]);
}

/// The real tables without their admissions, which a planted tree does not need.
fn strictly(planted: &Tree) -> Vec<Finding> {
    CORES.iter().flat_map(|core| rooms::in_core(planted, &Core { admitted: &[], ..*core })).collect()
}

#[test]
fn a_room_may_name_types_to_its_left_and_leaves() {
    let planted = plant::tree(&[
        (
            "agent/core/src/service.rs",
            "//! Room.\nuse crate::check::Verdict;\nuse super::policy::{Rung as Step, deep::Plan};\n",
        ),
        ("agent/core/src/policy/deep.rs", "//! Room.\nuse super::super::check::Verdict;\nuse super::Rung;\n"),
        (
            "collector/core/src/ingest.rs",
            "//! Room.\nuse crate::hosts;\nuse crate::records::{self, Record};\nfn f() { hosts::find() }\n",
        ),
    ]);
    plant::expect(&strictly(&planted), &[]);
}

#[test]
fn a_room_that_names_a_later_room_is_found_however_it_is_written() {
    let planted = plant::tree(&[
        (
            "agent/core/src/check.rs",
            "//! Room.\nuse crate::{policy::Rung, time};\nfn f() { matches!(1, crate::spool::Frame::X) }\n",
        ),
        (
            "agent/core/src/check/window.rs",
            "//! Room.\nuse super::super::service::Unit;\nuse crate::service;\n",
        ),
    ]);
    let wanted = [
        ("agent/core/src/check.rs", 2, "check may not name policy"),
        ("agent/core/src/check.rs", 3, "check may not name spool"),
        ("agent/core/src/check/window.rs", 2, "check may not name service"),
        ("agent/core/src/check/window.rs", 3, "check may not name service"),
    ];
    plant::expect(&strictly(&planted), &wanted);
}

#[test]
fn a_room_that_calls_a_sibling_is_found() {
    let planted = plant::tree(&[
        (
            "agent/core/src/policy.rs",
            "//! Room.\nuse crate::check;\nfn f(v: check::Verdict) { check::decide(v); }\n",
        ),
        ("agent/core/src/service.rs", "//! Room.\nuse crate::check::decide;\nuse crate::policy::*;\n"),
    ]);
    let wanted = [
        ("agent/core/src/policy.rs", 3, "`check::decide`"),
        ("agent/core/src/service.rs", 2, "`check::decide`"),
        ("agent/core/src/service.rs", 3, "`policy::*`"),
    ];
    plant::expect(&strictly(&planted), &wanted);
}

#[test]
fn a_name_that_lib_exports_again_counts_as_the_rooms_own() {
    let planted = plant::tree(&[
        (
            "agent/core/src/lib.rs",
            "//! Core.\npub mod check;\npub mod policy;\npub use policy::Rung;\npub enum Input {}\npub struct Agent;\n",
        ),
        ("agent/core/src/check.rs", "//! Room.\nuse crate::Rung;\nuse crate::{Agent, Input};\n"),
    ]);
    let wanted = [
        ("agent/core/src/check.rs", 2, "check may not name policy"),
        ("agent/core/src/check.rs", 3, "`Agent` stands above"),
        ("agent/core/src/check.rs", 3, "`Input` stands above"),
    ];
    plant::expect(&strictly(&planted), &wanted);
}

#[test]
fn test_modules_may_name_every_room_and_an_unplaced_room_is_found() {
    let test = "//! Room.\n#[cfg(test)]\nmod tests {\n    use crate::spool::fill;\n}\n";
    let planted =
        plant::tree(&[("agent/core/src/check.rs", test), ("agent/core/src/attic.rs", "//! Room.\n")]);
    plant::expect(&strictly(&planted), &[("agent/core/src/attic.rs", 1, "place the room `attic`")]);
}

/// A core of three rooms, one of them above the others.
const SMALL: Core = Core {
    folder: "small",
    leaves: &[],
    pipeline: &["left", "right"],
    above: &["state"],
    roof: &["Input"],
    admitted: &[
        Admitted { from: "left", to: "right", why: "a test" },
        Admitted { from: "right", to: "Input", why: "a test" },
    ],
};

#[test]
fn an_admitted_arrow_is_silent_and_one_that_nothing_needs_is_found() {
    let planted = plant::tree(&[
        ("small/src/left.rs", "//! Room.\nuse crate::right::Word;\n"),
        ("small/src/right.rs", "//! Room.\nuse crate::left::Word;\n"),
    ]);
    let wanted = [("tests/src/tidy/house.rs", 1, "remove the admission right -> Input")];
    plant::expect(&rooms::in_core(&planted, &SMALL), &wanted);
}

#[test]
fn a_room_above_may_call_every_room_and_none_may_name_it() {
    let planted = plant::tree(&[
        ("small/src/left.rs", "//! Room.\nuse crate::right::Word;\nuse crate::state::State;\n"),
        ("small/src/right.rs", "//! Room.\nuse crate::Input;\n"),
        ("small/src/state.rs", "//! All.\nuse crate::{Input, left::decide, right::tell};\n"),
    ]);
    let found = rooms::in_core(&planted, &SMALL);
    plant::expect(&found, &[("small/src/left.rs", 3, "left may not name state")]);
}
