//! What checks and services need beside their names: programs, other services, rungs, an init system.

use super::*;

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
    assert!(wrong(&own("\"restart\", \"pray\"")).contains(
        "`pray` is no rung; known: reload, restart, dependents, rollback, package, reboot, isolate"
    ));
    assert!(wrong(&own("\"restart\", \"isolate\", \"reload\"")).contains("`reload` can't stand there"));
    assert!(wrong(&own("\"reload\"")).contains("has no `restart`"));
    let reboot =
        |more: &str| format!("[agent.reboot]\n{more}\n{}", own("\"restart\", \"reboot\", \"isolate\""));
    assert_eq!(ladder(&reboot("")), [Remedy::Restart, Remedy::Reboot, Remedy::Isolate]);
    let reboots = read(&reboot("max = 2\nper = \"7d\"")).unwrap().services()[0].spec.reboots;
    assert_eq!(reboots.map(|it| (it.most, it.per)), Some((2, Span::from_secs(7 * 86_400))));
    assert!(wrong(&reboot("per = \"1m\"")).contains("must lie between"));
    assert!(wrong(&own("\"restart\", \"reboot\"")).contains("names `reboot`, and [agent] does not allow it"));
    assert!(wrong(&own("\"reboot\", \"restart\"")).contains("`restart` can't stand there"));
    assert!(wrong(&own("\"restart\", \"rollback\"")).contains("names `rollback`, and no files are kept"));
    let package =
        |named: &str| own(&format!("\"restart\", \"package\"]\npackage = {{ names = [{named}] }}\n#"));
    let read_package = read(&package("\"web\", \"web-data:amd64\"")).unwrap();
    let service = &read_package.services()[0];
    assert_eq!(service.packages.as_deref().unwrap(), ["web", "web-data:amd64"]);
    assert_eq!(service.spec.packages.map(|good| good.after), Some(Span::from_secs(300)));
    assert!(wrong(&own("\"restart\", \"package\"")).contains("names `package`, and no package is named"));
    for bad in ["\"Web\"", "\"-i\"", "\"a/b\"", "\"a\", \"a\""] {
        assert!(wrong(&package(bad)).contains("is no package, or there twice"), "{bad}");
    }
    assert!(wrong(&package("")).contains("must name 1 to 8 packages"));
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

#[test]
fn files_that_are_kept_are_a_services_own() {
    let with =
        |good: &str| format!("[[service]]\nname = \"web\"\ncommand = [\"/bin/true\"]\ngood = {{ {good} }}\n");
    let read = read(&with(
        "files = [\"/etc/web/\", \"{state}/conf\", \"own.d\"], precheck = [\"/bin/t\", \"{here}\"]",
    ))
    .unwrap();
    let service = &read.services()[0];
    let kept = service.kept.clone().unwrap();
    let here = read.here.to_str().unwrap();
    assert_eq!(kept.paths, ["/etc/web", "{state}/conf", &format!("{here}/own.d")]);
    assert_eq!(kept.precheck.unwrap(), ["/bin/t", here]);
    assert!(service.spec.good.is_some_and(|good| good.precheck && good.after == Span::from_secs(300)));
    for (good, words) in [
        ("files = [\"/\"]", "`/` is not a service's own"),
        ("files = [\"/etc\"]", "`/etc` is not a service's own"),
        ("files = [\"{state}\"]", "`{state}` is not a service's own"),
        ("files = [\"/etc/web/../ssl\"]", "has `..` in it"),
        ("files = [\"/etc/web\", \"/etc/web/conf.d\"]", "is named by `/etc/web` already"),
        ("files = [\"/etc/web\"], after = \"1ms\"", "must lie between"),
        ("files = [\"/etc/web\"], precheck = []", "is no program"),
        ("precheck = [\"/bin/t\"]", "files: is missing"),
        ("files = []", "names none"),
    ] {
        let wrong = mistakes(&with(good)).join("\n");
        assert!(wrong.contains(words), "{good}: {wrong}");
    }
}

/// Each would install another version of it.
#[test]
fn a_package_belongs_to_one_service() {
    let service = |name: &str, named: &str| {
        let package = format!("package = {{ names = [{named}] }}");
        format!("[[service]]\nname = \"{name}\"\nunit = \"{name}.service\"\n{package}\n")
    };
    let both = |named: &str| service("web", "\"web\", \"data:amd64\"") + &service("other", named);
    let told = mistakes(&both("\"web:amd64\"")).join("\n");
    assert!(told.contains("`web:amd64` is named by service `web` too"), "{told}");
    assert!(!mistakes(&both("\"data\"")).is_empty());
    assert!(read(&both("\"data:i386\", \"web-2\"")).is_ok());
}

#[test]
fn what_only_the_agent_starts_can_not_only_be_observed() {
    let of = |agent: &str, service: &str| {
        format!("[agent]\nobserve = {agent}\n[[service]]\nname = \"web\"\n{service}\n")
    };
    for (agent, service, observes) in [
        ("true", "unit = \"web.service\"", true),
        ("true", "unit = \"web.service\"\nobserve = false", false),
        ("false", "unit = \"web.service\"\nobserve = true", true),
        ("false", "unit = \"web.service\"", false),
        ("true", "command = [\"/bin/true\"]\nobserve = false", false),
    ] {
        let read = read(&of(agent, service)).unwrap();
        assert_eq!(read.services()[0].spec.observes, observes, "{agent}: {service}");
    }
    let wrong = mistakes(&of("true", "command = [\"/bin/true\"]"));
    assert_eq!(
        wrong,
        [
            "3 service: `web` is only to be observed, and nobody but the agent starts it; set observe = false for it, or have systemd \
          start it: unit = \"..\""
        ]
    );
}

#[test]
fn a_cap_that_reports_alone_would_use_up_is_a_mistake() {
    let of = |keys: &str| format!("[collector]\naddress = \"a:1\"\n{keys}\n");
    for sound in
        ["cap = \"5MiB\"\nprofile = \"metered\"", "cap = \"1GiB\"", "cap = \"1GiB\"\nreport = \"20s\""]
    {
        read(&of(sound)).unwrap();
    }
    assert_eq!(
        mistakes(&of("cap = \"5MiB\"")),
        [
            "1 collector.cap: is used up by reports that come so often: every 10 s, they are 90 MB in 30 days; say profile = \
          \"metered\" too, or report = \"15m\""
        ]
    );
}
