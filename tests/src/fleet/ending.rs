//! The word to end early, from the runner to the story: a scenario that lasts for hours tells what it has when it is asked to end.
//!
//! SIGINT and SIGTERM reach the runner alone, since all that hangs from it is a process group of its own; it closes a pipe that is the
//! story's standard input. A runner that is killed closes it too, but then the story is killed with it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The command can be told to end.
pub(super) fn prepare(command: &mut Command) {
    command.stdin(Stdio::piped()).process_group(0);
}

/// From now on signals to this process are that word.
pub(super) fn hand_on(child: &mut Child) {
    let pipe = child.stdin.take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    std::thread::spawn(move || {
        runtime.block_on(async {
            let listen = |kind| signal(kind).expect("signals can be heard");
            let (mut interrupt, mut terminate) =
                (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        });
        drop(pipe);
    });
}

/// In the story: lets time pass, at most so much; whether the word came.
pub(super) fn came_within(span: Duration) -> bool {
    let stdin = std::io::stdin();
    let limit = Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: span.subsec_nanos().into(),
    };
    let mut ends = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut ends, Some(&limit)).is_ok_and(|ready| ready > 0)
}
