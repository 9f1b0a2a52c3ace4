//! The table of keys and the parser say the same, key by key; the page and the schema are made of it.

use super::super::files::Texts;
use super::super::keys::{Key, Shape, TABLES, Table, Usual};
use super::super::read::Sheet;
use super::super::{Config, Mistakes, draft, load, schema};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A folder in which the files of the examples are there.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ca.pem", "password", "agent.toml"] {
        std::fs::write(folder.path().join(name), "secret\n").unwrap();
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let ca = rcgen::generate_simple_self_signed(vec!["ca.example".to_owned()]).unwrap().cert.pem();
    std::fs::write(folder.path().join("ca.pem"), ca).unwrap();
    let file = folder.path().join("agent.toml");
    (folder, file)
}

fn kinds(table: &Table) -> &'static [&'static str] {
    let Shape::OneOf(kinds) = table.keys.iter().find(|key| key.name == "kind").unwrap().shape else {
        panic!("kinds are words")
    };
    kinds
}

/// Keys of which one must be written.
const ALTERNATIVES: [&str; 8] = ["command", "unit", "init", "file", "executable", "date", "stamp", "run"];

/// Keys of a kind that can't stand with others: what each group leaves out.
fn left_out(kind: &str) -> &'static [&'static [&'static str]] {
    match kind {
        "expires" => &[&["for", "date", "what"], &["fall", "file"]],
        "metric" => &[&["for", "below"], &["fall", "above"]],
        "log" => &[&["for", "unit"], &["fall", "file"]],
        "job" => {
            &[&["for", "stamp", "run"], &["fall", "stamp", "unit"], &["for", "unit", "run", "max_runtime"]]
        }
        "process" => &[&["for", "count", "cgroup"], &["fall", "pidfile", "unit"]],
        _ => &[&["for"], &["fall"]],
    }
}

/// The keys of a service that other programs start.
const SCRIPTS: [&str; 6] = ["init", "start", "stop", "status", "reload", "pidfile"];

/// The keys of a table that stand together, by kind for checks and by driver for services.
fn groups(table: &'static Table) -> Vec<(Option<&'static str>, Vec<&'static Key>)> {
    let of = |keep: &dyn Fn(&Key) -> bool| table.keys.iter().filter(|key| keep(key)).collect::<Vec<_>>();
    let of_kind = |kind: &&'static str| {
        let kind = *kind;
        let without =
            |out: &&'static [&'static str]| of(&|key| key.is_of(Some(kind)) && !out.contains(&key.name));
        left_out(kind).iter().map(|out| (Some(kind), without(out))).collect::<Vec<_>>()
    };
    match table.path {
        "check" | "service.check" => kinds(table).iter().flat_map(of_kind).collect(),
        "service" => vec![
            (None, of(&|key| key.name != "unit" && !SCRIPTS.contains(&key.name))),
            (
                None,
                of(&|key| {
                    !["command", "env", "cwd", "stop_timeout"].contains(&key.name)
                        && !SCRIPTS.contains(&key.name)
                }),
            ),
            (None, of(&|key| !["command", "unit", "env", "cwd"].contains(&key.name))),
        ],
        _ => vec![(None, of(&|_| true))],
    }
}

/// A file in which this table has these lines, and all others what they must have.
fn file_with(table: &Table, lines: &str) -> String {
    match table.path {
        "service.check" => {
            format!("[[service]]\nname = \"it\"\nunit = \"it.service\"\n[[service.check]]\n{lines}")
        }
        "above" | "below" => format!(
            "[[check]]\nkind = \"metric\"\nurl = \"http://a/\"\nmetric = \"m\"\n[check.{}]\n{lines}",
            table.path
        ),
        "count" => {
            format!("[[check]]\nkind = \"process\"\nexecutable = \"/bin/a\"\n[check.count]\n{lines}")
        }
        "reboot" => format!("[agent.reboot]\n{lines}"),
        "good" => format!("[[service]]\nname = \"it\"\nunit = \"it.service\"\n[service.good]\n{lines}"),
        "package" => {
            format!("[[service]]\nname = \"it\"\nunit = \"it.service\"\n[service.package]\n{lines}")
        }
        "max_age" => format!("[[check]]\nkind = \"job\"\nrun = \"a\"\n[check.max_age]\n{lines}"),
        "when" => format!("[[check]]\nkind = \"tcp\"\naddress = \"a:1\"\n[check.when]\n{lines}"),
        _ => format!("{}\n{lines}", table.head),
    }
}

fn line(key: &Key, kind: Option<&str>) -> String {
    match (key.name, kind) {
        ("kind", Some(kind)) => format!("kind = \"{kind}\"\n"),
        _ => format!("{} = {}\n", key.name, key.example),
    }
}

fn read(file: &Path, text: &str) -> Result<Config, Mistakes> {
    std::fs::write(file, text).unwrap();
    load(file)
}

#[test]
fn every_key_is_accepted_with_its_example() {
    let (_folder, file) = folder();
    for table in TABLES {
        for (kind, group) in groups(table) {
            let lines: String = group.iter().map(|key| line(key, kind)).collect();
            let text = file_with(table, &lines);
            read(&file, &text).unwrap_or_else(|wrong| panic!("{text}\n{wrong}"));
        }
    }
}

#[test]
fn what_must_be_written_is_missed_and_a_key_of_another_kind_is_none() {
    let (_folder, file) = folder();
    for table in TABLES {
        for (kind, group) in groups(table) {
            for needed in group.iter().filter(|key| key.usual == Usual::Needed) {
                let without = group.iter().filter(|key| key.name != needed.name);
                let lines: String = without.map(|key| line(key, kind)).collect();
                let wrong = read(&file, &file_with(table, &lines)).unwrap_err().to_string();
                assert!(wrong.contains(&format!("{}: is missing", needed.name)), "{wrong}");
            }
            let is_known = |key: &Key| table.keys.iter().any(|one| one.name == key.name && one.is_of(kind));
            let others = table.keys.iter().filter(|key| kind.is_some() && !is_known(key));
            for other in others {
                let lines: String = group.iter().chain([&other]).map(|key| line(key, kind)).collect();
                let wrong = read(&file, &file_with(table, &lines)).unwrap_err().to_string();
                assert!(wrong.contains(&format!("{}: is not a known key", other.name)), "{wrong}");
            }
        }
    }
}

#[test]
fn every_key_that_the_parser_asks_for_stands_in_the_table() {
    let (_folder, file) = folder();
    let mut asked = BTreeSet::new();
    for table in TABLES {
        for (kind, group) in groups(table) {
            let lines: String = group.iter().map(|key| line(key, kind)).collect();
            let texts = Texts::new([(file.clone(), file_with(table, &lines))]);
            let mut sheet = Sheet::new(&texts);
            let tables = draft::tables(&texts, &mut sheet);
            draft::whole(&file, &tables, &mut sheet, None);
            asked.extend(sheet.asked);
        }
    }
    let known = |path: &str, key: &str| {
        let last = path.rsplit('.').next().unwrap_or(path);
        let below = TABLES.iter().find(|table| table.path == last && !table.head.starts_with('['));
        let table = below.or_else(|| TABLES.iter().find(|table| table.path == path));
        table.is_some_and(|table| table.keys.iter().any(|one| one.name == key))
    };
    let unknown: Vec<_> = asked
        .iter()
        .filter(|(path, key)| {
            let is_top = path.is_empty() && TABLES.iter().any(|table| table.path == *key);
            !is_top && !known(path, key)
        })
        .collect();
    assert!(unknown.is_empty(), "not in config/keys/all.rs: {unknown:?}");
    assert!(asked.len() > 60, "{}", asked.len());
}

#[test]
fn every_default_is_the_parsers() {
    let (_folder, file) = folder();
    for table in TABLES {
        for (kind, group) in groups(table) {
            let needed = |key: &&&Key| key.usual == Usual::Needed || ALTERNATIVES.contains(&key.name);
            let base: String = group.iter().filter(needed).map(|key| line(key, kind)).collect();
            if !group.iter().any(|key| matches!(key.usual, Usual::Value(_))) {
                continue;
            }
            let without = read(&file, &file_with(table, &base)).unwrap();
            for key in &group {
                let Usual::Value(usual) = key.usual else { continue };
                let with = format!("{}{} = {usual}\n", file_with(table, &base), key.name);
                let with = read(&file, &with).unwrap_or_else(|wrong| panic!("{with}\n{wrong}"));
                assert_eq!(format!("{with:?}"), format!("{without:?}"), "{}.{}", table.path, key.name);
            }
        }
    }
}

#[test]
fn the_page_is_the_one_that_is_kept() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/config.md");
    let kept = std::fs::read_to_string(kept).unwrap_or_default();
    assert!(kept == schema::page(), "`picket-agent schema --page > docs/config.md` makes it anew");
}

#[test]
fn the_schema_has_every_key_and_says_what_must_be_written() {
    for whole in [schema::Whole::File, schema::Whole::DropIn] {
        let schema: serde_json::Value = serde_json::from_str(&schema::json(whole)).unwrap();
        let text = schema.to_string();
        for key in TABLES.iter().flat_map(|table| table.keys) {
            assert!(text.contains(&format!("\"{}\":", key.name)), "{}", key.name);
        }
        assert_eq!(text.contains("required"), whole == schema::Whole::File);
    }
    let schema: serde_json::Value = serde_json::from_str(&schema::json(schema::Whole::File)).unwrap();
    let tcp = &schema["properties"]["check"]["items"]["oneOf"][0];
    assert_eq!(tcp["properties"]["kind"]["const"], "tcp");
    assert_eq!(tcp["required"], serde_json::json!(["kind", "address"]));
    assert!(tcp["properties"].get("url").is_none());
}

#[test]
fn the_example_is_a_file_to_begin_with_and_names_every_key() {
    let (folder, file) = folder();
    let text = super::super::example();
    let token = TABLES.iter().flat_map(|table| table.keys).find(|key| key.name == "token").unwrap();
    std::fs::write(folder.path().join("token"), token.example.trim_matches('"')).unwrap();
    std::fs::set_permissions(folder.path().join("token"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&file, &text).unwrap();
    assert!(load(&file).is_ok(), "{:?}", load(&file).err().map(|mistakes| mistakes.to_string()));
    for key in TABLES.iter().flat_map(|table| table.keys) {
        assert!(text.contains(&format!("\n#{} = ", key.name)), "{}", key.name);
    }
    let longest = text.lines().filter(|line| line.starts_with("# ")).max_by_key(|line| line.chars().count());
    assert!(longest.is_some_and(|line| line.chars().count() <= 130), "{longest:?}");
}
