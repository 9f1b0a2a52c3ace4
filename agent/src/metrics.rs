//! `/metrics` of the agent: its own figures, on a loopback address, off by default.
//!
//! Figures come from the loop, between two inputs, like every other answer about the agent; there is no series per
//! check or service, so that a scrape costs the same on every host; but what plugins measured is told, 1,024 values at
//! most.

mod figures;

pub(crate) use figures::Figures;
pub(crate) use picket_rpc::metrics::CONNECTIONS;

use crate::local::{Answer, Ask, Question};
use picket_rpc::metrics::serve;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Listens at `address` and answers from what the loop says to `asks`; ends with its task.
///
/// # Errors
/// The address can't be listened at.
pub(crate) async fn listen(address: SocketAddr, asks: mpsc::Sender<Ask>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    tokio::spawn(serve(listener, "agent", move || figures(asks.clone())));
    Ok(bound)
}

async fn figures(asks: mpsc::Sender<Ask>) -> Option<String> {
    let (reply, answer) = oneshot::channel();
    let ask = Ask { question: Question::Figures, by: "metrics".to_owned(), reply };
    asks.try_send(ask).ok()?;
    match answer.await.ok()? {
        Answer::Whole(text) => Some(text),
        Answer::Lines(..) => None,
    }
}
