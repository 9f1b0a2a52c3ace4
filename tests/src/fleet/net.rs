//! The hosts' network: a bridge, a link per host, and what can go wrong on the way.
//!
//! Hosts are `h1` and on: 10.77.0.11 and fd77::11 and on, the rig itself is 10.77.0.1. There is no way out of the bridge: no
//! route, no neighbour. Faults are rules of a bridge table, so that neither side's own firewall knows of them.

use std::io::Write;
use std::process::{Command, Stdio};

/// The rule table that faults are in; the first word of a chain may not be one of nft's own.
const TABLE: &str =
    "table bridge faults {\n  chain way {\n    type filter hook forward priority 0; policy accept;\n  }\n}";

/// The v4 address of host `number`.
pub(super) fn address(number: usize) -> String {
    format!("10.77.0.{}", 10 + number)
}

/// The v6 address of host `number`.
pub(super) fn address6(number: usize) -> String {
    format!("fd77::{}", 10 + number)
}

/// Makes the bridge.
pub(super) fn bridge() {
    ip(
        &["-batch", "-"],
        "link set lo up
link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0
addr add 10.77.0.1/24 dev br0
addr add fd77::1/64 dev br0 nodad
link set br0 up
",
    );
}

/// Makes the namespace and the link of host `number`.
pub(super) fn link(number: usize) {
    let host = format!("h{number}");
    ip(&["netns", "add", &host], "");
    let lines =
        format!("link add {host} type veth peer name host0 netns {host}\nlink set {host} master br0 up\n");
    ip(&["-batch", "-"], &lines);
    let (v4, v6) = (address(number), address6(number));
    let lines = format!(
        "link set lo up\naddr add {v4}/24 dev host0\naddr add {v6}/64 dev host0 nodad\nlink set host0 up\n"
    );
    ip(&["-n", &host, "-batch", "-"], &lines);
}

/// The bridge's side of what stands between a host and the bridge.
fn far(host: &str) -> String {
    format!("{host}-far")
}

/// Its side towards the host.
pub(super) fn near(host: &str) -> String {
    format!("{host}-near")
}

/// Takes a host off the bridge and puts a pair of links there in its place; nothing crosses from one to the other by itself.
pub(super) fn insert(host: &str) {
    let (near, far) = (near(host), far(host));
    let lines = format!(
        "link set {host} nomaster\nlink add {near} type veth peer name {far}\nlink set {far} master br0 up\nlink set {near} up\n"
    );
    ip(&["-batch", "-"], &lines);
    for link in [&near, &far, host] {
        run("/usr/sbin/ethtool", &["-K", link, "tx", "off", "tso", "off", "gso", "off", "gro", "off"], "");
    }
    let inside = [
        "netns",
        "exec",
        host,
        "/usr/sbin/ethtool",
        "-K",
        "host0",
        "tx",
        "off",
        "tso",
        "off",
        "gso",
        "off",
        "gro",
        "off",
    ];
    ip(&inside, "");
}

/// Puts the host back on the bridge.
pub(super) fn remove(host: &str) {
    ip(&["-batch", "-"], &format!("link del {}\nlink set {host} master br0\n", near(host)));
}

/// Takes a host's link down or up.
pub(super) fn set(host: &str, up: bool) {
    ip(&["link", "set", host, if up { "up" } else { "down" }], "");
}

/// Nothing from `from` reaches `to`.
pub(super) fn cut(from: &str, to: &str) {
    rule(&format!("iifname \"{from}\" oifname \"{to}\" drop"));
}

/// Of what goes to a host, so many of a thousand frames are lost.
pub(super) fn lose(host: &str, per_mille: u32) {
    rule(&format!("oifname \"{host}\" numgen random mod 1000 < {per_mille} drop"));
}

/// Nothing passes between two groups of hosts.
pub(super) fn split(one: &[&str], other: &[&str]) {
    for (from, to) in one.iter().flat_map(|from| other.iter().map(move |to| (from, to))) {
        cut(from, to);
        cut(to, from);
    }
}

/// What goes to a host goes at so many kbit/s, with at most 400 ms of it waiting.
pub(super) fn narrow(host: &str, kbits: u32) {
    let rate = format!("{kbits}kbit");
    let words =
        ["qdisc", "add", "dev", host, "root", "tbf", "rate", &rate, "burst", "4kb", "latency", "400ms"];
    run("/usr/sbin/tc", &words, "");
}

/// A host's link is as wide as ever.
pub(super) fn widen(host: &str) {
    run("/usr/sbin/tc", &["qdisc", "del", "dev", host, "root"], "");
}

/// All rules of the way are gone.
pub(super) fn heal() {
    nft(&format!("{TABLE}\nflush chain bridge faults way\n"));
}

fn rule(text: &str) {
    nft(&format!("{TABLE}\nadd rule bridge faults way {text}\n"));
}

fn nft(text: &str) {
    run("/usr/sbin/nft", &["-f", "-"], text);
}

fn ip(words: &[&str], input: &str) {
    run("/usr/sbin/ip", words, input);
}

fn run(program: &str, words: &[&str], input: &str) {
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the tools were looked for");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it reads its input");
    drop(stdin);
    let status = child.wait().expect("it is our child");
    assert!(status.success(), "{program} {words:?}: {status}; its input was {input:?}");
}
