//! Real servers, with the very configurations that the documentation shows.

use super::story::{Story, example};
use picket_rpc::v1;
use picket_tests::rig::cannot_run_here;
use picket_tests::rig::listen::wait_listening;
use picket_tests::rig::process::PATIENCE;
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const NGINX: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 18080);
const REDIS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 16379);

pub(crate) fn installed(test: &str, program: &str, package: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    let there = path.split(':').any(|folder| std::path::Path::new(folder).join(program).exists());
    if !there {
        cannot_run_here(test, &format!("{program} is not installed (apt-get install {package})"));
    }
    there
}

fn config(name: &str) -> String {
    let (folder, text) = example(name);
    // The host's own levels are left out: tests run on machines at their limit, which is not what is told here.
    format!("[host]\nenabled = false\n\n{}", text.replace("{here}", folder.to_str().unwrap()))
}

pub(crate) fn answers(address: SocketAddr, request: &str, expected: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = [0; 512];
        let len = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..len]).contains(expected))
    };
    ask().unwrap_or(false)
}

async fn killed_three_times(config: &str, service: &str, address: SocketAddr, request: &str, expected: &str) {
    let mut story = Story::begin(config).await;
    story.agent.line_with("service-started");
    assert!(wait_listening(address, PATIENCE));
    for _ in 0..3 {
        story.signal(service, Signal::KILL).await;
        story.agent.line_with("remedy-held");
        assert!(answers(address, request, expected), "{service} serves again");
        story.change("incident-resolved").await;
    }
    frozen(&mut story, service).await;
    assert!(answers(address, request, expected), "{service} serves again");
    let incidents = story.incidents().await;
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0].state(), v1::IncidentState::Resolved);
    assert!(incidents[0].outcome.contains("recovered, verified"), "{incidents:#?}");
    assert!(story.agent.end().success());
    assert!(!answers(address, request, expected), "nothing is left behind");
}

/// A SIGSTOP is no death: only a check can see it, and only a restart heals it.
async fn frozen(story: &mut Story, service: &str) {
    let pid = story.signal(service, Signal::STOP).await;
    story.agent.line_with("check-down");
    story.agent.line_with("remedy-held");
    story.change("incident-resolved").await;
    assert_ne!(story.alive(service).await.pid, pid);
}

/// Purpose: a killed nginx master leaves workers that hold the port; it must serve again all the same.
#[tokio::test]
async fn nginx_serves_again_after_kill_minus_9_and_after_sigstop() {
    if installed("nginx", "nginx", "nginx-light") {
        let request = "GET / HTTP/1.0\r\n\r\n";
        killed_three_times(&config("nginx.toml"), "nginx", NGINX, request, "200").await;
    }
}

/// Purpose: redis, whose port still accepts when it is stopped, so that only its answer tells.
#[tokio::test]
async fn redis_serves_again_after_kill_minus_9_and_after_sigstop() {
    if installed("redis", "redis-server", "redis-server") {
        killed_three_times(&config("redis.toml"), "redis", REDIS, "PING\r\n", "+PONG").await;
    }
}
