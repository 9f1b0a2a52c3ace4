//! `exec`: the plugins of Debian's monitoring-plugins-basic where they are installed, and scripts for the rest.

use crate::host::{Host, cannot_run_here, soon};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use tempfile::TempDir;

const PLUGINS: &str = "/usr/lib/nagios/plugins";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn check(name: &str, command: &str) -> String {
    format!("[[check]]\nkind = \"exec\"\nname = \"{name}\"\ncommand = {command}\nfall = 1\n")
}

fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// A real nginx that ends with its value.
struct Nginx {
    process: Child,
    _folder: TempDir,
}

impl Nginx {
    fn start(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        let text = format!(
            "daemon off; master_process off; pid {here}/pid; error_log {here}/log; events {{}} http {{ access_log off; \
             client_body_temp_path {here}/a; proxy_temp_path {here}/b; fastcgi_temp_path {here}/c; uwsgi_temp_path \
             {here}/d; scgi_temp_path {here}/e; server {{ listen 127.0.0.1:{port}; location / {{ return 200 well; }} }} }}"
        );
        std::fs::write(folder.path().join("conf"), text).unwrap();
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-c").arg(folder.path().join("conf")).arg("-e").arg(folder.path().join("log"));
        let process = command.spawn().unwrap();
        soon("nginx", || get(port, "/"));
        Self { process, _folder: folder }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _reaped_already = self.process.wait();
    }
}

#[test]
fn real_plugins_say_what_they_see_and_their_figures_are_told() {
    if !Path::new(PLUGINS).join("check_http").exists() || !Path::new("/usr/sbin/nginx").exists() {
        return cannot_run_here(
            "real_plugins",
            "no monitoring-plugins-basic or nginx (apt-get install both)",
        );
    }
    let (http, metrics) = (free_port(), free_port());
    let nginx = Nginx::start(http);
    let web = format!("[\"check_http\", \"-H\", \"127.0.0.1\", \"-p\", \"{http}\", \"-s\", \"well\"]");
    // Only the one of this test: others may run on the same machine.
    let procs =
        format!("[\"check_procs\", \"-c\", \"1:\", \"-C\", \"nginx\", \"-p\", \"{}\"]", std::process::id());
    let tables = [
        format!("[metrics]\nlisten = \"127.0.0.1:{metrics}\"\n"),
        check("web", &web),
        check("disk", "[\"check_disk\", \"-w\", \"0%\", \"-c\", \"0%\", \"-p\", \"/\"]"),
        check("disk-full", "[\"check_disk\", \"-w\", \"100%\", \"-c\", \"100%\", \"-p\", \"/\"]"),
        check("load", "[\"check_load\", \"-w\", \"0,0,0\", \"-c\", \"999,999,999\"]"),
        check("procs", &procs),
    ];
    let host = Host::with(&tables.concat(), |_| {});
    let (reading, said, web) = host.look("web");
    assert_eq!((reading.as_str(), &web["verdict"]), ("good", &"up".into()), "{said}");
    assert!(said.starts_with("HTTP OK: HTTP/1.1 200 OK"), "{said}");
    let labels: Vec<_> = web["figures"].as_array().unwrap().iter().map(|one| one["label"].clone()).collect();
    assert_eq!(labels, ["time", "size"]);
    assert!(web["figures"][0]["value"].as_f64().unwrap() > 0.0 && web["figures"][0]["unit"] == "s", "{web}");
    assert_eq!(host.becomes("disk", "up")["figures"][0]["label"], "/");
    let full = host.becomes("disk-full", "down");
    assert_eq!(full["cause"], "its plugin says critical");
    assert!(full["said"].as_str().unwrap().starts_with("DISK CRITICAL"), "{full}");
    assert_eq!(host.becomes("load", "degraded")["cause"], "its plugin warns");
    host.becomes("procs", "up");
    let page = get(metrics, "/metrics").unwrap();
    assert!(page.contains("picket_agent_check_value{check=\"web\",label=\"time\",unit=\"s\"} 0."), "{page}");
    drop(nginx);
    let down = host.becomes("web", "down");
    assert!(down["said"].as_str().unwrap().contains("Connection refused"), "{down}");
    assert_eq!(host.becomes("procs", "down")["cause"], "its plugin says critical");
}

#[test]
fn what_can_not_tell_is_unknown_and_what_hangs_is_down_and_nothing_of_it_stays() {
    let hangs = "trap '' TERM; setsid sh -c \"trap '' TERM; echo \\$\\$ > {here}/pids/away; while :; do sleep 1; done\" & \
                 echo still waiting; while :; do sleep 1; done";
    let tables = [
        check("hangs", &format!("[\"/bin/sh\", \"-c\", '''{hangs}''']")) + "timeout = \"700ms\"\n",
        check("status", "[\"/bin/sh\", \"-c\", \"echo can not tell; exit 3\"]"),
        check("killed", "[\"/bin/sh\", \"-c\", \"kill -9 $$\"]"),
        check("absent", "[\"{here}/no-such-plugin\"]"),
        check("ghost", "[\"/bin/true\"]") + "user = \"no-such-user\"\n",
    ];
    let host = Host::with(&tables.concat(), |folder| {
        use std::os::unix::fs::PermissionsExt;
        let pids = folder.path().join("pids");
        std::fs::create_dir(&pids).unwrap();
        std::fs::set_permissions(&pids, std::fs::Permissions::from_mode(0o777)).unwrap();
    });
    let down = host.becomes("hangs", "down");
    assert_eq!(
        (&down["cause"], &down["said"]),
        (&"no answer in time".into(), &"it did not end within 700 ms: still waiting".into())
    );
    let away = std::fs::read_to_string(host.path("pids/away")).unwrap();
    soon("an end of what forked away", || (!Path::new("/proc").join(away.trim()).exists()).then_some(()));
    for (name, reading, said) in [
        ("status", "its plugin can't tell (status 3)", "can not tell"),
        ("killed", "the probe failed with errno 4", "it was killed by signal 9"),
        (
            "absent",
            "the probe failed with errno 2",
            "it can't be started: No such file or directory (os error 2)",
        ),
        (
            "ghost",
            "the probe failed with errno 1",
            "it can't be started: there is no user `no-such-user` in /etc/passwd",
        ),
    ] {
        let (read, words, check) = host.look(name);
        assert_eq!((read.as_str(), words.as_str()), (reading, said));
        assert_eq!(check["verdict"], "unknown", "{check}");
    }
}
