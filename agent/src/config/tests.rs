//! Configurations as people write them: what is taken, and what is said about mistakes.

mod drop_ins;
mod explain;
mod keys;

use super::*;
use picket_proto::Span;
use picket_proto::event::{CheckKind, Remedy};

fn read(text: &str) -> Result<Config, Mistakes> {
    parse(Path::new("picket.toml"), text)
}

/// Every mistake as `line key: problem; suggestion`.
fn mistakes(text: &str) -> Vec<String> {
    let found = read(text).unwrap_err().0.into_iter();
    found
        .map(|it| {
            let better = it.suggestion.map_or(String::new(), |better| format!("; {better}"));
            format!("{} {}: {}{better}", it.line, it.key, it.problem)
        })
        .collect()
}

#[test]
fn an_empty_file_watches_the_host() {
    let config = read("").unwrap();
    let names: Vec<_> = config.checks().iter().map(|check| check.name().as_str()).collect();
    let pressures = ["pressure:cpu", "pressure:memory", "pressure:io"];
    assert_eq!(names[..3], ["host:cpu", "host:memory", "host:load"]);
    assert_eq!((&names[3..6], &names[6..]), (&pressures[..], &["space:/", "inodes:/"][..]));
    assert!(config.services().is_empty());
    assert!(read("[host]\nenabled = false\n").unwrap().checks().is_empty());
}

#[test]
fn a_service_has_its_process_check_and_sane_defaults() {
    let config = read(
        r#"
        host = { enabled = false }
        [[service]]
        name = "redis"
        command = ["/usr/bin/redis-server", "--dir", "{state}", "{here}/redis.conf"]
        [[service.check]]
        kind = "tcp"
        address = "127.0.0.1:6379"
        send = "PING\r\n"
        expect = "+PONG"
        "#,
    )
    .unwrap();
    let [process, tcp] = config.checks() else { panic!("two checks") };
    assert_eq!((process.name().as_str(), process.kind()), ("redis:process", CheckKind::Process));
    assert_eq!((tcp.name().as_str(), tcp.spec.service), ("redis:tcp", Some(0)));
    assert_eq!((tcp.spec.interval, tcp.spec.timeout), (Span::from_secs(5), Span::from_secs(2)));
    assert_eq!(tcp.target(), "127.0.0.1:6379 answers \"+PONG\"");
    let [service] = config.services() else { panic!("one service") };
    assert_eq!(service.spec.stop_timeout, Span::from_secs(10));
    assert_eq!((service.cwd.as_str(), service.command[2].as_str()), ("{state}", "{state}"));
    assert_eq!(service.command[3], config.here.join("redis.conf").to_string_lossy());
}

#[test]
fn all_mistakes_are_told_together_with_their_line_and_what_to_write() {
    let found = mistakes(
        r#"[agent]
statte = "/var/lib/picket-agent"
[collector]
address = "nowhere"
[[service]]
name = "web server"
comand = ["nginx"]
hold = "5x"
[[service.check]]
kind = "htp"
[[service]]
name = "db"
command = []
budget = 0
[[service.check]]
kind = "http"
url = "ftp://x"
timeout = "10s"
[sevice]
"#,
    );
    assert_eq!(
        found,
        [
            "2 agent.statte: is not a known key; did you mean `state`?",
            "4 collector.address: `nowhere` is not host:port; write e.g. \"collector.example:7440\", or a list of such",
            "5 service: command is missing; write command = [\"program\", \"argument\"], or unit = \"NAME.service\"",
            "6 service.name: must be 1 to 48 of A-Z a-z 0-9 . _ -, starting with a letter or digit",
            "7 service.comand: is not a known key; did you mean `command`?",
            "8 service.hold: is not a length of time; write a number and ms, s, m, h or d, such as \"500ms\", \"10s\", \"5m\"",
            "10 service.check.kind: `htp` is no kind; did you mean \"http\"?",
            "13 service.command: command is missing; write command = [\"program\", \"argument\"], or unit = \"NAME.service\"",
            "14 service.budget: must be a whole number from 1 to 32; the default is 5",
            "17 service.check.url: is no web address; write e.g. \"http://127.0.0.1:8080/\"",
            "18 service.check.timeout: must lie between 10 ms and 5 s; the default is 2 s",
            "19 sevice: is not a known key; did you mean `service`?",
        ]
    );
}

#[test]
fn two_checks_of_one_name_are_a_mistake() {
    let found = mistakes(
        "[[check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\n[[check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\n",
    );
    assert_eq!(
        found,
        [
            "4 check.name: `tcp:127.0.0.1:1` is the name of another check; give it a name of its own: name = \"..\""
        ]
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let found = mistakes("[agent]\nstate = \n");
    assert!(found[0].starts_with("2 :"), "{found:?}");
}

#[test]
fn limits_of_the_host_are_in_the_cores_unit() {
    let config = read("[host]\nspace = [{ mount = \"/srv\", degraded = 80, down = 95 }]\n").unwrap();
    let space = config.checks().iter().find(|check| check.name().as_str() == "space:/srv").unwrap();
    let limits = space.spec.limits.unwrap();
    assert_eq!((limits.degraded, limits.down), (800, 950));
    assert_eq!(
        mistakes("[host]\ncpu = { degraded = 90, down = 80 }\n"),
        ["2 host.cpu: degraded (90) must be below down (80)"]
    );
}

#[test]
fn a_secret_in_a_file_that_others_can_read_is_a_mistake() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("picket.toml");
    let token = format!("pkt1.{}.{}", "ab".repeat(32), "cd".repeat(32));
    std::fs::write(&file, format!("[collector]\naddress = \"c:7440\"\ntoken = \"{token}\"\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = load(&file).unwrap_err().to_string();
    assert!(told.contains("is a secret in a file that others can read"), "{told}");
    assert!(!told.contains("abab"), "the secret itself is not repeated");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(load(&file).unwrap().collector.unwrap().token.is_some());
}

#[test]
fn the_examples_are_sound() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples");
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "toml") {
            load(&path).unwrap_or_else(|wrong| panic!("{wrong}"));
        }
    }
}

/// The collector's table of a file with this in it.
fn collector_of(table: &str) -> Result<Collector, Mistakes> {
    let parsed = parse(Path::new("/etc/x.toml"), &format!("[collector]\n{table}"));
    parsed.map(|config| config.collector.unwrap())
}

#[test]
fn a_collector_has_one_address_or_a_list() {
    let said = |table: &str| {
        let found = collector_of(table).unwrap();
        found.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(said("address = \"a:7440\""), "a:7440");
    assert_eq!(said("address = [\"a:7440\", \"[2001:db8::1]:7440\"]"), "a:7440 [2001:db8::1]:7440");
    for bad in ["[]", "7440", "[\"a\"]", "[1]", "\"a\""] {
        let wrong = collector_of(&format!("address = {bad}")).unwrap_err();
        assert!(wrong.to_string().contains("host:port"), "{wrong}");
    }
    let nine = format!("address = [{}]", "\"a:1\",".repeat(9));
    assert!(collector_of(&nine).unwrap_err().to_string().contains("1 to 8"));
}

#[test]
fn a_server_name_is_one() {
    let found = collector_of("address = \"10.0.0.1:7440\"\nserver_name = \"c.example\"").unwrap();
    assert_eq!(found.server_name.as_deref(), Some("c.example"));
    let wrong = collector_of("address = \"a:1\"\nserver_name = \"c.example:7440\"").unwrap_err();
    assert!(wrong.to_string().contains("is no name of a server"), "{wrong}");
}

#[test]
fn a_proxys_password_is_no_secret_in_a_file_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (file, password) = (folder.path().join("agent.toml"), folder.path().join("password"));
    let table = |proxy: &str| format!("[collector]\naddress = \"c:1\"\n{proxy}\n");
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    std::fs::write(&file, table("proxy = \"http://me:secret@proxy:3128\"")).unwrap();
    mode(&file, 0o644);
    let wrong = load(&file).unwrap_err().to_string();
    assert!(wrong.contains("proxy_password_file") && !wrong.contains("secret@"), "{wrong}");
    mode(&file, 0o600);
    let literal = load(&file).unwrap().collector.unwrap().proxy.unwrap();
    std::fs::write(&password, "secret\n").unwrap();
    mode(&password, 0o600);
    std::fs::write(&file, table("proxy = \"http://me@proxy:3128\"\nproxy_password_file = \"password\""))
        .unwrap();
    mode(&file, 0o644);
    assert_eq!(load(&file).unwrap().collector.unwrap().proxy.unwrap(), literal);
    mode(&password, 0o644);
    assert!(load(&file).unwrap_err().to_string().contains("chmod 600"));
}

#[test]
fn a_file_without_end_is_read_to_the_limit_only() {
    let mistakes = load(Path::new("/dev/zero")).unwrap_err();
    assert!(mistakes.to_string().contains("more than 1048576 bytes"), "{mistakes}");
}

/// The mistakes of one check of its own.
fn wrong_of(check: &str) -> String {
    let text = format!("[host]\nenabled = false\n[[check]]\n{check}\n");
    parse(Path::new("picket.toml"), &text).map_or_else(|wrong| wrong.to_string(), |_| String::new())
}

#[test]
fn checks_that_run_or_follow_programs_say_what_they_lack() {
    for (check, wrong) in [
        ("kind = \"exec\"", "check.command: is missing; add command"),
        ("kind = \"exec\"\ncommand = []", "names no program"),
        ("kind = \"job\"\nmax_age = \"1h\"", "needs one source, and no more"),
        ("kind = \"job\"\nstamp = \"a\"\nrun = \"b\"\nmax_age = \"1h\"", "needs one source, and no more"),
        ("kind = \"job\"\nstamp = \"a\"", "check.max_age: is missing"),
        ("kind = \"job\"\nunit = \"a\"\nmax_age = \"1h\"", "is no name of a timer or service"),
        ("kind = \"job\"\nrun = \"a/b\"\nmax_age = \"1h\"", "must be 1 to 48 of"),
        ("kind = \"job\"\nstamp = \"a\"\nmax_runtime = \"1h\"\nmax_age = \"1h\"", "is not for `stamp`"),
        (
            "kind = \"job\"\nrun = \"a\"\nmax_age = { degraded = \"2d\", down = \"1d\" }",
            "degraded is longer than down",
        ),
        ("kind = \"backup\"\nmax_age = \"1h\"", "check.path: is missing"),
        ("kind = \"container\"\ncontainer = \"a/../b\"", "must be 1 to 128 of"),
    ] {
        let told = wrong_of(check);
        assert!(told.contains(wrong), "{check}: {told}");
    }
    assert_eq!(wrong_of("kind = \"backup\"\npath = \"/b/*.gz\"\nmax_age = \"7d\"\ncopies = 7"), "");
    assert_eq!(
        wrong_of("kind = \"job\"\nunit = \"a.timer\"\nmax_age = { degraded = \"25h\", down = \"2d\" }"),
        ""
    );
}

#[test]
fn needs_are_names_of_services_without_a_circle() {
    let service = |name: &str, needs: &str| {
        format!("[[service]]\nname = \"{name}\"\ncommand = [\"/bin/true\"]\nneeds = [{needs}]\n")
    };
    let tied =
        |all: &[(&str, &str)]| all.iter().map(|(name, needs)| service(name, needs)).collect::<String>();
    let sound =
        read(&tied(&[("web", "\"db\", \"cache\", \"db\""), ("db", ""), ("cache", "\"db\"")])).unwrap();
    let needs: Vec<&[u16]> = sound.services().iter().map(|service| &service.spec.needs[..]).collect();
    assert_eq!(needs, [&[1, 2][..], &[], &[1]]);
    let wrong = tied(&[("web", "\"dbb\""), ("db", "\"db\""), ("x", "\"y\""), ("y", "\"z\""), ("z", "\"x\"")]);
    assert_eq!(
        mistakes(&wrong),
        [
            "4 service.needs: `dbb` is no service of this file; did you mean \"db\"?",
            "8 service.needs: a service can't need itself; take it out",
            "12 service.needs: goes in a circle: x needs y needs z needs x; take one of them out: none could ever be \
             healed first",
        ]
    );
    let many: Vec<String> = (0..9).map(|nth| format!("s{nth}")).collect();
    let quoted: Vec<String> = many.iter().map(|name| format!("\"{name}\"")).collect();
    let text: String =
        many.iter().map(|name| service(name, "")).collect::<String>() + &service("web", &quoted.join(","));
    assert_eq!(mistakes(&text), ["40 service.needs: names 9 services, more than 8"]);
}

#[test]
fn a_ladder_has_each_rung_once_and_a_restart() {
    let with = |keys: &str| format!("[[service]]\nname = \"web\"\n{keys}\n");
    let own = |ladder: &str| with(&format!("command = [\"/bin/true\"]\nladder = [{ladder}]"));
    let ladder = |text: &str| read(text).unwrap().services()[0].spec.ladder.to_vec();
    assert_eq!(ladder(&with("command = [\"/bin/true\"]")), [Remedy::Restart]);
    let whole = [Remedy::Reload, Remedy::Restart, Remedy::Isolate];
    assert_eq!(ladder(&own("\"reload\", \"restart\", \"isolate\"")), whole);
    let wrong = |text: &str| mistakes(text).join("\n");
    assert!(
        wrong(&own("\"restart\", \"reboot\""))
            .contains("`reboot` is no rung; known: reload, restart, isolate")
    );
    assert!(wrong(&own("\"restart\", \"isolate\", \"reload\"")).contains("`reload` can't stand there"));
    assert!(wrong(&own("\"reload\"")).contains("has no `restart`"));
    let script = "start = [\"/s\"]\nstop = [\"/s\"]\nstatus = [\"/s\"]\nladder = [\"reload\", \"restart\"]";
    assert!(wrong(&with(script)).contains("names `reload`, and no program does it"));
}

#[test]
fn an_init_system_fills_the_programs_and_what_is_missing_is_told() {
    let with = |keys: &str| format!("[[service]]\nname = \"web\"\n{keys}\n");
    let commands = |keys: &str| read(&with(keys)).unwrap().services()[0].commands.clone().unwrap();
    let sysv = commands("init = \"sysv\"\npidfile = \"/run/web.pid\"");
    assert_eq!((sysv.start[0].as_str(), sysv.start[1].as_str()), ("/etc/init.d/web", "start"));
    assert_eq!(sysv.pidfile, Some(PathBuf::from("/run/web.pid")));
    let openrc = commands("init = \"openrc\"\nstatus = [\"/bin/own\", \"up\"]");
    assert_eq!(
        (openrc.stop[1..].join(" "), openrc.status.join(" ")),
        ("web stop".to_owned(), "/bin/own up".to_owned())
    );
    assert_eq!(commands("init = \"runit\"").status[3..], ["sh", "web"]);
    let wrong = |keys: &str| mistakes(&with(keys)).join("\n");
    assert!(wrong("init = \"openrd\"").contains("`openrd` is no init system; did you mean \"openrc\"?"));
    assert!(wrong("start = [\"/s\"]\nstop = [\"/s\"]").contains("status is missing"));
    assert!(
        wrong("init = \"sysv\"\ncommand = [\"/s\"]")
            .contains("is not for a service that other programs start")
    );
}
