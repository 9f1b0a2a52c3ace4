//! What docs/install.md and docs/remove.md say, done as they say it: on hosts without Picket, with the packages as they are shipped.
//!
//! The blocks are the pages' own, taken from the files and run by bash as they stand there, each in the shell of its host: what one
//! exports the next one has. What the rig does beside, and why:
//!
//! | what | why |
//! |---|---|
//! | names of the hosts in `/etc/hosts` | the page's reader has DNS |
//! | packages and tokens are laid into the folder | "in the current folder", "carry each to its host in any way" |
//! | nginx runs on both hosts | the page has it healed, and does not say that it installs it |
//! | `web-1` becomes `web-2` where the page says "and the same on `web-2`" | a token and a name are one host's |
//! | a block that only asks is asked again until all is well, the last one until the incident is over | a reader who looks too early looks again |
//! | of docs/remove.md, `cgroup.procs` is not read | it is for services that the agent itself started, of which there are none |
//!
//! apt-get finds no network there: a file in the current folder needs none, where what it depends on is installed.

use super::super::host::Host;
use super::super::page::{self, Block};
use super::super::world::{World, until};
use super::super::{net, own};
use super::{Play, Scenario};
use crate::rig::clock::Since;
use crate::rig::files::write_secret;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const INSTALL_PAGE: &str = include_str!("../../../../docs/install.md");
const REMOVE_PAGE: &str = include_str!("../../../../docs/remove.md");
/// The page's first line: "in five minutes".
const CLAIM: Duration = Duration::from_secs(300);
/// What the page calls hosts, and which they are.
const HOSTS: [(&str, usize); 3] = [("collector", 1), ("web-1", 2), ("web-2", 3)];
/// "It names the service, what killed it, when it was started again, and what proved that it works."
const NAMED: [&str; 5] = ["web-1", "nginx", "SIGKILL", "started", "verified"];
/// Lines that change nothing begin so.
const QUESTIONS: [&str; 3] = ["picket-agent status", "picket incidents", "picket incident show"];
/// Where root's shells keep what was exported.
const SHELL: &str = "/root/.shell";
/// Nginx is proven within its hold of 30 s, and some.
const PROVEN: Duration = Duration::from_secs(120);

/// From nothing to the first incident on two hosts, and back to nothing.
pub(super) const INSTALL: Scenario = Scenario {
    name: "install-page",
    says: "docs/install.md from nothing to the first incident on two hosts, and docs/remove.md back to nothing: every block as it stands \
           there, with the packages as they are shipped; the incident says what the page says, within its five minutes, and nothing is left",
    smoke: true,
    needs: &[("/usr/bin/apt-get", "apt"), ("/usr/bin/deb-systemd-helper", "init-system-helpers")],
    play: Play::Bare(|world| {
        HOSTS.iter().try_for_each(|(name, number)| settle(world.host(*number), name))?;
        let since = Since::now();
        let mut blocks: Vec<Block> = page::blocks(INSTALL_PAGE);
        blocks.retain(|block| {
            ["The collector", "Two hosts", "The first incident"].contains(&block.section.as_str())
        });
        let count = blocks.len();
        walk(world, &blocks)?;
        let took = since.elapsed();
        println!(
            "{}",
            json!({ "fleet": "install-page", "blocks": count, "first_incident_s": (took.as_secs_f64() * 10.0).round() / 10.0 })
        );
        if took > CLAIM {
            return Err(format!("the page says five minutes, and this took {} s", took.as_secs()));
        }
        goes(world)
    }),
};

/// What a reader of the page has before: names, packages, a server; and nothing of Picket's, nor of the rig's in its place.
fn settle(host: &Host, name: &str) -> Result<(), String> {
    host.does(&["rm", "-f", "/usr/bin/picket-agent", "/usr/bin/picket-collector", "/usr/sbin/policy-rc.d"])?;
    let left = own::left(host, &["/usr/bin/picket-fleet"]);
    if !left.is_empty() {
        return Err(format!("{name} has something of Picket's before: {left:?}"));
    }
    let lines: String = HOSTS
        .iter()
        .map(|(name, number)| {
            format!("{} {}\n", net::address(*number), name.replace("collector", "collector.example"))
        })
        .collect();
    host.does(&["sh", "-c", &format!("printf '{lines}' >>/etc/hosts; hostname {name}")])?;
    host.write(SHELL, "")?;
    if name == "collector" {
        own::bring(host, "picket-collector", "/root")?;
        own::bring(host, "picket", "/root").map(drop)
    } else {
        own::bring(host, "picket-agent", "/root")?;
        host.does(&["systemctl", "enable", "--now", "nginx"]).map(drop)
    }
}

/// Runs each block where its page says.
fn walk(world: &World, blocks: &[Block]) -> Result<(), String> {
    let mut places = BTreeSet::new();
    for (at, block) in blocks.iter().enumerate() {
        if !block.places.is_empty() {
            places.clone_from(&block.places);
        }
        if places.is_empty() {
            return Err(format!("the page does not say on which host: {}", block.text));
        }
        let is_last = at + 1 == blocks.len();
        for place in &places {
            // "and the same on `web-2`"
            let text = if places.len() > 1 { block.text.replace("web-1", place) } else { block.text.clone() };
            let host = host_of(world, place)?;
            match (is_last, only_asks(&text)) {
                (true, _) => tells(host, &text, &NAMED)?,
                (false, true) => tells(host, &text, &[])?,
                (false, false) => shell(host, &text).map(drop)?,
            }
        }
        carry(world)?;
    }
    Ok(())
}

fn host_of<'w>(world: &'w World, place: &str) -> Result<&'w Host, String> {
    let found = HOSTS.iter().find(|(name, _)| *name == place);
    found.map(|(_, number)| world.host(*number)).ok_or_else(|| format!("there is no host {place}"))
}

/// Runs lines in root's shell of a host; a line that fails ends them.
fn shell(host: &Host, text: &str) -> Result<String, String> {
    host.write("/root/.block", &format!("cd /root\n. {SHELL}\n{text}export -p >{SHELL}\n"))?;
    let (said, is_good) = host.run(&["bash", "-e", "/root/.block"]);
    if is_good { Ok(said) } else { Err(format!("{}: this block fails:\n{text}it says:\n{said}", host.name)) }
}

/// Whether a block changes nothing.
fn only_asks(text: &str) -> bool {
    text.lines().all(|line| QUESTIONS.iter().any(|question| line.starts_with(question)))
}

/// A block that only asks: until it succeeds, and says all these words.
fn tells(host: &Host, text: &str, words: &[&str]) -> Result<(), String> {
    until(&format!("this block tells {words:?}:\n{text}"), PROVEN, || {
        let said = shell(host, text)?;
        let missing: Vec<&&str> = words.iter().filter(|word| !said.contains(**word)).collect();
        if missing.is_empty() {
            eprintln!("{said}");
            return Ok(true);
        }
        Err(format!("{missing:?} is not there: {said}"))
    })
}

/// Carries tokens from the collector's host to those that they are named after.
fn carry(world: &World) -> Result<(), String> {
    for (name, number) in HOSTS {
        let file = format!("/root/{name}.token");
        let (token, is_there) = world.host(1).run(&["cat", &file]);
        if is_there && number != 1 {
            write_secret(&world.host(number).path(&file), &token);
            world.host(1).does(&["rm", &file])?;
        }
    }
    Ok(())
}

/// What docs/remove.md says of the agent, on both hosts, and of the collector, on its own; then nothing is left.
fn goes(world: &World) -> Result<(), String> {
    let blocks = page::blocks(REMOVE_PAGE);
    let parts: [(&str, &[&str]); 2] =
        [("The agent", &["web-1", "web-2"]), ("The collector and the command", &["collector"])];
    for (section, places) in parts {
        let mut of_it = blocks
            .iter()
            .filter(|block| block.section == section && !block.text.contains("cgroup.procs"))
            .peekable();
        if of_it.peek().is_none() {
            return Err(format!("docs/remove.md says nothing of: {section}"));
        }
        for block in of_it {
            for place in places {
                shell(host_of(world, place)?, &block.text)?;
            }
        }
    }
    for (name, number) in HOSTS {
        let host = world.host(number);
        let left = own::left(host, &["/usr/bin/picket-fleet"]);
        let (users, _) = host.run(&["getent", "passwd", "picket-collector"]);
        let (units, _) = host.run(&["systemctl", "list-units", "--all", "--plain", "--no-legend", "picket*"]);
        let (packages, _) = host.run(&["sh", "-c", "dpkg-query --show 'picket*' 2>/dev/null"]);
        if !left.is_empty() || ![&users, &units, &packages].iter().all(|text| text.is_empty()) {
            return Err(format!("left on {name}: {left:?} {users} {units} {packages}"));
        }
    }
    world.active(2, "nginx").and_then(|()| world.active(3, "nginx"))
}
