//! The local socket `STATE/agent.sock`: questions of people on this host, answered by the loop, link up or down.
//!
//! A Unix stream of mode 0600 in a folder of mode 0700; the peer must be root or the agent's own user (SO_PEERCRED).
//! One JSON document per line, in both directions: a request is at most 4 KiB, an answer at most 64 KiB; what is
//! longer comes in pages, each with `next`. Every document of the agent carries `v`, the version of this protocol.
//!
//! | limit | why |
//! |---|---|
//! | 4 clients | a person has one or two terminals; a fifth is told so and cut |
//! | 5 s for a request to come whole, and for an answer to be taken | a stuck client keeps a place no longer |
//! | 8 questions in the channel to the loop | one per client and per reader of `/metrics`, so it can't be full |
//! | a page of 64 checks, 32 services, 64 events, 64 things | the loop needs well below 1 ms for any |
//!
//! A client has a task of its own: the loop hands its answer over and never waits. Paths of sockets are limited to
//! 107 bytes; the folder is named by its descriptor, so a state folder may be as deep as it likes.

mod answer;
mod ask;
mod baseline;
mod client;
mod facts;
mod page;
mod remedies;
mod spoken;
mod tail;

pub(crate) use answer::{About, Answerer, Reply, Wish};
pub(crate) use ask::{Answer, Ask, Question};
pub(crate) use baseline::Accepting;
pub(crate) use facts::{ConfigFacts, Costs, LinkFacts, written_here};
pub(crate) use spoken::Spoken;
use tail::Tail;

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};

/// The protocol's version.
pub(crate) const VERSION: u32 = 1;
/// The socket's name in the state folder.
pub(crate) const NAME: &str = "agent.sock";
/// Most clients at a time.
pub(crate) const CLIENTS: usize = 4;

/// The listening socket. Dropping it removes its file.
pub(crate) struct Local {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Local {
    /// Listens in `folder`, of which this process holds the lock: a socket that is there already is nobody's. What
    /// is asked goes to `asks`, which has a place for each client.
    ///
    /// # Errors
    /// The socket can't be made; nothing listens.
    pub(crate) fn listen(folder: &Path, asks: mpsc::Sender<Ask>) -> io::Result<Self> {
        let path = folder.join(NAME);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = at(folder, |short| UnixListener::bind(short))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let task = tokio::spawn(accept(listener, asks));
        Ok(Self { path, task })
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.task.abort();
        let _the_next_agent_removes_it = std::fs::remove_file(&self.path);
    }
}

/// Calls `use_it` with a path to the socket in `folder` that is short enough for the kernel.
///
/// # Errors
/// The folder can't be opened, or what `use_it` says.
pub(crate) fn at<T>(folder: &Path, use_it: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let folder = std::fs::File::open(folder)?;
    use_it(&Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(NAME))
}

async fn accept(listener: UnixListener, asks: mpsc::Sender<Ask>) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptors left, most likely; trying at once would only burn the CPU.
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            continue;
        };
        let place = Arc::clone(&places).try_acquire_owned();
        let asks = asks.clone();
        tokio::spawn(async move {
            match (who(&stream), place) {
                (Ok(by), Ok(_place)) => client::serve(stream, by, asks).await,
                (Err(refusal), _) => client::refuse(stream, &refusal).await,
                (Ok(_), Err(_)) => {
                    client::refuse(stream, "four others ask already; try again when one has ended").await;
                }
            }
        });
    }
}

/// Who asks, if that is root or the agent's own user.
fn who(stream: &UnixStream) -> Result<String, String> {
    let peer = stream.peer_cred().map_err(|error| format!("who asks can't be known: {error}"))?;
    let own = rustix::process::geteuid().as_raw();
    if peer.uid() != 0 && peer.uid() != own {
        return Err(format!(
            "only root and the agent's own user (uid {own}) may ask; you are uid {}",
            peer.uid()
        ));
    }
    Ok(crate::names::of_user(peer.uid()))
}
