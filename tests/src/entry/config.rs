//! The entry of the agent's file: any text, and text that is put together from what such files are made of.
//!
//! What is asserted: a file gives a configuration or a list of mistakes, of at most 100, each with a line that the file
//! has, in order; a configuration keeps its limits (checks, services, names that differ, services that exist, spans in
//! their order), and the same text gives the same one; it becomes a plan or another list of mistakes. That it takes no
//! longer than it should is for those who run it to watch: a case has 10 s there.

use super::cursor::Cursor;
use picket_agent::config::{self, CHECKS_MAX, Config, Mistakes, SERVICES_MAX};
use std::collections::BTreeSet;
use std::path::Path;

/// The entry's name.
pub const NAME: &str = "config";

/// The file's own folder is not there, so that no input finds a file beside it.
const FILE: &str = "/nonexistent/picket/agent.toml";

/// What files are made of, one after each bar: whole lines, tables, keys, values and signs.
const PARTS: &str = r#"[agent]
|state = "state"
|host = "web-1"
|spool = 16
|bus = "user"
|[collector]
|address = "c.example:7440"
|address = ["c:1", "[2001:db8::1]:2"]
|server_name = "c.example"
|token_file = "token"
|proxy = "http://me:pw@[::1]:3128"
|proxy_password_file = "password"
|[[service]]
|name = "nginx"
|name = "redis"
|unit = "nginx.service"
|command = ["nginx", "-g", "{here}/{state}"]
|[service.env]
|[[service.check]]
|[[check]]
|kind = "tcp"
|kind = "http"
|address = "127.0.0.1:80"
|url = "http://127.0.0.1/"
|send = "PING"
|interval = "5s"
|timeout = "100ms"
|fall = 10
|rise = 1
|hold = "5s"
|backoff_first = "1m"
|budget = 32
|[host]
|enabled = false
|cpu = { degraded = 90, down = 98 }
|load = { degraded = 1 }
|space = [{ mount = "/", degraded = 90, down = 97 }]
|[metrics]
|listen = "127.0.0.1:9100"
|cwd|env|flash_budget|ca|token|status|expect|stop_timeout|start_timeout|backoff_max|budget_window|same_deaths
|retry_after|"tcp"|"99999999999999999999h"|"18446744073709551615h"|"5124095577h"|""|[]|{}|0|1|1024|-1|0x10|1e9|nan|true
|1979-05-27|'''|"""|\u0000|é|{here}|{state}|#| = |
|.|,|[|]|"|{ | }|a|'"#;

/// Interprets any bytes.
pub fn run(bytes: &[u8]) {
    let mut cursor = Cursor::new(bytes);
    match cursor.below(4) {
        0 => judge(&String::from_utf8_lossy(cursor.rest())),
        1 => judge(&repeated(&mut cursor)),
        _ => judge(&put_together(&mut cursor)),
    }
}

/// Parts one after the other.
fn put_together(cursor: &mut Cursor<'_>) -> String {
    let mut text = String::new();
    while !cursor.is_done() {
        match cursor.byte() {
            255 => text.push_str(&String::from_utf8_lossy(cursor.some(1))),
            part => text.push_str(self::part(part)),
        }
    }
    text
}

fn part(number: u8) -> &'static str {
    let count = PARTS.split('|').count();
    PARTS.split('|').nth(usize::from(number) % count).unwrap_or_default()
}

/// The same few parts many times over: depth, and length.
fn repeated(cursor: &mut Cursor<'_>) -> String {
    let part: String = (0..=cursor.below(3)).map(|_| part(cursor.byte())).collect();
    let before: String = (0..cursor.below(4)).map(|_| self::part(cursor.byte())).collect();
    let times = usize::from(cursor.short());
    let text = before + &part.repeat(times.min(512 * 1024 / part.len()));
    text + &put_together(cursor)
}

fn judge(text: &str) {
    match config::parse(Path::new(FILE), text) {
        Ok(config) => sound(text, config),
        Err(mistakes) => told(text, &mistakes),
    }
}

fn sound(text: &str, config: Config) {
    let shown = format!("{config:?}");
    let again = config::parse(Path::new(FILE), text).expect("what was sound is sound");
    assert_eq!(format!("{again:?}"), shown, "the same text is another configuration");
    assert!(config.checks().len() <= CHECKS_MAX && config.services().len() <= SERVICES_MAX);
    let names: BTreeSet<&str> = config.services().iter().map(|service| service.spec.name.as_str()).collect();
    assert_eq!(names.len(), config.services().len(), "two services have one name");
    let names: BTreeSet<&str> = config.checks().iter().map(|check| check.name().as_str()).collect();
    assert_eq!(names.len(), config.checks().len(), "two checks have one name");
    for check in config.checks() {
        let spec = &check.spec;
        let owner = spec.service.map_or(0, usize::from);
        assert!(spec.service.is_none() || owner < config.services().len(), "a service that is not there");
        assert!(spec.timeout <= spec.interval, "{}: longer than its interval", spec.name);
        assert!((1..=10).contains(&spec.fall) && (1..=10).contains(&spec.rise), "{}", spec.name);
        assert!(spec.limits.is_none_or(|limits| limits.degraded < limits.down), "{}", spec.name);
        assert!(!check.target().is_empty());
    }
    if let Err(missing) = picket_agent::entry::plan(config) {
        told(text, &missing);
    }
}

fn told(text: &str, mistakes: &Mistakes) {
    let lines = text.matches('\n').count() + 1;
    assert!(!mistakes.0.is_empty(), "refused without a reason");
    assert!(mistakes.0.len() <= 100, "{} mistakes", mistakes.0.len());
    for mistake in &mistakes.0 {
        assert!(mistake.line <= lines, "line {} of {lines}: {mistake}", mistake.line);
        assert!(!mistake.problem.is_empty() && mistake.file == Path::new(FILE));
    }
    assert!(mistakes.0.is_sorted_by_key(|mistake| mistake.line), "not in the order of the lines");
    assert!(mistakes.to_string().ends_with("nothing was changed (config-invalid)"));
}
