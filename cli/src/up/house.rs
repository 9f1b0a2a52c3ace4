//! The parts of `up` together: start collector and agent, tell what happens, end them in order.
//!
//! Order matters three times. The watch on the incidents is open before the agent starts, so that nothing is missed;
//! the agent ends before the collector, so that its goodbye is heard; orphans are killed when the agent is gone and
//! not before, since they are its services.

use super::child::{Child, Word};
use super::folder::Folder;
use super::listening::Ports;
use super::tell::{self, Teller, say};
use super::{AGENT, COLLECTOR, Ends, orphans};
use crate::failure::Failure;
use crate::place::Place;
use crate::screen::Screen;
use crate::{ask, link, watch};
use picket_agent::config::Config;
use picket_proto::Span;
use picket_rpc::v1;
use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tonic::Streaming;

/// How long the collector may take to serve: making keys and a journal takes well below a second.
const READY: Duration = Duration::from_secs(30);
/// What an agent needs beyond its services' stop time: goodbye and its last events.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long a part may take that was told to hurry.
const HURRY: Duration = Duration::from_secs(2);

/// `up` while it runs.
pub(crate) struct House<'f> {
    folder: &'f Folder,
    config: Config,
    teller: Teller,
    collector: Option<Child>,
    agent: Option<Child>,
    changes: Option<Streaming<v1::IncidentChange>>,
    /// The last change's token, to go on with.
    token: String,
    address: String,
}

/// What a moment brought.
enum Moment {
    Event(String),
    /// A change, or the stream's end.
    Change(Option<Box<v1::IncidentChange>>),
    /// Agent or collector ended by itself.
    PartEnded(Failure),
    /// Some child ended, perhaps an orphan.
    ChildEnded,
    Quiet,
    End,
}

impl<'f> House<'f> {
    pub(crate) fn new(folder: &'f Folder, config: Config, screen: Screen) -> Self {
        let teller = Teller::new(screen, config.checks().len());
        let (token, address) = (String::new(), String::new());
        Self { folder, config, teller, collector: None, agent: None, changes: None, token, address }
    }

    /// Whether both parts run.
    pub(crate) const fn is_whole(&self) -> bool {
        self.agent.is_some() && self.collector.is_some()
    }

    /// Starts both parts and says what they do.
    pub(crate) async fn start(&mut self, ports: Option<Ports>) -> Result<(), Failure> {
        say(&tell::watched(&self.config, ports, self.teller.screen()));
        self.start_collector().await?;
        let place = self.place();
        let mut link = link::open(&place).await?;
        let token = ask::create_token(&mut link, self.config.host.as_str()).await?.token;
        let token = self.folder.write("token", &token)?;
        self.changes = Some(watch::open(&place, "").await?);
        self.folder.publish(&self.address)?;
        say(&tell::how_to_ask(self.folder, &self.address));
        self.start_agent(&token)
    }

    fn place(&self) -> Place {
        Place { address: self.address.clone(), credentials: self.folder.credentials() }
    }

    async fn start_collector(&mut self) -> Result<(), Failure> {
        let args = words(&[
            &"run",
            &"--data",
            &self.folder.collector(),
            &"--listen",
            &"127.0.0.1:0",
            &"--die-with-parent",
            &"--log-format",
            &"json",
        ]);
        let collector = self.collector.insert(Child::start("collector", COLLECTOR, &args)?);
        let ready = timeout(READY, async {
            loop {
                match collector.next().await {
                    Word::Line(line) => {
                        if let Some(address) = listening(&line) {
                            return Ok(address);
                        }
                    }
                    Word::Ended(status) => return Err(status),
                }
            }
        });
        self.address = match ready.await {
            Ok(Ok(address)) => address,
            Ok(Err(status)) => return Err(collector.epitaph(status).await),
            Err(_) => return Err(collector.epitaph(None).await),
        };
        Ok(())
    }

    fn start_agent(&mut self, token: &Path) -> Result<(), Failure> {
        let args = words(&[
            &"run",
            &"--config",
            &self.config.file,
            &"--state",
            &self.folder.agent(),
            &"--collector",
            &self.address,
            &"--token-file",
            &token,
            &"--stop-services",
            &"--die-with-parent",
            &"--log-format",
            &"json",
        ]);
        self.agent = Some(Child::start("agent", AGENT, &args)?);
        Ok(())
    }

    /// Tells what happens until the end or until a part ends by itself.
    pub(crate) async fn watch(&mut self, ends: &mut Ends) -> Result<(), Failure> {
        let mut children = signal(SignalKind::child())
            .map_err(|error| Failure::failed(format!("cannot listen for signals: {error}"), ""))?;
        loop {
            let moment = tokio::select! {
                moment = self.moment() => moment,
                _ = children.recv() => Moment::ChildEnded,
                () = ends.next() => Moment::End,
            };
            match moment {
                Moment::Event(line) => say(&self.teller.event(&line)),
                Moment::Change(change) => self.changed(change).await,
                Moment::PartEnded(failure) => return Err(failure),
                Moment::ChildEnded => orphans::bury(&self.ours()),
                Moment::Quiet => {}
                Moment::End => return Ok(()),
            }
        }
    }

    async fn moment(&mut self) -> Moment {
        let (Some(agent), Some(collector)) = (&mut self.agent, &mut self.collector) else {
            return std::future::pending().await;
        };
        let (agents, collectors) = tokio::select! {
            biased;
            word = agent.next() => (Some(word), None),
            word = collector.next() => (None, Some(word)),
            change = next(&mut self.changes) => return Moment::Change(change),
        };
        match (agents, collectors) {
            (Some(Word::Line(line)), _) => Moment::Event(line),
            (Some(Word::Ended(status)), _) => Moment::PartEnded(agent.epitaph(status).await),
            (None, Some(Word::Ended(status))) => Moment::PartEnded(collector.epitaph(status).await),
            (None, Some(Word::Line(_)) | None) => Moment::Quiet,
        }
    }

    async fn changed(&mut self, change: Option<Box<v1::IncidentChange>>) {
        if let Some(change) = change {
            say(&self.teller.change(&change));
            self.token = change.resume_token;
        } else {
            // Cut, or the collector is ending: if it is, its end is told by the next moment.
            self.changes = watch::open(&self.place(), &self.token).await.ok();
        }
    }

    /// The children that this process waits for by itself.
    fn ours(&self) -> Vec<u32> {
        [&self.agent, &self.collector].into_iter().flatten().filter_map(Child::pid).collect()
    }

    /// Ends the agent with its services, then the collector. A further Ctrl-C makes it hurry.
    pub(crate) async fn stop(&mut self, ends: &mut Ends) {
        let over_the_echoed_ctrl_c = if self.teller.screen().width().is_some() { "\r" } else { "" };
        say(over_the_echoed_ctrl_c);
        say(&self.teller.remark("ending: the services first, then the agent, then the collector"));
        let services = self.config.services().iter().map(|service| service.spec.stop_timeout).max();
        let patience = services.unwrap_or(Span::ZERO).to_duration() + FAREWELL;
        if let Some(mut agent) = self.agent.take() {
            let teller = &mut self.teller;
            end(&mut agent, patience, ends, |line| say(&teller.event(line))).await;
        }
        orphans::kill(&self.ours()).await;
        self.changes = None;
        if let Some(mut collector) = self.collector.take() {
            end(&mut collector, FAREWELL, ends, |_its_own_log| ()).await;
        }
        say(&self.teller.remark("ended"));
    }
}

/// Asks a part to end, hands on what it says meanwhile, and kills it where it does not.
async fn end(child: &mut Child, patience: Duration, ends: &mut Ends, mut hear: impl FnMut(&str)) {
    child.terminate();
    let gone = async {
        loop {
            match child.next().await {
                Word::Line(line) => hear(&line),
                Word::Ended(_) => return,
            }
        }
    };
    let hurried = tokio::select! {
        gone = timeout(patience, gone) => gone.is_err(),
        () = ends.next() => true,
    };
    if hurried {
        child.terminate(); // the agent's second one kills its services at once
        let _killed_then = timeout(HURRY, child.ended()).await;
    }
    child.kill().await;
}

async fn next(changes: &mut Option<Streaming<v1::IncidentChange>>) -> Option<Box<v1::IncidentChange>> {
    match changes {
        Some(changes) => changes.message().await.ok().flatten().map(Box::new),
        None => std::future::pending().await,
    }
}

/// The address in the collector's line `ready {"listen":"127.0.0.1:7600"}`.
fn listening(line: &str) -> Option<String> {
    let ready: Value = serde_json::from_str(line.strip_prefix("ready ")?).ok()?;
    ready.get("listen")?.as_str().map(str::to_owned)
}

fn words(args: &[&dyn AsRef<std::ffi::OsStr>]) -> Vec<OsString> {
    args.iter().map(|arg| arg.as_ref().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ready_line_carries_the_address() {
        assert_eq!(listening(r#"ready {"listen":"127.0.0.1:7600"}"#), Some("127.0.0.1:7600".to_owned()));
        assert_eq!(listening(r#"{"listen":"127.0.0.1:7600"}"#), None);
        assert_eq!(listening("ready soon"), None);
    }
}
