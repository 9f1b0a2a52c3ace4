//! Configurations as people write them: what is taken, and what is said about mistakes.

mod drop_ins;
mod explain;
mod keys;
mod needs;

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
            "5 service: command is missing; write command = [\"program\", \"argument\"], unit = \"NAME.service\", or init = \"sysv\"",
            "6 service.name: must be 1 to 48 of A-Z a-z 0-9 . _ -, starting with a letter or digit",
            "7 service.comand: is not a known key; did you mean `command`?",
            "8 service.hold: is not a length of time; write a number and ms, s, m, h or d, such as \"500ms\", \"10s\", \"5m\"",
            "10 service.check.kind: `htp` is no kind; did you mean \"http\"?",
            "13 service.command: command is missing; write command = [\"program\", \"argument\"], unit = \"NAME.service\", or init = \"sysv\"",
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
fn a_full_mount_is_foretold_unless_it_is_said_otherwise_and_not_by_fewer_readings_than_that_takes() {
    let of = |text: &str, name: &str| {
        let config = read(text).unwrap();
        config.checks().iter().find(|check| check.name().as_str() == name).unwrap().spec.full_within
    };
    let hours = |hours: u64| Span::from_secs(hours * 3600);
    assert_eq!((of("", "space:/"), of("", "inodes:/")), (hours(4), hours(4)));
    let text = "[host]\nspace = [{ mount = \"/srv\" }, { mount = \"/var\", full_within = \"0s\" }]\ninodes = [{ mount = \"/srv\", full_within = \"24h\" }]\n";
    assert_eq!([of(text, "space:/srv"), of(text, "space:/var")], [hours(4), Span::ZERO]);
    assert_eq!((of(text, "inodes:/srv"), of(text, "host:cpu")), (hours(24), Span::ZERO));
    assert_eq!(
        mistakes("[host]\ninterval = \"1m\"\nspace = [{ mount = \"/\", full_within = \"29m\" }]\n"),
        [
            "3 host.space: full_within (29 min) must be at least 30 intervals and a minute: 30 min; \"0s\" forecasts nothing"
        ]
    );
    assert_eq!(
        of("[host]\ninterval = \"1s\"\nspace = [{ mount = \"/\", full_within = \"1m\" }]\n", "space:/"),
        Span::from_secs(60)
    );
}

#[test]
fn what_is_unusual_is_told_where_it_is_asked_for_and_levels_have_hours() {
    let of = |text: &str, name: &str| {
        let config = read(text).unwrap();
        config.checks().iter().find(|check| check.name().as_str() == name).unwrap().spec.unusual
    };
    let minutes = |minutes: u64| Span::from_secs(minutes * 60);
    assert_eq!(
        (of("", "host:cpu"), of("[host]\nload = { unusual = \"0s\" }\n", "host:load")),
        Default::default()
    );
    let text = "[host]\ncpu = { unusual = \"30m\" }\nswap = { unusual = \"1h\" }\n[host.pressure]\nio = { unusual = \"10m\" }\n";
    let found = ["host:cpu", "host:swap", "pressure:io", "pressure:cpu"].map(|name| of(text, name));
    assert_eq!(found, [30, 60, 10, 0].map(minutes));
    let metric = "[[check]]\nkind = \"metric\"\nurl = \"http://a/\"\nmetric = \"m\"\n";
    assert_eq!(of(&format!("{metric}unusual = \"2h\"\n"), "metric:m"), minutes(120));
    for (text, told) in [
        (
            "[host]\ncpu = { unusual = \"9m\" }\n",
            "2 host.cpu: unusual (9 min) must be at least six intervals and 10 min: 10 min; \"0s\" holds nothing against its past",
        ),
        (
            "[host]\ninterval = \"5m\"\ncpu = { unusual = \"20m\" }\n",
            "3 host.cpu: unusual (20 min) must be at least six intervals and 10 min: 30 min; \"0s\" holds nothing against its past",
        ),
        (
            "[host]\ninterval = \"1h\"\ncpu = { unusual = \"24h\" }\n",
            "3 host.cpu: unusual needs a look every 10 min, not every 1 h 0 min; \"0s\" holds nothing against its past",
        ),
        (
            "[host]\ninodes = [{ mount = \"/\", unusual = \"1h\" }]\n",
            "2 host.inodes.unusual: is not a known key",
        ),
        (
            "[[check]]\nkind = \"tcp\"\naddress = \"a:1\"\nunusual = \"1h\"\n",
            "4 check.unusual: is not a known key",
        ),
    ] {
        let all = mistakes(text);
        assert!(all.len() == 1 && all[0].starts_with(told), "{text}: {all:?}");
    }
    let many: String = (0..33).map(|at| format!("{metric}name = \"m{at}\"\nunusual = \"1h\"\n")).collect();
    let told = mistakes(&many).join("\n");
    assert!(told.contains("has 33 checks with `unusual`, more than 32"), "{told}");
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
