//! A collector and an agent as real processes in one folder, enrolled and connected.

use super::client;
use super::process::Process;
use super::scripted;
use picket_rpc::v1::operator_client::OperatorClient;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use tonic::transport::Channel;

/// A collector process and its data folder.
#[derive(Debug)]
pub struct Collector {
    words: Vec<OsString>,
    data: PathBuf,
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: String,
}

impl Collector {
    /// Starts a collector on a free port with its data in `folder`, and waits until it serves. `program` is a binary
    /// whose main calls [`super::role`] first.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn start(program: &OsStr, folder: &Path) -> Self {
        Self::start_on(program, folder, "127.0.0.1:0")
    }

    /// The same by another build of the collector: one whose main is the collector's own.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn start_build(binary: &OsStr, folder: &Path) -> Self {
        Self::launched(vec![binary.to_owned()], folder, "127.0.0.1:0")
    }

    /// The same on another address, such as `[::1]:0`.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn start_on(program: &OsStr, folder: &Path, listen: &str) -> Self {
        Self::launched(ours(program), folder, listen)
    }

    fn launched(words: Vec<OsString>, folder: &Path, listen: &str) -> Self {
        let (process, address) = launch(&words, folder, listen);
        Self { words, data: folder.to_owned(), process, address }
    }

    /// Starts it again on the same data and the same port, after its process ended.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn again(&mut self) {
        let (process, address) = launch(&self.words, &self.data, &self.address);
        self.process = process;
        self.address = address;
    }

    /// The same, but from now on by the collector in `program`.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn again_by(&mut self, program: &OsStr) {
        self.words = ours(program);
        self.again();
    }

    /// The first operator's credentials.
    pub fn credentials(&self) -> PathBuf {
        self.data.join("operator")
    }

    /// An operator's client.
    ///
    /// # Panics
    /// If the collector does not answer.
    pub async fn operator(&self) -> OperatorClient<Channel> {
        client::operator(&self.address, &self.credentials()).await.expect("the collector answers")
    }

    /// Replays the journal of the stopped collector: what `hash` prints.
    ///
    /// # Panics
    /// If the journal does not replay.
    pub fn hash(program: &OsStr, folder: &Path) -> String {
        let args = [OsStr::new("__collector"), OsStr::new("hash"), OsStr::new("--data"), folder.as_os_str()];
        let output = std::process::Command::new(program).args(args).output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said.trim().to_owned()
    }

    /// The hash of the state in what a collector prints at its end, or in what [`Self::hash`] gives.
    ///
    /// # Panics
    /// If there is none in it.
    pub fn snapshot(line: &str) -> String {
        let json = line.find('{').map_or(line, |at| &line[at..]);
        let value: serde_json::Value = serde_json::from_str(json).expect("it prints JSON");
        value["snapshot"].as_str().expect("the hash is a text").to_owned()
    }
}

fn ours(program: &OsStr) -> Vec<OsString> {
    vec![program.to_owned(), "__collector".into()]
}

fn launch(words: &[OsString], folder: &Path, listen: &str) -> (Process, String) {
    let mut words = words.iter();
    let mut command = std::process::Command::new(words.next().expect("there is a program"));
    command.args(words).arg("run").arg("--data").arg(folder).args(["--listen", listen]);
    let mut process = Process::spawn("collector", &mut command);
    let ready = process.line_with("\"listen\"");
    let address = ready
        .split('"')
        .find(|part| part.contains("1:") || part.contains("1]:"))
        .expect("ready names the address");
    let address = address.to_owned();
    (process, address)
}

/// An agent's folder: its configuration, its token, its state.
#[derive(Debug)]
pub struct AgentHome {
    program: OsString,
    binary: Option<OsString>,
    through: Vec<String>,
    folder: PathBuf,
}

impl AgentHome {
    /// Prepares an agent for `host`: mints its token and writes `config`, to which the collector's part is added.
    ///
    /// # Panics
    /// If the collector refuses or the folder cannot be written.
    pub async fn prepare(
        program: &OsStr,
        folder: &Path,
        host: &str,
        collector: &Collector,
        config: &str,
    ) -> Self {
        Self::prepare_at(program, folder, (host, &collector.address), collector, config).await
    }

    /// The same, but its way to the collector leads over `address`.
    ///
    /// # Panics
    /// As [`Self::prepare`].
    pub async fn prepare_at(
        program: &OsStr,
        folder: &Path,
        (host, address): (&str, &str),
        collector: &Collector,
        config: &str,
    ) -> Self {
        fs::create_dir_all(folder).expect("the folder can be made");
        let token = scripted::mint(&mut collector.operator().await, host).await;
        super::files::write_secret(&folder.join("token"), &token);
        let head = format!(
            "[agent]\nhost = \"{host}\"\nstate = \"state\"\n\n[collector]\naddress = \"{address}\"\ntoken_file = \"token\"\n\n"
        );
        fs::write(folder.join("agent.toml"), head + config).expect("the folder can be written");
        Self { program: program.to_owned(), binary: None, through: Vec::new(), folder: folder.to_owned() }
    }

    /// Has the agent use the bus at this D-Bus address.
    ///
    /// # Panics
    /// If the configuration cannot be written.
    pub fn on_bus(&self, address: &str) {
        let file = self.folder.join("agent.toml");
        let text = fs::read_to_string(&file).expect("the configuration is there");
        let text = text.replacen("[agent]\n", &format!("[agent]\nbus = \"{address}\"\n"), 1);
        fs::write(&file, text).expect("the folder can be written");
    }

    /// Puts `lines` in the place of how the collector is reached in the configuration.
    ///
    /// # Panics
    /// If the configuration cannot be written.
    pub fn reach_by(&self, lines: &str) {
        let file = self.folder.join("agent.toml");
        let text = fs::read_to_string(&file).expect("the configuration is there");
        let (before, after) = text.split_once("[collector]\n").expect("there is a collector");
        let (_way, after) = after.split_once("token_file").expect("there is a token");
        let text = format!("{before}[collector]\n{lines}\ntoken_file{after}");
        fs::write(&file, text).expect("the folder can be written");
    }

    /// Runs another of the agent's commands on this folder's configuration; what it printed, and its status.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn ask(&self, command: &str, env: &[(&str, &str)]) -> (String, Option<i32>) {
        let output = std::process::Command::new(&self.program)
            .args(["__agent", command, "--config"])
            .arg(self.folder.join("agent.toml"))
            .envs(env.iter().copied())
            .output()
            .expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&said).into_owned(), output.status.code())
    }

    /// Starts the agent; with `extra` arguments.
    pub fn start(&self, extra: &[&str]) -> Process {
        self.start_in(extra, &[])
    }

    /// Starts the agent; with `extra` arguments, in an environment with these added.
    pub fn start_in(&self, extra: &[&str], env: &[(&str, &str)]) -> Process {
        let mut args: Vec<OsString> = if self.binary.is_some() { Vec::new() } else { vec!["__agent".into()] };
        args.extend(["run", "--config"].map(OsString::from));
        args.push(self.folder.join("agent.toml").into());
        args.extend(["--log-format", "json"].map(OsString::from));
        args.extend(extra.iter().map(OsString::from));
        let program = self.binary.as_ref().unwrap_or(&self.program);
        let mut words = self.through.iter().map(OsStr::new).chain([program.as_os_str()]);
        let mut command = std::process::Command::new(words.next().unwrap_or_default());
        Process::spawn("agent", command.args(words).args(&args).envs(env.iter().copied()))
    }

    /// Uses another build of the agent: one whose main is the agent's own.
    pub fn use_binary(&mut self, program: &OsStr) {
        self.binary = Some(program.to_owned());
    }

    /// Uses the agent in the program itself again.
    pub fn use_own(&mut self) {
        self.binary = None;
    }

    /// Has an emulator, with its arguments, run that build.
    pub fn run_through(&mut self, words: &[String]) {
        words.clone_into(&mut self.through);
    }

    /// Waits until the next run of the agent can know the process of `service`: a thread writes that down a moment
    /// after the start, and an agent that is killed before leaves a process that is cleared and started again.
    ///
    /// # Panics
    /// If it is not written in time.
    pub fn identity_written(&self, service: &str) {
        let file = self.state().join(format!("services/{service}.process"));
        let since = super::clock::Since::now();
        while !file.exists() {
            assert!(since.elapsed() < super::process::PATIENCE, "{} is not written", file.display());
            std::thread::yield_now();
        }
    }

    /// Its state folder.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }
}
