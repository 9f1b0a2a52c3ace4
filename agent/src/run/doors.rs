//! Where people and programs on this host ask: the local socket, and `/metrics` where the file says so.

use crate::local::{self, Ask, Local};
use crate::metrics;
use crate::plan::Plan;
use tokio::sync::mpsc;

/// The socket for people on this host, and `/metrics`. Without them the agent does all the rest; it is told why.
pub(super) async fn listen(plan: &Plan) -> (Option<Local>, mpsc::Receiver<Ask>) {
    let (asks, out) = mpsc::channel(local::CLIENTS + metrics::CONNECTIONS);
    if let Some(address) = plan.metrics {
        match metrics::listen(address, asks.clone()).await {
            Ok(address) => tracing::info!(%address, "metrics are served"),
            Err(error) => tracing::warn!(%address, %error, "metrics are not served"),
        }
    }
    match Local::listen(&plan.state, asks) {
        Ok(local) => (Some(local), out),
        Err(error) => {
            tracing::warn!(folder = %plan.state.display(), %error, "no local socket: `status` can't be asked");
            (None, out)
        }
    }
}
