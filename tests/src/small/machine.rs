//! The emulated machine and its console: a command at a time, each with its end and its status.

use crate::rig::clock::Since;
use crate::rig::process::{PATIENCE, Process};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Memory of the machine in MiB.
pub(super) const MEMORY: u32 = 64;

/// Lines of the console that may wait: all that a box says in its life, many times over.
const LINES_MAX: usize = 100_000;

/// A running box.
pub(super) struct Machine {
    qemu: Process,
    console: UnixStream,
    lines: Receiver<String>,
    said: Vec<String>,
    /// From the start of the emulator to the console's first word.
    pub(super) ready: Duration,
}

impl Machine {
    /// Starts the box of `image` with its state on `disk`, at 1970, with `words` for its kernel.
    ///
    /// # Panics
    /// If its console says nothing in time.
    pub(super) fn boot(image: &Path, disk: &Path, words: &str) -> Self {
        let since = Since::now();
        let socket = disk.with_extension("console");
        let _none_yet = std::fs::remove_file(&socket);
        // It ends with this process, however that ends; by its own process id, so that its power can be taken away.
        let arguments = arguments(image, disk, &socket, words);
        let mut qemu =
            Process::spawn("qemu", Command::new("setpriv").args(["--pdeathsig", "KILL"]).args(arguments));
        let console = connect(&mut qemu, &socket);
        let (send, lines) = sync_channel(LINES_MAX);
        let reader = console.try_clone().expect("a descriptor is left");
        std::thread::spawn(move || {
            for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                let _nobody_listens = send.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        });
        let mut machine = Self { qemu, console, lines, said: Vec::new(), ready: Duration::ZERO };
        machine.until("=== ready");
        machine.ready = since.elapsed();
        machine
    }

    /// What a command prints, and whether its status was 0.
    ///
    /// # Panics
    /// If it does not end in time.
    pub(super) fn try_ask(&mut self, command: &str) -> (String, bool) {
        self.console.write_all(format!("{command}\n").as_bytes()).expect("the console is there");
        // The line itself may come back before that: the first process gives every terminal its echo.
        self.until("=== begin");
        let from = self.said.len();
        let end = self.until("=== ");
        (self.said[from..self.said.len() - 1].join("\n"), end == "=== 0")
    }

    /// What a command prints that must do what it is asked.
    ///
    /// # Panics
    /// If it fails, with the log of the box.
    pub(super) fn ask(&mut self, command: &str) -> String {
        let (text, well) = self.try_ask(command);
        if !well {
            let log = self.try_ask("logread; ps").0;
            panic!("in the box `{command}` fails: {text}\n{log}");
        }
        text
    }

    /// Waits until `count` lines of the box's log have `word`; the last of them.
    ///
    /// # Panics
    /// If they do not come in time, with the log.
    pub(super) fn log(&mut self, word: &str, count: usize) -> String {
        self.ask(&format!("await '{word}' {count}"))
    }

    /// Takes its power away.
    pub(super) fn cut(mut self) {
        self.qemu.kill();
    }

    fn until(&mut self, part: &str) -> String {
        let since = Since::now();
        // `await` in the box gives up first, so that what it saw is told.
        while let Ok(line) = self.lines.recv_timeout(since.left(PATIENCE + PATIENCE)) {
            self.said.push(line.clone());
            if line.starts_with(part) {
                return line;
            }
        }
        panic!("the box does not say {part:?}; it said:\n{}", self.said.join("\n"));
    }
}

fn connect(qemu: &mut Process, socket: &Path) -> UnixStream {
    let since = Since::now();
    loop {
        if let Ok(stream) = UnixStream::connect(socket) {
            return stream;
        }
        assert!(since.elapsed() < PATIENCE, "qemu opens no console; it said: {}", qemu.said());
        std::thread::yield_now();
    }
}

/// `qemu-system-arm` and its arguments. virtio by memory addresses, so that no module for a bus is needed. It waits for whoever
/// reads the console.
fn arguments(image: &Path, disk: &Path, socket: &Path, words: &str) -> Vec<String> {
    let at = |name: &str| image.join(name).display().to_string();
    let mut all: Vec<String> = "qemu-system-arm -machine virt,highmem=off -cpu cortex-a15 -smp 1 -display none -monitor none -nodefaults \
        -no-reboot -rtc base=1970-01-01T00:00:00 -serial chardev:console -netdev user,id=net -device virtio-net-device,netdev=net \
        -device virtio-blk-device,drive=root -device virtio-blk-device,drive=state"
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    all.extend([
        "-m".to_owned(),
        MEMORY.to_string(),
        "-kernel".to_owned(),
        at("kernel"),
        "-initrd".to_owned(),
        at("initramfs"),
        "-append".to_owned(),
        format!("console=ttyAMA0 quiet loglevel=1 panic=-1 {words}"),
        "-chardev".to_owned(),
        format!("socket,id=console,server=on,wait=on,path={}", socket.display()),
        "-drive".to_owned(),
        format!("if=none,id=root,format=raw,readonly=on,file={}", at("root.squashfs")),
        "-drive".to_owned(),
        format!("if=none,id=state,format=raw,file={}", disk.display()),
    ]);
    all
}
