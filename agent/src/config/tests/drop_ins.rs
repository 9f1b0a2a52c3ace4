//! Drop-ins and `when`: what is laid over what, and where a mistake is told.

use super::super::files::folder_of;
use super::super::{Config, Mistakes, draft, files, load, when};
use picket_proto::Span;
use std::path::{Path, PathBuf};

/// A file with drop-ins, in a folder of its own.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(main: &str, drop_ins: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.file(), main).unwrap();
        std::fs::create_dir(folder_of(&folder.file())).unwrap();
        for (name, text) in drop_ins {
            std::fs::write(folder.drop_in(name), text).unwrap();
        }
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("agent.toml")
    }

    fn drop_in(&self, name: &str) -> PathBuf {
        folder_of(&self.file()).join(name)
    }

    fn load(&self) -> Result<Config, Mistakes> {
        load(&self.file())
    }

    /// Every mistake as `FILE:LINE: KEY: PROBLEM`, files by their name.
    fn mistakes(&self) -> Vec<String> {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let told = self.load().unwrap_err().0.into_iter();
        told.map(|it| format!("{}:{}: {}: {}", name(&it.file), it.line, it.key, it.problem)).collect()
    }
}

const MAIN: &str = r#"host = { enabled = false }
[[service]]
name = "web"
command = ["/bin/web", "--one"]
budget = 3
[[service.check]]
kind = "http"
url = "http://127.0.0.1/"
interval = "10s"
[[check]]
name = "peer"
kind = "tcp"
address = "10.0.0.1:22"
"#;

#[test]
fn drop_ins_are_laid_over_by_name_in_the_order_of_their_names() {
    let folder = Folder::new(
        MAIN,
        &[
            ("20-late.toml", "[[service]]\nname = \"web\"\nbudget = 9\n[service.env]\nB = \"2\"\n"),
            (
                "10-early.toml",
                "[[service]]\nname = \"web\"\nbudget = 7\nhold = \"1s\"\ncommand = [\"/bin/other\"]\nenv = { A = \"1\" }\n\
                 [[service.check]]\nkind = \"http\"\ninterval = \"1s\"\n\
                 [[service.check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:80\"\n\
                 [[service]]\nname = \"db\"\nunit = \"db.service\"\n",
            ),
            ("30-peer.toml", "[[check]]\nname = \"peer\"\naddress = \"10.0.0.2:22\"\n"),
            ("notes.txt", "no TOML ["),
            (".hidden.toml", "no TOML ["),
        ],
    );
    let config = folder.load().unwrap();
    let [web, db] = config.services() else { panic!("two services") };
    assert_eq!((web.spec.budget, web.spec.hold), (9, Span::from_secs(1)), "the later one wins");
    assert_eq!(web.command, ["/bin/other"], "a list is replaced whole");
    assert_eq!(web.env.len(), 2, "tables are joined");
    assert_eq!(db.unit.as_deref(), Some("db.service"));
    let checks: Vec<_> = config.checks().iter().map(|check| check.name().as_str()).collect();
    assert_eq!(checks, ["web:process", "web:http", "web:tcp", "db:process", "peer"]);
    let of = |name: &str| config.checks().iter().find(|check| check.name().as_str() == name).unwrap();
    assert_eq!(of("web:http").spec.interval, Span::from_secs(1));
    assert!(of("web:http").target().contains("http://127.0.0.1/"), "what was not said again stays");
    assert!(of("peer").target().starts_with("10.0.0.2:22"));
}

#[test]
fn mistakes_name_the_file_and_the_line_that_they_stand_in_all_together() {
    let folder = Folder::new(
        &MAIN.replace("budget = 3", "budget = 0"),
        &[
            ("a.toml", "# a comment\n[[service]]\nname = \"web\"\nhold = \"5x\"\ncolour = 1\n"),
            ("b.toml", "[agent]\nspool = 0\n[[check]]\nname = \"new\"\nkind = \"tcp\"\n"),
        ],
    );
    assert_eq!(
        folder.mistakes(),
        [
            "agent.toml:5: service.budget: must be a whole number from 1 to 32",
            "a.toml:4: service.hold: is not a length of time",
            "a.toml:5: service.colour: is not a known key",
            "b.toml:2: agent.spool: must be a whole number from 1 to 1024",
            "b.toml:3: check.address: is missing",
        ]
    );
}

#[test]
fn what_is_no_toml_is_told_of_every_file() {
    let folder = Folder::new("[agent\n", &[("a.toml", "fine = 1\nx = \n"), ("b.toml", "\n\ny = [\n")]);
    let told = folder.mistakes();
    for begins in ["agent.toml:1:", "a.toml:2:", "b.toml:"] {
        assert!(told.iter().any(|it| it.starts_with(begins)), "{begins} in {told:?}");
    }
}

#[test]
fn a_drop_in_that_can_not_be_read_is_a_mistake() {
    let folder = Folder::new(MAIN, &[]);
    std::os::unix::fs::symlink("/nonexistent", folder.drop_in("gone.toml")).unwrap();
    std::fs::create_dir(folder.drop_in("folder.toml")).unwrap();
    std::fs::write(folder.drop_in("latin.toml"), b"# \xe9\n").unwrap();
    let told = folder.load().unwrap_err().to_string();
    for part in ["gone.toml: cannot be read", "folder.toml: is a folder", "latin.toml: cannot be read"] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn drop_ins_have_limits_in_number_and_in_bytes() {
    let folder = Folder::new(MAIN, &[]);
    for at in 0..=files::DROP_INS_MAX {
        std::fs::write(folder.drop_in(&format!("{at:03}.toml")), "").unwrap();
    }
    assert!(folder.load().unwrap_err().to_string().contains("has 65 drop-ins, more than 64"));
    std::fs::remove_file(folder.drop_in("000.toml")).unwrap();
    assert!(folder.load().is_ok());
    std::fs::write(folder.drop_in("001.toml"), "#".repeat(1024 * 1024)).unwrap();
    assert!(folder.load().unwrap_err().to_string().contains("001.toml: makes the configuration have more"));
}

#[test]
fn a_drop_in_takes_a_service_or_a_check_away() {
    let folder = Folder::new(
        MAIN,
        &[
            ("a.toml", "[[check]]\nname = \"peer\"\nenabled = false\n"),
            ("b.toml", "[[service]]\nname = \"web\"\nenabled = false\n"),
        ],
    );
    let config = folder.load().unwrap();
    assert!(config.services().is_empty() && config.checks().is_empty());
    let skipped: Vec<_> =
        config.skipped().iter().map(|it| format!("{}: {} ({})", it.what, it.why, it.line)).collect();
    assert_eq!(skipped, ["service web: enabled = false (2)", "check peer: enabled = false (10)"]);
}

#[test]
fn a_secret_counts_where_it_stands() {
    use std::os::unix::fs::PermissionsExt;
    let token = format!("[collector]\ntoken = \"pkt1.{}.{}\"\n", "ab".repeat(32), "cd".repeat(32));
    let folder = Folder::new("[collector]\naddress = \"c:1\"\n", &[("secret.toml", &token)]);
    let mode = |path: PathBuf, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(folder.file(), 0o644);
    mode(folder.drop_in("secret.toml"), 0o600);
    assert!(folder.load().unwrap().collector.unwrap().token.is_some());
    mode(folder.file(), 0o600);
    mode(folder.drop_in("secret.toml"), 0o644);
    assert!(folder.mistakes()[0].starts_with("secret.toml:2: collector.token: is a secret"));
}

/// A configuration for a host that has one unit, `there.service`.
fn on_host(text: &str) -> Result<Config, Mistakes> {
    let units = tempfile::tempdir().unwrap();
    std::fs::write(units.path().join("there.service"), "").unwrap();
    let path = Path::new("/etc/picket/agent.toml");
    let texts = files::Texts::new([(path.to_path_buf(), text.to_owned())]);
    draft::parse(path, texts, &[], Some(when::Host::with_units(units.path())))
}

#[test]
fn what_is_for_other_hosts_is_passed_over_and_told_and_its_name_is_free() {
    let text = r#"host = { enabled = false }
[[service]]
name = "web"
unit = "gone.service"
when = { unit = "gone.service" }
[[service.check]]
kind = "tcp"
address = "127.0.0.1:80"
[[service]]
name = "web"
unit = "there.service"
when = { unit = "there.service", file = "/proc" }
[[service.check]]
kind = "tcp"
address = "127.0.0.1:81"
when = { file = "/nonexistent" }
[[check]]
name = "tmp"
kind = "tcp"
address = "127.0.0.1:82"
when = { file = "/proc/self" }
"#;
    let config = on_host(text).unwrap();
    let [web] = config.services() else { panic!("one service") };
    assert_eq!(web.unit.as_deref(), Some("there.service"));
    let checks: Vec<_> = config.checks().iter().map(|it| (it.name().as_str(), it.spec.service)).collect();
    assert_eq!(checks, [("web:process", Some(0)), ("tmp", None)]);
    let skipped: Vec<_> =
        config.skipped().iter().map(|it| format!("{}: {} ({})", it.what, it.why, it.line)).collect();
    assert_eq!(
        skipped,
        [
            "service web: this host has no unit gone.service (2)",
            "check web:tcp: this host has no /nonexistent (13)"
        ]
    );
}

#[test]
fn a_mistake_in_what_is_for_another_host_is_told_all_the_same() {
    let text = "[[service]]\nname = \"web\"\nunit = \"a.service\"\nbudget = 0\nwhen = { unit = \"gone\" }\n\
                [[check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\nwhen = {}\n\
                [[check]]\nname = \"b\"\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\nwhen = { file = \"x\", unti = \"\" }\n";
    let told = on_host(text).unwrap_err().to_string();
    for part in [
        "budget: must be",
        "service.when.unit: is no name of a unit; write \"gone.service\"",
        "check.when: says neither",
        "check.when.file: must be a path from the root",
        "check.when.unti: is not a known key; did you mean `unit`?",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

/// 3,000 levels, within what the parser takes at one place: forty tables, each behind 75 keys with dots between them.
#[test]
fn what_is_nested_without_reason_is_a_mistake_in_a_file_and_in_drop_ins_and_no_end_of_the_stack() {
    let keys = ["a"; 75].join(".");
    let deep = (0..40).fold("1".to_owned(), |within, _| format!("{{{keys}={within}}}"));
    let text = format!("x={deep}\n");
    let told = "x: is not a known key";
    assert_eq!(Folder::new(&text, &[]).mistakes(), [format!("agent.toml:1: {told}")]);
    let drop_ins = [("1.toml", text.as_str()), ("2.toml", text.as_str())];
    assert_eq!(Folder::new(MAIN, &drop_ins).mistakes(), [format!("2.toml:1: {told}")]);
}
