//! `container`: what Podman 4.3.1 answered of real containers, recorded and told again on a real Unix socket.
//!
//! Of each answer only what says how the container is was kept. A real engine, where there is one, is asked below.

mod podman;

use crate::host::Host;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};

/// Name, status, body.
const RECORDED: [(&str, u16, &str); 6] = [
    (
        "web",
        200,
        r#"{"Id":"c7933deb40863291bdd04d6b73cad4caf1b176cc7cd544b34c005f85ef703578","State":{"Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":12067,"ExitCode":0,"Error":"","StartedAt":"2026-11-29T19:54:56.316431057Z","FinishedAt":"0001-01-01T00:00:00Z","Health":{"Status":"starting","FailingStreak":0,"Log":null}},"RestartCount":0}"#,
    ),
    (
        "ended",
        200,
        r#"{"Id":"11fb590f23ea47b5dc15d125593df6e07096b14d6423fde66f5b1e9dd594325f","State":{"Status":"exited","Running":false,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":0,"ExitCode":5,"Error":"","StartedAt":"2026-11-29T19:54:57.212693111Z","FinishedAt":"2026-11-29T19:54:57.239083758Z","Health":{"Status":"","FailingStreak":0,"Log":null}},"RestartCount":0}"#,
    ),
    (
        "never",
        200,
        r#"{"Id":"073ab04259cc160ec92bd953c05aa9cb6e13884513be65b13fcb5bed9678adde","State":{"Status":"created","Running":false,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":0,"ExitCode":0,"Error":"","StartedAt":"0001-01-01T00:00:00Z","FinishedAt":"0001-01-01T00:00:00Z","Health":{"Status":"","FailingStreak":0,"Log":null}},"RestartCount":0}"#,
    ),
    (
        "ill",
        200,
        r#"{"Id":"c7933deb40863291bdd04d6b73cad4caf1b176cc7cd544b34c005f85ef703578","State":{"Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":12067,"ExitCode":0,"Error":"","StartedAt":"2026-11-29T19:54:56.316431057Z","FinishedAt":"0001-01-01T00:00:00Z","Health":{"Status":"unhealthy","FailingStreak":1,"Log":[{"Start":"2026-11-29T19:55:00.165095815Z","End":"2026-11-29T19:55:00.245220062Z","ExitCode":1,"Output":""}]}},"RestartCount":0}"#,
    ),
    (
        "killed",
        200,
        r#"{"Id":"c7933deb40863291bdd04d6b73cad4caf1b176cc7cd544b34c005f85ef703578","State":{"Status":"exited","Running":false,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":0,"ExitCode":137,"Error":"","StartedAt":"2026-11-29T19:54:56.316431057Z","FinishedAt":"2026-11-29T19:55:00.399083891Z","Health":{"Status":"unhealthy","FailingStreak":1,"Log":[{"Start":"2026-11-29T19:55:00.165095815Z","End":"2026-11-29T19:55:00.245220062Z","ExitCode":1,"Output":""}]}},"RestartCount":0}"#,
    ),
    (
        "gone",
        404,
        r#"{"cause":"no such container","message":"no container with name or ID \"nosuch\" found: no such container","response":404}"#,
    ),
];

/// Answers one request, in chunks as engines do it for long answers.
fn answer(stream: UnixStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut asked = String::new();
    lines.read_line(&mut asked)?;
    let mut field = String::new();
    while lines.read_line(&mut field)? > 2 {
        field.clear();
    }
    let of = |name: &str| asked.starts_with(&format!("GET /containers/{name}/json "));
    let Some((_, status, body)) = RECORDED.iter().find(|(name, ..)| of(name)) else { return Ok(()) };
    let mut stream = lines.into_inner();
    write!(stream, "HTTP/1.1 {status} As recorded\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    for part in body.as_bytes().chunks(100) {
        write!(stream, "{:x}\r\n", part.len())?;
        stream.write_all(part)?;
        write!(stream, "\r\n")?;
    }
    write!(stream, "0\r\n\r\n")
}

#[test]
fn a_container_is_what_its_engine_says() {
    let check = |(name, ..): &(&str, u16, &str)| {
        format!("[[check]]\nkind = \"container\"\ncontainer = \"{name}\"\nsocket = \"engine\"\nfall = 1\n")
    };
    let tables: String = RECORDED.iter().map(check).collect();
    let host = Host::with(&tables, |folder| {
        let engine = UnixListener::bind(folder.path().join("engine")).unwrap();
        std::thread::spawn(move || engine.incoming().flatten().try_for_each(answer));
    });
    for (name, verdict, reading, said) in [
        ("web", "up", "good", "running, starting"),
        ("ended", "down", "it ended with status 5", "exited"),
        ("never", "down", "it is not there", "created"),
        ("ill", "down", "it says that it is not well", "unhealthy"),
        ("killed", "down", "it ended with status 137", "exited"),
        ("gone", "down", "it is not there", ""),
    ] {
        let check = format!("container:{name}");
        host.becomes(&check, verdict);
        let (read, words, _) = host.look(&check);
        assert_eq!((read.as_str(), words.as_str()), (reading, said), "{name}");
    }
    std::fs::remove_file(host.path("engine")).unwrap();
    let blind = host.becomes("container:web", "unknown");
    assert!(blind["said"].as_str().unwrap().starts_with("the engine does not answer"), "{blind}");
}
