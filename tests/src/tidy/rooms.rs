//! Direction inside a core: a fact walks from room to room in one order, and so do imports.
//!
//! A room may name types of a room to its left and of a leaf. It may not name a room to its right, call a sibling's
//! functions (only `lib.rs` and what stands beside it routes), or name what `lib.rs` declares: `Input`, `Effect` and
//! the machine. A name that `lib.rs` re-exports counts as the room's own. Test modules may name everything. Method
//! calls on a value are not seen. An arrow that stands for a reason is admitted in [`house::CORES`], with the reason.

use super::Finding;
use super::house::{self, Core};
use super::tree::{File, Rust, Tree};
use std::collections::{BTreeMap, BTreeSet};

const RULE: &str = "rooms";

/// Names that `lib.rs` re-exports, each with its room.
type Exports = BTreeMap<String, String>;

/// A path that leads the wrong way.
struct Breach {
    from: String,
    to: String,
    finding: Finding,
}

/// Paths inside the cores that lead against the pipeline.
pub fn along_the_pipeline(tree: &Tree) -> Vec<Finding> {
    house::CORES.iter().flat_map(|core| in_core(tree, core)).collect()
}

/// Paths inside one core that lead against its pipeline, and admissions that nothing needs any more.
pub fn in_core(tree: &Tree, core: &Core) -> Vec<Finding> {
    let sources = format!("{}/src/", core.folder);
    let exports =
        tree.file(&format!("{sources}lib.rs")).and_then(File::code).map(exports).unwrap_or_default();
    let (mut findings, mut breaches) = (Vec::new(), Vec::new());
    for (file, code) in tree.rust() {
        let Some(inside) = file.path.strip_prefix(&sources) else { continue };
        if inside == "lib.rs" || file.is_test() {
            continue;
        }
        let module = module_of(inside);
        match rank(core, &module[0]) {
            None => findings.push(unplaced(file, &module[0])),
            Some(_) => breaches.extend(of_file(core, file, code, &module, &exports)),
        }
    }
    findings.extend(stale(core, &breaches));
    let admitted =
        |breach: &Breach| core.admitted.iter().any(|one| one.from == breach.from && one.to == breach.to);
    findings.extend(breaches.into_iter().filter(|breach| !admitted(breach)).map(|breach| breach.finding));
    findings
}

/// Admissions that nothing needs any more.
fn stale(core: &Core, breaches: &[Breach]) -> Vec<Finding> {
    let needed = |from: &str, to: &str| breaches.iter().any(|breach| breach.from == from && breach.to == to);
    let idle = core.admitted.iter().filter(|one| !needed(one.from, one.to));
    idle.map(|one| {
        let advice =
            format!("remove the admission {} -> {} of {}: nothing needs it", one.from, one.to, core.folder);
        Finding::new("tests/src/tidy/house.rs", 1, RULE, advice)
    })
    .collect()
}

/// `check/window.rs` is `[check, window]`.
fn module_of(inside: &str) -> Vec<String> {
    let stem = inside.strip_suffix(".rs").unwrap_or(inside);
    stem.strip_suffix("/mod").unwrap_or(stem).split('/').map(str::to_owned).collect()
}

/// Leaves rank below the pipeline and what is above it highest; a room may name what ranks lower than itself.
fn rank(core: &Core, room: &str) -> Option<usize> {
    let rooms = core.leaves.iter().chain(core.pipeline).chain(core.above);
    rooms.into_iter().position(|name| *name == room)
}

fn unplaced(file: &File, room: &str) -> Finding {
    let advice = format!("place the room `{room}` in the pipeline (tests/src/tidy/house.rs: CORES)");
    Finding::new(&file.path, 1, RULE, advice)
}

fn exports(lib: &Rust) -> Exports {
    let paths = lib.paths(&["crate", "self"]).into_iter().map(|(_, path)| path[1..].to_vec());
    let bare = lib.items.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    });
    let rooms: BTreeSet<String> = bare.collect();
    let heads: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let direct = lib.paths(&heads).into_iter().map(|(_, path)| path);
    paths
        .chain(direct)
        .filter(|path| path.len() > 1 && rooms.contains(&path[0]))
        .filter_map(|path| Some((path.last()?.clone(), path[0].clone())))
        .filter(|(name, _)| is_type(name))
        .collect()
}

fn of_file(core: &Core, file: &File, code: &Rust, module: &[String], exports: &Exports) -> Vec<Breach> {
    let mut imported = BTreeSet::new();
    let mut breaches = Vec::new();
    let mut hold = |line: usize, path: &[String]| {
        let Some(advice) = judge(core, &module[0], path) else { return };
        let finding = Finding::new(&file.path, line, RULE, advice);
        breaches.push(Breach { from: module[0].clone(), to: path[0].clone(), finding });
    };
    let outside_tests = |line: &usize| !code.in_tests(*line);
    for (line, path) in code.paths(&["crate", "super"]) {
        let Some(path) = resolve(&path, module, exports).filter(|_| outside_tests(&line)) else { continue };
        if path.len() == 1 || path.last().is_some_and(|last| last == "self") {
            imported.insert(path[0].clone());
        }
        hold(line, &path);
    }
    // `use crate::check;` lets `check::decide()` be written without `crate`.
    let heads: Vec<&str> = imported.iter().map(String::as_str).collect();
    for (line, path) in code.paths(&heads) {
        if path.len() > 1 && outside_tests(&line) {
            hold(line, &path);
        }
    }
    breaches
}

/// The path from the crate's root, where it has one: `super` and re-exports followed.
fn resolve(path: &[String], module: &[String], exports: &Exports) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let kept = if ups == 0 { 0 } else { module.len().checked_sub(ups)? };
    let rest = &path[ups.max(1)..];
    let mut full: Vec<String> = module[..kept].iter().chain(rest).cloned().collect();
    if let Some(room) = exports.get(full.first()?) {
        full.insert(0, room.clone());
    }
    Some(full)
}

fn judge(core: &Core, room: &str, path: &[String]) -> Option<String> {
    let target = path[0].as_str();
    if core.roof.contains(&target) && !core.above.contains(&room) {
        return Some(format!("`{target}` stands above the rooms: take and return {room}'s own words"));
    }
    if target == room {
        return None;
    }
    let (own, other) = (rank(core, room)?, rank(core, target)?);
    if core.above.contains(&room) {
        return None;
    }
    if other > own {
        return Some(format!(
            "{room} may not name {target}, which comes later: let lib.rs carry a value to it"
        ));
    }
    let names_item = path.len() > 1 && path[1..].iter().all(|part| part != "self");
    let is_leaf = core.leaves.contains(&target);
    let names_type = path[1..].iter().any(|part| is_type(part));
    (names_item && !is_leaf && !names_type).then(|| {
        format!(
            "{room} may name types of {target}, not `{}`: siblings do not call each other",
            path.join("::")
        )
    })
}

fn is_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}
