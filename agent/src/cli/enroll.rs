//! `enroll`: a host without a configuration gets one, and its certificate, in one command; then it is looked at once.
//!
//! In this order, so that whatever fails leaves no half of it: the way to the collector is proven, the state folder is taken,
//! the configuration is written beside its place, the token is spent, the configuration is put in its place. What a failure may leave is the
//! state folder with a key in it, which the next try uses: an answer that was lost costs no second token. Where an earlier
//! try came as far as the certificate, no token is needed any more. A configuration that is there is never touched.

mod draft;
mod found;

use super::socket::{Failure, PACKAGE_FILE, PACKAGE_STATE};
use super::status::Page;
use super::{inspect, print, trial, unit};
use crate::config::{self, Address, BusAddress, Token};
use crate::first;
use crate::identity::Folder;
use crate::link::{self, Peer};
use crate::plan::{self, Given, Plan};
use crate::state::State;
use crate::whole::Staged;
use clap::Args;
use draft::Draft;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// The configuration has no secret: everybody on the host may read how it is watched.
const MODE: u32 = 0o644;
/// A token has 135 bytes.
const TOKEN_MAX: u64 = 4096;
/// The look is a courtesy: nothing waits for it for long.
const LOOK: Duration = Duration::from_secs(20);

#[derive(Args)]
pub(super) struct Enroll {
    /// The collector's host:port; several times for several addresses
    #[arg(long, value_name = "ADDRESS", required = true)]
    collector: Vec<String>,
    /// File with the one-time token, which only its owner may read; `-` reads it from stdin. Not needed where the host has a certificate
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The one-time token itself. Whoever is on this host can read it in `ps` meanwhile: better give --token-file
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// The name for which the token was made; without it the kernel's host name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The configuration file that is written
    #[arg(long, value_name = "FILE", default_value = PACKAGE_FILE)]
    config: PathBuf,
    /// Folder for state
    #[arg(long, value_name = "DIR", default_value = PACKAGE_STATE)]
    state: PathBuf,
    /// Have services healed at once that the configuration names, in place of only observing them
    #[arg(long)]
    heal: bool,
}

/// Enrols this host.
///
/// # Errors
/// As in [`Failure`]; the configuration is not there then.
pub(super) fn enroll(mut given: Enroll) -> Result<Page, Failure> {
    for path in [&mut given.config, &mut given.state] {
        *path = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    }
    let given = &given;
    if std::fs::symlink_metadata(&given.config).is_ok() {
        return again(given);
    }
    let addresses = addresses(&given.collector)?;
    let named = Folder::below(&given.state).named();
    let draft = draft(given, &addresses, named.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("the runtime can't be made: {error}")))?;
    let plan = plan(given, &draft, named.is_some())?;
    for folder in [&given.state, &given.config] {
        if let Some(there) = inspect::unwritable(folder) {
            let (what, there) = (folder.display(), there.display());
            return Err(refused(format!(
                "{what} can't be written, because of {there}: run it as root, or name another place with --config and --state; nothing was changed"
            )));
        }
    }
    let peer = Peer::of(&plan);
    prove(&runtime, &peer)?;
    let seen = runtime.block_on(async { tokio::time::timeout(LOOK, first::look(&BusAddress::System)).await });
    let seen = seen.unwrap_or_else(|_late| first::late());
    settle(&runtime, &peer, (given, &plan), &draft.with(&seen))?;
    print(&format!("{} is enrolled; {} is written", plan.host, given.config.display()));
    let well = if named.is_some() { true } else { session(&runtime, &peer) };
    Ok(Page { text: found::page(&seen, given.heal) + &next(given), well })
}

fn refused(why: String) -> Failure {
    Failure::Refused(why)
}

/// A host with a configuration: enrolled already, or not to be touched.
fn again(given: &Enroll) -> Result<Page, Failure> {
    let file = given.config.display();
    let config = config::load(&given.config).map_err(Failure::Config)?;
    let state = config.state.unwrap_or_else(|| given.state.clone());
    if !Folder::below(&state).is_enrolled() {
        return Err(refused(format!(
            "{file} is there and is never overwritten, and this host has no certificate yet: let it name the collector's `address` and a `token_file` and start the agent, which enrols by that; or move it away and run this again. Nothing was changed"
        )));
    }
    let (now, wanted) =
        (config.collector.map(|it| it.addresses).unwrap_or_default(), addresses(&given.collector)?);
    if now != wanted {
        let now: Vec<String> = now.iter().map(ToString::to_string).collect();
        return Err(refused(format!(
            "this host is enrolled already, and {file} names the collector {}: change `address` in it where that is another way to the same one; for another collector `picket-agent seal` first. Nothing was changed",
            now.join(", ")
        )));
    }
    let named = Folder::below(&state).named();
    is_that_host(given, &state, named.as_deref())?;
    let host = named.unwrap_or_else(|| config.host.to_string());
    let text = format!("{host} is enrolled already and has {file}; nothing was changed\n{}", next(given));
    Ok(Page { text, well: true })
}

fn addresses(given: &[String]) -> Result<Vec<Address>, Failure> {
    let parse = |text: &String| {
        text.parse().map_err(|_| {
            Failure::Usage(format!(
                "--collector `{text}` is not host:port; write e.g. collector.example:7440"
            ))
        })
    };
    given.iter().map(parse).collect()
}

/// A certificate that is there is of the host that is meant: a copy of another host's disk must not pass for a new one.
fn is_that_host(given: &Enroll, state: &Path, named: Option<&str>) -> Result<(), Failure> {
    match (named, &given.name) {
        (Some(named), Some(name)) if named != name => {
            let state = state.display();
            Err(refused(format!(
                "{state} has the certificate of {named}: leave --name away to be that host, or `picket-agent seal --state {state}` first. Nothing was changed"
            )))
        }
        (Some(_) | None, _) => Ok(()),
    }
}

/// What is to be written. The name is the certificate's where there is one already.
fn draft(given: &Enroll, addresses: &[Address], named: Option<&str>) -> Result<Draft, Failure> {
    is_that_host(given, &given.state, named)?;
    let name = given.name.as_deref().or(named).map(|name| {
        name.parse()
            .map_err(|bad| Failure::Usage(format!("--name `{name}` {bad}; use 1 to 63 of a-z 0-9 . _ -")))
    });
    Ok(Draft {
        state: given.state.clone(),
        addresses: addresses.to_vec(),
        name: name.transpose()?,
        observe: !given.heal,
    })
}

fn plan(given: &Enroll, draft: &Draft, is_enrolled: bool) -> Result<Plan, Failure> {
    let config = config::parse(&given.config, &draft.text("")).map_err(Failure::Config)?;
    let token = if is_enrolled { None } else { Some(token(given)?) };
    plan::settle(config, &Given { token, ..Given::default() }).map_err(Failure::Config)
}

fn token(given: &Enroll) -> Result<Token, Failure> {
    const BETTER: &str = "`picket token HOST` makes one";
    let none = |what: &str| Failure::Usage(format!("{what} holds no token; {BETTER}"));
    if given.token_file.is_none() && given.token.is_none() {
        return Err(Failure::Usage(format!(
            "this host has no certificate, so it needs --token-file FILE; {BETTER}"
        )));
    }
    let Some(file) = &given.token_file else {
        return given.token.as_deref().and_then(Token::parse).ok_or_else(|| none("--token"));
    };
    if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().take(TOKEN_MAX).read_to_string(&mut text);
        return read.ok().and_then(|_| Token::parse(&text)).ok_or_else(|| none("stdin"));
    }
    match Token::read(file) {
        Some(read) => read.map_err(|unfit| Failure::Usage(format!("{}; {}", unfit.problem, unfit.better))),
        None => {
            let why = std::fs::File::open(file).err().map(|error| error.to_string()).unwrap_or_default();
            Err(Failure::Usage(format!("{} can't be read: {why}; {BETTER}", file.display())))
        }
    }
}

/// Tries the way, as `test-link` does, and shows it.
fn prove(runtime: &Runtime, peer: &Peer) -> Result<(), Failure> {
    let tried = runtime.block_on(link::diagnose(peer));
    for (address, steps) in &tried {
        print(trial::steps(address, steps).trim_end());
    }
    if tried.iter().any(|(_, steps)| trial::works(steps)) {
        return Ok(());
    }
    Err(refused("there is no way to the collector yet: do what stands behind `next:` and run this again. No token was used, nothing was changed".to_owned()))
}

/// Enrols and writes.
fn settle(
    runtime: &Runtime,
    peer: &Peer,
    (given, plan): (&Enroll, &Plan),
    text: &str,
) -> Result<(), Failure> {
    let _taken = State::take(&plan.state).map_err(|error| {
        refused(format!("{error}. An agent that runs is to be stopped first; no token was used"))
    })?;
    let file = given.config.display();
    let failed = |error: std::io::Error| refused(format!("{file} can't be written: {error}"));
    let staged = Staged::write(&given.config, text.as_bytes(), MODE)
        .map_err(|error| refused(format!("{file} can't be written: {error}. No token was used")))?;
    runtime.block_on(link::identity(peer, 0)).map_err(|why| {
        // A refusal of the collector says what to do itself.
        let next = if why.detail.contains(why.next()) { "" } else { why.next() };
        refused(format!("not enrolled: {why} {next} ({}). No configuration was written", why.code))
    })?;
    staged.put().map_err(failed)
}

/// Whether the collector takes the new certificate; shown.
fn session(runtime: &Runtime, peer: &Peer) -> bool {
    let tried = runtime.block_on(link::diagnose(peer));
    let well = tried.iter().any(|(_, steps)| trial::works(steps));
    for (address, steps) in tried.iter().filter(|(_, steps)| trial::works(steps) == well) {
        let shown = if well { &steps[steps.len().saturating_sub(1)..] } else { steps };
        print(trial::steps(address, shown).trim_end());
    }
    well
}

/// What to do now.
fn next(given: &Enroll) -> String {
    let is_packages = given.config == Path::new(PACKAGE_FILE) && given.state == Path::new(PACKAGE_STATE);
    let unit = unit::found(Path::new("/"));
    let by_unit = is_packages && unit.is_some() && Path::new("/run/systemd/system").is_dir();
    let command = match by_unit {
        true => "systemctl start picket-agent".to_owned(),
        false => format!("picket-agent run --config {}", given.config.display()),
    };
    format!("{}next: {command}\n", unit.and_then(|unit| elsewhere(given, &unit)).unwrap_or_default())
}

/// That the unit starts an agent by this very file which looks for the certificate in another folder.
fn elsewhere(given: &Enroll, unit: &unit::Unit) -> Option<String> {
    let state = unit.state.as_ref().filter(|state| **state != given.state)?;
    (unit.config.as_ref() == Some(&given.config)).then(|| {
        let (state, own) = (state.display(), given.state.display());
        format!(
            "note: picket-agent.service starts the agent with `--state {state}`, which wins over the file: it would find no certificate there. Move what is in {own} there, or have the unit name {own} (`systemctl edit --full picket-agent`)\n"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_would_look_elsewhere_for_the_certificate_is_told_of() {
        let given = |config: &str, state: &str| Enroll {
            collector: Vec::new(),
            token_file: None,
            token: None,
            name: None,
            config: config.into(),
            state: state.into(),
            heal: false,
        };
        let unit = unit::Unit { config: Some(PACKAGE_FILE.into()), state: Some(PACKAGE_STATE.into()) };
        let told = elsewhere(&given(PACKAGE_FILE, "/srv/picket"), &unit).unwrap();
        assert!(
            told.contains("`--state /var/lib/picket-agent`") && told.contains("in /srv/picket"),
            "{told}"
        );
        assert_eq!(elsewhere(&given(PACKAGE_FILE, PACKAGE_STATE), &unit), None);
        assert_eq!(elsewhere(&given("/tmp/trial.toml", "/tmp/state"), &unit), None);
        let without = unit::Unit { state: None, ..unit };
        assert_eq!(elsewhere(&given(PACKAGE_FILE, "/srv/picket"), &without), None);
    }
}
