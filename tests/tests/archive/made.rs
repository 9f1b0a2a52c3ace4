//! Archives, keys and folders to install into, and install.sh at work in an empty network namespace.

use picket_tests::rig::cannot_run_here;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The shells that install.sh must run under.
pub(super) const SHELLS: [&[&str]; 2] = [&["dash"], &["busybox", "sh"]];

/// Who signs, and somebody else.
pub(super) const SIGNER: &str = "signer@example.org";
pub(super) const OTHER: &str = "other@example.org";

/// What `cli/examples/papers.rs` makes, without the building of it: CI makes an archive with the real ones.
const PAPERS: &str = "#!/bin/sh\nset -e\nof=$1/picket-agent\nmkdir -p $of/man $of/bash $of/zsh $of/fish\n\
    for one in agent.toml.example man/picket-agent.1 bash/picket-agent.bash zsh/_picket-agent fish/picket-agent.fish; do\n\
    echo $one >$of/$one\ndone\n";

/// Where archives are made.
pub(super) struct Made {
    folder: TempDir,
}

impl Drop for Made {
    /// gpg leaves an agent that keeps keys at hand.
    fn drop(&mut self) {
        let _goes_with_its_folder_else = self.gpg("gpgconf").args(["--kill", "all"]).output();
    }
}

impl Made {
    /// With two keys; nothing where a tool is missing, which is said.
    pub(super) fn begin(test: &str) -> Option<Self> {
        if let Some(reason) = missing() {
            cannot_run_here(test, &reason);
            return None;
        }
        let made = Self { folder: tempfile::tempdir().unwrap() };
        let home = made.path("gnupg");
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
        for who in [SIGNER, OTHER] {
            done(made.gpg("gpg").args([
                "--batch",
                "--passphrase",
                "",
                "--quick-generate-key",
                who,
                "ed25519",
                "sign",
                "1d",
            ]));
            let armoured = done(made.gpg("gpg").args(["--batch", "--armor", "--export", who])).stdout;
            std::fs::write(made.key(who), armoured).unwrap();
            let plain = done(made.gpg("gpg").args(["--batch", "--export", who])).stdout;
            std::fs::write(made.key(who).with_extension("gpg"), plain).unwrap();
        }
        script(&made.path("papers"), PAPERS);
        Some(made)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Somebody's public key, armoured; beside it the plain one, `.gpg`.
    pub(super) fn key(&self, who: &str) -> PathBuf {
        self.path(who).with_extension("asc")
    }

    fn gpg(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("GNUPGHOME", self.path("gnupg"));
        command
    }

    /// An archive of a program, packed; signed where somebody is named.
    pub(super) fn packed(&self, version: &str, program: &str, signer: Option<&str>, out: &str) -> PathBuf {
        let file = self.path(&format!("program-{version}"));
        script(&file, program);
        let packing = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/tarball.sh");
        let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let mut command = self.gpg(packing.to_str().unwrap());
        command.args(["--target", &target, "--version", version]);
        command.arg("--program").arg(file).arg("--papers").arg(self.path("papers"));
        command.arg("--out").arg(self.path(out));
        command.args(signer.iter().flat_map(|who| ["--key", who]));
        done(&mut command);
        self.path(out).join(format!("picket-agent-{version}-{}.tar.gz", std::env::consts::ARCH))
    }

    /// The same, signed by the signer and unpacked: the folder with install.sh.
    pub(super) fn archive(&self, version: &str, program: &str) -> PathBuf {
        let packed = self.packed(version, program, Some(SIGNER), "out");
        let into = self.path("unpacked");
        std::fs::create_dir_all(&into).unwrap();
        done(Command::new("tar").arg("-xzf").arg(&packed).arg("-C").arg(&into));
        into.join(packed.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz"))
    }

    /// A folder that is a small host's, for `--root`: with an inittab that has no end of line.
    pub(super) fn root(&self, name: &str) -> PathBuf {
        let root = self.path(name);
        for folder in ["var/lib", "etc/service", "etc/init.d"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("etc/inittab"), "::sysinit:/etc/init.d/rcS").unwrap();
        root
    }

    /// Runs an install.sh, without a network, and sees to it that none is asked for.
    pub(super) fn run(&self, shell: &[&str], script: &Path, args: &[&str]) -> Said {
        let trace = self.path("trace");
        let mut command = Command::new("unshare");
        command.args(alone());
        if can_trace() {
            command.args(["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect", "-o"]).arg(&trace);
        }
        let output = command.args(shell).arg(script).args(args).output().unwrap();
        let asked = std::fs::read_to_string(&trace).unwrap_or_default();
        let network: Vec<_> =
            asked.lines().filter(|line| line.contains("connect(") && !line.contains("AF_UNIX")).collect();
        assert!(network.is_empty(), "{shell:?} {args:?} asks for a network: {network:?}");
        Said::of(&output)
    }
}

/// How something ended, and all that it said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) text: String,
}

impl Said {
    pub(super) fn of(output: &Output) -> Self {
        let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        Self { code: output.status.code().unwrap_or(-1), text: String::from_utf8_lossy(&text).into_owned() }
    }

    /// # Panics
    /// If it ended otherwise, or did not say so.
    pub(super) fn is(&self, code: i32, words: &str) {
        assert!(self.code == code && self.text.contains(words), "{code} {words:?} awaited: {self:?}");
    }
}

/// Every path below a folder, sorted.
pub(super) fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            found.push(entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Runs a command that must succeed.
pub(super) fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", Said::of(&output).text);
    output
}

pub(super) fn script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// The words for unshare(1) that leave a process without a network.
fn alone() -> &'static [&'static str] {
    match rustix::process::getuid().is_root() {
        true => &["--net"],
        false => &["--user", "--map-root-user", "--net"],
    }
}

fn missing() -> Option<String> {
    let tools = [
        ("dash", "dash"),
        ("busybox", "busybox-static"),
        ("gpg", "gnupg"),
        ("gpgconf", "gnupg"),
        ("gpgv", "gpgv"),
        ("unshare", "util-linux"),
        ("sha256sum", "coreutils"),
    ];
    let missing = tools.iter().find(|(tool, _)| !is_here(tool));
    if let Some((tool, package)) = missing {
        return Some(format!("{tool} is not installed (apt-get install {package})"));
    }
    let may = Command::new("unshare").args(alone()).arg("true").output().unwrap();
    (!may.status.success()).then(|| format!("unshare: {}", Said::of(&may).text.trim()))
}

pub(super) fn is_here(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).exists())
}

fn can_trace() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        let tried =
            Command::new("strace").args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "true"]).output();
        let can = tried.is_ok_and(|output| output.status.success());
        if !can {
            cannot_run_here(
                "archive, that nothing asks for a network",
                "strace is not installed or may not trace",
            );
        }
        can
    })
}
